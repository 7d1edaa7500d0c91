//! Lists of agents.

use tidegate_api::{Agent, Axis, Timestamp};

use super::age;
use super::table::{Look, Table, Tone};
use crate::sanitise;

const HEADERS: [&str; 7] = ["NAME", "UID", "CONNECTION", "HEALTH", "CONFIG", "VERSION", "LAST SEEN"];
const WIDE_HEADERS: [&str; 5] = ["OS", "TRANSPORT", "CONFIG HASH", "LABELS", "ATTENTION"];

/// How much a list tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// What fits on most screens.
    Short,
    /// More.
    Wide,
}

/// Most characters of a simulated agent's name, so that what follows it in its cell is never cut.
const MAX_NAME: usize = 48;

/// The name, and that the agent is simulated where it is. Not safe to print yet.
pub(crate) fn label(agent: &Agent) -> String {
    let simulated = agent.attributes.get("tidegate.simulated").is_some_and(|value| value == "true");
    if !simulated {
        return agent.name.clone();
    }
    let short: String = agent.name.chars().take(MAX_NAME).collect();
    let dots = if short.len() < agent.name.len() { "…" } else { "" };
    format!("{short}{dots} (simulated)")
}

/// True when what else is known of the agent is news.
pub(crate) fn is_connected(agent: &Agent) -> bool {
    agent.connection.value == "connected"
}

/// An axis other than the connection: an agent must never look healthy because it stopped talking (state model,
/// rule a).
pub(crate) fn aged(agent: &Agent, axis: &Axis, now: Timestamp) -> String {
    if is_connected(agent) {
        axis.value.clone()
    } else {
        format!("{} (as of {})", axis.value, age::short(now, axis.observed_at))
    }
}

/// How an agent's row stands out.
pub(crate) fn tone(agent: &Agent) -> Tone {
    match agent.attention.level.as_str() {
        "act" => Tone::Act,
        "watch" => Tone::Watch,
        _ if !is_connected(agent) => Tone::Faint,
        _ => Tone::Plain,
    }
}

/// A table of agents.
pub(crate) fn table(agents: &[Agent], width: Width, look: Look, now: Timestamp) -> String {
    let mut headers = HEADERS.to_vec();
    if width == Width::Wide {
        headers.extend(WIDE_HEADERS);
    }
    let mut table = Table::new(&headers, look);
    for agent in agents {
        table.row(&row(agent, width, now), tone(agent));
    }
    table.finish(look)
}

/// A uid a line.
pub(crate) fn names(agents: &[Agent]) -> String {
    agents.iter().map(|agent| format!("{}\n", sanitise::line(&agent.uid))).collect()
}

fn row(agent: &Agent, width: Width, now: Timestamp) -> Vec<String> {
    let dash = || "-".to_owned();
    let uid = match width {
        Width::Short => short_uid(&agent.uid),
        Width::Wide => agent.uid.clone(),
    };
    let mut cells = vec![
        label(agent),
        uid,
        agent.connection.value.clone(),
        aged(agent, &agent.health, now),
        aged(agent, &agent.config.axis, now),
        agent.service.version.clone().unwrap_or_else(dash),
        age::ago(now, agent.last_seen),
    ];
    if width == Width::Wide {
        let hash = agent.config.desired.as_ref().or(agent.config.acknowledged.as_ref());
        cells.extend([
            agent.attributes.get("os.type").cloned().unwrap_or_else(dash),
            agent.transport.clone().unwrap_or_else(dash),
            hash.map_or_else(dash, |hash| hash.chars().take(12).collect()),
            labels(agent).unwrap_or_else(dash),
            attention(agent),
        ]);
    }
    cells
}

/// The labels on one line, where there are any.
fn labels(agent: &Agent) -> Option<String> {
    let pairs: Vec<_> = agent.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    (!pairs.is_empty()).then(|| pairs.join(","))
}

/// The first 8 digits of a uid.
pub(crate) fn short_uid(uid: &str) -> String {
    uid.chars().take(8).collect()
}

/// How loudly the agent calls, and why.
pub(crate) fn attention(agent: &Agent) -> String {
    let attention = &agent.attention;
    if attention.reason.is_empty() {
        attention.level.clone()
    } else {
        format!("{}: {}", attention.level, attention.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::{agent, axis, now};
    use super::*;

    fn fleet() -> Vec<Agent> {
        let mut away = agent("0190bbbb-0000-7000-8000-000000000002", "web-2");
        away.connection = axis("disconnected", 840, "the connection closed");
        away.health = axis("healthy", 850, "");
        away.last_seen = super::super::examples::at(840);
        away.transport = None;
        away.labels.insert("env".into(), "prod".into());
        away.attention.level = "act".into();
        away.attention.reason = "disconnected for 14 minutes".into();
        let mut simulated = agent("0190cccc-0000-7000-8000-000000000003", "sim\x1b[1m");
        simulated.attributes.insert("tidegate.simulated".into(), "true".into());
        simulated.service.version = None;
        vec![agent("0190aaaa-0000-7000-8000-000000000001", "web-1"), away, simulated]
    }

    #[test]
    fn given_a_fleet_when_listed_then_old_facts_show_their_age() {
        let expected = "\
NAME                       UID        CONNECTION     HEALTH                CONFIG               VERSION   LAST SEEN
web-1                      0190aaaa   connected      healthy               in-sync              5.1.1     5s ago
web-2                      0190bbbb   disconnected   healthy (as of 14m)   in-sync (as of 2m)   5.1.1     14m ago
sim\\u{1b}[1m (simulated)   0190cccc   connected      healthy               in-sync              -         5s ago
";
        assert_eq!(table(&fleet(), Width::Short, Look::default(), now()), expected);
    }

    #[test]
    fn given_a_wide_list_then_it_tells_more() {
        let look = Look { no_headers: true, ..Look::default() };
        let wide = table(&fleet()[1..2], Width::Wide, look, now());
        assert_eq!(
            wide,
            "web-2   0190bbbb-0000-7000-8000-000000000002   disconnected   healthy (as of 14m)   \
             in-sync (as of 2m)   5.1.1   14m ago   linux   -   aabbccddeeff   env=prod   act: disconnected for 14 minutes\n"
        );
        assert_eq!(names(&fleet()[..1]), "0190aaaa-0000-7000-8000-000000000001\n");
    }

    #[test]
    fn given_a_long_name_when_labelled_then_it_is_still_seen_to_be_simulated() {
        let mut agent = agent("0190", &"\x1b".repeat(100));
        agent.attributes.insert("tidegate.simulated".into(), "true".into());
        let row = table(&[agent], Width::Short, Look::default(), now());
        assert!(row.contains("\\u{1b}… (simulated)   0190"), "{row}");
    }

    #[test]
    fn given_agents_then_their_tone_follows_attention_and_connection() {
        let mut quiet = agent("0190", "a");
        assert_eq!(tone(&quiet), Tone::Plain);
        quiet.connection.value = "late".into();
        assert_eq!(tone(&quiet), Tone::Faint);
        quiet.attention.level = "watch".into();
        assert_eq!(tone(&quiet), Tone::Watch);
        quiet.attention.level = "act".into();
        assert_eq!(tone(&quiet), Tone::Act);
    }
}
