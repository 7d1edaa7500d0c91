//! Messages of the Model Context Protocol over the server's streamable HTTP, as they are: what they mean is between the
//! server and the assistant.

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::{Method, Response, StatusCode, header};

use super::{Client, ClientError, MAX_BODY_BYTES};
use crate::{Problem, sse};

/// How long the server may take to begin its answer: a tool waits for an agent.
const DEADLINE: Duration = Duration::from_secs(180);

/// Silence after which a stream counts as dead: the server sends a comment every 15 seconds.
const SILENCE: Duration = Duration::from_secs(45);

/// The header that names a session, of revisions that have them.
pub const SESSION_HEADER: &str = "mcp-session-id";

/// What the server answers to one message: none, one or several messages.
#[derive(Debug)]
pub struct McpReply {
    /// The session that the answer begins.
    pub session: Option<String>,
    /// Whether the server does not know the session that was named.
    pub session_is_gone: bool,
    server: String,
    ready: VecDeque<String>,
    stream: Option<(Response, sse::Reader)>,
}

impl Client {
    /// Posts one JSON-RPC message to `/mcp`, or to `/mcp/readonly`, with the protocol's headers.
    ///
    /// # Errors
    /// [`ClientError`]; an error of the protocol is a message and no error here.
    pub async fn mcp(
        &self,
        read_only: bool,
        headers: &[(&'static str, String)],
        message: String,
    ) -> Result<McpReply, ClientError> {
        let path = if read_only { "/mcp/readonly" } else { "/mcp" };
        let mut request = self
            .http
            .request(Method::POST, format!("{}{path}", self.server))
            .bearer_auth(&self.token)
            .header(header::ACCEPT, "application/json, text/event-stream")
            .header(header::CONTENT_TYPE, "application/json")
            .timeout(DEADLINE)
            .body(message);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let unreachable = |source| ClientError::Unreachable { server: self.server.clone(), source };
        let response = request.send().await.map_err(unreachable)?;
        let text = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned)
        };
        let (status, kind) = (response.status(), text("content-type").unwrap_or_default());
        let named = headers.iter().any(|(name, _)| *name == SESSION_HEADER);
        let mut reply = McpReply {
            session: text(SESSION_HEADER),
            session_is_gone: status == StatusCode::NOT_FOUND && named,
            server: self.server.clone(),
            ready: VecDeque::new(),
            stream: None,
        };
        if reply.session_is_gone || status == StatusCode::ACCEPTED {
            return Ok(reply);
        }
        if status.is_success() && kind.starts_with("text/event-stream") {
            reply.stream = Some((response, sse::Reader::default()));
            return Ok(reply);
        }
        let body = self.body_of(response).await?;
        if kind.starts_with("application/json") && body.contains("\"jsonrpc\"") {
            reply.ready.push_back(body);
        } else if !status.is_success() {
            let detail = if body.is_empty() { format!("the server answered {status}") } else { body };
            let problem = Problem { status: status.as_u16(), detail, ..Problem::default() };
            return Err(ClientError::Refused(Box::new(problem)));
        }
        Ok(reply)
    }

    async fn body_of(&self, mut response: Response) -> Result<String, ClientError> {
        let mut bytes = Vec::new();
        let unreachable = |source| ClientError::Unreachable { server: self.server.clone(), source };
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if bytes.len() + chunk.len() > MAX_BODY_BYTES {
                let reason = "the answer is too large".to_owned();
                return Err(ClientError::Answer { server: self.server.clone(), reason });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl McpReply {
    /// The next message, on one line; `None` behind the last.
    ///
    /// # Errors
    /// [`ClientError`] when the connection broke.
    pub async fn next(&mut self) -> Result<Option<String>, ClientError> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                // Outside of texts, where it stands escaped, a line break is but a space.
                return Ok(Some(message.replace(['\n', '\r'], " ")));
            }
            let Some((response, reader)) = &mut self.stream else { return Ok(None) };
            let answer =
                |reason: &str| ClientError::Answer { server: self.server.clone(), reason: reason.to_owned() };
            let chunk = tokio::time::timeout(SILENCE, response.chunk()).await;
            let chunk = chunk.map_err(|_| answer("it has been silent for too long"))?;
            let chunk =
                chunk.map_err(|source| ClientError::Unreachable { server: self.server.clone(), source })?;
            let Some(chunk) = chunk else {
                self.stream = None;
                continue;
            };
            let frames = reader.push(&chunk).map_err(|_| answer("a line is too long"))?;
            self.ready.extend(frames.into_iter().map(|frame| frame.data).filter(|data| !data.is_empty()));
        }
    }
}
