//! The page of a plan.

use tidegate_api::{Plan, PlanAction, PlanAgent};

use super::agents::short_uid;
use crate::sanitise;

/// Most characters of one value.
const MAX_VALUE: usize = 1024;

/// What would happen to whom, and what confirms it.
pub(crate) fn page(plan: &Plan) -> String {
    let mut text = String::new();
    let mut field = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!("{name:<14} {}\n", sanitise::cell(value, MAX_VALUE)));
        }
    };
    field("Plan", &plan.id);
    let why = if plan.why.is_empty() { String::new() } else { format!(": {}", plan.why) };
    field("State", &format!("{}{why}", plan.state));
    field("Does", &plan.summary);
    if let PlanAction::Custom { data, .. } = &plan.action
        && !data.is_null()
    {
        field("Data", &data.to_string());
    }
    field("Query", &plan.q);
    field("Asked by", &plan.actor);
    field("Through", &plan.client);
    field("Reason", plan.reason.as_deref().unwrap_or_default());
    field("Expires", &plan.expires_at.to_string());
    field("Operation", plan.operation.as_deref().unwrap_or_default());
    field("Confirmation", &plan.confirmation);
    list(&mut text, "Agents", plan.count, &plan.agents);
    list(&mut text, "Cannot do it", plan.refused, &plan.refused_agents);
    text
}

fn list(text: &mut String, heading: &str, count: u64, shown: &[PlanAgent]) {
    if count == 0 {
        return;
    }
    text.push_str(&format!("\n{heading} ({count})\n"));
    for agent in shown {
        let why = if agent.reason.is_empty() { String::new() } else { format!(": {}", agent.reason) };
        let line = format!("{} ({}){why}", agent.name, short_uid(&agent.uid));
        text.push_str(&format!("  {}\n", sanitise::cell(&line, MAX_VALUE)));
    }
    let left = count.saturating_sub(shown.len() as u64);
    if left > 0 {
        text.push_str(&format!("  and {left} more\n"));
    }
}
