//! Headers that the transports send besides their own.

use http::{HeaderName, HeaderValue};

/// Headers that the transports write themselves.
const OWN: [&str; 9] = [
    "host",
    "connection",
    "upgrade",
    "content-length",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "accept-encoding",
    "opamp-instance-uid",
];

/// A header; its value may be secret and stands in no error.
///
/// # Errors
/// What is wrong with it.
pub fn parse(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), &'static str> {
    let name: HeaderName = name.parse().map_err(|_| "this is no name of a header")?;
    if OWN.contains(&name.as_str()) || name.as_str().starts_with("sec-websocket-") {
        return Err("this header is the supervisor's own");
    }
    let mut value =
        HeaderValue::from_str(value).map_err(|_| "the value has characters that a header cannot have")?;
    value.set_sensitive(true);
    Ok((name, value))
}
