//! How several agents together end a command.

use std::time::Duration;

use tidegate_api::{Command, Operation, Push};

use crate::failure::Failure;
use crate::render::push::{missing, together};

/// The end of a push, or of several as one: what has not settled counts first, then what did not succeed.
pub(super) fn of_pushes(pushes: &[Push], timeout: Duration) -> Result<(), Failure> {
    let summary = together(pushes);
    if summary.total == 0 {
        let q = pushes.first().map(|push| push.q.clone()).unwrap_or_default();
        return Err(Failure::NoMatch { q });
    }
    if !summary.is_settled() {
        return Err(timed_out(timeout, missing(pushes)));
    }
    of_counts(summary.proven + summary.unproven, summary.total, "agents")
}

/// The end of commands for several agents: some success is partial success, whatever became of the others.
pub(super) fn of_commands(commands: &[(String, Command)], timeout: Duration) -> Result<(), Failure> {
    let matching =
        |wanted: fn(&Command) -> bool| count(commands.iter().filter(|(_, command)| wanted(command)).count());
    let (good, open) = (matching(is_good), matching(is_open));
    if good == 0 && open > 0 {
        let names = commands.iter().filter(|(_, command)| is_open(command));
        let parts: Vec<String> = names.take(10).map(|(name, command)| standing(name, command)).collect();
        let more = open.saturating_sub(10);
        let more = if more > 0 { format!("; {more} more") } else { String::new() };
        return Err(timed_out(timeout, format!("{}{more}", parts.join("; "))));
    }
    of_counts(good, count(commands.len()), "agents")
}

/// The end of an act on many agents that was waited for, as that of commands.
pub(super) fn of_operation(operation: &Operation, timeout: Duration) -> Result<(), Failure> {
    let mut open = operation
        .targets
        .iter()
        .filter(|target| !matches!(target.outcome.as_str(), "succeeded" | "refused" | "failed" | "cancelled"))
        .peekable();
    if operation.succeeded == 0 && open.peek().is_some() {
        let names: Vec<_> = open.by_ref().take(10).map(|t| format!("{} {}", t.name, t.outcome)).collect();
        let more = open.count();
        let more = if more > 0 { format!("; {more} more") } else { String::new() };
        return Err(timed_out(timeout, format!("{}{more}", names.join("; "))));
    }
    of_counts(operation.succeeded, operation.total, "agents")
}

/// True when the agent did it, or took what it does not answer.
pub(super) fn is_good(command: &Command) -> bool {
    command.state == "succeeded" || (command.ended && command.state == "acknowledged")
}

/// True when nobody knows, or not yet, whether the agent did it.
fn is_open(command: &Command) -> bool {
    !command.ended || matches!(command.state.as_str(), "expired" | "unknown")
}

fn standing(name: &str, command: &Command) -> String {
    let reason = if command.reason.is_empty() { String::new() } else { format!(": {}", command.reason) };
    format!("{name} {}{reason}", command.state)
}

fn timed_out(timeout: Duration, missing: String) -> Failure {
    Failure::TimedOut { seconds: timeout.as_secs_f64(), missing }
}

/// A count of things in memory.
pub(super) fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The end of an operation that is not waited for: whom it could not be sent to.
pub(super) fn of_start(operation: &Operation) -> Result<(), Failure> {
    of_counts(operation.total - operation.refused, operation.total, "agents")
}

/// The end by counts alone.
pub(super) fn of_counts(good: u64, total: u64, what: &'static str) -> Result<(), Failure> {
    match total.saturating_sub(good) {
        0 => Ok(()),
        failed if failed == total => Err(Failure::AllFailed { total, what }),
        failed => Err(Failure::Partial { failed, total, what }),
    }
}

#[cfg(test)]
mod tests {
    use tidegate_api::PushSummary;

    use super::*;
    use crate::exit;
    use crate::render::commands::tests::command;
    use crate::render::examples::now;

    #[test]
    fn given_pushes_when_they_end_then_the_code_tells_how() {
        let summary = PushSummary::default();
        for (summary, expected) in [
            (PushSummary { total: 3, proven: 2, unproven: 1, ..summary }, exit::SUCCESS),
            (PushSummary { total: 3, proven: 2, failed: 1, ..summary }, exit::PARTIAL),
            (PushSummary { total: 3, proven: 2, refused: 1, ..summary }, exit::PARTIAL),
            (PushSummary { total: 3, proven: 2, superseded: 1, ..summary }, exit::PARTIAL),
            (PushSummary { total: 3, failed: 3, ..summary }, exit::FAILED),
            (PushSummary { total: 3, failed: 2, refused: 1, ..summary }, exit::FAILED),
            (PushSummary { total: 3, failed: 2, pending: 1, ..summary }, exit::TIMED_OUT),
            (PushSummary { total: 3, proven: 2, applying: 1, ..summary }, exit::TIMED_OUT),
            (PushSummary { ..summary }, exit::NOT_FOUND),
        ] {
            let push = Push {
                id: "p".into(),
                config: "c".into(),
                q: "q".into(),
                actor: "a".into(),
                at: now(),
                retry_of: None,
                roll_back_of: None,
                summary,
                warnings: vec![],
                agents: vec![],
            };
            assert_eq!(exit::of_result(&of_pushes(&[push], Duration::from_secs(1))), expected, "{summary:?}");
        }
    }

    #[test]
    fn given_commands_when_they_end_then_the_code_tells_how() {
        for (states, expected) in [
            (&["succeeded"][..], exit::SUCCESS),
            (&["succeeded", "succeeded"], exit::SUCCESS),
            (&["succeeded", "failed"], exit::PARTIAL),
            (&["succeeded", "sent"], exit::PARTIAL),
            (&["failed"], exit::FAILED),
            (&["failed", "cancelled"], exit::FAILED),
            (&["queued"], exit::TIMED_OUT),
            (&["sent", "failed"], exit::TIMED_OUT),
            (&["expired"], exit::TIMED_OUT),
            (&["unknown"], exit::TIMED_OUT),
        ] {
            let commands: Vec<_> = states.iter().map(|state| ("web".to_owned(), command(state))).collect();
            let result = of_commands(&commands, Duration::from_secs(1));
            assert_eq!(exit::of_result(&result), expected, "{states:?}");
        }
    }
}
