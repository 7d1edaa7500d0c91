//! A peer that runs: orders in, events out, one JSON object a line.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tidegate_testkit::fleet::{SOON, eventually};

use crate::runtime::Words;

/// Pause between two heartbeats or polls of a peer, in milliseconds.
pub(crate) const HEARTBEAT_MS: u64 = 300;

/// A running peer; it ends with the value.
#[derive(Debug)]
pub(crate) struct Peer {
    child: Child,
    orders: ChildStdin,
    events: Arc<Mutex<Vec<Value>>>,
}

impl Peer {
    /// Starts one; what it says and logs goes to `peer.log` in `folder`.
    pub(crate) fn run(words: &Words, folder: &Path) -> Self {
        let log = File::options().create(true).append(true).open(folder.join("peer.log")).unwrap();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(log.try_clone().unwrap()).spawn().unwrap();
        let (orders, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let events = Arc::<Mutex<Vec<Value>>>::default();
        let heard = Arc::clone(&events);
        // It ends with the peer's output.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                drop(writeln!(&log, "{line}"));
                heard.lock().push(serde_json::from_str(&line).unwrap_or(Value::String(line)));
            }
        });
        Self { child, orders, events }
    }

    /// Gives an order.
    pub(crate) fn order(&mut self, order: &Value) {
        writeln!(self.orders, "{order}").unwrap();
    }

    /// Orders it to connect as the agent `name`; `more` are further fields of the order.
    pub(crate) fn start(&mut self, endpoint: &str, name: &str, more: Value) {
        let mut order =
            json!({"do": "start", "endpoint": endpoint, "name": name, "heartbeat_ms": HEARTBEAT_MS});
        let Value::Object(more) = more else { unreachable!("further fields are an object: {more}") };
        order.as_object_mut().unwrap().extend(more);
        self.order(&order);
    }

    /// Orders it to disconnect, and waits until it has.
    pub(crate) async fn stop(&mut self) {
        let before = self.said("stopped").len();
        self.order(&json!({"do": "stop"}));
        self.says("stopped", before + 1).await;
    }

    /// The events of this kind so far.
    pub(crate) fn said(&self, event: &str) -> Vec<Value> {
        self.events.lock().iter().filter(|one| one["event"] == event).cloned().collect()
    }

    /// Waits until there are `count` events of this kind, and gives all of them.
    pub(crate) async fn says(&self, event: &str, count: usize) -> Vec<Value> {
        eventually(&format!("{count} events {event}"), SOON, async || {
            let said = self.said(event);
            if said.len() >= count { Ok(said) } else { Err(format!("{:?}", self.events.lock())) }
        })
        .await
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
