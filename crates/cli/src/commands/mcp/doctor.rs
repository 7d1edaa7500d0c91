//! `tidegate mcp doctor`: the chain from an assistant's settings to an answer of the server, link by link.

use std::path::Path;

use serde_json::{Map, Value, json};
use tidegate_api::client::Client;

use super::clients::System;
use super::edit;
use super::install::settings;
use super::message::{self, REVISION, Session};
use crate::failure::Failure;
use crate::lowargs::{GlobalArgs, McpClient};
use crate::settings::{Environment, Settings};
use crate::{output, sanitise};

pub(super) async fn run(global: &GlobalArgs, environment: &Environment) -> Result<(), Failure> {
    let mut sound = true;
    let mut any = false;
    for client in McpClient::ALL {
        let Some(path) = client.file(System::current(), environment) else { continue };
        let Some(text) = settings(&path)? else { continue };
        let Some(entry) = edit::found(client.form(), &text, client.list()) else { continue };
        any = true;
        match wrong(&entry) {
            None => tell(true, &format!("{}: {} names the server", client.title(), path.display()))?,
            Some(why) => {
                sound = false;
                tell(false, &format!("{}: {}: {why}", client.title(), path.display()))?;
            }
        }
    }
    if !any {
        tell(true, "no assistant names the server yet; `tidegate mcp install --client NAME` writes it")?;
    }
    let client = Settings::resolve(global, environment)?.client()?;
    tell(true, &format!("there is a token for {}", client.server()))?;
    let found = ask(&client, "server/discover", json!({})).await?;
    let revisions = found.get("supportedVersions").and_then(Value::as_array).map(Vec::as_slice);
    if !revisions.unwrap_or_default().iter().any(|known| known == REVISION) {
        return Err(Failure::Unsound(format!("the server does not speak MCP {REVISION}")));
    }
    tell(true, &format!("the server speaks MCP {REVISION}"))?;
    let call = json!({ "name": "fleet_summary", "arguments": {} });
    let answer = ask(&client, "tools/call", call).await?;
    let total =
        answer.get("structuredContent").and_then(|summary| summary.get("total")).and_then(Value::as_u64);
    let Some(total) = total else {
        return Err(Failure::Unsound("fleet_summary did not tell how many agents there are".to_owned()));
    };
    tell(true, &format!("fleet_summary answers: {total} agent{}", if total == 1 { "" } else { "s" }))?;
    if sound {
        return Ok(());
    }
    Err(Failure::Unsound(
        "the server is well, an assistant's settings are not; `tidegate mcp install` mends them".into(),
    ))
}

/// What is wrong with an assistant's entry.
fn wrong(entry: &Map<String, Value>) -> Option<String> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    match (text("command"), text("url")) {
        (Some(program), _) if !Path::new(program).is_absolute() => {
            Some(format!("{program:?} is no whole path, and assistants have another PATH than shells"))
        }
        (Some(program), _) if !Path::new(program).is_file() => Some(format!("there is no program {program}")),
        (Some(_), _) => None,
        (None, Some(url)) if url.contains("/mcp") => None,
        (None, Some(url)) => Some(format!("{url} is no address of /mcp")),
        (None, None) => Some("its entry has neither command nor url".into()),
    }
}

/// What the server answers to one message.
async fn ask(client: &Client, method: &str, parameters: Value) -> Result<Value, Failure> {
    let message = message::request(method, parameters);
    let headers = message::headers(&message, &Session::default());
    let mut reply = client.mcp(true, &headers, message.to_string()).await?;
    while let Some(answer) = reply.next().await? {
        let answer: Value = serde_json::from_str(&answer).map_err(|error| {
            Failure::Unsound(format!("the server's answer to {method} is no JSON: {error}"))
        })?;
        if let Some(error) = answer.get("error") {
            let why = error.get("message").and_then(Value::as_str).unwrap_or("it does not say why");
            return Err(Failure::Unsound(format!("the server refused {method}: {why}")));
        }
        if let Some(result) = answer.get("result") {
            return Ok(result.clone());
        }
    }
    Err(Failure::Unsound(format!("the server did not answer {method}")))
}

fn tell(good: bool, text: &str) -> Result<(), Failure> {
    let mark = if good { "ok   " } else { "WRONG" };
    output::data(&format!("{mark} {}\n", sanitise::line(text)))
}
