//! What to do next about an agent.

use tidegate_api::Agent;

use super::agents::is_connected;

/// The next step, in one sentence of ours; the most pressing one when there are several.
pub(crate) fn next_step(agent: &Agent) -> String {
    let follow = format!("tidegate events -f -q uid:{}", agent.uid);
    if !is_connected(agent) {
        return match agent.connection.value.as_str() {
            "never-seen" => "Start its supervisor and point it at the server.".to_owned(),
            "departed" => "It said goodbye: start its supervisor if that was not meant.".to_owned(),
            "late" => format!("Wait for its next report: {follow}"),
            _ => "Check that its supervisor runs and reaches the server.".to_owned(),
        };
    }
    match agent.config.axis.value.as_str() {
        "failed" => {
            return format!("Correct the config and push it again: tidegate push FILE -q uid:{}", agent.uid);
        }
        "drifted" => {
            return format!("Push the config again: tidegate push FILE -q uid:{}", agent.uid);
        }
        "pending" | "applying" => return format!("Follow it: {follow}"),
        _ => {}
    }
    match agent.health.value.as_str() {
        "unhealthy" | "degraded" => {
            format!(
                "Look at the components marked with ! and restart if need be: tidegate restart agent {}",
                agent.uid
            )
        }
        "starting" => format!("Follow it: {follow}"),
        _ if agent.config.axis.value == "unmanaged" => {
            if agent.capabilities.iter().any(|name| name == "AcceptsRemoteConfig") {
                format!("None; to manage its config from here: tidegate push FILE -q uid:{}", agent.uid)
            } else {
                "Allow remote config in its supervisor's own settings to manage it from here.".to_owned()
            }
        }
        _ => "None.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::agent;
    use super::*;

    #[test]
    fn given_an_agent_that_takes_configs_and_has_none_then_the_step_is_a_push() {
        let mut agent = agent("0190", "a");
        agent.config.axis.value = "unmanaged".into();
        agent.capabilities = vec!["AcceptsRemoteConfig".into()];
        assert!(next_step(&agent).contains("tidegate push FILE -q uid:0190"));
        agent.capabilities.clear();
        assert!(next_step(&agent).contains("Allow remote config"));
    }

    #[test]
    fn given_states_then_the_most_pressing_step_comes_first() {
        for (connection, config, health, part) in [
            ("connected", "in-sync", "healthy", "None."),
            ("connected", "in-sync", "unhealthy", "tidegate restart agent 0190"),
            ("connected", "failed", "unhealthy", "tidegate push FILE -q uid:0190"),
            ("connected", "drifted", "healthy", "Push the config again"),
            ("connected", "applying", "healthy", "tidegate events -f"),
            ("connected", "unmanaged", "healthy", "Allow remote config"),
            ("connected", "in-sync", "starting", "tidegate events -f"),
            ("disconnected", "failed", "unhealthy", "supervisor runs"),
            ("late", "in-sync", "healthy", "next report"),
            ("departed", "in-sync", "healthy", "goodbye"),
            ("never-seen", "in-sync", "healthy", "Start its supervisor"),
        ] {
            let mut agent = agent("0190", "a");
            agent.connection.value = connection.into();
            agent.config.axis.value = config.into();
            agent.health.value = health.into();
            agent.capabilities.clear();
            let hint = next_step(&agent);
            assert!(hint.contains(part), "{connection} {config} {health}: {hint}");
        }
    }
}
