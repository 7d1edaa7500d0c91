//! Digests of metrics: the newest one, once, to a server that wants it.

use tidegate_custom::METRICS;
use tidegate_custom::metrics::{Counters, Digest, Life};

use super::*;

impl Client {
    fn counting() -> Self {
        let mut client = Self::new();
        let custom_capabilities = vec![CHATOPS.to_owned(), METRICS.to_owned()];
        let settings = CoreSettings { custom_capabilities, ..client.core.settings.clone() };
        client.core = Core::new(settings, uid(), 0, report());
        client
    }

    /// One whose server lists these capabilities, some time after it did.
    fn listed(capabilities: &[&str]) -> Self {
        let mut client = Self::counting();
        client.take().unwrap();
        client.receive(listing(capabilities));
        client.now += 5 * SECOND;
        client
    }

    /// A digest with this number of records.
    fn count(&mut self, records: u64) {
        let counters = Counters { records, ..Counters::default() };
        let digest = Digest::new(Life::default(), [("input:a".to_owned(), counters)]);
        self.report.digest = Some(Arc::new(digest));
        self.core.report(self.report.clone());
    }
}

fn listing(capabilities: &[&str]) -> ServerToAgent {
    let capabilities = capabilities.iter().map(|name| (*name).to_owned()).collect();
    ServerToAgent {
        custom_capabilities: Some(CustomCapabilities { capabilities, ..CustomCapabilities::default() }),
        ..ServerToAgent::default()
    }
}

/// The records of the digest in a message, and its capability.
fn records(message: &AgentToServer) -> Option<(u64, String)> {
    let custom = message.custom_message.as_ref()?;
    let digest = Digest::parse(&custom.data).unwrap();
    Some((digest.components["input:a"].records, custom.capability.clone()))
}

/// C159: a digest goes when both ends listed the capability, under the name that the server listed.
#[test]
fn given_a_server_that_lists_metrics_when_a_digest_is_made_then_it_goes_at_once_and_once() {
    let prefixed = prefixed(METRICS);
    for form in [METRICS, &prefixed] {
        let mut client = Client::listed(&[form]);
        client.count(5);
        assert_eq!(client.due_in(), Duration::ZERO);
        let message = client.take().unwrap();
        assert_eq!(records(&message), Some((5, form.to_owned())));
        assert_eq!(client.take(), None);
        client.receive(ServerToAgent::default());
        client.change_health("degraded");
        assert_eq!(client.take().unwrap().custom_message, None, "the same report with another part");
    }
}

/// C159: it does not go to a server that did not list it, or said nothing yet (ruling A14), and makes nothing due.
#[test]
fn given_a_server_that_does_not_list_metrics_when_digests_are_made_then_nothing_is_due() {
    let mut silent = Client::counting();
    silent.take().unwrap();
    silent.receive(ServerToAgent::default());
    for mut client in [silent, Client::listed(&[CHATOPS]), Client::settled()] {
        client.count(5);
        assert!(client.due_in() > SECOND);
        assert_eq!(client.take(), None);
        client.now += HEARTBEAT;
        assert_eq!(client.take().unwrap().custom_message, None);
    }
}

/// C037: while the server is away digests do not pile up: the newest one goes when it is back.
#[test]
fn given_digests_while_the_server_is_away_when_it_is_back_then_the_newest_goes_alone() {
    let mut client = Client::listed(&[METRICS]);
    client.core.lost(Loss::Disconnected);
    (1..100).for_each(|records| client.count(records));
    client.core.connected();
    assert_eq!(records(&client.take().unwrap()).map(|(records, _)| records), Some(99));
    assert_eq!(client.take(), None);
}

/// C057: what may have been lost goes again under its number, without the digest, which is old by then.
#[test]
fn given_a_digest_that_was_not_answered_when_the_message_goes_again_then_the_digest_does_not() {
    for loss in [Loss::Unanswered, Loss::Disconnected, Loss::NotSent] {
        let mut client = Client::listed(&[METRICS]);
        client.count(5);
        let first = client.take().unwrap();
        client.core.lost(loss);
        let again = client.take().unwrap();
        assert_eq!(again.custom_message, None, "{loss:?}");
        let same = again.sequence_num == first.sequence_num;
        assert_eq!(same, loss != Loss::Disconnected, "{loss:?}");
        client.count(6);
        assert_eq!(records(&client.take().unwrap()).map(|(records, _)| records), Some(6));
    }
}

#[test]
fn given_answers_and_a_digest_when_both_wait_then_answers_go_first() {
    let mut client = Client::listed(&[METRICS, CHATOPS]);
    client.count(5);
    let answer = CustomMessage { capability: CHATOPS.to_owned(), ..CustomMessage::default() };
    client.core.answer(answer);
    assert_eq!(client.take().unwrap().custom_message.unwrap().capability, CHATOPS);
    assert_eq!(records(&client.take().unwrap()).map(|(records, _)| records), Some(5));
}

/// C019, C106: a digest that is too large is dropped; of another server nothing is known.
#[test]
fn given_a_message_limit_or_another_server_when_a_digest_waits_then_it_does_not_go() {
    let mut client = Client::listed(&[METRICS]);
    client.core.settings.max_message_bytes = 100;
    client.count(5);
    assert_eq!(client.take().unwrap().custom_message, None);
    assert_eq!(client.take(), None);
    let mut client = Client::listed(&[METRICS]);
    client.count(5);
    client.core.moved();
    assert_eq!(client.take().unwrap().custom_message, None);
}
