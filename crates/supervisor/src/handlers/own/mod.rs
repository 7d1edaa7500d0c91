//! Handlers that the host's owner defines: a message of their capability becomes a call of a local service or the run
//! of a program, both named in the host's settings alone. JSON goes in, JSON comes out, and how it went is always
//! answered.

mod act;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tidegate_custom::{Answer, MAX_DATA_BYTES, message_id};
use tidegate_opamp::CustomMessage;
use tokio::sync::Semaphore;

use super::{Handler, Handling, Place, Refusal};
use crate::text;

/// One entry of the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandlerSettings {
    /// The bare name of its capability.
    pub capability: String,
    /// The type of message that it takes.
    pub kind: String,
    /// What is done.
    pub act: Act,
    /// Whether doing it twice does no more than once; what is not is never begun a second time for one id.
    pub idempotent: bool,
    /// How long it may take; 100 ms to 50 s.
    pub timeout: Duration,
    /// Most of its output that is answered, in bytes; 1 to 32 KiB.
    pub max_output_bytes: usize,
    /// How many may be under way at the same time; 1 to 4.
    pub concurrency: usize,
}

/// What a handler does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Calls a service of this host.
    Http {
        /// Where it listens.
        place: Place,
        /// The method.
        method: http::Method,
        /// The path, from the slash.
        path: String,
        /// What the body is sent as.
        content_type: http::HeaderValue,
    },
    /// Runs a program of this host, without a shell.
    Program {
        /// The program file, absolute.
        program: PathBuf,
        /// Its arguments, always these.
        args: Vec<String>,
    },
}

/// The handlers of one capability.
#[derive(Clone, Debug)]
pub struct Own {
    capability: String,
    entries: Arc<Vec<(HandlerSettings, Arc<Semaphore>)>>,
}

impl Own {
    /// A handler for each capability that the settings name.
    #[must_use]
    pub fn all(settings: &[HandlerSettings]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for entry in settings {
            if all.iter().any(|own| own.capability == entry.capability) {
                continue;
            }
            let same = settings.iter().filter(|other| other.capability == entry.capability);
            let entries = same.map(|entry| (entry.clone(), Arc::new(Semaphore::new(entry.concurrency))));
            all.push(Self { capability: entry.capability.clone(), entries: Arc::new(entries.collect()) });
        }
        all
    }

    fn find(&self, kind: &str) -> Option<(HandlerSettings, Arc<Semaphore>)> {
        self.entries.iter().find(|(entry, _)| entry.kind == kind).cloned()
    }
}

impl Handler for Own {
    fn capability(&self) -> &str {
        &self.capability
    }

    fn handle(&self, message: CustomMessage) -> Handling {
        let found = self.find(&message.kind);
        Box::pin(async move {
            let Some((entry, permits)) = found else {
                tracing::info!(kind = %message.kind.escape_debug(), "a message of no type that a handler takes is ignored");
                return None;
            };
            let id = message_id(&message.data);
            let Ok(_permit) = permits.try_acquire() else {
                let why = format!("{} of these are under way: try later", entry.concurrency);
                return sendable(&Answer::refused(id, why), &entry.capability);
            };
            let began = Instant::now();
            let mut answer = match input(&message.data) {
                Ok(input) => act::carry_out(&entry, input).await,
                Err(why) => Answer::refused(None, why),
            };
            let took = began.elapsed();
            answer.id = id;
            answer.duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            let (capability, kind, error) = (&entry.capability, &entry.kind, answer.error.as_deref());
            match error {
                None => tracing::info!(capability, kind, ?took, "a custom message was carried out"),
                Some(error) => {
                    let error = text::head(error, 300);
                    tracing::warn!(capability, kind, ?took, error, "a custom message failed");
                }
            }
            sendable(&answer, capability)
        })
    }

    fn is_idempotent(&self, message: &CustomMessage) -> bool {
        // What no handler takes does nothing.
        self.find(&message.kind).is_none_or(|(entry, _)| entry.idempotent)
    }

    fn refuse(&self, message: &CustomMessage, refusal: Refusal<'_>) -> Option<CustomMessage> {
        let (why, unknown) = match refusal {
            Refusal::NotDone(why) => (why, false),
            Refusal::Unknown(why) => (why, true),
        };
        let answer = Answer { unknown, ..Answer::refused(message_id(&message.data), why) };
        sendable(&answer, &self.capability)
    }
}

/// What is handed on of a payload: JSON as it came, an empty object for none.
fn input(data: &Bytes) -> Result<Bytes, String> {
    if data.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    if data.len() > MAX_DATA_BYTES {
        return Err(format!("the payload has {} bytes, at most {MAX_DATA_BYTES} are allowed", data.len()));
    }
    is_json(data).map_err(|error| format!("the payload is not JSON: {error}"))?;
    Ok(data.clone())
}

/// Reads JSON without keeping it.
fn is_json(data: &[u8]) -> Result<(), serde_json::Error> {
    serde_json::from_slice::<serde::de::IgnoredAny>(data).map(drop)
}

fn sendable(answer: &Answer, capability: &str) -> Option<CustomMessage> {
    answer
        .to_message(capability)
        .inspect_err(|error| tracing::warn!(%error, "the answer of a handler cannot be written"))
        .ok()
}

#[cfg(test)]
mod tests;
