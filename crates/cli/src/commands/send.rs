//! `tidegate send agent`.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tidegate_api::{Command, CommandRequest};

use super::{Context, outcome, show};
use crate::failure::Failure;
use crate::lowargs::{PageOutput, SendArgs};
use crate::poll::Poll;
use crate::render::commands::{answer, line};
use crate::{files, sanitise, target};

/// Largest payload that is read from a file, in bytes; the server's own bound is smaller and says so itself.
const MAX_DATA: u64 = 4 * 1024 * 1024;

pub(super) async fn run(context: &Context, args: &SendArgs) -> Result<(), Failure> {
    let data = args.data.as_deref().map_or(Ok(Value::Null), payload)?;
    let target = target::find(&context.client, &args.agent).await?;
    let request = CommandRequest::Custom {
        capability: args.capability.clone(),
        message_type: args.message_type.clone(),
        data,
        deadline_seconds: Some(whole_seconds(args.timeout)),
    };
    let command = context.client.send_command(&target.uid, &request).await?;
    let command = wait(context, args.timeout, command).await?;
    let succeeded = outcome::is_good(&command);
    show(&command, args.output, || {
        let told = line(&target.name, &command.agent, &command.state, &command.reason);
        if command.answer.is_none() { Ok(told) } else { answer(&command) }
    })?;
    if let Some(answer) = &command.answer
        && args.output == PageOutput::Text
    {
        let kind = sanitise::cell(&answer.message_type, 64);
        context.talk.say(&format!("{} answered {kind}", sanitise::cell(&target.name, 64)));
        if !succeeded {
            context.talk.say(line(&target.name, &command.agent, &command.state, &command.reason).trim_end());
        }
    }
    outcome::of_commands(&[(target.name, command)], args.timeout)
}

/// Waits until a command has ended.
pub(super) async fn wait(
    context: &Context,
    timeout: Duration,
    mut command: Command,
) -> Result<Command, Failure> {
    let mut poll = Poll::new(timeout);
    let mut progress = context.talk.progress();
    while !command.ended {
        progress.show(&format!("{} …", command.state));
        if !poll.again().await {
            break;
        }
        if let Some(news) = poll.heard(context.client.command(&command.id).await)? {
            command = news;
        }
    }
    Ok(command)
}

/// Reads JSON from the argument, or from the file that it names behind an `@`.
fn payload(text: &str) -> Result<Value, Failure> {
    let content;
    let (json, place) = match text.strip_prefix('@') {
        Some(path) => {
            content = files::read_text(Path::new(path), MAX_DATA)?;
            (content.as_str(), path)
        }
        None => (text, "--data"),
    };
    serde_json::from_str(json).map_err(|error| {
        Failure::Argument(format!(
            "{place} is no JSON: {error}; text needs quotes of its own: --data '\"text\"'"
        ))
    })
}

/// A wait in whole seconds, rounded up, as deadlines count.
pub(super) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn given_payloads_when_read_then_they_are_json() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.json");
        std::fs::write(&path, "[1, 2]\n").unwrap();
        for (text, expected) in [
            ("{\"a\": 1}", Some(json!({"a": 1}))),
            ("\"text\"", Some(json!("text"))),
            (&format!("@{}", path.display()), Some(json!([1, 2]))),
            ("text", None),
            ("@/nonexistent/file", None),
            ("", None),
        ] {
            assert_eq!(payload(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn given_a_wait_then_its_deadline_is_not_earlier() {
        for (milliseconds, expected) in [(1, 1), (999, 1), (1000, 1), (1001, 2), (30_000, 30)] {
            assert_eq!(whole_seconds(Duration::from_millis(milliseconds)), expected);
        }
    }
}
