//! Bytes of a connection: the opening handshake, requests and answers of polls, and a look at a message that is no
//! more than "heard".

use std::fmt::Write as _;
use std::time::Duration;

use tidegate_opamp::{CONTENT_TYPE, InstanceUid, ws};

/// Most headers of an answer.
const MAX_HEADERS: usize = 32;

/// Largest head of an answer, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Largest body of an answer, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// Where requests go, and what stands in each.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// `Host`.
    pub(super) authority: String,
    /// Path of the endpoint.
    pub(super) path: String,
    /// Bearer token.
    pub(super) token: Option<String>,
}

/// The head of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    /// Bytes of the head.
    pub(super) length: usize,
    /// Bytes of the body; none where the answer does not say.
    pub(super) body: usize,
    pub(super) retry_after: Option<Duration>,
    pub(super) accept: Option<String>,
    /// The server will close the connection.
    pub(super) closes: bool,
}

impl Target {
    fn authorization(&self, text: &mut String) {
        if let Some(token) = &self.token {
            let _ = write!(text, "Authorization: Bearer {token}\r\n");
        }
    }

    /// Asks for a WebSocket.
    pub(super) fn upgrade(&self, key: &str, uid: &InstanceUid) -> Vec<u8> {
        let Self { authority, path, .. } = self;
        let mut text = String::with_capacity(320);
        let _ = write!(
            text,
            "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nOpAMP-Instance-UID: {uid}\r\n"
        );
        self.authorization(&mut text);
        text.push_str("\r\n");
        text.into_bytes()
    }

    /// One poll.
    pub(super) fn post(&self, uid: &InstanceUid, body: &[u8]) -> Vec<u8> {
        let Self { authority, path, .. } = self;
        let mut text = String::with_capacity(320);
        let _ = write!(
            text,
            "POST {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: {CONTENT_TYPE}\r\n\
             Content-Length: {}\r\nOpAMP-Instance-UID: {uid}\r\n",
            body.len()
        );
        self.authorization(&mut text);
        text.push_str("\r\n");
        let mut request = text.into_bytes();
        request.extend_from_slice(body);
        request
    }
}

/// Reads the head of an answer; `None` while it is not all there.
///
/// # Errors
/// A sentence when it is no HTTP, or too large.
pub(super) fn head(bytes: &[u8]) -> Result<Option<Head>, String> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut answer = httparse::Response::new(&mut headers);
    let length = match answer.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() < MAX_HEAD_BYTES => return Ok(None),
        Ok(httparse::Status::Partial) => return Err("the head of the answer is too large".to_owned()),
        Err(error) => return Err(format!("the answer is not HTTP: {error}")),
    };
    let text = |name: &str| {
        let mut named = answer.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        named.next().and_then(|header| std::str::from_utf8(header.value).ok()).map(str::trim)
    };
    let body = text("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    if body > MAX_BODY_BYTES {
        return Err(format!("the answer's body has {body} bytes"));
    }
    Ok(Some(Head {
        status: answer.code.unwrap_or(0),
        length,
        body,
        retry_after: text("retry-after").and_then(|value| value.parse().ok()).map(Duration::from_secs),
        accept: text("sec-websocket-accept").map(str::to_owned),
        closes: text("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")),
    }))
}

/// Judges the answer to [`Target::upgrade`].
///
/// # Errors
/// A sentence.
pub(super) fn upgraded(head: &Head, key: &str) -> Result<(), String> {
    if head.status != 101 {
        return Err(format!("the handshake was answered with HTTP status {}", head.status));
    }
    if head.accept.as_deref() != Some(&ws::accept_key(key)) {
        return Err("the handshake's answer is to another key".to_owned());
    }
    Ok(())
}

/// True when a `ServerToAgent` holds nothing but `instance_uid` and `capabilities`: heard, no more. Anything that is
/// not surely so is to be decoded.
pub(super) fn says_nothing(mut message: &[u8]) -> bool {
    const INSTANCE_UID: u8 = (1 << 3) | 2;
    const CAPABILITIES: u8 = 7 << 3;
    while let Some((tag, rest)) = message.split_first() {
        message = match *tag {
            INSTANCE_UID => match rest.split_first() {
                Some((length, rest)) if *length < 0x80 => match rest.get(usize::from(*length)..) {
                    Some(rest) => rest,
                    None => return false,
                },
                _ => return false,
            },
            CAPABILITIES => match rest.iter().take(10).position(|byte| byte & 0x80 == 0) {
                Some(last) => rest.get(last + 1..).unwrap_or_default(),
                None => return false,
            },
            _ => return false,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tidegate_opamp::{Message as _, ServerToAgent};

    use super::*;

    #[test]
    fn given_server_messages_when_looked_at_then_only_bare_ones_say_nothing() {
        let bare = ServerToAgent {
            instance_uid: Bytes::from_static(&[9; 16]),
            capabilities: 0x1234_5678,
            ..ServerToAgent::default()
        };
        assert!(says_nothing(&[]) && says_nothing(&bare.encode_to_vec()));
        let flags = ServerToAgent { flags: 1, ..bare.clone() }.encode_to_vec();
        assert!(!says_nothing(&flags));
        let whole = bare.encode_to_vec();
        assert!((1..whole.len()).filter(|cut| *cut != 18).all(|cut| !says_nothing(&whole[..cut])));
    }

    #[test]
    fn given_answers_when_their_heads_are_read_then_status_body_and_wait_are_found() {
        let refusal = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\ncontent-length: 4\r\n\r\nwait";
        let read = head(refusal).unwrap().unwrap();
        assert_eq!((read.status, read.body, read.retry_after), (503, 4, Some(Duration::from_secs(7))));
        assert_eq!(head(&refusal[..30]), Ok(None));
        assert!(head(b"SSH-2.0\r\n\r\n").is_err());
        let key = ws::request_key([3; 16]);
        let answer = format!("HTTP/1.1 101 S\r\nSec-WebSocket-Accept: {}\r\n\r\n", ws::accept_key(&key));
        let read = head(answer.as_bytes()).unwrap().unwrap();
        assert_eq!(upgraded(&read, &key), Ok(()));
        assert!(upgraded(&read, &ws::request_key([4; 16])).is_err());
    }
}
