//! What the build can run: its hash first, the list when it is asked for.

use std::collections::BTreeMap;

use tidegate_opamp::{AvailableComponents, ComponentDetails};

use super::*;

const LISTS: u64 = AgentCapabilities::REPORTS_AVAILABLE_COMPONENTS.0;

fn components(hash: &'static [u8]) -> Arc<AvailableComponents> {
    let details = ComponentDetails {
        metadata: vec![KeyValue::text("description", "d".repeat(500))],
        ..ComponentDetails::default()
    };
    Arc::new(AvailableComponents {
        components: BTreeMap::from([("inputs".to_owned(), details)]),
        hash: hash.into(),
        ..AvailableComponents::default()
    })
}

/// One that knows its components.
fn knowing(max_message_bytes: usize) -> Client {
    let mut client = Client::allowing(capabilities(true, true), max_message_bytes);
    client.report.available_components = Some(components(b"one"));
    client.core.report(client.report.clone());
    client
}

fn list_wanted() -> ServerToAgent {
    ServerToAgent { flags: server_to_agent_flags::REPORT_AVAILABLE_COMPONENTS, ..ServerToAgent::default() }
}

/// What a message says of components: the hash, with `+` where the list is there.
fn said(message: &AgentToServer) -> Option<String> {
    let said = message.available_components.as_ref()?;
    let list = if said.components.is_empty() { "" } else { "+" };
    Some(format!("{}{list}", String::from_utf8_lossy(&said.hash)))
}

fn next(client: &mut Client) -> Option<String> {
    said(&client.take().expect("a message is due"))
}

/// C162, C165: the first message has the hash alone; the list goes once, after the flag.
#[test]
fn given_a_build_when_reported_then_its_hash_goes_first_and_the_list_only_after_the_flag() {
    let mut client = knowing(1 << 20);
    assert_eq!(next(&mut client).as_deref(), Some("one"));
    client.receive(ServerToAgent::default());
    assert_eq!(client.take(), None, "nothing more unasked");
    client.receive(list_wanted());
    let list = client.take().unwrap();
    assert_eq!((said(&list).as_deref(), parts(&list).as_str()), (Some("one+"), "a"));
    client.receive(ServerToAgent::default());
    assert_eq!(client.take(), None, "once");
    client.change_health("x");
    assert_eq!(next(&mut client), None, "other changes leave it out");
}

/// C163: capability and field come and go with what is known of the build.
#[test]
fn given_a_build_that_is_not_known_when_asked_then_neither_capability_nor_field_is_set() {
    let mut client = Client::settled();
    client.receive(list_wanted());
    assert_eq!(client.take(), None);
    client.report.available_components = Some(components(b"one"));
    client.core.report(client.report.clone());
    let message = client.take().unwrap();
    assert_eq!((said(&message).as_deref(), message.capabilities & LISTS), (Some("one"), LISTS));
    client.report.available_components = None;
    client.core.report(client.report.clone());
    client.change_health("x");
    let message = client.take().unwrap();
    assert_eq!((said(&message), message.capabilities & LISTS), (None, 0));
}

/// C060, C165: another build, a full report and another server are told the hash, not the list.
#[test]
fn given_a_list_that_was_sent_when_all_is_told_again_then_the_hash_stands_for_it() {
    let mut client = knowing(1 << 20);
    client.take().unwrap();
    client.receive(list_wanted());
    assert_eq!(next(&mut client).as_deref(), Some("one+"));
    client.receive(full_state());
    client.now += 5 * SECOND;
    let full = client.take().unwrap();
    assert_eq!((said(&full).as_deref(), parts(&full).as_str()), (Some("one"), "dheca"));
    client.report.available_components = Some(components(b"two"));
    client.core.report(client.report.clone());
    assert_eq!(next(&mut client).as_deref(), Some("two"));
    client.core.moved();
    assert_eq!(next(&mut client).as_deref(), Some("two"));
}

/// C057, C165: a list that did not arrive is not lost with the connection, for it is not asked for twice.
#[test]
fn given_a_list_that_was_not_answered_when_the_way_is_back_then_it_goes_again() {
    for loss in [Loss::NotSent, Loss::Unanswered, Loss::Disconnected] {
        let mut client = knowing(1 << 20);
        client.take().unwrap();
        client.receive(list_wanted());
        let list = client.take().unwrap();
        client.core.lost(loss);
        let again = client.take().unwrap();
        assert_eq!(said(&again).as_deref(), Some("one+"), "{loss:?}");
        assert_eq!(again == list, loss != Loss::Disconnected, "{loss:?}");
        client.receive(ServerToAgent::default());
        assert_eq!(client.take(), None, "{loss:?}");
    }
}

/// C061: a server that asks with every answer is not told each time.
#[test]
fn given_a_server_that_always_asks_when_answered_then_the_list_becomes_rare() {
    let mut client = knowing(1 << 20);
    client.take().unwrap();
    client.receive(list_wanted());
    let mut lists = 0;
    for _ in 0..600 {
        client.now += SECOND / 10;
        if client.take().is_some() {
            lists += 1;
            client.receive(list_wanted());
        }
    }
    assert!((3..=8).contains(&lists), "{lists} lists in a minute");
}

/// C018, C165: a list that does not fit beside the rest goes by itself, and one that fits nowhere leaves its hash.
#[test]
fn given_a_small_limit_when_the_list_is_asked_for_then_no_message_exceeds_it() {
    let mut client = knowing(900);
    client.receive(ServerToAgent { flags: full_state().flags | list_wanted().flags, ..full_state() });
    client.report.effective_config = effective(&"x".repeat(400));
    client.core.report(client.report.clone());
    let mut sent = Vec::new();
    while let Some(message) = client.take() {
        assert!(message.encoded_len() <= 900);
        sent.push((parts(&message), said(&message).unwrap_or_default()));
    }
    assert_eq!(sent, [("dheca", "one"), ("a", "one+")].map(|(a, b)| (a.to_owned(), b.to_owned())));

    let mut client = knowing(400);
    client.take().unwrap();
    client.receive(list_wanted());
    let log = logged(|| assert_eq!(next(&mut client).as_deref(), Some("one")));
    assert!(log.contains("the components are not listed: the message would exceed the limit"), "{log}");
    assert_eq!(client.take(), None);
}
