//! `events`.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::canned::{Canned, Reply, problem};
use super::program::run;
use super::values::{bookmark, event, happened, list};

/// A server whose newest event is number 600, and that has `count` of them.
fn past(count: u64) -> Canned {
    Canned::new(move |request| {
        assert_eq!(request.path, "/events");
        let events: Vec<_> =
            (601 - count..=600).map(|number| event(number, &format!("no. {number}"))).collect();
        Reply::Json(200, list(&events))
    })
}

#[test]
fn given_events_when_listed_then_the_recent_ones_come_in_order() {
    for (count, first) in [(500, "no. 101"), (64, "no. 537"), (0, "")] {
        let ran = run(&past(count), &["events", "-q", "name:web-*"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let lines: Vec<_> = ran.out.lines().skip(1).collect();
        assert_eq!(lines.len() as u64, count);
        assert!(lines.first().is_none_or(|line| line.ends_with(first)), "{count}: {lines:?}");
        assert!(lines.last().is_none_or(|line| line.ends_with("no. 600")), "{count}: {lines:?}");
        assert_eq!(ran.err, if count == 0 { "There are no recent events.\n" } else { "" });
    }
}

#[test]
fn given_events_when_listed_as_json_then_the_keys_are_the_apis() {
    let json: Value = serde_json::from_str(&run(&past(4), &["events", "-o", "json"]).out).unwrap();
    assert_eq!(json["items"][3]["number"], 600);
    assert_eq!(json["items"].as_array().unwrap().len(), 4);
}

#[test]
fn given_a_stream_that_breaks_when_followed_then_it_goes_on_after_the_last_event() {
    let opened = AtomicUsize::new(0);
    let server = Canned::new(move |request| {
        match (opened.fetch_add(1, Ordering::SeqCst), request.header("last-event-id")) {
            (0, None) => Reply::Json(200, list(&[event(7, "old")])),
            (1, Some("7")) => Reply::Broken(bookmark(7) + &happened(8, "new\u{1b}[2J")),
            (2, Some("8")) => problem(503, "not yet"),
            (3, Some("8")) => Reply::Broken(happened(8, "again") + &happened(9, "last")),
            (4, Some("9")) => problem(401, "the token was revoked"),
            (number, last) => panic!("{number} {last:?}"),
        }
    });
    let ran = run(&server, &["events", "-f", "-o", "json"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    let texts: Vec<_> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(texts, ["old", "new\u{1b}[2J", "last"]);
    assert!(ran.err.contains("reconnecting after event 8 …\nreconnected\n"), "{}", ran.err);
    assert!(ran.err.ends_with("error: the token was revoked\n"), "{}", ran.err);
}
