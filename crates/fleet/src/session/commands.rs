//! What a message from an agent says about the commands it was sent.

use bytes::Bytes;
use tidegate_opamp::CustomMessage;

use super::{Received, event};
use crate::{Agent, Command, CommandKind, CommandState, EventKind, Outcome, Timestamp};

/// Longest answer that is kept, in bytes; the rest is cut and said to be.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Moves the commands on that this message tells something of.
pub(super) fn settle(
    agent: &Agent,
    commands: &mut [Command],
    custom: Option<CustomMessage>,
    now: Timestamp,
    received: &mut Received,
) {
    let mut unanswering = custom;
    for command in commands.iter_mut().filter(|command| is_under_way(command)) {
        let before = command.state;
        if command.state == CommandState::Sent {
            command.state = CommandState::Acknowledged;
        }
        match &command.kind {
            CommandKind::Restart => restarted(agent, command, now),
            CommandKind::Custom { answers: false, .. } => delivered(command, now),
            CommandKind::Custom { .. } => {
                if let Some(answer) = unanswering.take_if(|message| answers(message, command)) {
                    finish(command, answer, now);
                }
            }
        }
        if command.state != before {
            let text = format!("{}: {}", command.summary(), command.state.as_str());
            received.events.push(event(agent, now, EventKind::Command, text));
            received.commands.push(command.id.clone());
        }
    }
    if let Some(message) = unanswering {
        let text = format!("{} {}", message.capability, message.kind);
        received.events.push(event(agent, now, EventKind::Message, text));
        received.message = Some(message);
    }
}

fn is_under_way(command: &Command) -> bool {
    matches!(command.state, CommandState::Sent | CommandState::Acknowledged) && !command.has_ended()
}

fn restarted(agent: &Agent, command: &mut Command, now: Timestamp) {
    let sent = command.sent_at.map_or(0, |at| at.0.saturating_mul(1_000_000));
    if command.start_time_when_sent == 0 && agent.start_time() <= sent {
        // Nothing was known when it was sent: what is reported now is the process that is to be restarted.
        command.start_time_when_sent = agent.start_time();
    }
    // A start time of 0 says "not running"; the restart is done when it runs again, later than before.
    if agent.start_time() > command.start_time_when_sent {
        let detail = "the agent reports a new start time".to_owned();
        command
            .finish(now, Outcome { state: CommandState::Succeeded, answer_kind: None, answer: None, detail });
    }
}

fn delivered(command: &mut Command, now: Timestamp) {
    let detail = "it was sent, and the agent has spoken since; this capability does not answer".to_owned();
    command
        .finish(now, Outcome { state: CommandState::Acknowledged, answer_kind: None, answer: None, detail });
}

/// An answer names the command's id, or the one that its sender gave it; one that names none answers the oldest command of its capability.
fn answers(message: &CustomMessage, command: &Command) -> bool {
    let CommandKind::Custom { capability, data, .. } = &command.kind else {
        return false;
    };
    tidegate_custom::bare(&message.capability) == capability
        && tidegate_custom::message_id(&message.data)
            .is_none_or(|id| id == command.id.0 || tidegate_custom::message_id(data) == Some(id))
}

fn finish(command: &mut Command, answer: CustomMessage, now: Timestamp) {
    let failed = answer.kind == tidegate_custom::chatops::FAILURE;
    let state = match failed {
        // It tells what became of the act as little as silence does.
        true if tidegate_custom::is_unknown_outcome(&answer.data) => CommandState::Unknown,
        true => CommandState::Failed,
        false => CommandState::Succeeded,
    };
    let cut = answer.data.len() > MAX_ANSWER_BYTES;
    // A copy: a slice would pin the whole message it came in.
    let data = Bytes::copy_from_slice(&answer.data[..answer.data.len().min(MAX_ANSWER_BYTES)]);
    let detail = match (failed, cut) {
        (_, true) => {
            format!("the answer has {} bytes; the first {MAX_ANSWER_BYTES} are kept", answer.data.len())
        }
        (true, false) if state == CommandState::Unknown => {
            "the agent answered that it does not know whether it was carried out".to_owned()
        }
        (true, false) => "the agent answered with a failure".to_owned(),
        (false, false) => "the agent answered".to_owned(),
    };
    command.finish(now, Outcome { state, answer_kind: Some(answer.kind), answer: Some(data), detail });
}
