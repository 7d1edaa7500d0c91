//! `tidegate mcp serve --stdio`: a line of an assistant is a message to the server, and each of its answers a line. What
//! is said stays between the two; this program keeps the connection, the token, and a session where there is one.

use std::io::{BufRead as _, Read as _};
use std::sync::Arc;

use serde_json::Value;
use tidegate_api::client::{Client, ClientError, McpReply};
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::task::JoinSet;

use super::message::{self, Session};
use crate::failure::Failure;
use crate::lowargs::McpMode;
use crate::output;

/// Longest line that is read, in bytes.
const MAX_LINE: u64 = 4 * 1024 * 1024;

/// Messages that are on their way at one time.
const MAX_UNDER_WAY: usize = 32;

/// JSON-RPC: the line is no JSON, no message, or did not reach the server.
const NO_JSON: i32 = -32700;
const NO_MESSAGE: i32 = -32600;
const NOT_REACHED: i32 = -32000;

/// The way to the server, shared by all messages.
struct Bridge {
    client: Client,
    read_only: bool,
    session: Mutex<Session>,
    /// The message that began the session, to begin another with when the server has forgotten it.
    opening: Mutex<Option<Value>>,
}

pub(super) async fn run(client: Client, mode: McpMode) -> Result<(), Failure> {
    let bridge = Arc::new(Bridge {
        client,
        read_only: mode == McpMode::Readonly,
        session: Mutex::default(),
        opening: Mutex::default(),
    });
    let room = Arc::new(Semaphore::new(MAX_UNDER_WAY));
    let mut lines = lines();
    let mut under_way = JoinSet::new();
    while let Some(line) = lines.recv().await {
        let message: Value = match serde_json::from_str(&line) {
            Ok(message) => message,
            Err(error) => {
                output::data(&format!("{}\n", message::error(&Value::Null, NO_JSON, &error.to_string())))?;
                continue;
            }
        };
        if !message.is_object() {
            output::data(&format!(
                "{}\n",
                message::error(&Value::Null, NO_MESSAGE, "send one message a line")
            ))?;
            continue;
        }
        // One after the other, what begins a session and what only tells: nothing may overtake these. A question waits for
        // its answer beside the others, so that its own questions can be answered meanwhile.
        let asks = message::method(&message).is_some() && message.get("id").is_some();
        if !asks || message::method(&message) == Some("initialize") {
            bridge.carry(&message).await?;
            continue;
        }
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { break };
        let bridge = Arc::clone(&bridge);
        under_way.spawn(async move {
            let carried = bridge.carry(&message).await;
            drop(place);
            carried
        });
        while let Some(done) = under_way.try_join_next() {
            done.unwrap_or(Ok(()))?;
        }
    }
    // The assistant has said all: what it asked for is still answered.
    while let Some(done) = under_way.join_next().await {
        done.unwrap_or(Ok(()))?;
    }
    Ok(())
}

/// The lines of stdin, read by a thread of their own: a terminal cannot be waited for otherwise.
fn lines() -> mpsc::Receiver<String> {
    let (told, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let read = std::io::Read::by_ref(&mut stdin).take(MAX_LINE).read_until(b'\n', &mut line);
            match read {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let line = String::from_utf8_lossy(&line).trim().to_owned();
            if !line.is_empty() && told.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

impl Bridge {
    /// Brings one message to the server and its answers back. What goes wrong on the way is an answer too.
    async fn carry(&self, message: &Value) -> Result<(), Failure> {
        let id = message.get("id").filter(|_| message::method(message).is_some());
        match self.try_carry(message).await {
            Ok(()) => Ok(()),
            Err(Failure::Call(error)) => {
                let why = Failure::Call(error).lines().join("; ");
                match id {
                    Some(id) => output::data(&format!("{}\n", message::error(id, NOT_REACHED, &why))),
                    None => Ok(()),
                }
            }
            Err(other) => Err(other),
        }
    }

    async fn try_carry(&self, message: &Value) -> Result<(), Failure> {
        let session = self.session.lock().await.clone();
        let mut reply = self.post(message, &session).await?;
        if reply.session_is_gone {
            let renewed = self.renew(&session).await?;
            reply = self.post(message, &renewed).await?;
        }
        let begins = message::method(message) == Some("initialize");
        if begins {
            *self.opening.lock().await = Some(message.clone());
        }
        while let Some(answer) = reply.next().await? {
            if begins && let Some(version) = message::agreed(&answer) {
                let id = reply.session.clone();
                *self.session.lock().await = Session { id, version: Some(version) };
            }
            output::data(&format!("{answer}\n"))?;
        }
        Ok(())
    }

    async fn post(&self, message: &Value, session: &Session) -> Result<McpReply, ClientError> {
        let headers = message::headers(message, session);
        self.client.mcp(self.read_only, &headers, message.to_string()).await
    }

    /// Begins a session anew, as the assistant did: the server forgets one that was silent for long, and all when it
    /// starts anew. Others that found it gone use the same new one.
    async fn renew(&self, gone: &Session) -> Result<Session, Failure> {
        let mut session = self.session.lock().await;
        if *session != *gone {
            return Ok(session.clone());
        }
        let Some(opening) = self.opening.lock().await.clone() else { return Ok(gone.clone()) };
        let mut reply = self.post(&opening, &Session::default()).await?;
        let mut version = None;
        while let Some(answer) = reply.next().await? {
            version = version.or_else(|| message::agreed(&answer));
        }
        *session = Session { id: reply.session.clone(), version };
        let ready = serde_json::json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        self.post(&ready, &session).await?;
        Ok(session.clone())
    }
}
