//! Cursors: a place in a list, signed, so that a page goes on where the one before ended whatever was inserted since.

use std::time::Duration;

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use tidegate_fleet::Timestamp;
use tidegate_fleet::index::{Position, SortValue};
use tidegate_opamp::InstanceUid;

use super::problem::Failure;

/// How long a cursor can be used. One of another run of the server cannot be used at all.
pub(super) const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Longest cursor that is looked at, in bytes.
const MAX_BYTES: usize = 4096;

const RUN: usize = 8;
const MAC: usize = 32;

/// Signs and reads cursors.
#[derive(Clone)]
pub(crate) struct Cursors {
    key: [u8; 64],
    /// Tells cursors of this run from others.
    run: [u8; RUN],
}

/// A cursor cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It was good once; the list must be read from its start.
    Expired,
    /// It is none of ours.
    Foreign,
    /// It belongs to another query or order.
    Other,
}

impl Cursors {
    /// Cursors of this run.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let (mut key, mut run) = ([0; 64], [0; RUN]);
        getrandom::fill(&mut key)?;
        getrandom::fill(&mut run)?;
        Ok(Self { key, run })
    }

    /// Names a place in the list of `asked`, its query and order in one text.
    pub(crate) fn write(&self, asked: &str, position: &Position, now: Timestamp) -> String {
        let mut bytes = position.uid.as_bytes().to_vec();
        for value in &position.values {
            match value {
                SortValue::Missing => bytes.push(0),
                SortValue::Number(number) => {
                    bytes.push(1);
                    bytes.extend(number.to_be_bytes());
                }
                SortValue::Text(text) => text_value(&mut bytes, 2, text),
                SortValue::Version(text) => text_value(&mut bytes, 3, text),
            }
        }
        self.seal(asked, &bytes, now)
    }

    /// The place that a cursor names.
    pub(crate) fn read(&self, asked: &str, cursor: &str, now: Timestamp) -> Result<Position, Unusable> {
        position(&self.open(asked, cursor, now)?).ok_or(Unusable::Foreign)
    }

    /// Names a row by its id, in a list whose order is that of the ids.
    pub(super) fn mark(&self, asked: &str, id: &str, now: Timestamp) -> String {
        self.seal(asked, id.as_bytes(), now)
    }

    /// The id that a cursor names.
    pub(super) fn marked(&self, asked: &str, cursor: &str, now: Timestamp) -> Result<String, Unusable> {
        String::from_utf8(self.open(asked, cursor, now)?).map_err(|_| Unusable::Foreign)
    }

    fn seal(&self, asked: &str, place: &[u8], now: Timestamp) -> String {
        let mut bytes = self.run.to_vec();
        bytes.extend(now.0.to_be_bytes());
        bytes.extend(fingerprint(asked));
        bytes.extend(place);
        bytes.extend(self.mac(&bytes));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn open(&self, asked: &str, cursor: &str, now: Timestamp) -> Result<Vec<u8>, Unusable> {
        if cursor.len() > MAX_BYTES {
            return Err(Unusable::Foreign);
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| Unusable::Foreign)?;
        let signed = bytes.len().checked_sub(MAC).and_then(|at| bytes.split_at_checked(at));
        let (signed, mac) = signed.filter(|(signed, _)| signed.len() >= RUN).ok_or(Unusable::Foreign)?;
        if !signed.starts_with(&self.run) {
            return Err(Unusable::Expired);
        }
        // Compared in constant time.
        self.hmac(signed).verify_slice(mac).map_err(|_| Unusable::Foreign)?;
        let mut rest = signed.get(RUN..).unwrap_or_default();
        let made = Timestamp(u64::from_be_bytes(take(&mut rest).ok_or(Unusable::Foreign)?));
        if now.since(made) >= LIFETIME {
            return Err(Unusable::Expired);
        }
        let of: [u8; 8] = take(&mut rest).ok_or(Unusable::Foreign)?;
        if of != fingerprint(asked) {
            return Err(Unusable::Other);
        }
        Ok(rest.to_vec())
    }

    fn hmac(&self, bytes: &[u8]) -> Hmac<Sha256> {
        Hmac::<Sha256>::new(&self.key.into()).chain_update(bytes)
    }

    fn mac(&self, bytes: &[u8]) -> [u8; MAC] {
        self.hmac(bytes).finalize().into_bytes().into()
    }
}

impl From<Unusable> for Failure {
    fn from(reason: Unusable) -> Self {
        match reason {
            Unusable::Expired => Self::new(
                StatusCode::GONE,
                "cursor-expired",
                "The cursor has expired",
                "this cursor is older than a day or than this run of the server; list from the start",
            ),
            Unusable::Foreign => {
                Self::invalid("cursor", "it was not made by this server; list from the start")
            }
            Unusable::Other => {
                let message = "it was made for other parameters; keep all but limit from page to page";
                Self::invalid("cursor", message)
            }
        }
    }
}

fn text_value(bytes: &mut Vec<u8>, tag: u8, text: &str) {
    bytes.push(tag);
    // Texts of an index are short (`fleet::index`).
    bytes.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend(text.as_bytes());
}

fn fingerprint(asked: &str) -> [u8; 8] {
    let digest: [u8; 32] = Sha256::digest(asked.as_bytes()).into();
    std::array::from_fn(|index| digest[index])
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}

fn position(mut rest: &[u8]) -> Option<Position> {
    let uid = InstanceUid::from_bytes(&take::<16>(&mut rest)?).ok()?;
    let mut values = Vec::new();
    while let Some([tag]) = take::<1>(&mut rest) {
        values.push(match tag {
            0 => SortValue::Missing,
            1 => SortValue::Number(u64::from_be_bytes(take(&mut rest)?)),
            tag => {
                let length = usize::from(u16::from_be_bytes(take(&mut rest)?));
                let (text, after) = rest.split_at_checked(length)?;
                rest = after;
                let text = std::str::from_utf8(text).ok()?.into();
                if tag == 2 { SortValue::Text(text) } else { SortValue::Version(text) }
            }
        });
    }
    Some(Position { values: values.into(), uid })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Position {
        let values = [
            SortValue::Missing,
            SortValue::Number(u64::MAX),
            SortValue::Text("web ü".into()),
            SortValue::Version("3.2".into()),
        ];
        Position { values: values.into(), uid: InstanceUid::from_bytes(&[7; 16]).unwrap() }
    }

    #[test]
    fn given_a_place_when_written_and_read_then_it_is_the_same() {
        let cursors = Cursors::new().unwrap();
        let cursor = cursors.write("q", &place(), Timestamp(5));
        assert_eq!(cursors.read("q", &cursor, Timestamp(6)), Ok(place()));
        let mark = cursors.mark("q", "0190-ü", Timestamp(5));
        assert_eq!(cursors.marked("q", &mark, Timestamp(6)).as_deref(), Ok("0190-ü"));
        assert_eq!(cursors.marked("other", &mark, Timestamp(6)), Err(Unusable::Other));
    }

    #[test]
    fn given_cursors_that_cannot_be_used_then_each_says_why() {
        let cursors = Cursors::new().unwrap();
        let cursor = cursors.write("q", &place(), Timestamp(5));
        let day = Timestamp(5).plus(LIFETIME);
        assert_eq!(cursors.read("q", &cursor, day), Err(Unusable::Expired));
        assert_eq!(cursors.read("other", &cursor, Timestamp(6)), Err(Unusable::Other));
        assert_eq!(Cursors::new().unwrap().read("q", &cursor, Timestamp(6)), Err(Unusable::Expired));
        for text in ["", "nonsense", "!", &"A".repeat(5000)] {
            let result = cursors.read("q", text, Timestamp(6));
            assert!(matches!(result, Err(Unusable::Foreign)), "{text:.20}: {result:?}");
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        for index in RUN..bytes.len() {
            bytes[index] ^= 1;
            let forged = URL_SAFE_NO_PAD.encode(&bytes);
            assert_eq!(cursors.read("q", &forged, Timestamp(6)), Err(Unusable::Foreign), "{index}");
            bytes[index] ^= 1;
        }
    }
}
