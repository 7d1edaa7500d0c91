//! Calls that concern the server itself: logging in, the document, metrics, probes.

use super::super::call::{Answer, LOG_IN, Operation, look};

pub(super) const OWN: [Operation; 9] = [
    Operation {
        method: "post",
        path: "/api/v1/login-links",
        id: "createLoginLink",
        summary: "Make a link that logs in to the console once, within a quarter of an hour.",
        parameters: &[],
        body: None,
        status: 201,
        answer: Answer::One("LoginLink"),
        problems: &["store"],
    },
    Operation {
        method: "post",
        path: LOG_IN.1,
        id: "logIn",
        summary: "Log a browser in, with the code of a link or with the token; the answer sets a cookie.",
        parameters: &[],
        body: Some("LogIn"),
        status: 201,
        answer: Answer::One("Session"),
        problems: &["json", "unauthenticated", "cross-site", "body", "invalid", "too-many"],
    },
    look(
        "/api/v1/session",
        "getSession",
        "Who is logged in, and until when.",
        &[],
        Answer::One("Session"),
        &[],
    ),
    Operation {
        method: "delete",
        path: "/api/v1/session",
        id: "logOut",
        summary: "End the session of the cookie.",
        parameters: &[],
        body: None,
        status: 204,
        answer: Answer::Nothing,
        problems: &[],
    },
    look("/metrics", "getMetrics", "Metrics.", &[], Answer::Text("application/openmetrics-text"), &[]),
    look("/openapi.json", "getOpenApi", "This document.", &[], Answer::Object("OpenAPI 3.1."), &[]),
    look("/docs", "getDocs", "This document as a page.", &[], Answer::Text("text/html"), &[]),
    look("/healthz", "getHealth", "The process runs.", &[], Answer::Text("text/plain"), &[]),
    look("/readyz", "getReadiness", "The fleet is loaded.", &[], Answer::Text("text/plain"), &[]),
];
