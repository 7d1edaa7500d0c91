//! As little of an HTTP client as times a call without a runtime between.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Longest that a call may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// Most bytes of an answer.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// A connection to the operators' plane, kept between calls.
#[derive(Debug)]
pub(super) struct Rest {
    tcp: TcpStream,
    address: SocketAddr,
    token: String,
}

/// An answer, and how long it took to its last byte.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) took: Duration,
}

impl Rest {
    pub(super) fn connect(address: SocketAddr, token: &str) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("cannot connect to {address}: {error}");
        let tcp = TcpStream::connect_timeout(&address, DEADLINE).map_err(failed)?;
        tcp.set_nodelay(true).map_err(failed)?;
        tcp.set_read_timeout(Some(DEADLINE)).map_err(failed)?;
        Ok(Self { tcp, address, token: token.to_owned() })
    }

    pub(super) fn get(&mut self, path: &str) -> Result<Answer, String> {
        self.call("GET", path, "")
    }

    pub(super) fn post(&mut self, path: &str, body: &str) -> Result<Answer, String> {
        self.call("POST", path, body)
    }

    fn call(&mut self, method: &str, path: &str, body: &str) -> Result<Answer, String> {
        let begun = Instant::now();
        // A key that no other call has had: the time, which rises between calls.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\
             idempotency-key: {:08x}-{:04x}-4000-8000-000000000000\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            self.token,
            (now >> 16) as u32,
            now as u16,
            body.len()
        );
        let failed = |error: std::io::Error| format!("{method} {path}: {error}");
        self.tcp.write_all(request.as_bytes()).map_err(failed)?;
        let mut bytes = Vec::new();
        let mut part = vec![0; 64 * 1024];
        loop {
            if let Some((status, head, length)) =
                whole(&bytes).map_err(|why| format!("{method} {path}: {why}"))?
            {
                let body = bytes.split_off(head);
                debug_assert_eq!(body.len(), length);
                return Ok(Answer { status, body, took: begun.elapsed() });
            }
            let read = self.tcp.read(&mut part).map_err(failed)?;
            if read == 0 || bytes.len() > MAX_ANSWER_BYTES {
                return Err(failed(ErrorKind::UnexpectedEof.into()));
            }
            bytes.extend_from_slice(part.get(..read).unwrap_or_default());
        }
    }
}

/// Status, bytes of the head and of the body, once all of it is there.
fn whole(bytes: &[u8]) -> Result<Option<(u16, usize, usize)>, String> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut answer = httparse::Response::new(&mut headers);
    let head = match answer.parse(bytes) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(format!("the answer is not HTTP: {error}")),
    };
    let length = answer.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok());
    let length: usize = length.ok_or("the answer has no content-length")?;
    let status = answer.code.unwrap_or(0);
    Ok((bytes.len() >= head + length).then_some((status, head, length)))
}
