//! HTTP/1.1 by hand: one request a connection, everything as it is on the wire.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tidegate_opamp::{AgentToServer, Message as _, ServerToAgent};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::socket::Duplex;
use crate::world::PATIENCE;

/// A request as it will be written.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    head: String,
    body: Option<Vec<u8>>,
}

/// A response as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self { head: format!("{method} {path} HTTP/1.1\r\nHost: server\r\n"), body: None }
    }

    /// The same, sent to a server of this name.
    pub(crate) fn with_host(mut self, name: &str) -> Self {
        self.head = self.head.replace("Host: server\r\n", &format!("Host: {name}\r\n"));
        self
    }

    /// An OpAMP message as agents post it.
    pub(crate) fn opamp(body: impl Into<Vec<u8>>) -> Self {
        Self::new("POST", "/v1/opamp").header("Content-Type", "application/x-protobuf").body(body)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut head = self.head.clone();
        if let Some(body) = &self.body {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("Connection: close\r\n\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend(self.body.iter().flatten());
        bytes
    }
}

impl Answer {
    /// A header's value, exactly.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The body as JSON, after the status was checked.
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}\n{}", self.head, String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The problem in the body, after status, media type and the fields that every problem has were checked.
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        let problem = self.expect(status);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(problem["status"], status, "{problem:#}");
        assert_eq!(problem["code"], code, "{problem:#}");
        assert_eq!(problem["type"], format!("urn:tidegate:problem:{code}"));
        assert!(
            !problem["detail"].as_str().unwrap().is_empty() && !problem["title"].as_str().unwrap().is_empty()
        );
        problem
    }

    /// The message in the body, after status and media type were checked (OpAMP S050).
    pub(crate) fn message(&self, status: u16) -> ServerToAgent {
        assert_eq!(self.status, status, "{}\n{}", self.head, String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), Some("application/x-protobuf"));
        ServerToAgent::decode(&self.body[..]).unwrap()
    }
}

/// Writes a request and reads its response.
pub(crate) async fn call(address: SocketAddr, request: &Request) -> Answer {
    send(address, &request.bytes()).await
}

/// Posts a message as agents do.
pub(crate) async fn post(address: SocketAddr, message: &AgentToServer) -> Answer {
    call(address, &Request::opamp(message.encode_to_vec())).await
}

/// Writes bytes and reads a response to the end of the connection.
pub(crate) async fn send(address: SocketAddr, bytes: &[u8]) -> Answer {
    send_over(TcpStream::connect(address).await.unwrap(), bytes).await
}

/// The same over a connection that is open.
pub(crate) async fn send_over(mut stream: impl Duplex, bytes: &[u8]) -> Answer {
    let exchange = async {
        // A server that has read enough may answer before it has read everything.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let mut buffer = vec![0; 16 * 1024];
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return answer,
                Ok(length) => answer.extend_from_slice(&buffer[..length]),
            }
        }
    };
    parse(&timeout(PATIENCE, exchange).await.expect("no answer in time"))
}

fn parse(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no response: {:?}", String::from_utf8_lossy(bytes)));
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: bytes[end + 4..].to_vec() }
}

/// Sends a request and closes the connection after a while, answer or none.
pub(crate) async fn send_and_leave(address: SocketAddr, request: &Request, stay: Duration) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&request.bytes()).await.unwrap();
    tokio::time::sleep(stay).await;
}
