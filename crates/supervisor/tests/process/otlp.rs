//! A receiver of OTLP over HTTP.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// What came in one request.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) at: Instant,
    pub(crate) path: String,
    /// By name in small letters.
    pub(crate) headers: BTreeMap<String, String>,
    /// Attributes of the first resource, as `key=value`.
    pub(crate) resource: Vec<String>,
    /// Names of metrics, or bodies of log records.
    pub(crate) items: Vec<String>,
}

pub(crate) struct Sink {
    pub(crate) port: u16,
    received: mpsc::Receiver<Received>,
}

impl Sink {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, received) = mpsc::channel(1000);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, sender.clone()));
            }
        });
        Self { port, received }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The next request to a path.
    pub(crate) async fn next(&mut self, path: &str, patience: Duration) -> Received {
        let next = async {
            loop {
                let received = self.received.recv().await.unwrap();
                if received.path == path {
                    return received;
                }
            }
        };
        timeout(patience, next).await.unwrap_or_else(|_| unreachable!("nothing came to {path}"))
    }

    /// What has come and was not looked at.
    pub(crate) fn rest(&mut self) -> Vec<Received> {
        std::iter::from_fn(|| self.received.try_recv().ok()).collect()
    }
}

async fn serve(mut stream: TcpStream, sender: mpsc::Sender<Received>) {
    let mut bytes = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.lines();
        let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
        let header = |line: &str| line.split_once(": ").map(|(k, v)| (k.to_ascii_lowercase(), v.to_owned()));
        let headers: BTreeMap<_, _> = lines.filter_map(header).collect();
        let length: usize = headers["content-length"].parse().unwrap();
        while bytes.len() < end + length {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let body: Vec<u8> = bytes.drain(..end + length).skip(end).collect();
        let (resource, items) = export(&body, path.contains("logs"));
        let received = Received { at: Instant::now(), path, headers, resource, items };
        // The test may not look any more.
        let _ = sender.try_send(received);
        if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.is_err() {
            return;
        }
    }
}

/// Resource and items of an export request: `ExportMetricsServiceRequest` and the one of logs have the same frame.
fn export(body: &[u8], logs: bool) -> (Vec<String>, Vec<String>) {
    let resources = of(body, 1);
    let first = resources.first().copied().unwrap_or_default();
    let attributes = of(first, 1).into_iter().flat_map(|resource| of(resource, 1));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let any = |bytes: &[u8]| of(bytes, 1).first().map(|bytes| text(bytes)).unwrap_or_default();
    let pair = |pair: &[u8]| {
        let value = of(pair, 2).first().map(|value| any(value)).unwrap_or_default();
        format!("{}={value}", text(of(pair, 1).first().copied().unwrap_or_default()))
    };
    let items = resources.iter().flat_map(|all| of(all, 2)).flat_map(|scope| of(scope, 2));
    let item = |item: &[u8]| match logs {
        // A body of Fluent Bit is a map with the line in it.
        true => of(item, 5).first().map(|body| text(body)).unwrap_or_default(),
        false => of(item, 1).first().map(|name| text(name)).unwrap_or_default(),
    };
    (attributes.map(pair).collect(), items.map(item).collect())
}

/// The values of a field that have a length, in a protobuf message.
fn of(message: &[u8], field: u64) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < message.len() {
        let key = number(message, &mut at);
        let length = match key & 7 {
            0 => {
                number(message, &mut at);
                continue;
            }
            1 => 8,
            5 => 4,
            _ => usize::try_from(number(message, &mut at)).unwrap(),
        };
        let value = &message[at..at + length];
        at += length;
        if key >> 3 == field && key & 7 == 2 {
            found.push(value);
        }
    }
    found
}

fn number(message: &[u8], at: &mut usize) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = message[*at];
        *at += 1;
        value |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}
