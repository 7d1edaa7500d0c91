//! Tools about configs.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tidegate_custom::DRY_RUN;
use tidegate_fleet::agent::axes::Proof;
use tidegate_fleet::difference::{Change, Line};
use tidegate_fleet::{Command, CommandState};
use tokio::time::Instant;

use super::arguments::{Diff, Validate, uid};
use super::caller::{Caller, Told};
use super::detail::{Detail, Room};
use super::problem::Problem;
use super::{fence, view};
use crate::control::CommandOrder;

/// How long an agent may take to say what it makes of a config.
const PATIENCE: Duration = Duration::from_secs(25);

/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(50);

pub(super) fn diff(caller: &Caller<'_>, arguments: &Diff) -> Told {
    let detail = arguments.detail;
    let difference = caller.control().difference(&caller.actor, &uid(&arguments.uid)?)?;
    let view = &difference.view;
    let mut room = detail.room();
    let mut all = true;
    let mut files = Vec::new();
    for (name, change) in &difference.files {
        let (value, whole) = file(name, change, &mut room);
        all &= whole;
        files.extend(value);
    }
    let answer = json!({
        "in_sync": difference.in_sync(),
        "config": view.config.value.as_str(),
        "proof": view.proof.map(Proof::as_str),
        "compared": difference.compared,
        "desired_hash": view.agent.desired().map(|desired| desired.config.hash.to_string()),
        "files": files,
        "truncated": !all,
        "url": caller.links.agent(&view.agent.uid.to_string()),
        fence::KEY: fence::texts([("reason", view.config.reason.as_str())], detail.text()),
    });
    Ok((answer, detail))
}

/// One file of a difference, as far as there is room, and whether that was all of it.
fn file(name: &str, change: &Change, room: &mut Room) -> (Option<Value>, bool) {
    let (word, lines) = match change {
        Change::Same => ("same", &[][..]),
        Change::Missing => ("missing", &[][..]),
        Change::Foreign => ("not_desired", &[][..]),
        Change::Lines(lines) => ("differs", lines.as_slice()),
    };
    let name = fence::line(name, 255);
    if !room.takes(&json!({ "state": word, fence::KEY: { "name": name, "lines": [] } })) {
        return (None, false);
    }
    let line = |line: &Line| {
        Value::from(format!("{}{} {}", line.side.sign(), line.number, fence::line(&line.text, fence::BRIEF)))
    };
    let (lines, all) = room.fill(lines.iter().map(line));
    (Some(json!({ "state": word, fence::KEY: { "name": name, "lines": lines } })), all)
}

pub(super) async fn validate(caller: &Caller<'_>, arguments: Validate) -> Told {
    let Validate { uid: text, files, detail } = arguments;
    let uid = uid(&text)?;
    let files: Vec<_> = files.iter().map(|file| json!({ "name": file.name, "body": file.body })).collect();
    let data = Bytes::from(json!({ "files": files }).to_string());
    let order = CommandOrder::Custom { capability: DRY_RUN.into(), kind: "request".into(), data };
    let control = caller.control();
    let queued =
        control.queue_command(&caller.actor, &uid, order, Some(PATIENCE), Box::new(|_| Vec::new())).await?;
    let begun = Instant::now();
    loop {
        let command = control.command_of(&caller.actor, &uid, &queued.id)?;
        if command.has_ended() {
            return verdict(&command, detail).map(|value| (value, detail));
        }
        if begun.elapsed() > PATIENCE {
            let message = format!("the agent has not answered yet; its command is {}", command.id.0);
            return Err(
                Problem::new(504, "no-answer", "No answer", message).fix("choose an agent that is connected")
            );
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What the agent said.
fn verdict(command: &Command, detail: Detail) -> Result<Value, Problem> {
    let outcome = command.outcome.as_ref();
    let said = outcome.and_then(|outcome| serde_json::from_slice::<Value>(outcome.answer.as_deref()?).ok());
    let said = said.unwrap_or_default();
    let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default();
    if command.state != CommandState::Succeeded {
        let why = outcome.map(|outcome| outcome.detail.as_str()).unwrap_or_default();
        let message =
            format!("the config was not checked ({}): {why} {}", command.state.as_str(), text("err_msg"));
        return Err(Problem::new(502, "not-checked", "Not checked", message));
    }
    let mut room = detail.room();
    let mut all = true;
    let mut list = |name: &str| {
        let texts = said.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let (told, whole) = room.fill(texts.map(|text| fence::line(text, detail.text()).into()));
        all &= whole;
        told
    };
    let (errors, warnings) = (list("errors"), list("warnings"));
    Ok(json!({
        "valid": said.get("accepted") == Some(&Value::Bool(true)),
        "uid": command.agent.to_string(),
        "checked_at": command.finished_at.map(view::time),
        "truncated": !all,
        fence::KEY: { "failed_proof": fence::line(text("proof"), 80), "errors": errors, "warnings": warnings },
    }))
}
