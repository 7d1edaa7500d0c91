//! Reading what a caller sends, with the API's own errors.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use tidegate_opamp::InstanceUid;

use super::problem::Failure;

/// A body in JSON.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let bytes = Bytes::from_request(request, state).await.map_err(unreadable)?;
        let wrong = |error: serde_json::Error| {
            Failure::new(
                StatusCode::BAD_REQUEST,
                "json",
                "The body cannot be read",
                format!("the body: {error}"),
            )
        };
        serde_json::from_slice(&bytes).map(Self).map_err(wrong)
    }
}

/// The bytes of a body, which may not be larger than bodies are.
pub(super) async fn bytes(request: Request) -> Result<Bytes, Failure> {
    Bytes::from_request(request, &()).await.map_err(unreadable)
}

#[expect(clippy::needless_pass_by_value, reason = "handed to `map_err`, which gives it away")]
fn unreadable(rejection: BytesRejection) -> Failure {
    Failure::new(rejection.status(), "body", "The body cannot be read", rejection.body_text())
}

/// The parameters behind the question mark.
pub(super) struct Parameters<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let wrong =
            |detail: String| Failure::new(StatusCode::BAD_REQUEST, "parameters", "Wrong parameters", detail);
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(parameters)| Self(parameters)).map_err(|rejection| wrong(rejection.body_text()))
    }
}

/// Reads a uid out of a path or a parameter.
pub(super) fn uid(text: &str) -> Result<InstanceUid, Failure> {
    text.parse().map_err(|error| Failure::invalid("uid", format!("{text:?}: {error}")))
}
