//! What follows a push that did not go well.

use tidegate_api::{Push, RollBack, RollBackAgent};

use super::commands::line;

/// Whom another try would reach.
pub(crate) fn would_retry(push: &Push) -> String {
    push.agents.iter().map(|agent| line(&agent.name, &agent.uid, "again", "")).collect()
}

/// Which way each agent goes.
pub(crate) fn moved(back: &RollBack) -> String {
    let way = |agent: &RollBackAgent| {
        let config = agent.config.as_ref().map(|config| config.get(..12).unwrap_or(config));
        let why = config.map_or_else(|| agent.reason.clone(), |config| format!("to config {config}"));
        line(&agent.name, &agent.uid, &agent.way, &why)
    };
    back.agents.iter().map(way).chain(left(back)).collect()
}

/// The agents that do not go back, a line each.
pub(crate) fn stays(back: &RollBack) -> impl Iterator<Item = String> {
    let stays = back.agents.iter().filter(|agent| agent.way != "back");
    stays.map(|agent| line(&agent.name, &agent.uid, &agent.way, &agent.reason)).chain(left(back))
}

/// How many have not failed, where only those that have go back.
fn left(back: &RollBack) -> Option<String> {
    match back.summary.left {
        0 => None,
        1 => Some("1 agent has not failed and stays\n".to_owned()),
        left => Some(format!("{left} agents have not failed and stay\n")),
    }
}
