//! How far a push has come.

use tidegate_api::{Push, PushAgent, PushSummary};

use super::agents::short_uid;
use crate::sanitise;

/// The counts in one line, such as `12 agents: 7 proven, 2 applying, 3 pending …`; the dots mean that it goes on.
pub(crate) fn progress(summary: &PushSummary) -> String {
    let counts: Vec<String> = [
        (summary.proven, "proven"),
        (summary.unproven, "unproven"),
        (summary.failed, "failed"),
        (summary.refused, "refused"),
        (summary.superseded, "superseded"),
        (summary.applying, "applying"),
        (summary.pending, "pending"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    let agents = if summary.total == 1 { "agent" } else { "agents" };
    let dots = if summary.is_settled() { "" } else { " …" };
    let colon = if counts.is_empty() { "" } else { ": " };
    format!("{} {agents}{colon}{}{dots}", summary.total, counts.join(", "))
}

/// The counts of several pushes as one.
pub(crate) fn together(pushes: &[Push]) -> PushSummary {
    pushes.iter().map(|push| push.summary).fold(PushSummary::default(), |all, one| PushSummary {
        total: all.total + one.total,
        proven: all.proven + one.proven,
        unproven: all.unproven + one.unproven,
        pending: all.pending + one.pending,
        applying: all.applying + one.applying,
        failed: all.failed + one.failed,
        superseded: all.superseded + one.superseded,
        refused: all.refused + one.refused,
    })
}

/// Lines of an agent's log that are shown.
const MAX_LOG_LINES: usize = 25;

/// The result: the counts, then a line each agent that does not run the config.
pub(crate) fn result(push: &Push) -> String {
    let mut text = format!("push {}: {}\n", sanitise::line(&push.id), progress(&push.summary));
    for agent in push.agents.iter().filter(|agent| !is_good(agent)) {
        let (name, uid) = (sanitise::cell(&agent.name, 64), short_uid(&agent.uid));
        let line = format!(
            "{:<10} {} ({}){}\n",
            sanitise::cell(&agent.state, 16),
            name,
            sanitise::line(&uid),
            reason(agent)
        );
        text.push_str(&line);
        // What follows the first line is the agent's own log: each line on its own, so that none can pose as ours.
        for line in agent.reason.lines().skip(1).take(MAX_LOG_LINES) {
            text.push_str(&format!("    {}\n", sanitise::cell(line, 512)));
        }
    }
    text
}

/// The agents that have not settled, in one line; at most ten are named.
pub(crate) fn missing(pushes: &[Push]) -> String {
    let agents = pushes.iter().flat_map(|push| &push.agents);
    let waiting: Vec<&PushAgent> = agents.filter(|agent| is_waiting(agent)).collect();
    let mut parts: Vec<String> = waiting
        .iter()
        .take(10)
        .map(|agent| format!("{} {}{}", sanitise::cell(&agent.name, 64), agent.state, reason(agent)))
        .collect();
    if waiting.len() > 10 {
        parts.push(format!("{} more", waiting.len() - 10));
    }
    format!("{} of {} ({})", waiting.len(), together(pushes).total, parts.join("; "))
}

fn is_good(agent: &PushAgent) -> bool {
    matches!(agent.state.as_str(), "proven" | "unproven")
}

fn is_waiting(agent: &PushAgent) -> bool {
    matches!(agent.state.as_str(), "pending" | "applying")
}

/// Why it stands so, with the connection where that is the reason why nothing moves.
fn reason(agent: &PushAgent) -> String {
    let mut reasons = Vec::new();
    reasons.extend(agent.reason.lines().next());
    if is_waiting(agent) && agent.connection.value != "connected" && agent.reason.is_empty() {
        reasons.push(agent.connection.value.as_str());
    }
    if reasons.is_empty() {
        String::new()
    } else {
        format!(": {}", sanitise::cell(&reasons.join(", "), 2048))
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::{axis, now};
    use super::*;

    fn agent(name: &str, state: &str, reason: &str, connection: &str) -> PushAgent {
        PushAgent {
            uid: "0190aaaa-0000-7000-8000-000000000001".into(),
            name: name.into(),
            state: state.into(),
            reason: reason.into(),
            connection: axis(connection, 0, ""),
        }
    }

    fn push() -> Push {
        Push {
            id: "p1".into(),
            config: "aa".into(),
            q: "name:*".into(),
            actor: "admin".into(),
            at: now(),
            retry_of: None,
            roll_back_of: None,
            summary: PushSummary {
                total: 4,
                proven: 1,
                failed: 1,
                pending: 1,
                applying: 1,
                ..Default::default()
            },
            warnings: vec![],
            agents: vec![
                agent("good", "proven", "", "connected"),
                agent("bad\x1b[2J", "failed", "line 3:\nno such plugin\x1b[2J", "connected"),
                agent("away", "pending", "", "disconnected"),
                agent("busy", "applying", "", "connected"),
            ],
        }
    }

    #[test]
    fn given_summaries_when_shown_then_only_counts_that_count_are_named() {
        let summary = |total, proven, applying, pending| PushSummary {
            total,
            proven,
            applying,
            pending,
            ..PushSummary::default()
        };
        for (summary, expected) in [
            (summary(12, 7, 2, 3), "12 agents: 7 proven, 2 applying, 3 pending …"),
            (summary(1, 1, 0, 0), "1 agent: 1 proven"),
            (summary(0, 0, 0, 0), "0 agents"),
        ] {
            assert_eq!(progress(&summary), expected);
        }
        let rest = PushSummary { total: 3, failed: 1, refused: 1, superseded: 1, ..PushSummary::default() };
        assert_eq!(progress(&rest), "3 agents: 1 failed, 1 refused, 1 superseded");
    }

    #[test]
    fn given_a_push_when_it_ends_then_each_agent_that_does_not_run_it_has_its_line() {
        let expected = "\
push p1: 4 agents: 1 proven, 1 failed, 1 applying, 1 pending …
failed     bad\\u{1b}[2J (0190aaaa): line 3:
    no such plugin\\u{1b}[2J
pending    away (0190aaaa): disconnected
applying   busy (0190aaaa)
";
        assert_eq!(result(&push()), expected);
        assert_eq!(missing(&[push()]), "2 of 4 (away pending: disconnected; busy applying)");
    }

    #[test]
    fn given_many_that_are_missing_then_ten_are_named() {
        let mut push = push();
        push.agents = (0..15).map(|_| agent("a", "pending", "", "connected")).collect();
        let told = missing(&[push]);
        assert!(told.ends_with("; 5 more)"), "{told}");
    }
}
