//! The parameters that several calls have.

use super::call::{Parameter, header, query};

pub(super) const Q: Parameter =
    query("q", "string", "The agents, in the search language; all when left out.");
pub(super) const LIMIT: Parameter = query("limit", "integer", "Rows, 1 to 500; 100 when left out.");
pub(super) const CURSOR: Parameter = query("cursor", "string", "The page, as `next_cursor` named it.");
pub(super) const DRY_RUN: Parameter = query("dry_run", "string", "`all` does everything but the change.");
pub(super) const KEY: Parameter = header(
    "Idempotency-Key",
    true,
    "A new UUID for each act, and the same one when the call is repeated: it is then carried out once.",
);
pub(super) const IF_NONE_MATCH: Parameter =
    header("If-None-Match", false, "An ETag; where what is asked for still has it, the answer is 304.");
pub(super) const IF_MATCH: Parameter = header("If-Match", true, "The ETag of what was seen, or `*`.");
