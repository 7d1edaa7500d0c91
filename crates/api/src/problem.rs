//! Errors (RFC 9457).

use serde::{Deserialize, Serialize};

/// Why a call did not do what it should.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Names the kind of problem: `urn:tidegate:problem:` and the code.
    #[serde(rename = "type")]
    pub problem_type: String,
    /// The kind of problem in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong and what to do.
    pub detail: String,
    /// The kind of problem as a word that programs can compare.
    pub code: String,
    /// The id of the call, as in `X-Request-Id`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub trace_id: String,
    /// Seconds after which it may be tried again, as in `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// The places at which it is wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemDetail>,
}

/// One place at which something is wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ProblemDetail {
    /// A JSON pointer into the body, or the name of a query parameter.
    pub pointer: String,
    /// The character of the value at which the trouble starts, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// What is wrong there.
    pub message: String,
    /// What to write instead, where that can be guessed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}
