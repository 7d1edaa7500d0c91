//! The calls that look closely: at one agent, or at what in a fleet calls for a person.

use super::call::{Answer, Operation, look, query};
use super::parameters::{CURSOR, IF_NONE_MATCH, LIMIT};

pub(super) const OPERATIONS: [Operation; 6] = [
    look(
        "/api/v1/agents/{uid}/report",
        "getAgentReport",
        "What the server holds of an agent's last messages, without secrets that are known by their names.",
        &[IF_NONE_MATCH],
        Answer::One("AgentReport"),
        &["not-found", "invalid"],
    ),
    look(
        "/api/v1/agents/{uid}/timeline",
        "getAgentTimeline",
        "What happened to an agent, newest first: events, commands and pushes in one list.",
        &[LIMIT, CURSOR],
        Answer::List("TimelineItem"),
        &["parameters", "not-found", "invalid", "cursor-expired"],
    ),
    look(
        "/api/v1/agents/{uid}/capabilities",
        "getAgentCapabilities",
        "What may be sent to an agent, with the JSON schema of the arguments.",
        &[],
        Answer::One("AgentCatalogue"),
        &["not-found", "invalid"],
    ),
    look(
        "/api/v1/agents/completions",
        "completeQuery",
        "What a query that is being written may go on with: keys, values with counts, names of agents.",
        &[
            query("q", "string", "The query as far as it is written."),
            query("at", "integer", "The character before which something is wanted; the end when left out."),
        ],
        Answer::One("Completions"),
        &["parameters", "invalid"],
    ),
    look(
        "/api/v1/agents/{uid}/config",
        "getAgentConfig",
        "What an agent should run beside what it runs, line by line, and what it would go back to; without secrets.",
        &[IF_NONE_MATCH],
        Answer::One("AgentConfig"),
        &["not-found", "invalid"],
    ),
    look(
        "/api/v1/fleet/attention",
        "getFleetAttention",
        "What in the fleet calls for a person: sentences, the gravest first, each with the query that finds its agents.",
        &[query("q", "string", "Only of the agents that match; of all when left out.")],
        Answer::One("FleetAttention"),
        &["parameters", "invalid-query"],
    ),
];
