//! What the transport has to know of a message of the protocol, and what it says itself.

use serde_json::{Value, json};
use tidegate_api::client::SESSION_HEADER;

/// The newest revision.
pub(super) const REVISION: &str = "2026-07-28";

const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";

/// What was agreed with the server when a session began; nothing with revisions that have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) id: Option<String>,
    pub(super) version: Option<String>,
}

/// The method of a request or notification.
pub(super) fn method(message: &Value) -> Option<&str> {
    message.get("method")?.as_str()
}

/// The headers that go with a message, made of its own words.
pub(super) fn headers(message: &Value, session: &Session) -> Vec<(&'static str, String)> {
    let mut headers = Vec::new();
    let plain = |text: &&str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let parameters = message.get("params");
    let own = parameters.and_then(|all| all.get("_meta")?.get(VERSION_KEY)?.as_str()).filter(plain);
    let method = method(message).filter(plain);
    let begins = method == Some("initialize");
    if let Some(version) = own.or(session.version.as_deref()).filter(|_| !begins) {
        headers.push(("mcp-protocol-version", version.to_owned()));
    }
    if let Some(id) = session.id.as_ref().filter(|_| !begins && own.is_none()) {
        headers.push((SESSION_HEADER, id.clone()));
    }
    if let Some(method) = method.filter(|_| !begins) {
        headers.push(("mcp-method", method.to_owned()));
        let name = match method {
            "resources/read" => "uri",
            _ => "name",
        };
        if let Some(name) = parameters.and_then(|all| all.get(name)?.as_str()).filter(plain) {
            headers.push(("mcp-name", name.to_owned()));
        }
    }
    headers
}

/// The revision that a server chose in its answer to `initialize`.
pub(super) fn agreed(answer: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    Some(answer.get("result")?.get("protocolVersion")?.as_str()?.to_owned())
}

/// The answer of the transport itself to a request that did not reach the server, or a line that is none.
pub(super) fn error(id: &Value, code: i32, message: &str) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } }).to_string()
}

/// A request of our own, in the newest revision.
pub(super) fn request(method: &str, mut parameters: Value) -> Value {
    let meta = json!({
        VERSION_KEY: REVISION,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "tidegate mcp doctor", "version": env!("CARGO_PKG_VERSION") },
    });
    if let Some(parameters) = parameters.as_object_mut() {
        parameters.insert("_meta".into(), meta);
    }
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_messages_then_their_headers_are_those_of_their_revision() {
        let session = Session { id: Some("s".into()), version: Some("2025-06-18".into()) };
        let call = json!({"method": "tools/call", "params": {"name": "list_agents"}});
        let current = request("tools/call", json!({"name": "list_agents"}));
        let initialize = json!({"method": "initialize", "params": {"protocolVersion": "2025-06-18"}});
        let response = json!({"id": 3, "result": {}});
        for (message, expected) in [
            (
                &call,
                &[
                    ("mcp-protocol-version", "2025-06-18"),
                    (SESSION_HEADER, "s"),
                    ("mcp-method", "tools/call"),
                    ("mcp-name", "list_agents"),
                ][..],
            ),
            (
                &current,
                &[
                    ("mcp-protocol-version", REVISION),
                    ("mcp-method", "tools/call"),
                    ("mcp-name", "list_agents"),
                ],
            ),
            (&initialize, &[]),
            (&response, &[("mcp-protocol-version", "2025-06-18"), (SESSION_HEADER, "s")]),
        ] {
            let found = headers(message, &session);
            let found: Vec<_> = found.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(found, expected, "{message}");
        }
        let evil = json!({"method": "tools/call\r\nx: y", "params": {"name": "a\nb"}});
        assert_eq!(headers(&evil, &Session::default()), []);
    }
}
