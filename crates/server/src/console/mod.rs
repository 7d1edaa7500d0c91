//! The web console's files. They are part of the program where the feature `console` is on and `console/dist/app` was built
//! before; else a page says how that is done.

mod files;
mod headers;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use files::File;

/// What the page says where there is no console in the program.
const PLACEHOLDER: &str = include_str!("placeholder.html");

/// The page of the console, whatever its address.
const INDEX: &str = "index.html";

/// In the page, in the place of what a style sheet must show to be taken.
const NONCE: &str = "{{nonce}}";

/// Paths that are the server's own: what begins with one of these is no page of the console.
const RESERVED: [&str; 8] =
    ["/api", "/mcp", "/chat", "/metrics", "/openapi.json", "/docs", "/healthz", "/readyz"];

/// Whether the program has a console in it.
pub(crate) fn is_built() -> bool {
    files::get(INDEX).is_some()
}

/// Answers what asks for a page or a file of the console; they hold nothing of the fleet, so nobody needs to be logged
/// in for them.
pub(crate) async fn serve(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_look = matches!(*request.method(), Method::GET | Method::HEAD);
    if !is_look || is_reserved(path) {
        return next.run(request).await;
    }
    let asks = request.headers();
    let response = match path.strip_prefix("/assets/") {
        Some(_) => asset(path, asks, headers::FOR_EVER),
        // Such as the icon; anything else is an address within the console.
        None if files::get(path.trim_start_matches('/')).is_some() && path != "/index.html" => {
            asset(path, asks, headers::ASK_AGAIN)
        }
        None => page(),
    };
    if *request.method() == Method::HEAD { without_body(response) } else { response }
}

fn is_reserved(path: &str) -> bool {
    RESERVED
        .iter()
        .any(|own| path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// A file, packed where the browser takes that; by its hash alone where the browser has it.
fn asset(path: &str, asks: &HeaderMap, cache: &'static str) -> Response {
    let name = path.trim_start_matches('/');
    let Some(file) = files::get(name) else {
        return (
            StatusCode::NOT_FOUND,
            headers::of("text/plain; charset=utf-8", None),
            "there is no such file\n",
        )
            .into_response();
    };
    let mut told = headers::of(files::media_type(name), None);
    told.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    told.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    let etag = file.etag();
    let known = asks.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known = known.is_some_and(|known| known.split(',').any(|tag| tag.trim() == etag));
    if let Ok(etag) = HeaderValue::try_from(etag) {
        told.insert(header::ETAG, etag);
    }
    if is_known {
        return (StatusCode::NOT_MODIFIED, told).into_response();
    }
    let packed = files::get(&format!("{name}.gz")).filter(|_| headers::takes_gzip(asks));
    let bytes = match packed {
        Some(packed) => {
            told.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            packed.bytes
        }
        None => file.bytes,
    };
    (told, Body::from(bytes)).into_response()
}

/// The one page, with a nonce of its own.
fn page() -> Response {
    let mut random = [0; 16];
    // Without randomness no style sheet but the console's own is taken: the editor looks plain then.
    let nonce: Option<String> =
        getrandom::fill(&mut random).ok().map(|()| random.iter().map(|byte| format!("{byte:02x}")).collect());
    let text = files::get(INDEX).map(|File { bytes, .. }| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.unwrap_or_else(|| PLACEHOLDER.to_owned());
    let text = text.replace(NONCE, nonce.as_deref().unwrap_or_default());
    let mut told = headers::of("text/html; charset=utf-8", nonce.as_deref());
    told.insert(header::CACHE_CONTROL, HeaderValue::from_static(headers::NOT_KEPT));
    (told, text).into_response()
}

fn without_body(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let length = axum::body::HttpBody::size_hint(&body).exact();
    if let Some(length) = length {
        head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(head, Body::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_paths_then_only_those_of_the_server_itself_are_reserved() {
        for own in ["/api", "/api/v1/agents", "/mcp", "/mcp/readonly", "/metrics", "/healthz", "/docs"] {
            assert!(is_reserved(own), "{own}");
        }
        for page in ["/", "/agents", "/agents/metrics", "/apis", "/docsy", "/login"] {
            assert!(!is_reserved(page), "{page}");
        }
    }

    #[test]
    fn given_the_placeholder_then_it_says_what_to_do_and_runs_and_loads_nothing() {
        assert!(
            PLACEHOLDER.contains("npm --prefix console run build")
                && PLACEHOLDER.contains("--features console")
        );
        for forbidden in ["<script", "style=", " src=", "://", "<link"] {
            assert!(!PLACEHOLDER.contains(forbidden), "{forbidden}");
        }
    }
}
