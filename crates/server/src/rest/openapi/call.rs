//! What is told of a call.

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
pub(super) const PROBLEMS: [(&str, u16); 25] = [
    ("json", 400),
    ("parameters", 400),
    ("idempotency-key", 400),
    ("unauthenticated", 401),
    ("forbidden", 403),
    ("cross-site", 403),
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

pub(super) const fn query(name: &'static str, kind: &'static str, description: &'static str) -> Parameter {
    Parameter { name, place: "query", required: false, kind, description }
}

pub(super) const fn header(name: &'static str, required: bool, description: &'static str) -> Parameter {
    Parameter { name, place: "header", required, kind: "string", description }
}

/// A call that only looks.
pub(super) const fn look(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    parameters: &'static [Parameter],
    answer: Answer,
    problems: &'static [&'static str],
) -> Operation {
    Operation { method: "get", path, id, summary, parameters, body: None, status: 200, answer, problems }
}

/// The calls that need no token.
const OPEN: [&str; 4] = ["/openapi.json", "/docs", "/healthz", "/readyz"];

/// The call that brings what lets in.
pub(super) const LOG_IN: (&str, &str) = ("post", "/api/v1/session");

/// Whether a call needs no token.
pub(super) fn is_open(operation: &Operation) -> bool {
    OPEN.contains(&operation.path) || (operation.method, operation.path) == LOG_IN
}
