//! The health tree (fluent-bit.md, section 4): the agent, below it its components, its storage, its API, its config.
//! No text in it holds a counter, so that it changes only when a state does.

use std::collections::BTreeMap;

use tidegate_opamp::{AnyValue, ComponentHealth, KeyValue, Value};

use crate::{kind::ComponentState, text};

/// Most components that are reported.
const COMPONENTS_LIMIT: usize = 200;
/// Longest error text, in bytes.
const ERROR_LIMIT: usize = 2000;

/// Where an agent's process stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It runs and has not proven itself yet.
    Starting,
    /// It runs and was seen at work.
    Running,
    /// It loads another config.
    Reloading,
    /// It ended without being told to and will be started again.
    Crashed,
    /// It ended several times in a row.
    CrashLoop,
    /// It could not be started at all and will be tried again.
    Failed,
    /// It was stopped.
    Stopped,
}

impl Phase {
    fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Reloading => "reloading",
            Self::Crashed => "crashed",
            Self::CrashLoop => "crash_loop",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// What the tree is made of.
#[derive(Clone, Debug)]
pub struct AgentState<'a> {
    /// Where the process stands.
    pub phase: Phase,
    /// What is wrong with the process as a whole; empty when nothing is.
    pub trouble: &'a str,
    /// When the process started, nanoseconds since 1970; 0 when there is none (OpAMP C078).
    pub started_unix_nano: u64,
    /// Its number.
    pub pid: Option<i32>,
    /// Its components by name; all of them count for the agent's health.
    pub components: &'a BTreeMap<String, ComponentState>,
    /// How the last offered config fared. It does not count for the agent's health: the agent runs a proven one.
    pub config: &'a ComponentState,
}

/// Builds the tree. Times of states that did not change are those of `before`.
#[must_use]
pub fn tree(state: &AgentState<'_>, before: &ComponentHealth, now_unix_nano: u64) -> ComponentHealth {
    let alive = matches!(state.phase, Phase::Starting | Phase::Running | Phase::Reloading);
    let first_fault = state.components.iter().find(|(_, component)| !component.healthy);
    let healthy = matches!(state.phase, Phase::Running | Phase::Reloading)
        && state.trouble.is_empty()
        && first_fault.is_none()
        && !state.components.is_empty();
    let last_error = match first_fault {
        _ if healthy => String::new(),
        _ if !state.trouble.is_empty() => state.trouble.to_owned(),
        Some((name, component)) => format!("{name} {}", component.error),
        None => "has not been seen at work yet".to_owned(),
    };
    let status = match state.phase {
        Phase::Running if !healthy => "degraded",
        phase => phase.word(),
    };
    let at = |name: &str| before.component_health_map.get(name);
    // Without a process nothing is known of its parts; what is wrong with it is said once, at the top.
    let shown = if alive { Some(pick(state.components)) } else { None };
    let components = shown
        .into_iter()
        .flatten()
        .map(|(name, component)| (name.clone(), leaf(component, at(name), now_unix_nano)))
        .chain([("config".to_owned(), leaf(state.config, at("config"), now_unix_nano))])
        .collect();
    let new = ComponentHealth {
        healthy,
        start_time_unix_nano: state.started_unix_nano,
        last_error: text::head(&last_error, ERROR_LIMIT).to_owned(),
        status: status.to_owned(),
        component_health_map: components,
        attributes: state.pid.map(pid_attribute).into_iter().collect(),
        ..ComponentHealth::default()
    };
    since(new, Some(before), now_unix_nano)
}

/// At most the limit, the unhealthy ones first.
fn pick(components: &BTreeMap<String, ComponentState>) -> Vec<(&String, &ComponentState)> {
    let mut all: Vec<_> = components.iter().collect();
    all.sort_by_key(|(_, component)| component.healthy);
    all.truncate(COMPONENTS_LIMIT);
    all
}

fn leaf(component: &ComponentState, before: Option<&ComponentHealth>, now: u64) -> ComponentHealth {
    let new = ComponentHealth {
        healthy: component.healthy,
        last_error: text::head(&component.error, ERROR_LIMIT).to_owned(),
        status: component.status.to_owned(),
        ..ComponentHealth::default()
    };
    since(new, before, now)
}

/// Dates a state: as before when it is the same, else now.
fn since(mut new: ComponentHealth, before: Option<&ComponentHealth>, now: u64) -> ComponentHealth {
    let same = before.filter(|before| {
        (before.healthy, &before.status, &before.last_error) == (new.healthy, &new.status, &new.last_error)
            && before.status_time_unix_nano != 0
    });
    new.status_time_unix_nano = same.map_or(now, |before| before.status_time_unix_nano);
    new
}

fn pid_attribute(pid: i32) -> KeyValue {
    let value = AnyValue { value: Some(Value::Int(pid.into())), ..AnyValue::default() };
    KeyValue { key: "process.pid".to_owned(), value: Some(value), ..KeyValue::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: ComponentState = ComponentState::running();

    fn build(
        phase: Phase,
        trouble: &str,
        components: &[(&str, ComponentState)],
        before: &ComponentHealth,
        now: u64,
    ) -> ComponentHealth {
        let components = components.iter().map(|(name, state)| ((*name).to_owned(), state.clone())).collect();
        let state = AgentState {
            phase,
            trouble,
            started_unix_nano: 5,
            pid: Some(42),
            components: &components,
            config: &GOOD,
        };
        tree(&state, before, now)
    }

    /// C079, C081: and whatever is not green says why.
    #[test]
    fn given_states_when_built_then_green_needs_a_running_process_and_components_that_all_work() {
        let none = ComponentHealth::default();
        let bad = ComponentState::failing("dropping", "drops records");
        for (phase, trouble, components, expect) in [
            (Phase::Running, "", vec![("output:a", GOOD)], (true, "running", "")),
            (Phase::Running, "", vec![], (false, "degraded", "has not been seen at work yet")),
            (
                Phase::Starting,
                "",
                vec![("output:a", GOOD)],
                (false, "starting", "has not been seen at work yet"),
            ),
            (
                Phase::Running,
                "",
                vec![("output:a", bad.clone())],
                (false, "degraded", "output:a drops records"),
            ),
            (Phase::Running, "no answer", vec![("output:a", GOOD)], (false, "degraded", "no answer")),
            (
                Phase::Crashed,
                "exited with code 1",
                vec![("output:a", GOOD)],
                (false, "crashed", "exited with code 1"),
            ),
            (Phase::CrashLoop, "exited", vec![], (false, "crash_loop", "exited")),
        ] {
            let tree = build(phase, trouble, &components, &none, 9);
            assert_eq!((tree.healthy, tree.status.as_str(), tree.last_error.as_str()), expect);
        }
    }

    /// C080: each state has the time from which it was seen.
    #[test]
    fn given_the_same_states_later_when_built_then_the_tree_is_equal() {
        let components = [("output:a", GOOD), ("http_api", GOOD)];
        let first = build(Phase::Running, "", &components, &ComponentHealth::default(), 10);
        assert_eq!(build(Phase::Running, "", &components, &first, 20), first);
        let changed = [("output:a", ComponentState::failing("dropping", "x")), ("http_api", GOOD)];
        let second = build(Phase::Running, "", &changed, &first, 30);
        assert_eq!(second.status_time_unix_nano, 30);
        assert_eq!(second.component_health_map["output:a"].status_time_unix_nano, 30);
        assert_eq!(second.component_health_map["http_api"].status_time_unix_nano, 10);
    }

    #[test]
    fn given_hundreds_of_components_when_built_then_the_faulty_ones_are_among_those_shown() {
        let mut components: Vec<_> = (0..500).map(|n| (format!("input:{n:03}"), GOOD)).collect();
        components[499].1 = ComponentState::failing("paused", "x");
        let borrowed: Vec<_> =
            components.iter().map(|(name, state)| (name.as_str(), state.clone())).collect();
        let tree = build(Phase::Running, "", &borrowed, &ComponentHealth::default(), 1);
        assert_eq!(tree.component_health_map.len(), COMPONENTS_LIMIT + 1);
        assert!(tree.component_health_map.contains_key("input:499"));
    }
}
