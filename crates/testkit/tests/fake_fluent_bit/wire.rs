//! HTTP by hand, for a dialect that libraries smooth over.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::subject::Child;

/// One answer as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) head: String,
    pub(crate) body: String,
    /// How the exchange ended.
    pub(crate) end: End,
}

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// With the announced length.
    Whole,
    /// The server closed.
    Closed,
    /// Nothing (more) came in time.
    Silent,
}

/// A connection.
pub(crate) struct Wire {
    stream: TcpStream,
}

impl Wire {
    pub(crate) fn to(port: u16) -> Result<Self, String> {
        let stream = TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())?;
        Ok(Self { stream })
    }

    /// Sends a request and reads one answer.
    pub(crate) fn exchange(&mut self, request: &str, patience: Duration) -> Result<Reply, String> {
        self.stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
        Ok(self.receive(patience))
    }

    /// Sends a request and reads that many bytes of the answer.
    pub(crate) fn exchange_some(&mut self, request: &str, count: usize) -> Result<String, String> {
        self.stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Reads one answer, within `patience` in all.
    pub(crate) fn receive(&mut self, patience: Duration) -> Reply {
        let until = Instant::now() + patience;
        let mut bytes: Vec<u8> = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
            let reply = |end| Reply { head: head.to_owned(), body: body.to_owned(), end };
            if text.contains("\r\n\r\n") && announced(head).is_some_and(|length| body.len() >= length) {
                return reply(End::Whole);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return reply(End::Silent);
            }
            self.stream.set_read_timeout(Some(left)).unwrap();
            match self.stream.read(&mut piece) {
                Ok(0) => return reply(End::Closed),
                Ok(count) => bytes.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {
                    return reply(End::Closed);
                }
                Err(_) => return reply(End::Silent),
            }
        }
    }
}

fn announced(head: &str) -> Option<usize> {
    head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse().ok()
}

impl Reply {
    pub(crate) fn status(&self) -> u16 {
        self.head.split_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

const PATIENCE: Duration = Duration::from_secs(5);

/// One request on a connection of its own.
pub(crate) fn ask(port: u16, request: &str) -> Result<Reply, String> {
    Wire::to(port)?.exchange(request, PATIENCE)
}

impl Child {
    /// A GET that must be answered.
    pub(crate) fn get(&self, path: &str) -> Result<Reply, String> {
        let reply = ask(self.port, &format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"))?;
        if reply.end == End::Whole { Ok(reply) } else { Err(format!("{path}: {reply:?}")) }
    }

    /// A GET that must be answered by 200 soon.
    pub(crate) fn answers(&self, path: &str) -> Result<Reply, String> {
        self.eventually(path, || self.get(path).ok().filter(|reply| reply.status() == 200))
    }

    /// A request without a body that must be answered.
    pub(crate) fn send(&self, method: &str, path: &str) -> Result<Reply, String> {
        let reply =
            ask(self.port, &format!("{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"))?;
        if reply.end == End::Whole { Ok(reply) } else { Err(format!("{method} {path}: {reply:?}")) }
    }

    /// The hot reload count, if the API answers.
    pub(crate) fn count(&self) -> Option<u64> {
        self.get("/api/v2/reload").ok()?.json()["hot_reload_count"].as_u64()
    }

    /// Waits for that count.
    pub(crate) fn counts_to(&self, wanted: u64) -> Result<(), String> {
        self.eventually(&format!("count {wanted}"), || (self.count() == Some(wanted)).then_some(()))
    }

    /// A number in `/api/v1/metrics`.
    pub(crate) fn metric(&self, kind: &str, name: &str, key: &str) -> Option<u64> {
        self.get("/api/v1/metrics").ok()?.json()[kind][name][key].as_u64()
    }
}
