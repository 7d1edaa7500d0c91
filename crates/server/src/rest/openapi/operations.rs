//! Every call of the plane, as the document tells of it. `tests` hold it against the routes.

/// A call.
pub(super) struct Operation {
    pub(super) method: &'static str,
    /// The whole path; what stands in braces is a parameter.
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) parameters: &'static [Parameter],
    /// The schema of the body.
    pub(super) body: Option<&'static str>,
    pub(super) status: u16,
    pub(super) answer: Answer,
    /// The problems that it may have, besides those that every call may have.
    pub(super) problems: &'static [&'static str],
}

/// A parameter behind the question mark or in a header.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) place: &'static str,
    pub(super) required: bool,
    pub(super) kind: &'static str,
    pub(super) description: &'static str,
}

/// What comes back.
pub(super) enum Answer {
    /// A schema by name.
    One(&'static str),
    /// A list of what the schema describes.
    List(&'static str),
    /// The same, or a stream of its rows where the caller accepts lines.
    Agents,
    /// An object of the server's own.
    Object(&'static str),
    /// Something that is not JSON, by its media type.
    Text(&'static str),
    /// Nothing.
    Nothing,
}

/// The codes of problems with their statuses.
pub(super) const PROBLEMS: [(&str, u16); 24] = [
    ("json", 400),
    ("parameters", 400),
    ("idempotency-key", 400),
    ("unauthenticated", 401),
    ("forbidden", 403),
    ("not-found", 404),
    ("no-agent-matches", 404),
    ("no-route", 404),
    ("no-method", 405),
    ("unsupported", 409),
    ("conflict", 409),
    ("key-in-use", 409),
    ("cursor-expired", 410),
    ("stale", 412),
    ("body", 413),
    ("invalid", 422),
    ("invalid-query", 422),
    ("key-reused", 422),
    ("precondition-required", 428),
    ("rate-limited", 429),
    ("too-many", 429),
    ("too-many-streams", 429),
    ("broken-off", 500),
    ("store", 503),
];

const fn query(name: &'static str, kind: &'static str, description: &'static str) -> Parameter {
    Parameter { name, place: "query", required: false, kind, description }
}

const fn header(name: &'static str, required: bool, description: &'static str) -> Parameter {
    Parameter { name, place: "header", required, kind: "string", description }
}

const Q: Parameter = query("q", "string", "The agents, in the search language; all when left out.");
const LIMIT: Parameter = query("limit", "integer", "Rows, 1 to 500; 100 when left out.");
const DRY_RUN: Parameter = query("dry_run", "string", "`all` does everything but the change.");
const KEY: Parameter = header(
    "Idempotency-Key",
    true,
    "A new UUID for each act, and the same one when the call is repeated: it is then carried out once.",
);
const IF_MATCH: Parameter = header("If-Match", true, "The ETag of what was seen, or `*`.");

/// What withdrawing may meet.
const CANCEL: &[&str] =
    &["body", "idempotency-key", "not-found", "conflict", "key-in-use", "key-reused", "broken-off", "store"];

/// A call that only looks.
const fn look(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    parameters: &'static [Parameter],
    answer: Answer,
    problems: &'static [&'static str],
) -> Operation {
    Operation { method: "get", path, id, summary, parameters, body: None, status: 200, answer, problems }
}

pub(super) const OPERATIONS: [Operation; 28] = [
    look(
        "/api/v1/agents",
        "listAgents",
        "A page of the agents that match a query; all of them as lines with `Accept: application/x-ndjson`.",
        &[
            Q,
            query("sort", "string", "Up to four keys with commas between, `-` before one that falls."),
            LIMIT,
            query("cursor", "string", "The page, as `next_cursor` named it."),
            query("fields", "string", "The keys of an agent that are wanted, with commas between."),
            query("facets", "string", "Up to 12 keys whose values are counted, with commas between."),
        ],
        Answer::Agents,
        &["parameters", "invalid", "invalid-query", "cursor-expired"],
    ),
    Operation {
        method: "post",
        path: "/api/v1/agents/search",
        id: "searchAgents",
        summary: "The same, with the parameters in the body: for queries that are too long for an address.",
        parameters: &[],
        body: Some("AgentSearch"),
        status: 200,
        answer: Answer::Agents,
        problems: &["json", "body", "invalid", "invalid-query", "cursor-expired"],
    },
    look(
        "/api/v1/agents/{uid}",
        "getAgent",
        "One agent with its components, effective and desired config.",
        &[],
        Answer::One("AgentDetail"),
        &["not-found", "invalid"],
    ),
    look(
        "/api/v1/agents/{uid}/labels",
        "getLabels",
        "What operators say of an agent, with its ETag.",
        &[header("If-None-Match", false, "An ETag; where the labels still have it, the answer is 304.")],
        Answer::One("Labels"),
        &["not-found", "invalid"],
    ),
    Operation {
        method: "patch",
        path: "/api/v1/agents/{uid}/labels",
        id: "patchLabels",
        summary: "Changes labels by a merge patch: a text sets one, null removes it.",
        parameters: &[IF_MATCH, DRY_RUN],
        body: Some("LabelPatch"),
        status: 200,
        answer: Answer::One("Labels"),
        problems: &[
            "json",
            "parameters",
            "body",
            "not-found",
            "stale",
            "invalid",
            "precondition-required",
            "store",
        ],
    },
    Operation {
        method: "post",
        path: "/api/v1/bulk-operations",
        id: "createBulkOperation",
        summary: "Acts on all agents that match: 201 when it is done, 202 while it is under way. A dry run answers 200.",
        parameters: &[KEY, DRY_RUN],
        body: Some("BulkRequest"),
        status: 201,
        answer: Answer::One("Operation"),
        problems: &[
            "json",
            "parameters",
            "body",
            "idempotency-key",
            "no-agent-matches",
            "conflict",
            "key-in-use",
            "invalid",
            "invalid-query",
            "key-reused",
            "broken-off",
            "store",
        ],
    },
    look(
        "/api/v1/operations/{id}",
        "getOperation",
        "What came of an act on many agents, for each of them.",
        &[],
        Answer::One("Operation"),
        &["not-found"],
    ),
    Operation {
        method: "post",
        path: "/api/v1/operations/{id}/actions/cancel",
        id: "cancelOperation",
        summary: "Withdraws the commands of an operation that have not been sent.",
        parameters: &[KEY],
        body: None,
        status: 200,
        answer: Answer::One("Operation"),
        problems: CANCEL,
    },
    look(
        "/api/v1/fleet/summary",
        "getFleetSummary",
        "How many agents stand where.",
        &[Q],
        Answer::One("FleetSummary"),
        &["parameters", "invalid-query"],
    ),
    Operation {
        method: "post",
        path: "/api/v1/agents/{uid}/commands",
        id: "createCommand",
        summary: "Queues a command for an agent.",
        parameters: &[KEY],
        body: Some("CommandRequest"),
        status: 202,
        answer: Answer::One("Command"),
        problems: &[
            "json",
            "body",
            "idempotency-key",
            "not-found",
            "unsupported",
            "key-in-use",
            "invalid",
            "key-reused",
            "too-many",
            "broken-off",
            "store",
        ],
    },
    look(
        "/api/v1/commands",
        "listCommands",
        "Commands, newest first.",
        &[
            query("agent", "string", "Only those of this uid."),
            query("state", "string", "Only those."),
            LIMIT,
        ],
        Answer::List("Command"),
        &["parameters", "invalid"],
    ),
    look(
        "/api/v1/commands/{id}",
        "getCommand",
        "A command as it is now.",
        &[],
        Answer::One("Command"),
        &["not-found"],
    ),
    Operation {
        method: "post",
        path: "/api/v1/commands/{id}/actions/cancel",
        id: "cancelCommand",
        summary: "Withdraws a command that has not been sent.",
        parameters: &[KEY],
        body: None,
        status: 200,
        answer: Answer::One("Command"),
        problems: CANCEL,
    },
    look(
        "/api/v1/connection-settings",
        "listConnectionSettings",
        "Every rule for connection settings, with how far its agents have come.",
        &[],
        Answer::List("SettingsRule"),
        &[],
    ),
    look(
        "/api/v1/connection-settings/{name}",
        "getConnectionSettings",
        "One rule for connection settings, with its ETag.",
        &[],
        Answer::One("SettingsRule"),
        &["not-found", "invalid"],
    ),
    Operation {
        method: "put",
        path: "/api/v1/connection-settings/{name}",
        id: "putConnectionSettings",
        summary: "Writes a rule; 201 when it is new.",
        parameters: &[
            header("If-Match", false, "The ETag of what was seen, or `*`; needed where the rule is there."),
            header("If-None-Match", false, "`*` creates only."),
        ],
        body: Some("SettingsRequest"),
        status: 200,
        answer: Answer::One("SettingsRule"),
        problems: &["json", "body", "stale", "invalid", "invalid-query", "precondition-required", "store"],
    },
    Operation {
        method: "delete",
        path: "/api/v1/connection-settings/{name}",
        id: "deleteConnectionSettings",
        summary: "Removes a rule.",
        parameters: &[IF_MATCH],
        body: None,
        status: 204,
        answer: Answer::Nothing,
        problems: &["not-found", "stale", "invalid", "precondition-required", "store"],
    },
    Operation {
        method: "post",
        path: "/api/v1/pushes",
        id: "createPush",
        summary: "Pushes a config to the agents that match a query.",
        parameters: &[KEY],
        body: Some("PushRequest"),
        status: 201,
        answer: Answer::One("Push"),
        problems: &[
            "json",
            "body",
            "idempotency-key",
            "no-agent-matches",
            "conflict",
            "key-in-use",
            "invalid",
            "invalid-query",
            "key-reused",
            "broken-off",
            "store",
        ],
    },
    look(
        "/api/v1/pushes/{id}",
        "getPush",
        "A push, and how far each agent has come.",
        &[],
        Answer::One("Push"),
        &["not-found"],
    ),
    look(
        "/api/v1/events",
        "listEvents",
        "The newest events of the agents that match, oldest first.",
        &[Q, LIMIT],
        Answer::List("Event"),
        &["parameters", "invalid", "invalid-query"],
    ),
    look(
        "/api/v1/watch",
        "watch",
        "The present state as `added`, then `bookmark`, then what changes; `resync` means list anew.",
        &[
            Q,
            query("kinds", "string", "`agents`, `events` or both with a comma; both when left out."),
            query("since", "integer", "The number of the event after which to go on."),
            header("Last-Event-ID", false, "The same, as browsers send it."),
        ],
        Answer::Text("text/event-stream"),
        &["parameters", "invalid", "invalid-query", "too-many-streams"],
    ),
    look(
        "/api/v1/capabilities",
        "getCapabilities",
        "The custom capabilities that this server knows, with their messages.",
        &[],
        Answer::One("Catalogue"),
        &[],
    ),
    look(
        "/api/v1/server",
        "getServer",
        "Version, counts, background tasks with their last result.",
        &[],
        Answer::One("ServerStatus"),
        &[],
    ),
    look("/metrics", "getMetrics", "Metrics.", &[], Answer::Text("application/openmetrics-text"), &[]),
    look("/openapi.json", "getOpenApi", "This document.", &[], Answer::Object("OpenAPI 3.1."), &[]),
    look("/docs", "getDocs", "This document as a page.", &[], Answer::Text("text/html"), &[]),
    look("/healthz", "getHealth", "The process runs.", &[], Answer::Text("text/plain"), &[]),
    look("/readyz", "getReadiness", "The fleet is loaded.", &[], Answer::Text("text/plain"), &[]),
];

/// The calls that need no token.
pub(super) const OPEN: [&str; 4] = ["/openapi.json", "/docs", "/healthz", "/readyz"];
