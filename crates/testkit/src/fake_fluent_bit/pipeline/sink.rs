//! Where chunks end: nowhere, stdout, a file, or a peer that must at least accept a connection.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::Record;
use super::chunk::Chunk;
use crate::fake_fluent_bit::config::Instance;

/// How long a peer has to accept a connection.
const CONNECT: Duration = Duration::from_millis(300);

/// What an output does with a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sink {
    /// Takes everything: `null`, and all plugins without a peer.
    Null,
    /// `stdout`, in its own format or as JSON lines.
    Stdout {
        /// Whether `format` asks for JSON lines.
        json_lines: bool,
    },
    /// `file`: appends `tag: [time, record]` lines.
    File {
        /// The folder.
        folder: PathBuf,
        /// The file's name; the tag if unset.
        name: Option<String>,
    },
    /// Outputs with a peer: delivered when the peer accepts a connection. Nothing is sent.
    Peer {
        /// `host`.
        host: String,
        /// `port`.
        port: u16,
    },
}

/// Peers' default ports, by plugin.
const PEERS: &[(&str, u16)] = &[
    ("http", 80),
    ("forward", 24224),
    ("es", 9200),
    ("opensearch", 9200),
    ("loki", 3100),
    ("opentelemetry", 4318),
    ("splunk", 8088),
    ("tcp", 5170),
    ("syslog", 514),
    ("influxdb", 8086),
    ("prometheus_remote_write", 80),
    ("gelf", 12201),
    ("nats", 4222),
];

impl Sink {
    /// The sink of an output's properties.
    #[must_use]
    pub fn of(instance: &Instance) -> Self {
        let plugin = instance.plugin.as_str();
        if let Some((_, default)) = PEERS.iter().find(|(name, _)| *name == plugin) {
            let host = instance.get("host").unwrap_or("127.0.0.1").to_owned();
            let port = instance.get("port").and_then(|text| text.parse().ok()).unwrap_or(*default);
            return Self::Peer { host, port };
        }
        match plugin {
            "stdout" => Self::Stdout { json_lines: instance.get("format") == Some("json_lines") },
            "file" => Self::File {
                folder: PathBuf::from(instance.get("path").unwrap_or(".")),
                name: instance.get("file").map(str::to_owned),
            },
            _ => Self::Null,
        }
    }

    /// Delivers a chunk. Blocks for as long as stdout does: so does the real one.
    pub(super) fn deliver(&self, chunk: &Chunk) -> io::Result<()> {
        match self {
            Self::Null => Ok(()),
            Self::Stdout { json_lines } => {
                let mut text = String::new();
                for (index, record) in chunk.records.iter().enumerate() {
                    text +=
                        &if *json_lines { json_line(record) } else { packed_line(index, &chunk.tag, record) };
                    text.push('\n');
                }
                io::stdout().lock().write_all(text.as_bytes())
            }
            Self::File { folder, name } => {
                let path = folder.join(name.as_ref().unwrap_or(&chunk.tag));
                let mut file = OpenOptions::new().create(true).append(true).open(path)?;
                let lines: Vec<String> =
                    chunk.records.iter().map(|record| file_line(&chunk.tag, record)).collect();
                file.write_all(lines.concat().as_bytes())
            }
            Self::Peer { host, port } => {
                let address = (host.as_str(), *port).to_socket_addrs()?.next();
                let address = address.ok_or(io::ErrorKind::NotFound)?;
                TcpStream::connect_timeout(&address, CONNECT).map(drop)
            }
        }
    }
}

fn nanos(record: &Record) -> String {
    format!("{}.{:09}", record.time.as_secs(), record.time.subsec_nanos())
}

fn json_line(record: &Record) -> String {
    let date = format!("{}.{:06}", record.time.as_secs(), record.time.subsec_micros());
    let body = record.body.to_string();
    let rest = body.strip_prefix('{').unwrap_or(&body);
    let comma = if rest == "}" { "" } else { "," };
    format!("{{\"date\":{date}{comma}{rest}")
}

fn file_line(tag: &str, record: &Record) -> String {
    format!("{tag}: [{}, {}]\n", nanos(record), record.body)
}

fn packed_line(index: usize, tag: &str, record: &Record) -> String {
    format!("[{index}] {tag}: [[{}, {{}}], {}]", nanos(record), arrows(&record.body))
}

/// A map as the real one prints MessagePack: `{"a"=>1}`.
fn arrows(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let pairs: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{}=>{}", Value::from(key.as_str()), arrows(value)))
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(arrows).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}
