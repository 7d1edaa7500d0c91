//! Looking at the agent: its log, what it would say to a config, and a bundle for whoever is to help. Nothing of it
//! changes the agent, and nothing secret is told.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value, json};
use tidegate_custom::{
    Answer, DIAGNOSTICS, DRY_RUN, LOGS, MAX_DATA_BYTES, Message, ParseError, inspect, message_id, parse,
};
use tidegate_opamp::{AgentConfigMap, AgentConfigObject, CustomMessage};
use tokio::sync::mpsc;

use super::ask::Asker;
use super::{Handler, Handling, Refusal};
use crate::agent::{AgentCommand, Question, Verdict};
use crate::client::History;
use crate::text;

/// Room that is left in a payload for the id and what stands around the rest, in bytes.
const ENVELOPE: usize = 1024;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// The last lines of the agent's log.
    Logs,
    /// What the agent would say to a config.
    DryRun,
    /// All that helps to find a fault.
    Diagnostics,
}

/// What is told of the supervisor itself.
#[derive(Debug)]
pub struct About {
    /// Its settings as a settings file.
    pub settings: String,
    /// What must not be told, wherever it stands.
    pub secrets: Vec<String>,
    /// How its connection fared.
    pub history: History,
    /// When it started.
    pub since: Instant,
}

/// Answers requests to look at the agent.
#[derive(Clone, Debug)]
pub struct Inspect {
    sight: Sight,
    asker: Asker,
    about: Arc<About>,
}

impl Inspect {
    /// A handler that asks the process side behind `commands`.
    #[must_use]
    pub const fn new(sight: Sight, commands: mpsc::Sender<AgentCommand>, about: Arc<About>) -> Self {
        Self { sight, asker: Asker::new(commands), about }
    }

    async fn look(&self, message: &CustomMessage) -> Result<Map<String, Value>, String> {
        match parse(message).map_err(|error| error.to_string())? {
            Message::Logs(logs) => {
                let lines = usize::try_from(logs.lines).unwrap_or(1);
                let lines = self.asker.ask(|reply| Question::Logs(lines, reply)).await?;
                Ok(logged(lines.map_err(|error| format!("the agent's log cannot be read: {error}"))?))
            }
            Message::DryRun(config) => {
                let map = offered(config);
                Ok(judged(&self.asker.ask(|reply| Question::DryRun(map, reply)).await?))
            }
            Message::Diagnostics(_) => {
                // What the supervisor itself knows is told even while nothing can be asked.
                let facts = self.asker.ask(Question::Facts).await;
                Ok(bundle(&self.about, facts))
            }
            _ => Err("this is no request".to_owned()),
        }
    }
}

impl Handler for Inspect {
    fn capability(&self) -> &str {
        match self.sight {
            Sight::Logs => LOGS,
            Sight::DryRun => DRY_RUN,
            Sight::Diagnostics => DIAGNOSTICS,
        }
    }

    fn handle(&self, message: CustomMessage) -> Handling {
        let this = self.clone();
        Box::pin(async move {
            if matches!(parse(&message), Err(ParseError::UnknownType { .. })) {
                return None;
            }
            let id = message_id(&message.data);
            let capability = this.capability();
            let answer = match Box::pin(this.look(&message)).await {
                Ok(found) => inspect::result(capability, id.clone(), found),
                Err(why) => Answer::refused(id.clone(), why).to_message(capability),
            };
            let answer =
                answer.or_else(|error| Answer::refused(id, error.to_string()).to_message(capability));
            answer.inspect_err(|error| tracing::warn!(%error, "an answer cannot be written")).ok()
        })
    }

    fn is_idempotent(&self, _message: &CustomMessage) -> bool {
        true
    }

    fn refuse(&self, message: &CustomMessage, refusal: Refusal<'_>) -> Option<CustomMessage> {
        let (Refusal::NotDone(why) | Refusal::Unknown(why)) = refusal;
        Answer::refused(message_id(&message.data), why).to_message(self.capability()).ok()
    }
}

/// The newest lines that fit.
fn logged(mut lines: Vec<String>) -> Map<String, Value> {
    let mut room = MAX_DATA_BYTES - ENVELOPE;
    let fitting = lines.iter().rev().take_while(|line| {
        let bytes = size(line) + 1;
        let fits = bytes <= room;
        room = room.saturating_sub(bytes);
        fits
    });
    let beyond = lines.len() - fitting.count();
    let lines = lines.split_off(beyond);
    object(json!({"lines": lines, "truncated": beyond > 0}))
}

fn judged(verdict: &Verdict) -> Map<String, Value> {
    let told = |texts: &[String]| {
        texts.iter().take(20).map(|said| text::head(said, 2000).to_owned()).collect::<Vec<_>>()
    };
    let mut found = object(json!({
        "accepted": verdict.proof.is_none(),
        "errors": told(&verdict.errors),
        "warnings": told(&verdict.warnings),
    }));
    if let Some(proof) = verdict.proof {
        found.insert("proof".to_owned(), proof.into());
    }
    found
}

fn offered(config: inspect::DryRun) -> AgentConfigMap {
    let file = |file: inspect::CheckedFile| {
        let object = AgentConfigObject {
            body: file.body.into(),
            content_type: file.content_type,
            role: file.role,
            ..AgentConfigObject::default()
        };
        (file.name, object)
    };
    AgentConfigMap { config_map: config.files.into_iter().map(file).collect(), ..AgentConfigMap::default() }
}

fn bundle(about: &About, facts: Result<Value, String>) -> Map<String, Value> {
    let mut parts = match facts {
        Ok(Value::Object(facts)) => facts,
        Ok(_) => Map::new(),
        Err(why) => object(json!({"agent": {"error": why}})),
    };
    parts.insert(
        "supervisor".to_owned(),
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "uptime_s": about.since.elapsed().as_secs(),
            "pid": std::process::id(),
        }),
    );
    parts.insert("settings".to_owned(), about.settings.as_str().into());
    parts.insert("connection".to_owned(), about.history.told());
    let mut parts = Value::Object(parts);
    text::scrub(&mut parts, &about.secrets);
    // What is longest goes first, until the rest fits.
    for part in ["log", "settings", "agent", "config"] {
        if size(&parts) <= MAX_DATA_BYTES - ENVELOPE {
            break;
        }
        if let Some(value) = parts.get_mut(part) {
            *value = "left out: it is too long".into();
        }
    }
    object(json!({ "diagnostics": parts }))
}

/// Bytes that something takes as JSON.
fn size(value: &impl serde::Serialize) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX / 2, |bytes| bytes.len())
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests;
