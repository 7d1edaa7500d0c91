//! The headers of answers, as the document tells of them.

use serde_json::{Map, Value, json};

use super::call::{Operation, is_open};

const HEADERS: [(&str, &str); 8] = [
    ("X-Request-Id", "The id of the call: the caller's own, or a new one."),
    (
        "RateLimit-Policy",
        "`\"reads\";q=5000;w=10`: so many calls at once, and the seconds until all of them come back.",
    ),
    ("RateLimit", "`\"reads\";r=4999;t=1`: the calls that are left, and the seconds until none is missing."),
    ("Retry-After", "Seconds to wait."),
    ("WWW-Authenticate", "`Bearer`."),
    ("ETag", "Names what is told as it is now; for `If-Match` and `If-None-Match`."),
    ("Location", "Where what was made is found."),
    ("Idempotent-Replayed", "`true` where the call was carried out before and this is its first answer."),
];

/// The calls besides those with `If-None-Match` whose answers have an ETag.
const TAGGED: [&str; 3] = ["patchLabels", "getConnectionSettings", "deleteConnectionSettings"];

/// The calls that make what is found elsewhere.
const MADE: [&str; 3] = ["createBulkOperation", "createPush", "executePlan"];

/// Every header by its name.
pub(super) fn all() -> Value {
    let header = |(name, text): (&str, &str)| {
        (name.to_owned(), json!({"description": text, "schema": {"type": "string"}}))
    };
    Value::Object(HEADERS.into_iter().map(header).collect::<Map<_, _>>())
}

/// Those of one answer of a call.
pub(super) fn of(operation: &Operation, status: &str) -> Value {
    let (good, open) = (status.starts_with('2'), is_open(operation));
    let takes = |name: &str| operation.parameters.iter().any(|given| given.name == name);
    let here = |name: &&str| match *name {
        "RateLimit-Policy" | "RateLimit" => !open && status != "401",
        "Retry-After" => status == "429",
        "WWW-Authenticate" => status == "401",
        "ETag" => {
            let tagged = takes("If-None-Match") || TAGGED.contains(&operation.id);
            (good && status != "204" && tagged) || matches!(status, "304" | "412")
        }
        "Location" => good && status != "200" && MADE.contains(&operation.id),
        "Idempotent-Replayed" => good && takes("Idempotency-Key"),
        _ => true,
    };
    let header = |name: &str| (name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")}));
    Value::Object(HEADERS.map(|(name, _)| name).into_iter().filter(here).map(header).collect::<Map<_, _>>())
}
