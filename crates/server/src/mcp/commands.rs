//! Tools about commands: what can be asked of agents, what was asked, and plans.

use bytes::Bytes;
use serde_json::{Value, json};
use tidegate_custom::{Capability, Direction, JsonForm, MessageType};
use tidegate_fleet::plan::Planned;
use tidegate_fleet::{Command, CommandState};
use tidegate_opamp::{AgentCapabilities, InstanceUid};

use super::arguments::{Commands, PlanCommand, limit, uid};
use super::caller::{Caller, Told};
use super::detail::{Detail, Room};
use super::problem::Problem;
use super::view::put;
use super::{fence, view};
use crate::control::{CommandFilter, Outcome, PlanOrder};

/// What plan_command takes to restart.
const RESTART: &str = "restart";

pub(super) fn list(caller: &Caller<'_>, arguments: &Commands) -> Told {
    let detail = arguments.detail;
    let limit = limit(arguments.limit)?;
    let mut room = detail.room();
    if let Some(id) = &arguments.operation_id {
        return operation(caller, id, limit, detail);
    }
    let agent = arguments.uid.as_deref().map(uid).transpose()?;
    let state = match arguments.state.as_deref() {
        None => None,
        Some(word) => Some(CommandState::from_word(word).ok_or_else(|| {
            let known = CommandState::ALL.map(CommandState::as_str).join(", ");
            Problem::invalid("state", format!("{word:?} is none of {known}"))
        })?),
    };
    let (available, whole) = room.fill(available(caller, agent.as_ref(), detail)?);
    let commands = caller.control().commands(&caller.actor, CommandFilter { agent, state })?;
    let (items, all) = room.fill(commands.iter().take(limit).map(|command| item(command, detail)));
    let answer = json!({
        "available": available,
        "items": items,
        "total": commands.len(),
        "truncated": !(whole && all),
    });
    Ok((answer, detail))
}

/// What can be planned: of one agent, or of any.
fn available(
    caller: &Caller<'_>,
    agent: Option<&InstanceUid>,
    detail: Detail,
) -> Result<Vec<Value>, Problem> {
    let agent = agent.map(|uid| caller.control().agent(&caller.actor, uid)).transpose()?;
    let listed = agent.as_ref().map(|view| view.agent.custom_capabilities());
    let restarts = agent
        .as_ref()
        .is_none_or(|view| view.agent.capabilities.contains(AgentCapabilities::ACCEPTS_RESTART_COMMAND));
    let restart = restarts.then(|| json!({ "command": RESTART, "summary": "Restarts the agent." }));
    let can = |capability: &&Capability| {
        listed.as_ref().is_none_or(|listed| listed.iter().any(|name| name == capability.name))
    };
    let messages = tidegate_custom::catalogue().iter().filter(can).flat_map(|capability| {
        let to_agents = |message: &&MessageType| message.direction == Direction::ToAgent;
        capability
            .messages
            .iter()
            .filter(to_agents)
            .map(move |message| message_type(capability, message, detail))
    });
    Ok(restart.into_iter().chain(messages).collect())
}

fn message_type(capability: &Capability, message: &MessageType, detail: Detail) -> Value {
    let mut value = json!({
        "command": capability.name,
        "type": message.kind,
        "summary": capability.summary,
    });
    let required = message.fields.iter().filter(|field| field.required || detail == Detail::Full);
    let form = |form| match form {
        JsonForm::Text => "text",
        JsonForm::Number => "number",
        JsonForm::Flag => "true or false",
        JsonForm::Object => "object",
        JsonForm::List => "list",
    };
    let field = |field: &tidegate_custom::Field| {
        let need = if field.required { "required " } else { "" };
        (field.name.to_owned(), Value::from(format!("{need}{}: {}", form(field.form), field.meaning)))
    };
    let fields: serde_json::Map<_, _> = required.map(field).collect();
    if !fields.is_empty() {
        put(&mut value, "data", fields);
    }
    value
}

fn item(command: &Command, detail: Detail) -> Value {
    let outcome = command.outcome.as_ref();
    let answer = outcome.and_then(|outcome| outcome.answer.as_deref()).map(String::from_utf8_lossy);
    let texts = [
        ("reason", outcome.map(|outcome| outcome.detail.as_str()).unwrap_or_default()),
        ("answer", answer.as_deref().unwrap_or_default()),
    ];
    json!({
        "id": command.id.0,
        "uid": command.agent.to_string(),
        "command": fence::line(&command.summary(), 120),
        "state": command.state.as_str(),
        "ended": command.has_ended(),
        "at": view::time(command.created_at),
        fence::KEY: fence::texts(texts, detail.text()),
    })
}

/// The commands of one agent, newest first.
pub(super) fn of_agent(
    caller: &Caller<'_>,
    uid: &InstanceUid,
    detail: Detail,
    room: &mut Room,
) -> Result<(Vec<Value>, bool), Problem> {
    let filter = CommandFilter { agent: Some(*uid), state: None };
    let commands = caller.control().commands(&caller.actor, filter)?;
    Ok(room.fill(commands.iter().take(20).map(|command| item(command, detail))))
}

/// How far what a plan became has come, what is not well first.
fn operation(caller: &Caller<'_>, id: &str, limit: usize, detail: Detail) -> Told {
    let operation = caller.control().operation(&caller.actor, id)?;
    let mut states = std::collections::BTreeMap::<&str, u64>::new();
    let mut rows = Vec::new();
    for target in &operation.targets {
        let (state, ended, reason) = match &target.outcome {
            Outcome::Done(text) => ("succeeded", true, text.as_str()),
            Outcome::Refused(text) => ("refused", true, text.as_str()),
            Outcome::Commanded(commanded) => {
                (commanded.state.as_str(), commanded.ended, commanded.reason.as_str())
            }
        };
        *states.entry(state).or_default() += 1;
        let texts = [("name", target.name.as_str()), ("reason", reason)];
        rows.push((
            (ended && state == "succeeded", ended),
            json!({
                "uid": target.uid.to_string(),
                "state": state,
                "ended": ended,
                fence::KEY: fence::texts(texts, detail.text()),
            }),
        ));
    }
    let open = rows.iter().filter(|((_, ended), _)| !ended).count();
    rows.sort_by_key(|(order, _)| *order);
    let (items, all) = detail.room().fill(rows.into_iter().take(limit).map(|(_, row)| row));
    let answer = json!({
        "operation_id": operation.id,
        "q": operation.query,
        "states": states,
        "under_way": open,
        "items": items,
        "total": operation.targets.len(),
        "truncated": !all,
        "url": caller.links.agents(&operation.query),
    });
    Ok((answer, detail))
}

pub(super) async fn plan(caller: &Caller<'_>, arguments: PlanCommand) -> Told {
    let PlanCommand { q, command, kind, data } = arguments;
    let planned = match (command.as_str(), kind) {
        (RESTART, None) if data.is_none() => Planned::Restart,
        (RESTART, _) => return Err(Problem::invalid("type", "a restart has neither type nor data")),
        (_, None) => {
            return Err(Problem::invalid("type", "name the type of the message; list_commands tells them"));
        }
        (capability, Some(kind)) => {
            let data = match data {
                None | Some(Value::Null) => Bytes::new(),
                Some(Value::String(text)) => Bytes::from(text),
                Some(json) => Bytes::from(json.to_string()),
            };
            Planned::Message { capability: tidegate_custom::bare(capability).to_owned(), kind, data }
        }
    };
    let planned =
        caller.control().plan_commands(&caller.actor, PlanOrder { query: q, command: planned }).await?;
    let plan = &planned.plan;
    let mut room = Detail::Brief.room();
    let named = |name: &str| fence::texts([("name", name)], 80);
    let sample =
        planned.sample.iter().map(|(uid, name)| json!({ "uid": uid.to_string(), fence::KEY: named(name) }));
    let (sample, _) = room.fill(sample);
    let refused = planned.refused.iter().map(|(uid, name, reason)| {
        json!({ "uid": uid.to_string(), "reason": fence::line(reason, 160), fence::KEY: named(name) })
    });
    let (refused, _) = room.fill(refused);
    let answer = json!({
        "plan_id": plan.id,
        "plan_hash": plan.hash(),
        "command": fence::line(&plan.command.summary(), 160),
        "q": fence::line(&plan.query, 400),
        "targets": plan.targets.len(),
        "sample": sample,
        "refused": planned.refused_count,
        "refused_sample": refused,
        "expires_at": view::time(plan.expires_at()),
        "confirmation": plan.phrase(),
        "url": caller.links.plan(&plan.id),
        "next": "Show this to the user. execute_plan then asks them to type the confirmation; nothing has been sent yet.",
    });
    Ok((answer, Detail::Brief))
}
