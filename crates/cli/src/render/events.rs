//! Events, a line each, so that a stream and a list look the same.

use tidegate_api::Event;

use super::age;
use super::agents::short_uid;
use crate::sanitise;

/// The header over events.
pub(crate) fn header() -> String {
    format!("{:<20}  {:<11}  {:<8}  {:<20}  WHAT\n", "TIME", "KIND", "UID", "NAME")
}

/// One event.
pub(crate) fn line(event: &Event) -> String {
    format!(
        "{:<20}  {:<11}  {:<8}  {:<20}  {}\n",
        age::utc(event.at),
        sanitise::cell(&event.kind, 24),
        sanitise::line(&short_uid(&event.agent)),
        sanitise::cell(&event.name, 64),
        sanitise::cell(&event.text, 2048),
    )
}

#[cfg(test)]
mod tests {
    use super::super::examples::now;
    use super::*;

    #[test]
    fn given_an_event_when_shown_then_it_stays_on_its_line() {
        let event = Event {
            number: 7,
            at: now(),
            kind: "health".into(),
            agent: "0190aaaa-0000-7000-8000-000000000001".into(),
            name: "web-1".into(),
            text: "became unhealthy:\n\x1b]0;pwned\x07".into(),
        };
        assert_eq!(
            line(&event),
            "2026-09-21T14:13:20Z  health       0190aaaa  web-1                 \
             became unhealthy:\\n\\u{1b}]0;pwned\\u{7}\n"
        );
        assert_eq!(header().find("WHAT"), line(&event).find("became"));
    }
}
