//! Errors of the API, made in this one place (RFC 9457).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tidegate_api::{PROBLEM_TYPE, Problem, ProblemDetail};
use tidegate_store::StoreError;

use crate::control::ControlError;

/// An error on its way out.
#[derive(Debug)]
pub(super) struct Failure(Box<Problem>);

impl Failure {
    pub(super) fn new(status: StatusCode, code: &str, title: &str, detail: impl Into<String>) -> Self {
        Self(Box::new(Problem {
            problem_type: format!("urn:tidegate:problem:{code}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.to_owned(),
            trace_id: String::new(),
            retry_after: None,
            errors: Vec::new(),
        }))
    }

    /// A call that may be made again after so many seconds.
    pub(super) fn later(code: &str, title: &str, detail: impl Into<String>, seconds: u64) -> Self {
        let mut failure = Self::new(StatusCode::TOO_MANY_REQUESTS, code, title, detail);
        failure.0.retry_after = Some(seconds);
        failure
    }

    /// An argument that cannot be used.
    pub(super) fn invalid(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        let (pointer, message) = (pointer.into(), message.into());
        let mut failure = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            "Invalid argument",
            format!("{pointer}: {message}"),
        );
        failure.0.errors.push(ProblemDetail { pointer, column: None, message, fix: None });
        failure
    }
}

/// The problem that an answer tells of, kept beside it until its id is known.
#[derive(Clone)]
struct Problematic(Box<Problem>);

/// The answer with the id of its call, where it tells of a problem.
pub(super) fn traced(mut response: Response, id: &str) -> Response {
    let Some(Problematic(mut problem)) = response.extensions_mut().remove::<Problematic>() else {
        return response;
    };
    id.clone_into(&mut problem.trace_id);
    let Ok(body) = serde_json::to_vec(&problem) else { return response };
    // It is set again from the length of the new body.
    response.headers_mut().remove(header::CONTENT_LENGTH);
    *response.body_mut() = body.into();
    response
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.0.retry_after;
        let mut response = (status, Json(&self.0)).into_response();
        response.extensions_mut().insert(Problematic(self.0));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_TYPE));
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        let text = error.to_string();
        let new = |status, code, title| Self::new(status, code, title, text.clone());
        match error {
            ControlError::Denied(_) => new(StatusCode::FORBIDDEN, "forbidden", "Not allowed"),
            ControlError::NotFound { .. } => new(StatusCode::NOT_FOUND, "not-found", "Not found"),
            ControlError::NoAgentMatches(_) => {
                new(StatusCode::NOT_FOUND, "no-agent-matches", "No agent matches")
            }
            ControlError::Unsupported(_) => {
                new(StatusCode::CONFLICT, "unsupported", "The agent cannot do this")
            }
            ControlError::Conflict(_) => new(StatusCode::CONFLICT, "conflict", "Not as expected"),
            ControlError::Stale(_) => new(StatusCode::PRECONDITION_FAILED, "stale", "Changed since"),
            ControlError::TooMany(_) => new(StatusCode::TOO_MANY_REQUESTS, "too-many", "Too many"),
            ControlError::Store(StoreError::Answered) => {
                new(StatusCode::CONFLICT, "key-in-use", "The key has an answer")
            }
            ControlError::Store(_) => new(StatusCode::SERVICE_UNAVAILABLE, "store", "Not stored"),
            ControlError::Invalid { pointer, message } => Self::invalid(pointer, message),
            ControlError::Query(error) => {
                let mut failure =
                    new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-query", "The query cannot be read");
                let column = u64::try_from(error.position).ok();
                let (message, fix) = (error.message, error.hint);
                failure.0.errors.push(ProblemDetail { pointer: "q".into(), column, message, fix });
                failure
            }
        }
    }
}

pub(super) fn unauthenticated(detail: &str) -> Failure {
    Failure::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Not authenticated", detail)
}

pub(super) async fn no_route() -> Failure {
    let detail = "there is no such path; the API is at /api/v1";
    Failure::new(StatusCode::NOT_FOUND, "no-route", "Not found", detail)
}

pub(super) async fn no_method() -> Failure {
    let detail = "this path does not take this method";
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, "no-method", "Method not allowed", detail)
}
