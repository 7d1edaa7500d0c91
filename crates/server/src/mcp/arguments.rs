//! What tools are given. Unknown arguments are refused, so that a misspelt one is not silently left out.

use rmcp::model::JsonObject;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tidegate_opamp::InstanceUid;

use super::detail::Detail;
use super::problem::Problem;

/// Reads a tool's arguments.
pub(super) fn read<T: DeserializeOwned>(arguments: Option<JsonObject>) -> Result<T, Problem> {
    serde_json::from_value(Value::Object(arguments.unwrap_or_default()))
        .map_err(|error| Problem::invalid("arguments", error))
}

/// An agent's uid.
pub(super) fn uid(text: &str) -> Result<InstanceUid, Problem> {
    text.parse().map_err(|_| Problem::invalid("uid", "it is no uid; list_agents tells them"))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Summary {
    #[serde(default)]
    pub(super) q: String,
    pub(super) group_by: Option<String>,
    #[serde(default)]
    pub(super) detail: Detail,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    #[serde(default)]
    pub(super) q: String,
    #[serde(default)]
    pub(super) sort: String,
    pub(super) limit: Option<usize>,
    pub(super) cursor: Option<String>,
    #[serde(default)]
    pub(super) detail: Detail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Part {
    Components,
    Config,
    Attributes,
    Events,
    Commands,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Get {
    pub(super) uid: String,
    #[serde(default)]
    pub(super) include: Vec<Part>,
    #[serde(default)]
    pub(super) detail: Detail,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Diff {
    pub(super) uid: String,
    #[serde(default)]
    pub(super) detail: Detail,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Events {
    #[serde(default)]
    pub(super) q: String,
    #[serde(default)]
    pub(super) kinds: Vec<String>,
    pub(super) since_minutes: Option<u64>,
    pub(super) before: Option<u64>,
    pub(super) limit: Option<usize>,
    #[serde(default)]
    pub(super) detail: Detail,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Explain {
    pub(super) q: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Commands {
    pub(super) uid: Option<String>,
    pub(super) state: Option<String>,
    pub(super) operation_id: Option<String>,
    pub(super) limit: Option<usize>,
    #[serde(default)]
    pub(super) detail: Detail,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) body: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Validate {
    pub(super) uid: String,
    pub(super) files: Vec<File>,
    #[serde(default)]
    pub(super) detail: Detail,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanCommand {
    pub(super) q: String,
    pub(super) command: String,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) data: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExecutePlan {
    pub(super) plan_id: String,
    pub(super) plan_hash: String,
    pub(super) reason: String,
}

/// Rows of a page unless the caller asks for another number, and the most.
const LIMIT: (usize, usize) = (20, 100);

/// A number of rows.
pub(super) fn limit(asked: Option<usize>) -> Result<usize, Problem> {
    match asked.unwrap_or(LIMIT.0) {
        limit if (1..=LIMIT.1).contains(&limit) => Ok(limit),
        limit => Err(Problem::invalid("limit", format!("{limit} does not lie between 1 and {}", LIMIT.1))),
    }
}
