//! `ETag`: the strong name of what an answer tells, by which a caller says what they saw.

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::problem::Failure;

/// Largest answer that is given a tag, in bytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The tag of these bytes.
pub(super) fn of(bytes: impl AsRef<[u8]>) -> String {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let hexadecimal: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hexadecimal}\"")
}

/// A tag as a header has it.
pub(super) fn value(tag: &str) -> HeaderValue {
    HeaderValue::from_str(tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// Whether a list of tags, or a star, names this one.
pub(super) fn names(list: &str, tag: &str) -> bool {
    list.split(',').any(|one| matches!(one.trim(), "*") || one.trim() == tag)
}

/// Whether a reader has what this tag names already: a weak tag is as good as a strong one for that (RFC 9110, 13.1.2).
pub(super) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let mut lists = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    lists.any(|list| list.split(',').any(|one| names(one.trim().trim_start_matches("W/"), tag)))
}

/// Gives an answer that is whole and not too large the tag of its bytes, and leaves out what the caller has.
pub(super) async fn tagged(request: Request, next: Next) -> Response {
    let asked = request.headers().clone();
    let response = next.run(request).await;
    let length = response.body().size_hint().exact();
    if response.status() != StatusCode::OK || length.is_none_or(|length| length > MAX_BYTES as u64) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_BYTES).await else {
        let detail = "the answer could not be read to its end";
        return Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "broken-off", "Broken off", detail)
            .into_response();
    };
    let tag = of(&bytes);
    if is_known(&asked, &tag) {
        return not_modified(&tag);
    }
    parts.headers.insert(header::ETAG, value(&tag));
    Response::from_parts(parts, Body::from(bytes))
}

/// The answer to a reader who has it.
pub(super) fn not_modified(tag: &str) -> Response {
    (StatusCode::NOT_MODIFIED, [(header::ETAG, value(tag))]).into_response()
}

/// A problem with the tag of what is there now.
pub(super) fn with(failure: Failure, tag: &str) -> Response {
    let mut response = failure.into_response();
    response.headers_mut().insert(header::ETAG, value(tag));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_lists_of_tags_when_read_then_one_that_names_the_answer_is_found_weak_or_strong() {
        let tag = of("body");
        assert!(tag.len() == 34 && tag != of("other"), "{tag}");
        for (lists, known) in [
            (vec![tag.clone()], true),
            (vec![format!("W/{tag}")], true),
            (vec!["*".to_owned()], true),
            (vec![format!("\"a\" , {tag}")], true),
            (vec!["\"a\"".to_owned(), tag.clone()], true),
            (vec!["\"a\"".to_owned()], false),
            (vec![tag.trim_matches('"').to_owned()], false),
            (vec![], false),
        ] {
            let mut headers = HeaderMap::new();
            for list in &lists {
                headers.append(header::IF_NONE_MATCH, HeaderValue::from_str(list).unwrap());
            }
            assert_eq!(is_known(&headers, &tag), known, "{lists:?}");
        }
    }
}
