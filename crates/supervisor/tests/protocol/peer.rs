//! A server that does exactly what a test tells it to.

use std::time::Duration;

use tidegate_opamp::ws::{self, Close, Event, MessageKind, Reader, Role};
use tidegate_opamp::{AgentToServer, Message as _, ServerToAgent, frame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Listener(pub(crate) TcpListener);

/// A request's head and what came behind it.
pub(crate) struct Asked {
    pub(crate) stream: TcpStream,
    pub(crate) head: String,
    rest: Vec<u8>,
}

/// What a WebSocket client said.
#[derive(Debug, PartialEq)]
pub(crate) enum Said {
    Message(Box<AgentToServer>),
    Ping,
    Pong(Vec<u8>),
    Close(Option<Close>),
    /// The connection ended.
    End,
}

impl Listener {
    pub(crate) async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// The next connection's request.
    pub(crate) async fn asked(&self) -> Asked {
        timeout(PATIENCE, async {
            loop {
                let (stream, _) = self.0.accept().await.unwrap();
                if let Some(asked) = Asked::read(stream, Vec::new()).await {
                    return asked;
                }
            }
        })
        .await
        .expect("nobody connected")
    }

    /// The next connection, upgraded.
    pub(crate) async fn connection(&self) -> Connection {
        self.asked().await.upgrade().await
    }

    /// Whether somebody connects within a time.
    pub(crate) async fn is_asked_within(&self, time: Duration) -> bool {
        timeout(time, self.0.accept()).await.is_ok()
    }
}

impl Asked {
    async fn read(mut stream: TcpStream, mut bytes: Vec<u8>) -> Option<Self> {
        loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                let rest = bytes.split_off(end + 4);
                let head = String::from_utf8(bytes).unwrap();
                return Some(Self { stream, head, rest });
            }
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    pub(crate) async fn upgrade(mut self) -> Connection {
        let key = ws::accept_key(self.header("Sec-WebSocket-Key").expect("no WebSocket request"));
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {key}\r\n\r\n"
        );
        self.stream.write_all(answer.as_bytes()).await.unwrap();
        Connection { stream: self.stream, reader: Reader::new(Role::Server, 1 << 20), input: self.rest }
    }

    /// The message in the body of a POST.
    pub(crate) async fn message(&mut self) -> AgentToServer {
        let length: usize = self.header("Content-Length").unwrap().parse().unwrap();
        while self.rest.len() < length {
            assert!(self.stream.read_buf(&mut self.rest).await.unwrap() > 0);
        }
        AgentToServer::decode(self.rest.drain(..length).collect::<Vec<u8>>().as_slice()).unwrap()
    }

    /// Answers and gives the connection back.
    pub(crate) async fn answer(self, status: &str, headers: &str, body: &[u8]) -> TcpStream {
        self.try_answer(status, headers, body).await.unwrap()
    }

    /// Answers whoever may hang up before the end.
    pub(crate) async fn try_answer(
        mut self,
        status: &str,
        headers: &str,
        body: &[u8],
    ) -> std::io::Result<TcpStream> {
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
        let head =
            if status.starts_with("204") { "HTTP/1.1 204 No Content\r\n\r\n".to_owned() } else { head };
        self.stream.write_all(head.as_bytes()).await?;
        self.stream.write_all(body).await?;
        Ok(self.stream)
    }
}

/// The next request on a connection that stays open.
pub(crate) async fn next(stream: TcpStream) -> Asked {
    timeout(PATIENCE, Asked::read(stream, Vec::new())).await.expect("no request came").expect("hung up")
}

pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    reader: Reader,
    input: Vec<u8>,
}

impl Connection {
    /// What the client says next.
    pub(crate) async fn said(&mut self) -> Said {
        timeout(PATIENCE, async {
            loop {
                let (used, event) = self.reader.read(&mut self.input).expect("the client broke the protocol");
                let said = event.map(|event| match event {
                    Event::Message { kind, payload } => {
                        assert_eq!((kind, payload.first()), (MessageKind::Binary, Some(&0)));
                        Said::Message(Box::new(frame::decode(&payload).unwrap()))
                    }
                    Event::Ping(_) => Said::Ping,
                    Event::Pong(payload) => Said::Pong(payload.into_owned()),
                    Event::Close(close) => Said::Close(close),
                });
                self.input.drain(..used);
                if let Some(said) = said {
                    return said;
                }
                if self.input.is_empty()
                    && matches!(self.stream.read_buf(&mut self.input).await, Ok(0) | Err(_))
                {
                    return Said::End;
                }
            }
        })
        .await
        .expect("the client said nothing")
    }

    /// The client's next message; pings are passed over.
    pub(crate) async fn message(&mut self) -> AgentToServer {
        loop {
            match self.said().await {
                Said::Message(message) => return *message,
                Said::Ping => {}
                other => panic!("a message was expected, not {other:?}"),
            }
        }
    }

    pub(crate) async fn send(&mut self, message: &ServerToAgent) {
        self.send_raw(MessageKind::Binary, &frame::encode(message)).await;
    }

    pub(crate) async fn send_raw(&mut self, kind: MessageKind, payload: &[u8]) {
        let mut out = Vec::new();
        ws::write_message(&mut out, kind, payload, None, || None);
        self.stream.write_all(&out).await.unwrap();
    }

    pub(crate) async fn ping(&mut self, payload: &[u8]) {
        let mut out = Vec::new();
        ws::write_ping(&mut out, payload, None);
        self.stream.write_all(&out).await.unwrap();
    }

    pub(crate) async fn close(&mut self, code: u16) {
        let mut out = Vec::new();
        ws::write_close(&mut out, Some(&Close::new(code, "")), None);
        self.stream.write_all(&out).await.unwrap();
    }
}
