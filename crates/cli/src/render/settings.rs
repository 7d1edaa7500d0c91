//! Connection settings.

use tidegate_api::{Destination, Heartbeat, SettingsRule, SettingsTarget};

use super::table::{Look, Table, Tone};
use crate::sanitise;

/// Rules in a table.
pub(crate) fn table(rules: &[SettingsRule], look: Look) -> String {
    let mut table = Table::new(&["NAME", "FOR", "PRIORITY", "AGENTS", "SETS"], look);
    for rule in rules {
        let tone = if rule.agents.failed > 0 { Tone::Act } else { Tone::Plain };
        let cells = [
            rule.name.clone(),
            whom(&rule.rule.target),
            rule.rule.priority.to_string(),
            standing(rule),
            sets(rule),
        ];
        table.row(&cells, tone);
    }
    table.finish(look)
}

/// A name a line.
pub(crate) fn names(rules: &[SettingsRule]) -> String {
    rules.iter().map(|rule| format!("{}\n", sanitise::line(&rule.name))).collect()
}

/// A rule that was written, in a line.
pub(crate) fn line(name: &str, rule: &SettingsRule) -> String {
    let text = format!("{name}: {} for {}; {}", sets(rule), whom(&rule.rule.target), standing(rule));
    format!("{}\n", sanitise::cell(&text, 1024))
}

fn whom(target: &SettingsTarget) -> String {
    match (&target.q, &target.agent) {
        (Some(q), _) => q.clone(),
        (_, Some(agent)) => format!("agent {agent}"),
        _ => "all agents".to_owned(),
    }
}

/// Such as `12 agents: 10 acknowledged, 2 pending`.
fn standing(rule: &SettingsRule) -> String {
    let summary = &rule.agents;
    let counts = [
        (summary.acknowledged, "acknowledged"),
        (summary.offered, "offered"),
        (summary.pending, "pending"),
        (summary.failed, "failed"),
        (summary.unsupported, "unsupported"),
    ];
    let counts: Vec<_> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let agents = if summary.total == 1 { "agent" } else { "agents" };
    let colon = if counts.is_empty() { "" } else { ": " };
    format!("{} {agents}{colon}{}", summary.total, counts.join(", "))
}

fn sets(rule: &SettingsRule) -> String {
    let mut parts = Vec::new();
    if let Some(heartbeat) = &rule.rule.heartbeat {
        parts.push(match heartbeat.interval_seconds {
            Some(seconds) => format!("heartbeat every {seconds}s"),
            None => "heartbeat off".to_owned(),
        });
    }
    let destinations = [
        ("opamp", &rule.rule.opamp),
        ("own_metrics", &rule.rule.own_metrics),
        ("own_traces", &rule.rule.own_traces),
        ("own_logs", &rule.rule.own_logs),
    ];
    for (name, destination) in destinations {
        if let Some(Destination { endpoint, .. }) = destination {
            parts.push(format!("{name} {endpoint}").trim_end().to_owned());
        }
    }
    parts.extend(rule.rule.other_connections.keys().map(|name| format!("connection {name}")));
    parts.join(", ")
}

/// How often an agent speaks, such as `every 10s (rule all): acknowledged`.
pub(crate) fn heartbeat(heartbeat: &Heartbeat) -> String {
    let interval = match heartbeat.interval_seconds {
        Some(seconds) => format!("every {seconds}s"),
        None => "off".to_owned(),
    };
    if heartbeat.source == "default" {
        return interval;
    }
    let mut text = format!("{interval} (rule {}): {}", heartbeat.source, heartbeat.state);
    if !heartbeat.reason.is_empty() {
        text.push_str(&format!("; {}", heartbeat.reason));
    }
    if let Some(expected) =
        heartbeat.expected_seconds.filter(|it| heartbeat.interval_seconds.map(u64::from) != Some(*it))
    {
        text.push_str(&format!("; expected every {expected}s until then"));
    }
    text
}
