//! Bodies of HTTP requests and responses: media type, content encoding, and inflation under a limit.

use std::io::{Read, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;

use crate::CONTENT_TYPE;

/// Most members of a gzip body. Each costs some microseconds however little is in it, and 20 bytes make
/// one: a body of nothing else could keep a core busy for seconds.
const MAX_MEMBERS: usize = 1_000;

/// How a body is encoded (OpAMP S036).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// With gzip.
    Gzip,
}

/// A `Content-Encoding` that is not understood; a server answers 415 (OpAMP S037).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the content encoding {0:?} is not supported: use gzip or identity")]
pub struct UnknownEncoding(
    /// The header's value, at most 40 characters of it.
    pub String,
);

/// Why a body cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The decoded body is larger than the limit; a server answers 413.
    #[error("the decoded body has more than {limit} bytes, which is the limit")]
    TooLarge {
        /// Most bytes that a decoded body may have.
        limit: usize,
    },
    /// The body is no gzip, is cut off, fails its checksum, is followed by something else, or has more than
    /// 1,000 members; a server answers 400 (OpAMP S038).
    #[error("the body is not valid gzip: send it whole, or without a content encoding")]
    BrokenGzip,
}

impl Encoding {
    /// Reads the value of a `Content-Encoding` header; an empty one is [`Encoding::Identity`].
    ///
    /// # Errors
    /// [`UnknownEncoding`] for other encodings and for gzip applied more than once.
    pub fn parse(value: &str) -> Result<Self, UnknownEncoding> {
        let mut encoding = Self::Identity;
        for name in list(value).filter(|name| !name.eq_ignore_ascii_case("identity")) {
            if !is_gzip(name) || encoding == Self::Gzip {
                return Err(UnknownEncoding(value.chars().take(40).collect()));
            }
            encoding = Self::Gzip;
        }
        Ok(encoding)
    }
}

/// Decodes a body to at most `max_bytes`. A gzip body may have up to 1,000 members; after the last one
/// nothing may follow. Memory grows with what was inflated, to `max_bytes` and no further, whatever the body would
/// inflate to.
///
/// # Errors
/// Any [`BodyError`].
pub fn decode(encoding: Encoding, body: Bytes, max_bytes: usize) -> Result<Bytes, BodyError> {
    match encoding {
        Encoding::Identity if body.len() > max_bytes => Err(BodyError::TooLarge { limit: max_bytes }),
        Encoding::Identity => Ok(body),
        Encoding::Gzip => inflate(&body, max_bytes).map(Bytes::from),
    }
}

fn inflate(body: &[u8], max_bytes: usize) -> Result<Vec<u8>, BodyError> {
    let mut inflated = Vec::with_capacity(body.len().saturating_mul(2).min(max_bytes));
    let mut rest = body;
    for _ in 0..MAX_MEMBERS {
        let mut member = GzDecoder::new(rest);
        inflate_member(&mut member, &mut inflated, max_bytes)?;
        rest = member.into_inner();
        if rest.is_empty() {
            return Ok(inflated);
        }
    }
    Err(BodyError::BrokenGzip)
}

fn inflate_member(member: &mut impl Read, inflated: &mut Vec<u8>, max_bytes: usize) -> Result<(), BodyError> {
    let mut chunk = [0; 8 * 1024];
    loop {
        let count = member.read(&mut chunk).map_err(|_| BodyError::BrokenGzip)?;
        let part = chunk.get(..count).unwrap_or_default();
        if part.is_empty() {
            return Ok(());
        }
        let room = max_bytes.saturating_sub(inflated.len());
        if part.len() > room {
            return Err(BodyError::TooLarge { limit: max_bytes });
        }
        if inflated.capacity() - inflated.len() < part.len() {
            inflated.reserve_exact(inflated.len().max(part.len()).min(room));
        }
        inflated.extend_from_slice(part);
    }
}

/// Compresses a body with gzip, at the level that costs least: what leaves is mostly small, and often sent.
#[must_use]
pub fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(64 + body.len() / 4), Compression::fast());
    // Writing into a Vec cannot fail; were it to, an empty result would be refused by any reader.
    if encoder.write_all(body).is_err() {
        return Vec::new();
    }
    encoder.finish().unwrap_or_default()
}

/// True when an `Accept-Encoding` header allows a gzip body (OpAMP S039): by name, or by `*` where gzip is
/// not named; a weight of 0 or one that cannot be read forbids it.
#[must_use]
pub fn accepts_gzip(value: &str) -> bool {
    let mut by_name = None;
    let mut by_star = None;
    for item in list(value) {
        let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
        let allowed = is_weight_above_zero(parameters);
        match name.trim() {
            "*" => by_star = Some(allowed),
            name if is_gzip(name) => by_name = Some(by_name.unwrap_or(false) || allowed),
            _ => {}
        }
    }
    by_name.or(by_star).unwrap_or(false)
}

/// True when a `Content-Type` header names protobuf, in any case and with any parameters (OpAMP S035).
#[must_use]
pub fn is_protobuf(value: &str) -> bool {
    let media_type = value.split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case(CONTENT_TYPE)
}

fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// RFC 9110 8.4.1.3: `x-gzip` is the same.
fn is_gzip(name: &str) -> bool {
    name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip")
}

/// Reads `q=0.5` among parameters; without one the weight is 1.
fn is_weight_above_zero(parameters: &str) -> bool {
    let weight = parameters.split(';').find_map(|parameter| {
        let (name, weight) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| weight.trim())
    });
    weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0 && weight <= 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_content_encodings_when_parsed_then_only_gzip_and_identity_pass() {
        for (value, expected) in [
            ("", Some(Encoding::Identity)),
            ("identity", Some(Encoding::Identity)),
            (" GZip ", Some(Encoding::Gzip)),
            ("x-gzip", Some(Encoding::Gzip)),
            ("identity, gzip", Some(Encoding::Gzip)),
            ("gzip, gzip", None),
            ("deflate", None),
            ("gzip, br", None),
            ("gzip;q=1", None),
        ] {
            assert_eq!(Encoding::parse(value).ok(), expected, "{value}");
        }
        assert_eq!(Encoding::parse(&"é".repeat(100)), Err(UnknownEncoding("é".repeat(40))));
    }

    #[test]
    fn given_accept_encodings_when_asked_then_weights_and_the_star_count() {
        for (value, expected) in [
            ("", false),
            ("gzip", true),
            ("GZIP", true),
            ("x-gzip", true),
            ("deflate, gzip;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; Q=0.000", false),
            ("gzip;q=0.001", true),
            ("*", true),
            ("*;q=0", false),
            ("*;q=0, gzip", true),
            ("gzip;q=0, *", false),
            ("identity", false),
            ("br;q=1.0, *;q=0.1", true),
            ("gzip;q=often", false),
            ("gzip;q=nan", false),
            ("gzip;q=-1", false),
            (",, gzip ,", true),
        ] {
            assert_eq!(accepts_gzip(value), expected, "{value}");
        }
    }

    #[test]
    fn given_media_types_when_compared_then_case_and_parameters_do_not_count() {
        for (value, expected) in [
            ("application/x-protobuf", true),
            ("Application/X-Protobuf; charset=utf-8", true),
            (" application/x-protobuf ;a=b", true),
            ("application/x-protobuf2", false),
            ("application/json", false),
            ("", false),
        ] {
            assert_eq!(is_protobuf(value), expected, "{value}");
        }
    }

    #[test]
    fn given_a_body_at_the_limit_when_decoded_then_it_passes_and_one_byte_more_does_not() {
        let plain = Bytes::from(vec![7; 20_000]);
        let packed = Bytes::from(gzip(&plain));
        for (encoding, body) in [(Encoding::Identity, &plain), (Encoding::Gzip, &packed)] {
            assert_eq!(decode(encoding, body.clone(), 20_000), Ok(plain.clone()));
            let refused = decode(encoding, body.clone(), 19_999);
            assert_eq!(refused, Err(BodyError::TooLarge { limit: 19_999 }));
        }
        assert_eq!(decode(Encoding::Gzip, Bytes::from(gzip(b"")), 0), Ok(Bytes::new()));
    }

    #[test]
    fn given_a_body_inflated_to_the_limit_when_decoded_then_no_more_room_was_taken() {
        let packed = gzip(&[7; 100_000]);
        assert!(inflate(&packed, 100_000).unwrap().capacity() <= 100_000);
    }

    #[test]
    fn given_members_in_a_row_when_decoded_then_they_are_joined() {
        let body = [gzip(b"one "), gzip(b""), gzip(b"two")].concat();
        assert_eq!(decode(Encoding::Gzip, body.into(), 7), Ok(Bytes::from_static(b"one two")));
        let empty = gzip(b"");
        assert_eq!(decode(Encoding::Gzip, empty.repeat(1_000).into(), 7), Ok(Bytes::new()));
        assert_eq!(decode(Encoding::Gzip, empty.repeat(1_001).into(), 7), Err(BodyError::BrokenGzip));
    }

    #[test]
    fn given_gzip_that_is_not_whole_when_decoded_then_it_is_broken() {
        let whole = gzip(b"some text that is long enough to be compressed, compressed, compressed");
        for cut in 0..whole.len() {
            let body = Bytes::copy_from_slice(&whole[..cut]);
            assert_eq!(decode(Encoding::Gzip, body, 1_000), Err(BodyError::BrokenGzip), "cut at {cut}");
        }
        let followed = [whole.as_slice(), b"garbage"].concat();
        assert_eq!(decode(Encoding::Gzip, followed.into(), 1_000), Err(BodyError::BrokenGzip));
        let mut wrong_checksum = whole.clone();
        let at = wrong_checksum.len() - 8;
        wrong_checksum[at] ^= 1;
        assert_eq!(decode(Encoding::Gzip, wrong_checksum.into(), 1_000), Err(BodyError::BrokenGzip));
    }
}
