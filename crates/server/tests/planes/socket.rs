//! An agent's WebSocket.

use std::net::SocketAddr;

use tidegate_opamp::ws::{self, Close, Event, MessageKind, Reader, Role};
use tidegate_opamp::{AgentToServer, ServerToAgent, frame};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::world::PATIENCE;

const MASK: Option<[u8; 4]> = Some([7, 0, 255, 90]);
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// What the server said.
#[derive(Debug, PartialEq)]
pub(crate) enum Said {
    /// A binary message, its payload.
    Message(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<Close>),
    /// The connection ended.
    End,
}

/// A connection, bare or under TLS.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

pub(crate) struct Socket {
    stream: Box<dyn Duplex>,
    reader: Reader,
    unread: Vec<u8>,
    /// The head of the response to the upgrade.
    pub(crate) head: String,
}

/// The server's answer to an upgrade that it refused.
#[derive(Debug)]
pub(crate) struct RefusedUpgrade(pub(crate) String);

impl Socket {
    /// Upgrades a connection; `headers` are added to the request.
    pub(crate) async fn connect(
        address: SocketAddr,
        headers: &[(&str, &str)],
    ) -> Result<Self, RefusedUpgrade> {
        Self::over(TcpStream::connect(address).await.unwrap(), headers).await
    }

    /// The same over a connection that is open.
    pub(crate) async fn over(
        mut stream: impl Duplex + 'static,
        headers: &[(&str, &str)],
    ) -> Result<Self, RefusedUpgrade> {
        let mut request =
            "GET /v1/opamp HTTP/1.1\r\nHost: server\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                .to_owned();
        let mut headers = headers.to_vec();
        for (name, value) in [("Sec-WebSocket-Key", KEY), ("Sec-WebSocket-Version", "13")] {
            if !headers.iter().any(|(given, _)| *given == name) {
                headers.push((name, value));
            }
        }
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = timeout(PATIENCE, stream.read_u8()).await.expect("no answer to the upgrade in time");
            head.push(byte.expect("no answer to the upgrade"));
        }
        let head = String::from_utf8(head).unwrap();
        if !head.starts_with("HTTP/1.1 101 ") {
            return Err(RefusedUpgrade(head));
        }
        let reader = Reader::new(Role::Client, 64 * 1024 * 1024);
        Ok(Self { stream: Box::new(stream), reader, unread: Vec::new(), head })
    }

    /// Writes bytes as they are.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        // The server may have closed already; what it said is read by the caller.
        let _ = timeout(PATIENCE, self.stream.write_all(bytes)).await.expect("the server reads nothing");
    }

    /// Writes one binary WebSocket message.
    pub(crate) async fn send_payload(&mut self, payload: &[u8]) {
        let mut out = Vec::new();
        ws::write_message(&mut out, MessageKind::Binary, payload, None, || MASK);
        self.write(&out).await;
    }

    /// Writes one text WebSocket message.
    pub(crate) async fn send_text(&mut self, text: &str) {
        let mut out = Vec::new();
        ws::write_message(&mut out, MessageKind::Text, text.as_bytes(), None, || MASK);
        self.write(&out).await;
    }

    /// Writes one message in frames of at most `bytes` bytes.
    pub(crate) async fn send_in_frames(&mut self, message: &AgentToServer, bytes: usize) {
        let mut out = Vec::new();
        ws::write_message(&mut out, MessageKind::Binary, &frame::encode(message), Some(bytes), || MASK);
        self.write(&out).await;
    }

    pub(crate) async fn send(&mut self, message: &AgentToServer) {
        self.send_payload(&frame::encode(message)).await;
    }

    /// Writes several messages at once.
    pub(crate) async fn send_all<'a>(&mut self, messages: impl IntoIterator<Item = &'a AgentToServer>) {
        let mut out = Vec::new();
        for message in messages {
            ws::write_message(&mut out, MessageKind::Binary, &frame::encode(message), None, || MASK);
        }
        self.write(&out).await;
    }

    pub(crate) async fn ping(&mut self, payload: &[u8]) {
        let mut out = Vec::new();
        ws::write_ping(&mut out, payload, MASK);
        self.write(&out).await;
    }

    pub(crate) async fn pong(&mut self, payload: &[u8]) {
        let mut out = Vec::new();
        ws::write_pong(&mut out, payload, MASK);
        self.write(&out).await;
    }

    /// The frames of the server's next message as they are on the wire, headers included.
    pub(crate) async fn frames(&mut self) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        loop {
            let mut frame = vec![0; 2];
            self.stream.read_exact(&mut frame).await.unwrap();
            let length = match frame[1] {
                126 => {
                    frame.extend([0; 2]);
                    self.stream.read_exact(&mut frame[2..]).await.unwrap();
                    usize::from(u16::from_be_bytes([frame[2], frame[3]]))
                }
                127 => panic!("a frame of more than 64 KiB"),
                length => usize::from(length),
            };
            let begin = frame.len();
            frame.resize(begin + length, 0);
            self.stream.read_exact(&mut frame[begin..]).await.unwrap();
            let last = frame[0] & 0x80 != 0;
            frames.push(frame);
            if last {
                return frames;
            }
        }
    }

    /// Ends this side's half of the connection without a word.
    pub(crate) async fn close_write(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Closes as RFC 6455 has it; gives the server's close.
    pub(crate) async fn close(mut self, code: u16) -> Said {
        let mut out = Vec::new();
        ws::write_close(&mut out, Some(&Close::new(code, "")), MASK);
        self.write(&out).await;
        self.next().await
    }

    /// Answers the server's close and waits for the end of the connection.
    pub(crate) async fn answer_close(mut self, close: &Close) -> Said {
        let mut out = Vec::new();
        ws::write_close(&mut out, Some(close), MASK);
        self.write(&out).await;
        self.next().await
    }

    /// What the server says next.
    pub(crate) async fn next(&mut self) -> Said {
        timeout(PATIENCE, self.read()).await.expect("the server said nothing in time")
    }

    async fn read(&mut self) -> Said {
        loop {
            while !self.unread.is_empty() {
                let (used, event) = self.reader.read(&mut self.unread).expect("the server broke RFC 6455");
                let said = event.map(|event| match event {
                    Event::Message { kind, payload } => {
                        assert_eq!(kind, MessageKind::Binary, "OpAMP S013");
                        Said::Message(payload.into_owned())
                    }
                    Event::Pong(payload) => Said::Pong(payload.into_owned()),
                    Event::Close(close) => Said::Close(close),
                    Event::Ping(payload) => Said::Ping(payload.into_owned()),
                });
                self.unread.drain(..used);
                if let Some(said) = said {
                    return said;
                }
            }
            let mut buffer = vec![0; 16 * 1024];
            match self.stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return Said::End,
                Ok(length) => self.unread.extend_from_slice(&buffer[..length]),
            }
        }
    }

    /// The server's next message.
    pub(crate) async fn message(&mut self) -> ServerToAgent {
        match self.next().await {
            Said::Message(payload) => {
                assert_eq!(payload.first(), Some(&0), "OpAMP S014");
                frame::decode(&payload).expect("OpAMP S014")
            }
            other => panic!("not a message: {other:?}"),
        }
    }

    /// The close that the server sends next.
    pub(crate) async fn closed(&mut self) -> Close {
        match self.next().await {
            Said::Close(Some(close)) => close,
            other => panic!("not a close with a code: {other:?}"),
        }
    }

    /// Sends a message and reads one.
    pub(crate) async fn exchange(&mut self, message: &AgentToServer) -> ServerToAgent {
        self.send(message).await;
        self.message().await
    }

    /// Asserts that the server has nothing to say. Every pong comes after one look at what waits for the agents of
    /// the socket or at what came in, in any order: after so many, both have had their turn.
    pub(crate) async fn quiet(&mut self) {
        for turn in 0..24_u8 {
            self.ping(&[turn]).await;
            assert_eq!(self.next().await, Said::Pong(vec![turn]));
        }
    }
}
