//! Who calls. There is one token, and its holder may do everything; handlers take the [`Actor`] that stands here.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tidegate_fleet::{Actor, Face as ActingFace};

use super::problem::unauthenticated;
use super::{Face, session};

/// Lets a call through that shows the token, with its actor.
pub(super) async fn require(State(face): State<Arc<Face>>, mut request: Request, next: Next) -> Response {
    face.control.count_call();
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let by_cookie = if request.headers().contains_key(header::AUTHORIZATION) {
        Ok(None)
    } else {
        session::actor(&face, request.method(), request.headers())
    };
    match given {
        Some((_, token)) if face.token.is(token.trim()) => {
            request.extensions_mut().insert(Actor::admin(ActingFace::Rest));
            next.run(request).await
        }
        Some(_) => unauthenticated("the bearer token is not the one of this server").into_response(),
        None => match by_cookie {
            Ok(Some(actor)) => {
                request.extensions_mut().insert(actor);
                next.run(request).await
            }
            Ok(None) => unauthenticated(
                "log in to the console, or send the admin token as `Authorization: Bearer TOKEN`",
            )
            .into_response(),
            Err(failure) => failure.into_response(),
        },
    }
}
