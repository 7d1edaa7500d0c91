//! What tools tell of an agent, and where the console shows it.

use http::HeaderMap;
use jiff::Timestamp as Time;
use serde_json::{Map, Value, json};
use tidegate_fleet::Timestamp;

use super::fence;
use crate::control::AgentView;

/// Most bytes of a host's name in a header.
const MAX_HOST: usize = 255;

/// Addresses in the console, as the caller reaches this server.
#[derive(Clone, Debug)]
pub(super) struct Links {
    base: String,
}

impl Links {
    /// Of a request. Headers only make an address for who sent them.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let plain = |host: &&str| {
            let of_hosts = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
            !host.is_empty() && host.len() <= MAX_HOST && host.bytes().all(of_hosts)
        };
        let host = text("x-forwarded-host").filter(plain).or_else(|| text("host").filter(plain));
        let scheme = if text("x-forwarded-proto") == Some("https") { "https" } else { "http" };
        Self { base: format!("{scheme}://{}", host.unwrap_or("localhost")) }
    }

    /// The page of the agents that match.
    pub(super) fn agents(&self, query: &str) -> String {
        let mut url = format!("{}/agents?q=", self.base);
        for byte in query.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => {
                    url.push(char::from(byte));
                }
                other => url.push_str(&format!("%{other:02X}")),
            }
        }
        url
    }

    /// The page of a plan, where a person confirms it.
    pub(super) fn plan(&self, id: &str) -> String {
        format!("{}/plans/{id}", self.base)
    }

    /// The page of one agent.
    pub(super) fn agent(&self, uid: &str) -> String {
        format!("{}/agents/{uid}", self.base)
    }
}

/// A time, in text.
pub(super) fn time(at: Timestamp) -> String {
    let time = i64::try_from(at.0).ok().and_then(|at| Time::from_millisecond(at).ok());
    time.map(|time| time.to_string()).unwrap_or_default()
}

/// An agent in a list.
pub(super) fn row(view: &AgentView, max: usize) -> Value {
    let agent = &view.agent;
    let attributes = agent.attributes();
    let (name, reason) = (agent.name(), &view.attention.1);
    let texts = [
        ("name", name.as_str()),
        ("version", attributes.get("service.version").unwrap_or_default()),
        ("reason", reason.as_str()),
    ];
    let mut row = json!({
        "uid": agent.uid.to_string(),
        "connection": view.connection.value.as_str(),
        "health": view.health.value.as_str(),
        "config": view.config.value.as_str(),
        "attention": view.attention.0.as_str(),
        "last_seen": time(agent.last_seen),
        fence::KEY: fence::texts(texts, max),
    });
    let labels: Map<_, _> = agent.labels.iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
    if let (false, Some(row)) = (labels.is_empty(), row.as_object_mut()) {
        row.insert("labels".into(), labels.into());
    }
    row
}

/// Sets a key of an answer's object.
pub(super) fn put(value: &mut Value, key: &str, part: impl Into<Value>) {
    if let Some(object) = value.as_object_mut() {
        object.insert(key.to_owned(), part.into());
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn given_headers_when_links_are_made_then_only_plain_hosts_are_taken() {
        for (headers, expected) in [
            (&[("host", "127.0.0.1:4321")][..], "http://127.0.0.1:4321/agents/u"),
            (
                &[("host", "a"), ("x-forwarded-host", "fleet.example.com"), ("x-forwarded-proto", "https")],
                "https://fleet.example.com/agents/u",
            ),
            (&[("host", "evil.example/)![x](")], "http://localhost/agents/u"),
            (&[], "http://localhost/agents/u"),
        ] {
            let headers: HeaderMap = headers
                .iter()
                .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            assert_eq!(Links::of(&headers).agent("u"), expected);
        }
    }

    #[test]
    fn given_a_query_when_it_is_linked_then_it_is_one_parameter() {
        let links = Links { base: "http://h".into() };
        assert_eq!(links.agents("a:b OR name:\"ü&x\""), "http://h/agents?q=a:b%20OR%20name:%22%C3%BC%26x%22");
    }
}
