//! Paths, methods and answers, as values of the snapshot (fluent-bit.md, section 1).

use super::{metrics, prometheus};
use crate::fake_fluent_bit::snapshot::{Presence, ReloadState, Snapshot};

const JSON: &str = "application/json";
const PROMETHEUS: &str = "text/plain; version=0.0.4";

const ROOT: &str = include_str!("../../../captures/fluent-bit/root.txt");
const PLUGINS: &str = include_str!("../../../captures/fluent-bit/v1_plugins.txt");

/// One answer. The status line has no reason phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Headers between the server's own and Content-Length.
    pub headers: Vec<(&'static str, &'static str)>,
    /// The body.
    pub body: String,
}

/// What a request sets off besides its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Nothing.
    Nothing,
    /// SIGHUP to the process itself.
    Reload,
}

impl Answer {
    fn of(status: u16, content_type: Option<&'static str>, body: impl Into<String>) -> Self {
        let headers = content_type.map(|value| ("content-type", value)).into_iter().collect();
        Self { status, headers, body: body.into() }
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut text =
            format!("HTTP/1.1 {}\r\nserver: Fluent Bit\r\nx-http-engine: Monkey heritage\r\n", self.status);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("content-length: {}\r\n\r\n{}", self.body.len(), self.body);
        text.into_bytes()
    }
}

/// Answers one request. Queries are cut off already; a trailing slash is another path.
#[must_use]
pub fn answer(method: &str, path: &str, state: &Snapshot) -> (Answer, Act) {
    if path == "/api/v2/reload" {
        return reload(method, state);
    }
    if state.metrics == Presence::Present
        && let Some(answer) = metrics_answer(path, state)
    {
        return (answer, Act::Nothing);
    }
    let answer = match path {
        "/" => Answer::of(200, Some(JSON), body_of(ROOT).replacen("5.1.1", &state.version, 1)),
        "/api/v1/uptime" => Answer::of(200, Some(JSON), metrics::uptime(state.uptime_sec)),
        "/api/v1/plugins" => Answer::of(200, Some(JSON), body_of(PLUGINS)),
        "/api/v1/storage" if state.storage == Presence::Present => {
            Answer::of(200, Some(JSON), metrics::storage(state))
        }
        "/api/v1/health" if state.health.checked => {
            if state.health.is_ok() {
                Answer::of(200, None, "ok\n")
            } else {
                Answer::of(500, None, "error\n")
            }
        }
        "/api/v2/health" => {
            let status = if state.health.is_ok() { 200 } else { 500 };
            Answer::of(status, Some(JSON), metrics::health(&state.health))
        }
        _ => Answer::of(404, None, ""),
    };
    (answer, Act::Nothing)
}

fn metrics_answer(path: &str, state: &Snapshot) -> Option<Answer> {
    Some(match path {
        "/api/v1/metrics" => Answer::of(200, Some(JSON), metrics::v1(state)),
        "/api/v1/metrics/prometheus" => Answer::of(200, Some(PROMETHEUS), prometheus::v1(state)),
        "/api/v2/metrics" => Answer::of(200, None, prometheus::v2_text(state)),
        "/api/v2/metrics/prometheus" => Answer::of(200, Some(PROMETHEUS), prometheus::v2(state)),
        _ => return None,
    })
}

fn reload(method: &str, state: &Snapshot) -> (Answer, Act) {
    match (method, state.reload) {
        ("GET" | "HEAD", _) => {
            let body = format!("{{\"hot_reload_count\":{}}}", state.hot_reload_count);
            (Answer::of(200, Some(JSON), body), Act::Nothing)
        }
        ("POST" | "PUT", ReloadState::NotEnabled) => {
            (Answer::of(200, Some(JSON), r#"{"reload":"not enabled","status":-1}"#), Act::Nothing)
        }
        ("POST" | "PUT", ReloadState::InProgress) => {
            (Answer::of(400, Some(JSON), r#"{"reload":"in progress","status":-2}"#), Act::Nothing)
        }
        ("POST" | "PUT", ReloadState::Ready) => {
            (Answer::of(200, Some(JSON), r#"{"reload":"done","status":0}"#), Act::Reload)
        }
        _ => {
            let mut answer = Answer::of(405, None, "");
            answer.headers.push(("allow", "GET, POST, PUT"));
            (answer, Act::Nothing)
        }
    }
}

/// The body of a captured answer.
fn body_of(capture: &str) -> &str {
    let (_, body) = capture.split_once("\n\n").or_else(|| capture.split_once("\r\n\r\n")).unwrap_or_default();
    body.trim_end()
}
