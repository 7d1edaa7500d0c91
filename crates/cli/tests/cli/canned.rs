//! A small HTTP server that answers as a test says and keeps what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use serde_json::Value;

/// What the server was asked.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// The path behind `/api/v1`, without the query.
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Value,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What the server answers.
pub(super) enum Reply {
    Json(u16, Value),
    /// A stream that ends after this text.
    Broken(String),
    /// A stream that stays open after this text.
    Open(String),
}

/// A problem as the API tells it.
pub(super) fn problem(status: u16, detail: &str) -> Reply {
    Reply::Json(
        status,
        serde_json::json!({
            "type": "urn:tidegate:problem:x", "title": "x", "status": status, "detail": detail, "code": "x",
        }),
    )
}

type Answer = dyn Fn(&Request) -> Reply + Send + Sync;

/// The server; its thread ends with the test's process.
pub(super) struct Canned {
    pub(super) address: SocketAddr,
    asked: Receiver<Request>,
}

impl Canned {
    pub(super) fn new(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (told, asked) = channel();
        let answer: Arc<Answer> = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answer, told) = (answer.clone(), told.clone());
                std::thread::spawn(move || serve(stream, &*answer, &told));
            }
        });
        Self { address, asked }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was asked since the last time.
    pub(super) fn asked(&self) -> Vec<Request> {
        self.asked.try_iter().collect()
    }
}

#[expect(clippy::disallowed_methods, reason = "a held stream ends with the program under test")]
fn serve(mut stream: TcpStream, answer: &Answer, told: &Sender<Request>) {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let Some(request) = read(&stream) else {
        return;
    };
    let reply = answer(&request);
    // The test may be over already.
    let _ = told.send(request);
    let (status, kind, body, held) = match reply {
        Reply::Json(status, value) => (status, "application/json", value.to_string(), false),
        Reply::Broken(text) => (200, "text/event-stream", text, false),
        Reply::Open(text) => (200, "text/event-stream", text, true),
    };
    let head = format!("HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n");
    // The program under test may go away at any time.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
    if held {
        let _ = stream.read_to_end(&mut Vec::new());
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut parts = line.split(' ');
    let (method, target) = (parts.next()?.to_owned(), parts.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (path, query) = (path.strip_prefix("/api/v1")?.to_owned(), query.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else {
            break;
        };
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Some(Request { method, path, query, headers, body })
}
