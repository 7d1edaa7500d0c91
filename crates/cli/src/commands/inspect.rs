//! `tidegate logs agent`, `tidegate validate` and `tidegate diagnose agent`: custom messages with words of their own.

use serde_json::{Value, json};
use tidegate_api::{Command, CommandRequest};

use super::{Context, outcome, push_files, schemas, send, show};
use crate::failure::Failure;
use crate::lowargs::{DiagnoseArgs, LogsArgs, LookArgs, ValidateArgs};
use crate::render::commands::line;
use crate::render::structured;
use crate::target::Target;
use crate::{sanitise, target};

/// The capabilities, by the names of `tidegate-custom`, which this program does not link.
const LOGS: &str = "io.tidegate.logs";
const DRY_RUN: &str = "io.tidegate.dryrun";
const DIAGNOSTICS: &str = "io.tidegate.diagnostics";

pub(super) async fn logs(context: &Context, args: &LogsArgs) -> Result<(), Failure> {
    let target = target::find(&context.client, &args.agent).await?;
    let command = ask(context, &target, LOGS, json!({ "lines": args.lines }), &args.look).await?;
    tell(&command, &target, &args.look, |found| {
        if found.get("truncated") == Some(&Value::Bool(true)) {
            context.talk.say("older lines were left out: together they are too long");
        }
        Ok(texts(found, "lines").map(|line| format!("{}\n", sanitise::line(line))).collect())
    })?;
    outcome::of_commands(&[(target.name, command)], args.look.timeout)
}

pub(super) async fn diagnose(context: &Context, args: &DiagnoseArgs) -> Result<(), Failure> {
    let target = target::find(&context.client, &args.agent).await?;
    let command = ask(context, &target, DIAGNOSTICS, json!({}), &args.look).await?;
    tell(&command, &target, &args.look, |found| structured::json(&found.get("diagnostics")))?;
    outcome::of_commands(&[(target.name, command)], args.look.timeout)
}

pub(super) async fn validate(context: &Context, args: &ValidateArgs) -> Result<(), Failure> {
    let files = push_files::read(&args.files, None)?;
    let Some(agent) = &args.on_agent else {
        return schemas::validate(
            context,
            &files,
            args.schema.as_deref().unwrap_or_default(),
            args.look.output,
        )
        .await;
    };
    let target = target::find(&context.client, agent).await?;
    let command = ask(context, &target, DRY_RUN, json!({ "files": files }), &args.look).await?;
    let name = sanitise::cell(&target.name, 64);
    tell(&command, &target, &args.look, |found| {
        let verdict = if accepted(found) { "accepts" } else { "does not accept" };
        let mut text = format!("{name} {verdict} the config\n");
        for (field, word) in [("errors", "error"), ("warnings", "warning")] {
            for said in texts(found, field) {
                text.push_str(&format!("{word}: {}\n", sanitise::block(said.trim_end())));
            }
        }
        Ok(text)
    })?;
    let found = command.answer.as_ref().map(|answer| &answer.data);
    match found.filter(|_| outcome::is_good(&command)) {
        Some(found) if !accepted(found) => {
            let proof = found.get("proof").and_then(Value::as_str).unwrap_or("check");
            Err(Failure::NotAccepted { proof: sanitise::cell(proof, 32) })
        }
        _ => outcome::of_commands(&[(target.name, command)], args.look.timeout),
    }
}

fn accepted(found: &Value) -> bool {
    found.get("accepted") == Some(&Value::Bool(true))
}

fn texts<'a>(found: &'a Value, field: &str) -> impl Iterator<Item = &'a str> {
    found.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

async fn ask(
    context: &Context,
    target: &Target,
    capability: &str,
    data: Value,
    look: &LookArgs,
) -> Result<Command, Failure> {
    let request = CommandRequest::Custom {
        capability: capability.to_owned(),
        message_type: "request".to_owned(),
        data,
        deadline_seconds: Some(send::whole_seconds(look.timeout)),
    };
    let command = context.client.send_command(&target.uid, &request).await?;
    send::wait(context, look.timeout, command).await
}

/// What was found, or how the question ended.
fn tell(
    command: &Command,
    target: &Target,
    look: &LookArgs,
    text: impl FnOnce(&Value) -> Result<String, Failure>,
) -> Result<(), Failure> {
    show(command, look.output, || match &command.answer {
        Some(answer) if outcome::is_good(command) => text(&answer.data),
        Some(answer) => {
            let why = answer.data.get("err_msg").and_then(Value::as_str).unwrap_or(&command.reason);
            Ok(line(&target.name, &command.agent, &command.state, why))
        }
        None => Ok(line(&target.name, &command.agent, &command.state, &command.reason)),
    })
}
