//! An agent's way to the server, over either transport.

use std::net::SocketAddr;
use std::time::Duration;

use tidegate_opamp::ws::{self, Event, MessageKind, Reader, Role};
use tidegate_opamp::{AgentToServer, Message as _, ServerToAgent, frame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than a server that lives takes to answer.
const PATIENCE: Duration = Duration::from_secs(20);

const MASK: Option<[u8; 4]> = Some([7, 0, 255, 90]);

/// The server is gone.
#[derive(Debug)]
pub(super) struct Gone;

pub(super) struct Wire {
    stream: TcpStream,
    /// Of a WebSocket; `None` posts.
    reader: Option<Reader>,
    unread: Vec<u8>,
}

impl Wire {
    pub(super) async fn connect(server: SocketAddr, socket: bool) -> Result<Self, Gone> {
        let stream = TcpStream::connect(server).await.map_err(|_| Gone)?;
        let mut wire = Self { stream, reader: None, unread: Vec::new() };
        if socket {
            wire.write(
                b"GET /v1/opamp HTTP/1.1\r\nHost: server\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                  Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            )
            .await?;
            let (head, _) = wire.head().await?;
            assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
            wire.reader = Some(Reader::new(Role::Client, 1 << 24));
        }
        Ok(wire)
    }

    /// True where what the server says is always the answer to what was said.
    pub(super) const fn answers_only(&self) -> bool {
        self.reader.is_none()
    }

    /// Says something and hears what comes next.
    pub(super) async fn exchange(&mut self, message: &AgentToServer) -> Result<ServerToAgent, Gone> {
        if self.reader.is_some() {
            let mut out = Vec::new();
            ws::write_message(&mut out, MessageKind::Binary, &frame::encode(message), None, || MASK);
            self.write(&out).await?;
            return self.hear().await;
        }
        let body = message.encode_to_vec();
        let mut request = format!(
            "POST /v1/opamp HTTP/1.1\r\nHost: server\r\nContent-Type: application/x-protobuf\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend(body);
        self.write(&request).await?;
        let (head, length) = self.head().await?;
        while self.unread.len() < length {
            self.read().await?;
        }
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let body: Vec<u8> = self.unread.drain(..length).collect();
        Ok(ServerToAgent::decode(&body[..]).unwrap())
    }

    /// The next message on a socket.
    pub(super) async fn hear(&mut self) -> Result<ServerToAgent, Gone> {
        loop {
            while let (Some(reader), false) = (&mut self.reader, self.unread.is_empty()) {
                let (used, event) = reader.read(&mut self.unread).unwrap();
                let heard = match event {
                    Some(Event::Message { payload, .. }) => Some(frame::decode(&payload).unwrap()),
                    Some(Event::Close(_)) => return Err(Gone),
                    _ => None,
                };
                self.unread.drain(..used);
                if let Some(message) = heard {
                    return Ok(message);
                }
            }
            self.read().await?;
        }
    }

    /// The head of a response, and the length of its body.
    async fn head(&mut self) -> Result<(String, usize), Gone> {
        loop {
            if let Some(end) = self.unread.windows(4).position(|window| window == b"\r\n\r\n") {
                let head: Vec<u8> = self.unread.drain(..end + 4).collect();
                let head = String::from_utf8(head).unwrap();
                let length = head.lines().find_map(|line| {
                    let (name, value) = line.split_once(": ")?;
                    name.eq_ignore_ascii_case("content-length").then(|| value.parse().unwrap())
                });
                return Ok((head, length.unwrap_or(0)));
            }
            self.read().await?;
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        self.stream.write_all(bytes).await.map_err(|_| Gone)
    }

    async fn read(&mut self) -> Result<(), Gone> {
        let mut buffer = vec![0; 16 * 1024];
        // A server that neither answers nor ends fails the test here.
        match timeout(PATIENCE, self.stream.read(&mut buffer)).await.unwrap() {
            Ok(0) | Err(_) => Err(Gone),
            Ok(length) => {
                self.unread.extend_from_slice(&buffer[..length]);
                Ok(())
            }
        }
    }
}
