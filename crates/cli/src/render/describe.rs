//! The page of one agent.

use tidegate_api::{Agent, AgentDetail, Axis, ConfigFile, Timestamp};

use super::agents::{attention, is_connected, label};
use super::{age, components, hint, settings};
use crate::sanitise;

/// Most characters of one value.
const MAX_VALUE: usize = 1024;

/// A page under construction; values are made safe as they are added.
#[derive(Default)]
struct Page(String);

impl Page {
    fn heading(&mut self, text: &str) {
        self.0.push_str(&format!("\n{text}\n"));
    }

    fn field(&mut self, name: &str, value: &str) {
        self.padded(name, value, 16);
    }

    fn padded(&mut self, name: &str, value: &str, width: usize) {
        let (name, value) = (sanitise::cell(name, 96), sanitise::cell(value, MAX_VALUE));
        self.0.push_str(format!("  {name:<width$} {value}").trim_end());
        self.0.push('\n');
    }

    fn list<'a>(&mut self, heading: &str, items: impl Iterator<Item = &'a String>) {
        let mut items = items.peekable();
        if items.peek().is_none() {
            return;
        }
        self.heading(heading);
        for item in items {
            self.0.push_str(&format!("  {}\n", sanitise::cell(item, MAX_VALUE)));
        }
    }
}

/// The page.
pub(crate) fn page(detail: &AgentDetail, now: Timestamp) -> String {
    let agent = &detail.agent;
    let mut page = Page(format!("{}\n", sanitise::cell(&label(agent), MAX_VALUE)));
    page.field("Attention", &attention(agent));
    page.field("Next step", &hint::next_step(agent));
    state(&mut page, agent, now);
    identity(&mut page, agent, now);
    if !agent.labels.is_empty() {
        page.heading("Labels");
        for (key, value) in &agent.labels {
            page.padded(key, value, 24);
        }
    }
    if !agent.attributes.is_empty() {
        page.heading("Attributes");
        for (name, value) in &agent.attributes {
            page.padded(name, value, 24);
        }
    }
    page.heading("Components");
    if detail.components.is_empty() {
        page.0.push_str("  This agent reports no components.\n");
    }
    page.0.push_str(&components::tree(&detail.components));
    config(&mut page, detail);
    available(&mut page, detail);
    page.list("Custom capabilities", agent.custom_capabilities.iter());
    page.list("Capabilities", agent.capabilities.iter());
    page.0
}

fn state(page: &mut Page, agent: &Agent, now: Timestamp) {
    page.heading("State");
    let since = age::short(now, agent.connection.observed_at);
    page.field(
        "Connection",
        &with_reason(format!("{}, since {since}", agent.connection.value), &agent.connection),
    );
    page.field("Health", &axis(agent, &agent.health, now));
    let mut config = axis(agent, &agent.config.axis, now);
    if let Some(proof) = &agent.config.proof {
        config.push_str(&format!(" [{proof}]"));
    }
    page.field("Config", &config);
    if let Some(heartbeat) = &agent.heartbeat {
        page.field("Heartbeat", &settings::heartbeat(heartbeat));
    }
}

fn axis(agent: &Agent, axis: &Axis, now: Timestamp) -> String {
    let age = age::short(now, axis.observed_at);
    let value = &axis.value;
    let text =
        if is_connected(agent) { format!("{value}, {age} ago") } else { format!("{value} (as of {age})") };
    with_reason(text, axis)
}

fn with_reason(text: String, axis: &Axis) -> String {
    // What follows the first line is the agent's log.
    let mut lines = axis.reason.lines();
    match (lines.next(), lines.next()) {
        (None, _) => text,
        (Some(reason), None) => format!("{text}: {reason}"),
        (Some(reason), Some(_)) => format!("{text}: {reason} (the whole with -o json)"),
    }
}

fn identity(page: &mut Page, agent: &Agent, now: Timestamp) {
    let time = |at: Timestamp| format!("{} ({})", age::utc(at), age::ago(now, at));
    page.heading("Identity");
    page.field("UID", &agent.uid);
    page.field("Service", agent.service.name.as_deref().unwrap_or("-"));
    page.field("Version", agent.service.version.as_deref().unwrap_or("-"));
    page.field("Transport", agent.transport.as_deref().unwrap_or("-"));
    page.field("First seen", &time(agent.first_seen));
    page.field("Last seen", &time(agent.last_seen));
    if let Some(started) = agent.started_at {
        page.field("Started", &time(started));
    }
}

fn config(page: &mut Page, detail: &AgentDetail) {
    page.heading("Config");
    let config = &detail.agent.config;
    page.field("Desired", config.desired.as_deref().unwrap_or("none"));
    page.field("Acknowledged", config.acknowledged.as_deref().unwrap_or("none"));
    if let Some(push) = &config.push {
        page.field("Push", push);
    }
    files(page, "Desired files", &detail.desired_config);
    files(page, "Effective files", &detail.effective_config);
}

/// What the build can run: a line each group, or each component that stands in none.
fn available(page: &mut Page, detail: &AgentDetail) {
    let Some(available) = &detail.available_components else { return };
    page.heading("Available components");
    if let Some(schema) = &detail.schema {
        page.field("Schema", schema);
    }
    if available.components.is_empty() {
        page.0.push_str("  The list was not heard yet.\n");
    }
    for (name, group) in &available.components {
        let names: Vec<&str> = group.components.keys().map(String::as_str).collect();
        let named = if names.is_empty() { name.clone() } else { format!("{name} ({})", names.len()) };
        page.padded(&named, &names.join(", "), 16);
    }
}

fn files(page: &mut Page, name: &str, files: &[ConfigFile]) {
    if files.is_empty() {
        page.field(name, "none");
        return;
    }
    for (index, file) in files.iter().enumerate() {
        let named = if file.name.is_empty() { "(no name)" } else { &file.name };
        let role = if file.role.is_empty() { String::new() } else { format!(", {}", file.role) };
        let text = format!("{named} ({} bytes{role})", file.body.len());
        page.field(if index == 0 { name } else { "" }, &text);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tidegate_api::{AvailableComponent, AvailableComponents, Component};

    use super::super::examples::{agent, axis, detail, now};
    use super::*;

    #[test]
    fn given_an_agent_when_described_then_the_page_tells_all() {
        let mut agent = agent("0190aaaa-0000-7000-8000-000000000001", "web-1");
        agent.health = axis("degraded", 5, "output http.0 is retrying");
        agent.attention.level = "watch".into();
        agent.attention.reason = "degraded".into();
        agent.attributes.insert("evil\x1b[2J".into(), "a\nb".into());
        let mut detail = detail(agent);
        let component = Component {
            healthy: false,
            status: "retrying".into(),
            last_error: String::new(),
            observed_at: None,
            attributes: BTreeMap::new(),
            components: BTreeMap::new(),
        };
        detail.components.insert("output/http.0".into(), component);
        detail.desired_config = vec![
            ConfigFile {
                name: "main.yaml".into(),
                content_type: String::new(),
                role: "main".into(),
                body: "x".repeat(120),
            },
            ConfigFile {
                name: "a.lua".into(),
                content_type: String::new(),
                role: String::new(),
                body: "é".into(),
            },
        ];
        let expected = "\
web-1
  Attention        watch: degraded
  Next step        Look at the components marked with ! and restart if need be: tidegate restart agent \
0190aaaa-0000-7000-8000-000000000001

State
  Connection       connected, since 1h
  Health           degraded, 5s ago: output http.0 is retrying
  Config           in-sync, 2m ago [proven]

Identity
  UID              0190aaaa-0000-7000-8000-000000000001
  Service          fluent-bit
  Version          5.1.1
  Transport        websocket
  First seen       2026-09-20T14:13:20Z (1d ago)
  Last seen        2026-09-21T14:13:15Z (5s ago)
  Started          2026-09-21T13:13:20Z (1h ago)

Attributes
  evil\\u{1b}[2J            a\\nb
  os.type                  linux

Components
! output/http.0: retrying

Config
  Desired          aabbccddeeff00112233
  Acknowledged     aabbccddeeff00112233
  Desired files    main.yaml (120 bytes, main)
                   a.lua (2 bytes)
  Effective files  none

Custom capabilities
  io.tidegate.echo

Capabilities
  ReportsStatus
";
        assert_eq!(page(&detail, now()), expected);
    }

    #[test]
    fn given_an_agent_that_is_away_when_described_then_its_facts_carry_their_age() {
        let mut agent = agent("0190", "web-1");
        agent.connection = axis("disconnected", 840, "the connection closed");
        agent.health = axis("healthy", 900, "");
        let page = page(&detail(agent), now());
        assert!(
            page.contains("  Connection       disconnected, since 14m: the connection closed\n"),
            "{page}"
        );
        assert!(page.contains("  Health           healthy (as of 15m)\n"), "{page}");
        assert!(page.contains("This agent reports no components."), "{page}");
    }

    #[test]
    fn given_what_a_build_can_run_when_described_then_each_group_is_a_line() {
        let component = |below: &[&str]| AvailableComponent {
            metadata: BTreeMap::new(),
            components: below.iter().map(|name| ((*name).to_owned(), leaf())).collect(),
        };
        fn leaf() -> AvailableComponent {
            AvailableComponent { metadata: BTreeMap::new(), components: BTreeMap::new() }
        }
        let mut detail = detail(agent("0190aaaa-0000-7000-8000-000000000001", "web-1"));
        let groups = [("inputs", component(&["tail", "cpu\x1b[2J"])), ("solo", leaf())];
        let components = groups.map(|(name, group)| (name.to_owned(), group)).into();
        detail.available_components = Some(AvailableComponents { hash: "ab".into(), components });
        let shown = page(&detail, now());
        let expected = "\nAvailable components\n  inputs (2)       cpu\\u{1b}[2J, tail\n  solo\n";
        assert!(shown.contains(expected), "{shown}");
        detail.available_components.as_mut().unwrap().components.clear();
        assert!(page(&detail, now()).contains("The list was not heard yet."));
    }
}
