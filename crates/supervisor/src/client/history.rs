//! The last troubles of the connection, for whoever looks for their cause.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::text;

/// How many troubles are kept, and how many bytes of each.
const MOST: usize = 20;
const MOST_BYTES: usize = 300;

/// What happened to the connection. Its copies are one history.
#[derive(Clone, Debug, Default)]
pub struct History(Arc<Mutex<Past>>);

#[derive(Debug, Default)]
struct Past {
    connected: u64,
    last_connected: Option<Instant>,
    troubles: VecDeque<(Instant, String)>,
}

impl History {
    /// A connection was opened.
    pub fn connected(&self) {
        let mut past = self.0.lock();
        past.connected += 1;
        past.last_connected = Some(Instant::now());
    }

    /// A connection could not be opened, or ended.
    pub fn note(&self, what: &str) {
        let mut past = self.0.lock();
        if past.troubles.len() == MOST {
            past.troubles.pop_front();
        }
        past.troubles.push_back((Instant::now(), text::head(what, MOST_BYTES).to_owned()));
    }

    /// All of it, the newest trouble last.
    #[must_use]
    pub fn told(&self) -> Value {
        let past = self.0.lock();
        let trouble = |(at, what): &(Instant, String)| json!({"s_ago": at.elapsed().as_secs(), "what": what});
        json!({
            "connections": past.connected,
            "last_connected_s_ago": past.last_connected.map(|at| at.elapsed().as_secs()),
            "troubles": past.troubles.iter().map(trouble).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_more_troubles_than_are_kept_then_the_newest_are_told() {
        let history = History::default();
        history.connected();
        (0..30).for_each(|number| history.note(&format!("{number} {}", "x".repeat(1000))));
        let told = history.told();
        let troubles = told["troubles"].as_array().unwrap();
        assert_eq!((troubles.len(), &told["connections"]), (MOST, &json!(1)));
        let what = troubles[MOST - 1]["what"].as_str().unwrap();
        assert!(what.starts_with("29 ") && what.len() == MOST_BYTES);
    }
}
