//! The calls that follow up on a push.

use super::call::{Answer, Operation};
use super::parameters::{DRY_RUN, KEY};

/// What following up on a push may meet.
const REPUSH: &[&str] = &[
    "parameters",
    "json",
    "body",
    "idempotency-key",
    "not-found",
    "conflict",
    "key-in-use",
    "key-reused",
    "broken-off",
    "store",
];

pub(super) const OPERATIONS: [Operation; 2] = [
    Operation {
        method: "post",
        path: "/api/v1/pushes/{id}/actions/retry",
        id: "retryPush",
        summary: "Gives the files of a push once more to the agents that failed, by a new push. A dry run answers 200.",
        parameters: &[KEY, DRY_RUN],
        body: Some("RetryRequest"),
        status: 201,
        answer: Answer::One("Push"),
        problems: REPUSH,
    },
    Operation {
        method: "post",
        path: "/api/v1/pushes/{id}/actions/roll-back",
        id: "rollBackPush",
        summary: "Gives each agent of a push the config that it ran before, by new pushes. A dry run answers 200.",
        parameters: &[KEY, DRY_RUN],
        body: Some("RollBackRequest"),
        status: 201,
        answer: Answer::One("RollBack"),
        problems: REPUSH,
    },
];
