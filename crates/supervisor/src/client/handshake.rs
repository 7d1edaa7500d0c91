//! Opening a WebSocket: connect, ask for the upgrade, judge the answer.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::ClientConfig;
use tidegate_opamp::InstanceUid;
use tidegate_opamp::ws::{accept_key, request_key};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::link::Link;
use super::proxy::{ProxyKind, TunnelError};
use super::tls::{self, InvalidTls};
use super::{Endpoint, INSTANCE_UID_HEADER, Reason, Target, USER_AGENT, retry_after};

/// Most time from the first packet to the upgrade.
const DEADLINE: Duration = Duration::from_secs(20);

/// Largest head of an answer, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Most headers of an answer.
const MAX_HEADERS: usize = 64;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error("cannot connect to {endpoint}: {source}")]
    Connect { endpoint: String, source: io::Error },
    #[error("cannot pass the proxy {proxy}: {source}")]
    Proxy { proxy: String, source: TunnelError },
    #[error("cannot speak TLS with {endpoint}: {source}")]
    Tls { endpoint: String, source: io::Error },
    #[error("cannot speak TLS: {0}")]
    Settings(#[from] InvalidTls),
    #[error("cannot exchange the WebSocket handshake: {0}")]
    Exchange(io::Error),
    #[error("the server did not answer within {} s", DEADLINE.as_secs())]
    Deadline,
    #[error("the server's answer is not HTTP, or its head is larger than {MAX_HEAD_BYTES} bytes")]
    Head,
    #[error("the server answered with HTTP status {status}")]
    Status { status: u16, retry_after: Option<Duration> },
    #[error("the server's answer is not the one to our WebSocket handshake: its {0} header is wrong")]
    Upgrade(&'static str),
    #[error("no random bytes are to be had")]
    Random,
}

impl OpenError {
    /// What the answer means for the next attempt.
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::Status { status, retry_after } => status_reason(*status, *retry_after),
            _ => Reason::Lost,
        }
    }
}

/// What a status that is no success means for the next attempt.
pub(super) fn status_reason(status: u16, retry_after: Option<Duration>) -> Reason {
    match status {
        401 | 403 => Reason::Denied,
        429 | 503 => Reason::Throttled(retry_after),
        _ => retry_after.map_or(Reason::Lost, |after| Reason::Throttled(Some(after))),
    }
}

/// Opens a connection to the server, through a proxy where there is one, and shakes hands where TLS is spoken. `config`
/// is made when it is first needed.
pub(super) async fn connect(
    target: &Target,
    config: &mut Option<Arc<ClientConfig>>,
) -> Result<Link, OpenError> {
    let connecting = Box::pin(connected(target, config));
    tokio::time::timeout(DEADLINE, connecting).await.map_err(|_| OpenError::Deadline)?
}

async fn connected(target: &Target, config: &mut Option<Arc<ClientConfig>>) -> Result<Link, OpenError> {
    let endpoint = &target.endpoint;
    let link = match &target.proxy {
        None => reach(&endpoint.host, endpoint.port, &endpoint.to_string()).await?,
        Some(proxy) => {
            let mut link = reach(&proxy.host, proxy.port, &proxy.to_string()).await?;
            if proxy.kind == ProxyKind::Https {
                link = secured(target, config, &proxy.host, &proxy.to_string(), link).await?;
            }
            let through = proxy.tunnel(link, &endpoint.host, endpoint.port).await;
            through.map_err(|source| OpenError::Proxy { proxy: proxy.to_string(), source })?
        }
    };
    if !endpoint.secure {
        return Ok(link);
    }
    secured(target, config, &endpoint.host, &endpoint.to_string(), link).await
}

/// Opens a TCP connection to what is called `name` in errors.
async fn reach(host: &str, port: u16, name: &str) -> Result<Link, OpenError> {
    let failed = |source| OpenError::Connect { endpoint: name.to_owned(), source };
    let stream = TcpStream::connect((host, port)).await.map_err(failed)?;
    // Messages are small and each is wanted at once; where it cannot be set they merely arrive later.
    let _ = stream.set_nodelay(true);
    Ok(Link::Plain(stream))
}

/// Speaks TLS with `host`, which is called `name` in errors.
async fn secured(
    target: &Target,
    config: &mut Option<Arc<ClientConfig>>,
    host: &str,
    name: &str,
    link: Link,
) -> Result<Link, OpenError> {
    let config = match config {
        Some(config) => Arc::clone(config),
        None => Arc::clone(config.insert(target.tls.config()?)),
    };
    let failed = |source| OpenError::Tls { endpoint: name.to_owned(), source };
    Ok(Link::Tls(Box::new(tls::shake(config, host, link).await.map_err(failed)?)))
}

/// Opens a WebSocket; gives the connection and what the server sent right behind its answer.
pub(super) async fn open(
    target: &Target,
    config: &mut Option<Arc<ClientConfig>>,
    uid: InstanceUid,
) -> Result<(Link, Vec<u8>), OpenError> {
    tokio::time::timeout(DEADLINE, async {
        let mut stream = connect(target, config).await?;
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| OpenError::Random)?;
        let key = request_key(random);
        stream.write_all(&request(target, uid, &key)).await.map_err(OpenError::Exchange)?;
        stream.flush().await.map_err(OpenError::Exchange)?;
        let mut head = Vec::with_capacity(1024);
        loop {
            if let Some(length) = judge(&head, &key)? {
                return Ok((stream, head.split_off(length)));
            }
            if head.len() >= MAX_HEAD_BYTES {
                return Err(OpenError::Head);
            }
            if stream.read_buf(&mut head).await.map_err(OpenError::Exchange)? == 0 {
                return Err(OpenError::Exchange(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    })
    .await
    .map_err(|_| OpenError::Deadline)?
}

fn request(target: &Target, uid: InstanceUid, key: &str) -> Vec<u8> {
    let Endpoint { authority, path, .. } = &target.endpoint;
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nUser-Agent: {USER_AGENT}\r\n\
         {INSTANCE_UID_HEADER}: {uid}\r\n"
    );
    let mut request = text.into_bytes();
    for (name, value) in &target.headers {
        request.extend_from_slice(name.as_str().as_bytes());
        request.extend_from_slice(b": ");
        request.extend_from_slice(value.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request
}

/// The length of the answer's head when it is whole and right; `None` while it is not whole.
fn judge(head: &[u8], key: &str) -> Result<Option<usize>, OpenError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(head) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(OpenError::Head),
    };
    let header = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok()
    };
    let has = |name: &str, token: &str| {
        header(name).is_some_and(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token)))
    };
    let status = response.code.unwrap_or_default();
    if status != 101 {
        let now = SystemTime::now();
        let retry_after = header("Retry-After").and_then(|value| retry_after::parse(value, now));
        return Err(OpenError::Status { status, retry_after });
    }
    if !has("Upgrade", "websocket") {
        return Err(OpenError::Upgrade("Upgrade"));
    }
    if !has("Connection", "upgrade") {
        return Err(OpenError::Upgrade("Connection"));
    }
    if header("Sec-WebSocket-Accept").map(str::trim) != Some(accept_key(key).as_str()) {
        return Err(OpenError::Upgrade("Sec-WebSocket-Accept"));
    }
    // We offered neither; a server that picks one anyway would speak another protocol than we do.
    if header("Sec-WebSocket-Extensions").is_some_and(|value| !value.trim().is_empty()) {
        return Err(OpenError::Upgrade("Sec-WebSocket-Extensions"));
    }
    Ok(Some(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const GOOD: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n\
        Connection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    #[test]
    fn given_the_right_answer_when_judged_byte_by_byte_then_only_the_whole_one_passes() {
        for end in 0..GOOD.len() {
            assert!(matches!(judge(&GOOD.as_bytes()[..end], KEY), Ok(None)), "{end}");
        }
        let followed = format!("{GOOD}\u{1}");
        assert_eq!(judge(followed.as_bytes(), KEY).unwrap(), Some(GOOD.len()));
    }

    #[test]
    fn given_wrong_answers_when_judged_then_the_sentence_says_what_is_wrong() {
        let cases = [
            (GOOD.replace("s3pP", "xxxx"), "its Sec-WebSocket-Accept header is wrong"),
            (GOOD.replace("Upgrade: WebSocket", "Upgrade: h2c"), "its Upgrade header is wrong"),
            (GOOD.replace("keep-alive, Upgrade", "close"), "its Connection header is wrong"),
            (
                GOOD.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
                "its Sec-WebSocket-Extensions header is wrong",
            ),
            ("HTTP/1.1 404 Not Found\r\n\r\n".to_owned(), "HTTP status 404"),
            ("SSH-2.0-OpenSSH\r\n\r\n".to_owned(), "is not HTTP"),
        ];
        for (answer, sentence) in cases {
            let error = judge(answer.as_bytes(), KEY).unwrap_err().to_string();
            assert!(error.contains(sentence), "{error}");
        }
    }

    /// C170, C175: statuses of both transports.
    #[test]
    fn given_refusing_statuses_when_judged_then_the_next_attempt_is_as_they_ask() {
        let cases = [
            ("401 Unauthorized\r\n", Reason::Denied),
            ("403 Forbidden\r\n", Reason::Denied),
            ("503 Busy\r\nRetry-After: 7\r\n", Reason::Throttled(Some(Duration::from_secs(7)))),
            ("429 Too Many\r\n", Reason::Throttled(None)),
            ("500 Oops\r\n", Reason::Lost),
        ];
        for (rest, expected) in cases {
            let error = judge(format!("HTTP/1.1 {rest}\r\n").as_bytes(), KEY).unwrap_err();
            assert_eq!(error.reason(), expected, "{rest}");
        }
    }
}
