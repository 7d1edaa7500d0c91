//! Encode, decode, encode again: nothing changes, nothing is lost.

use proptest::prelude::*;
use tidegate_opamp::{AgentToServer, Message, ServerToAgent, frame};

use super::strategies::{agent_to_server, server_to_agent};

fn check<M: Message + Default + PartialEq + std::fmt::Debug>(message: &M) -> Result<(), TestCaseError> {
    let payload = frame::encode(message);
    prop_assert_eq!(payload.len(), 1 + message.encoded_len());
    let decoded: M = frame::decode(&payload).unwrap();
    prop_assert_eq!(&decoded, message);
    prop_assert_eq!(frame::encode(&decoded), payload);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn given_any_report_when_it_passes_through_then_nothing_is_lost(message in agent_to_server()) {
        check::<AgentToServer>(&message)?;
    }

    #[test]
    fn given_any_answer_when_it_passes_through_then_nothing_is_lost(message in server_to_agent()) {
        check::<ServerToAgent>(&message)?;
    }
}
