//! The stream of changes.

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::Response;

use super::ClientError;
use crate::{WatchEvent, sse};

/// Silence after which a stream counts as dead: the server sends a comment every 15 seconds.
const SILENCE: Duration = Duration::from_secs(45);

/// An open stream.
#[derive(Debug)]
pub struct Watch {
    response: Response,
    server: String,
    reader: sse::Reader,
    ready: VecDeque<sse::Frame>,
    last_id: Option<String>,
}

impl Watch {
    pub(super) fn new(response: Response, server: String) -> Self {
        Self { response, server, reader: sse::Reader::default(), ready: VecDeque::new(), last_id: None }
    }

    /// The id after which a new stream may go on.
    #[must_use]
    pub fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// The next event; `None` when the server ended the stream.
    ///
    /// # Errors
    /// [`ClientError`] when the connection broke or the stream cannot be read.
    pub async fn next(&mut self) -> Result<Option<WatchEvent>, ClientError> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                if frame.id.is_some() {
                    self.last_id = frame.id;
                }
                return self.event(&frame.event, &frame.data).map(Some);
            }
            let chunk = tokio::time::timeout(SILENCE, self.response.chunk()).await;
            let chunk =
                chunk.map_err(|_| self.broken(format!("it has been silent for {} s", SILENCE.as_secs())))?;
            let chunk =
                chunk.map_err(|source| ClientError::Unreachable { server: self.server.clone(), source })?;
            let Some(chunk) = chunk else {
                return Ok(None);
            };
            let frames = self.reader.push(&chunk).map_err(|_| self.broken("a line is too long".into()))?;
            self.ready.extend(frames);
        }
    }

    fn event(&self, name: &str, data: &str) -> Result<WatchEvent, ClientError> {
        let text = if matches!(name, "bookmark" | "resync") {
            format!("{{\"event\":\"{name}\"}}")
        } else {
            format!("{{\"event\":{},\"data\":{data}}}", serde_json::Value::from(name))
        };
        serde_json::from_str(&text).map_err(|error| self.broken(error.to_string()))
    }

    fn broken(&self, reason: String) -> ClientError {
        ClientError::Answer { server: self.server.clone(), reason }
    }
}
