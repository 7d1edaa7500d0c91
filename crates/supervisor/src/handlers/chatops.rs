//! ChatOps: the server's request becomes a call of the agent's own HTTP input on this host.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http_body_util::Full;
use tidegate_custom::chatops::{Execution, Failure, Reply, Request, Success, check_tag};
use tidegate_custom::{CHATOPS, MAX_BODY_BYTES, Message, ParseError, message_id, parse};
use tidegate_opamp::CustomMessage;

use super::local::{self, Answer, Place};
use super::{Handler, Handling, Refusal};

/// Most time that a local call may take, whatever the request says.
const DEADLINE: Duration = Duration::from_secs(5);

/// What a host allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatOpsSettings {
    /// Port of the agent's HTTP input on 127.0.0.1.
    pub port: u16,
    /// Tags that may be called; empty for any tag that has the right form.
    pub tags: Vec<String>,
}

/// Carries ChatOps requests out.
#[derive(Clone, Debug)]
pub struct ChatOps {
    settings: Arc<ChatOpsSettings>,
}

impl ChatOps {
    /// A handler with a host's settings.
    #[must_use]
    pub fn new(settings: ChatOpsSettings) -> Self {
        Self { settings: Arc::new(settings) }
    }
}

impl Handler for ChatOps {
    fn capability(&self) -> &str {
        CHATOPS
    }

    fn handle(&self, message: CustomMessage) -> Handling {
        let settings = Arc::clone(&self.settings);
        Box::pin(async move {
            match parse(&message) {
                Ok(Message::ChatOpsRequest(request)) => carry_out(&settings, request).await,
                Err(error @ ParseError::Payload { .. }) => {
                    tracing::warn!(%error, "a ChatOps request is refused");
                    failure(message_id(&message.data), 0, &error.to_string(), None, Duration::ZERO)
                }
                Ok(_) | Err(_) => None,
            }
        })
    }

    fn is_idempotent(&self, _message: &CustomMessage) -> bool {
        false
    }

    fn refuse(&self, message: &CustomMessage, refusal: Refusal<'_>) -> Option<CustomMessage> {
        let (why, unknown) = match refusal {
            Refusal::NotDone(why) => (why, false),
            Refusal::Unknown(why) => (why, true),
        };
        let execution = message_id(&message.data).map(|id| Execution::new(id, "", false, 0));
        sendable(Failure { http_code: 0, err_msg: why.to_owned(), unknown, execution }.to_message(CHATOPS))
    }
}

async fn carry_out(settings: &ChatOpsSettings, request: Request) -> Option<CustomMessage> {
    let began = Instant::now();
    let called = match admit(settings, &request.tag) {
        Ok(()) => call(settings.port, &request).await,
        Err(why) => Err(why),
    };
    let took = began.elapsed();
    match called {
        Ok(answer) if (200..300).contains(&answer.status) => {
            tracing::info!(
                tag = request.tag,
                status = answer.status,
                ?took,
                "a ChatOps request was carried out"
            );
            let id = request.id.filter(|_| request.reply == Reply::Always)?;
            let execution = Execution::new(id, &answer.body, answer.truncated, millis(took));
            sendable(Success { http_code: answer.status, execution }.to_message(CHATOPS))
        }
        Ok(answer) => {
            let why = format!("the local input answered with HTTP status {}", answer.status);
            tracing::warn!(tag = request.tag, why, "a ChatOps request failed");
            failure(request.id, answer.status, &why, Some(&answer), took)
        }
        Err(why) => {
            tracing::warn!(tag = %request.tag.escape_debug(), why, "a ChatOps request failed");
            failure(request.id, 0, &why, None, took)
        }
    }
}

fn admit(settings: &ChatOpsSettings, tag: &str) -> Result<(), String> {
    check_tag(tag).map_err(|error| error.to_string())?;
    let wanted = tag.trim_start_matches('/');
    let allowed = settings.tags.is_empty()
        || settings.tags.iter().any(|allowed| allowed.trim_start_matches('/') == wanted);
    if allowed { Ok(()) } else { Err(format!("the tag `{tag}` is not among those that this host allows")) }
}

async fn call(port: u16, request: &Request) -> Result<Answer, String> {
    let deadline = request.deadline_ms.map_or(DEADLINE, |millis| Duration::from_millis(millis).min(DEADLINE));
    match tokio::time::timeout(deadline, post(port, request)).await {
        Ok(answer) => answer,
        Err(_) => {
            Err(format!("the local input on port {port} did not answer within {} ms", millis(deadline)))
        }
    }
}

async fn post(port: u16, request: &Request) -> Result<Answer, String> {
    let body = serde_json::to_vec(&request.attributes).map_err(|error| error.to_string())?;
    let call = http::Request::post(format!("/{}", request.tag.trim_start_matches('/')))
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| error.to_string())?;
    local::call(&Place::Port(port), "the local input", call, MAX_BODY_BYTES).await
}

fn failure(
    id: Option<String>,
    http_code: u16,
    why: &str,
    answer: Option<&Answer>,
    took: Duration,
) -> Option<CustomMessage> {
    let (body, truncated) = answer.map_or(("", false), |answer| (answer.body.as_str(), answer.truncated));
    let execution = id.map(|id| Execution::new(id, body, truncated, millis(took)));
    sendable(Failure { http_code, err_msg: why.to_owned(), unknown: false, execution }.to_message(CHATOPS))
}

fn sendable<E: std::fmt::Display>(message: Result<CustomMessage, E>) -> Option<CustomMessage> {
    message.inspect_err(|error| tracing::warn!(%error, "a ChatOps answer cannot be written")).ok()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
