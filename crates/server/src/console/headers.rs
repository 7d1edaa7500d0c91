//! What every answer of the console says to browsers.

use axum::http::{HeaderMap, HeaderValue, header};

/// For files whose name changes with their content.
pub(super) const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// For files whose name stays.
pub(super) const ASK_AGAIN: &str = "no-cache";
/// For the page, which is another one each time.
pub(super) const NOT_KEPT: &str = "no-store";

/// The media type, and what keeps browsers from anything that the console does not need: no other host, no script and no
/// style but the console's own files and styles that show the nonce, no frame around it.
pub(super) fn of(media_type: &'static str, nonce: Option<&str>) -> HeaderMap {
    let nonce = nonce.map(|nonce| format!(" 'nonce-{nonce}'")).unwrap_or_default();
    let policy = format!(
        "default-src 'self'; script-src 'self'; style-src 'self'{nonce}; img-src 'self' data:; connect-src 'self'; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers
}

/// Whether a browser takes gzip; one that weighs it with 0 does not.
pub(super) fn takes_gzip(asks: &HeaderMap) -> bool {
    let accepted =
        asks.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && weight > 0.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_what_browsers_accept_then_gzip_goes_to_those_that_take_it() {
        for (accepts, expected) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("br, deflate", false),
            ("", false),
        ] {
            let mut asks = HeaderMap::new();
            asks.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepts));
            assert_eq!(takes_gzip(&asks), expected, "{accepts}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
