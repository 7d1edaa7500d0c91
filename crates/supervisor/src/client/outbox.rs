//! Custom capabilities and messages of one agent: what both ends listed, and what waits to be sent.

use std::collections::VecDeque;
use std::sync::Arc;

use tidegate_custom::METRICS;
use tidegate_custom::metrics::Digest;
use tidegate_opamp::{AgentToServer, CustomMessage, Message as _};

/// Most custom messages that wait for being sent, and most that wait for an answer.
const MOST: usize = 64;

/// The custom side of the protocol client.
#[derive(Debug)]
pub(super) struct Outbox {
    /// Our capabilities, bare.
    own: Vec<String>,
    /// Our capabilities as they are announced to this server.
    announced: Arc<Vec<String>>,
    /// The server's list; `None` until it sent one, and then nothing is sent (ruling A14).
    server: Option<Vec<String>>,
    waiting: VecDeque<CustomMessage>,
    in_flight: VecDeque<CustomMessage>,
    /// The newest digest of metrics, until it is sent: it never waits beside another, and never goes twice.
    digest: Option<Arc<Digest>>,
}

impl Outbox {
    pub(super) fn new(own: Vec<String>) -> Self {
        let announced = Arc::new(own.clone());
        let (waiting, in_flight) = <_>::default();
        Self { own, announced, server: None, waiting, in_flight, digest: None }
    }

    /// The list to announce; a new `Arc` only when it changed (OpAMP C158).
    pub(super) fn announced(&self) -> Arc<Vec<String>> {
        Arc::clone(&self.announced)
    }

    /// Whether a message of this capability is for us.
    pub(super) fn takes(&self, capability: &str) -> bool {
        self.own.iter().any(|name| name == tidegate_custom::bare(capability))
    }

    /// Learns the server's list. Where it knows only the prefixed form of a name, that form is announced as well.
    pub(super) fn learn(&mut self, list: Vec<String>) {
        let prefixed = |name: &String| {
            tidegate_custom::listed_as(&list, name).filter(|form| form != name).map(ToOwned::to_owned)
        };
        let forms: Vec<String> = self.own.iter().filter_map(prefixed).collect();
        let announced: Vec<String> = self.own.iter().cloned().chain(forms).collect();
        if *self.announced != announced {
            self.announced = Arc::new(announced);
        }
        self.server = Some(list);
    }

    /// Another server is spoken to: what it lists is not known.
    pub(super) fn forget_server(&mut self) {
        self.server = None;
        self.announced = Arc::new(self.own.clone());
    }

    /// Queues a message; the oldest one gives way when too many wait.
    pub(super) fn queue(&mut self, message: CustomMessage) {
        if self.waiting.len() >= MOST {
            tracing::warn!(most = MOST, "too many custom messages wait: the oldest one is dropped");
            self.waiting.pop_front();
        }
        self.waiting.push_back(message);
    }

    /// True when a message could go now.
    pub(super) fn has_due(&self) -> bool {
        (self.server.is_some() && !self.waiting.is_empty())
            || (self.digest.is_some() && self.form_of_metrics().is_some())
    }

    /// Takes a digest of metrics in the place of the one that waits.
    pub(super) fn renew(&mut self, digest: Arc<Digest>) {
        self.digest = Some(digest);
    }

    /// How the server lists metrics, where both ends list them (OpAMP C159).
    fn form_of_metrics(&self) -> Option<&str> {
        let ours = self.own.iter().any(|name| name == METRICS);
        self.server.as_ref().filter(|_| ours).and_then(|list| tidegate_custom::listed_as(list, METRICS))
    }

    /// The digest that waits, as a message of at most `room` bytes; one that would take more than `most` is dropped.
    fn take_digest(&mut self, room: usize, most: usize) -> Option<CustomMessage> {
        let form = self.form_of_metrics()?.to_owned();
        let digest = self.digest.take()?;
        match digest.to_message() {
            Ok(message) => {
                let message = CustomMessage { capability: form, ..message };
                let bytes = encoded_len(&message);
                if bytes > room && bytes <= most {
                    self.digest = Some(digest);
                }
                (bytes <= room).then_some(message)
            }
            Err(error) => {
                tracing::warn!(%error, "a digest of metrics is dropped");
                None
            }
        }
    }

    /// The next message, under the name that the server listed, if it takes no more than `room` bytes. One that the
    /// server did not list (OpAMP C159), or that would take more than `most`, is dropped (OpAMP C019).
    pub(super) fn take(&mut self, room: usize, most: usize) -> Option<CustomMessage> {
        let server = self.server.as_ref()?;
        while let Some(mut message) = self.waiting.pop_front() {
            if let Some(form) = tidegate_custom::listed_as(server, &message.capability) {
                form.clone_into(&mut message.capability);
                let bytes = encoded_len(&message);
                if bytes > most {
                    tracing::warn!(bytes, most, "an answer is dropped: its message would exceed the limit");
                    continue;
                }
                if bytes > room {
                    self.waiting.push_front(message);
                    return None;
                }
                if self.in_flight.len() >= MOST {
                    self.in_flight.pop_front();
                }
                self.in_flight.push_back(message.clone());
                return Some(message);
            }
            let capability = tidegate_custom::bare(&message.capability);
            tracing::info!(capability, "an answer is dropped: the server did not list its custom capability");
        }
        self.take_digest(room, most)
    }

    /// The server answered: what was sent arrived.
    pub(super) fn acknowledged(&mut self) {
        self.in_flight.clear();
    }

    /// What was sent may not have arrived: it goes again.
    pub(super) fn unacknowledged(&mut self) {
        while let Some(message) = self.in_flight.pop_back() {
            if self.waiting.len() < MOST {
                self.waiting.push_front(message);
            }
        }
    }
}

/// Whether a message is a digest of metrics.
pub(super) fn is_digest(message: &CustomMessage) -> bool {
    tidegate_custom::bare(&message.capability) == METRICS
}

/// What a custom message adds to the message that carries it, in bytes.
fn encoded_len(message: &CustomMessage) -> usize {
    AgentToServer { custom_message: Some(message.clone()), ..AgentToServer::default() }.encoded_len()
}
