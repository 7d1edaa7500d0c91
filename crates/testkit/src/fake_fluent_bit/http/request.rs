//! Reading requests off a connection, within bounds.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const MAX_HEAD: usize = 16 * 1024;
const MAX_BODY: usize = 4 * 1024 * 1024;
const MAX_HEADERS: usize = 64;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path without its query string, which the real one ignores.
    pub path: String,
    /// The body, as long as Content-Length says.
    pub body: Vec<u8>,
    /// The `Content-Type`, if there is one.
    pub content_type: Option<String>,
    /// HTTP/1.0 closes after the answer; HTTP/1.1 never does, whatever `Connection` says.
    pub closes: bool,
}

/// What a connection brings next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// A request to answer.
    Request(Request),
    /// The peer is gone, or was idle for too long.
    Gone,
    /// A request that gets no answer: the connection is closed (POST without Content-Length).
    Unanswerable,
}

/// The parts of a head that matter.
struct Head {
    length: usize,
    method: String,
    path: String,
    content_length: Option<usize>,
    content_type: Option<String>,
    chunked: bool,
    closes: bool,
}

/// Waits for the next whole request; `buffer` holds what has been read beyond the last one.
pub fn next_request(stream: &mut TcpStream, buffer: &mut Vec<u8>, idle: Duration) -> Next {
    let deadline = Instant::now() + idle;
    loop {
        match head_of(buffer) {
            Ok(Some(head)) => return with_body(stream, buffer, head, deadline),
            Ok(None) if buffer.len() < MAX_HEAD => {}
            // The real one says nothing to what is not HTTP, and lets the connection idle out.
            Ok(None) | Err(()) => buffer.clear(),
        }
        if !fill(stream, buffer, deadline) {
            return Next::Gone;
        }
    }
}

fn with_body(stream: &mut TcpStream, buffer: &mut Vec<u8>, head: Head, deadline: Instant) -> Next {
    let sends = matches!(head.method.as_str(), "POST" | "PUT" | "PATCH");
    let length = match head.content_length {
        Some(length) if length <= MAX_BODY => length,
        None if !sends && !head.chunked => 0,
        Some(_) | None => return Next::Unanswerable,
    };
    let whole = head.length + length;
    while buffer.len() < whole {
        if !fill(stream, buffer, deadline) {
            return Next::Gone;
        }
    }
    let request: Vec<u8> = buffer.drain(..whole).collect();
    Next::Request(Request {
        method: head.method,
        path: head.path,
        body: request.get(head.length..).unwrap_or_default().to_vec(),
        content_type: head.content_type,
        closes: head.closes,
    })
}

fn head_of(buffer: &[u8]) -> Result<Option<Head>, ()> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(length) = request.parse(buffer).map_err(|_| ())? else {
        return Ok(None);
    };
    let value = |name: &str| {
        request
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))
            .and_then(|header| std::str::from_utf8(header.value).ok())
            .map(str::trim)
    };
    let path = request.path.unwrap_or_default();
    Ok(Some(Head {
        length,
        method: request.method.unwrap_or_default().to_owned(),
        path: path.split(['?', '#']).next().unwrap_or_default().to_owned(),
        content_length: value("content-length").and_then(|text| text.parse().ok()),
        content_type: value("content-type").map(str::to_owned),
        chunked: value("transfer-encoding").is_some(),
        closes: request.version == Some(0),
    }))
}

/// Reads some more; false at the end, on an error and at the deadline.
fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>, deadline: Instant) -> bool {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() || stream.set_read_timeout(Some(left)).is_err() {
        return false;
    }
    let mut piece = [0; 4096];
    match stream.read(&mut piece) {
        Ok(0) | Err(_) => false,
        Ok(count) => {
            buffer.extend_from_slice(piece.get(..count).unwrap_or_default());
            true
        }
    }
}

/// Writes an answer; false when the peer is gone.
pub fn send(stream: &mut TcpStream, bytes: &[u8]) -> bool {
    stream.set_write_timeout(Some(Duration::from_secs(10))).is_ok() && stream.write_all(bytes).is_ok()
}
