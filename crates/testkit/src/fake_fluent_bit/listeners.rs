//! Inputs that listen: `http` answers and takes records, the others only hold their port.

use std::io::{self, Read};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;

use super::config::Instance;
use super::http::{DOOR_IDLE, Door, Next, Request, next_request, send};
use super::pipeline::{Pipeline, Record};

/// Listening inputs and their default ports.
const LISTENING: &[(&str, u16)] = &[
    ("http", 9880),
    ("forward", 24224),
    ("tcp", 5170),
    ("opentelemetry", 4318),
    ("splunk", 8088),
    ("elasticsearch", 9200),
    ("mqtt", 1883),
    ("prometheus_remote_write", 8080),
];

/// Where an input listens, if it is one that does.
pub(super) fn place(instance: &Instance) -> Option<(String, u16)> {
    let (_, default) = LISTENING.iter().find(|(name, _)| *name == instance.plugin)?;
    let listen = instance.get("listen").or_else(|| instance.get("host")).unwrap_or("0.0.0.0");
    let port = instance.get("port").and_then(|text| text.parse().ok()).unwrap_or(*default);
    Some((listen.to_owned(), port))
}

/// Opens the door of input number `index`.
pub(super) fn open(
    instance: &Instance,
    index: usize,
    (listen, port): (&str, u16),
    pipeline: &Arc<Mutex<Pipeline>>,
) -> io::Result<Door> {
    if instance.plugin != "http" {
        return Door::open(listen, port, Arc::new(swallow));
    }
    let pipeline = Arc::clone(pipeline);
    let handler = move |mut stream: TcpStream| {
        let mut buffer = Vec::new();
        while let Next::Request(request) = next_request(&mut stream, &mut buffer, DOOR_IDLE) {
            let closes = request.closes;
            if !send(&mut stream, take(&request, index, &pipeline).as_bytes()) || closes {
                return;
            }
        }
    };
    Door::open(listen, port, Arc::new(handler))
}

fn swallow(mut stream: TcpStream) {
    let mut piece = [0; 4096];
    drop(stream.set_read_timeout(Some(Duration::from_secs(600))));
    while matches!(stream.read(&mut piece), Ok(count) if count > 0) {}
}

/// Takes a request's records; the answer is the real one's, reason phrase and all.
fn take(request: &Request, index: usize, pipeline: &Mutex<Pipeline>) -> String {
    let answer = |status: &str, body: &str| {
        format!(
            "HTTP/1.1 {status}\r\nserver: Fluent Bit\r\nx-http-engine: Monkey heritage\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let refused = |body: &str| answer("400 Bad Request", body);
    if request.method != "POST" {
        return refused("error: invalid HTTP method\n");
    }
    let Some(content_type) = &request.content_type else {
        return refused("error: header 'Content-Type' is not set\n");
    };
    let records = if content_type.starts_with("application/json") {
        from_json(&request.body)
    } else {
        from_form(&request.body)
    };
    let Some(records) = records else {
        return refused("error: unable to process records\n");
    };
    let tag = request.path.trim_start_matches('/').replace('/', ".");
    pipeline.lock().ingest(index, (!tag.is_empty()).then_some(tag.as_str()), records);
    answer("201 Created", "")
}

fn from_json(body: &[u8]) -> Option<Vec<Record>> {
    let maps = match serde_json::from_slice(body).ok()? {
        Value::Array(items) => items,
        one => vec![one],
    };
    maps.iter().all(Value::is_object).then(|| maps.into_iter().map(Record::over_http).collect())
}

fn from_form(body: &[u8]) -> Option<Vec<Record>> {
    let text = std::str::from_utf8(body).ok()?;
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    let map = pairs.map(|(key, value)| (key.to_owned(), Value::from(value))).collect();
    Some(vec![Record::over_http(Value::Object(map))])
}
