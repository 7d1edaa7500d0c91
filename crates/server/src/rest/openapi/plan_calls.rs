//! The calls of plans.

use super::call::{Answer, Operation, look};
use super::parameters::{DRY_RUN, KEY};

pub(super) const OPERATIONS: [Operation; 3] = [
    look(
        "/api/v1/plans/{id}",
        "getPlan",
        "What an assistant planned and a person has yet to confirm: what, for whom, until when.",
        &[],
        Answer::One("Plan"),
        &["not-found"],
    ),
    Operation {
        method: "post",
        path: "/api/v1/plans/{id}/actions/execute",
        id: "executePlan",
        summary: "Carries a plan out as it was shown, for a person who typed its confirmation. A dry run answers 200.",
        parameters: &[KEY, DRY_RUN],
        body: Some("PlanExecution"),
        status: 202,
        answer: Answer::One("Operation"),
        problems: &[
            "parameters",
            "json",
            "body",
            "idempotency-key",
            "not-found",
            "conflict",
            "stale",
            "invalid",
            "key-in-use",
            "key-reused",
            "broken-off",
            "store",
        ],
    },
    Operation {
        method: "post",
        path: "/api/v1/plans/{id}/actions/discard",
        id: "discardPlan",
        summary: "Discards a plan that is not to be carried out.",
        parameters: &[KEY],
        body: None,
        status: 200,
        answer: Answer::One("Plan"),
        problems: &[
            "idempotency-key",
            "not-found",
            "conflict",
            "key-in-use",
            "key-reused",
            "broken-off",
            "store",
        ],
    },
];
