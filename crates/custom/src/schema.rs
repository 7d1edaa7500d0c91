//! Schemas: what an agent's build says of its own plugins and their properties, fetched once for each build.
//!
//! Nothing is sent unasked. Which schema a build has stands in the metadata of its available components, under
//! [`METADATA`], so that it costs no message and outlives every connection; a server that does not hold it asks one
//! agent of that build for it, piece by piece. The pieces are of the document packed with gzip.
//!
//! ```json
//! {"hash": "5d41…", "offset": 0}
//! {"hash": "5d41…", "offset": 0, "total": 41213, "data": "H4sIAAAA…"}
//! {"hash": "5d41…", "err_msg": "the agent's binary is another one by now"}
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tidegate_opamp::{ComponentDetails, CustomMessage};

use crate::chatops::FAILURE;
use crate::name::SCHEMA;
use crate::payload::{Fields, MAX_TEXT_BYTES, PayloadError, encode, excerpt};

/// [`CustomMessage::kind`] of a request for a piece, server to agent.
pub const FETCH: &str = "fetch";

/// [`CustomMessage::kind`] of a piece, agent to server.
pub const CHUNK: &str = "chunk";

/// The key in the metadata of a group of available components whose value is the hash of the build's schema.
pub const METADATA: &str = "tidegate.schema";

/// Largest document, in bytes; that of Fluent Bit 5.1.1 with all its plugins has about 600 KiB.
pub const MAX_DOCUMENT_BYTES: usize = 4 * 1024 * 1024;

/// Largest packed document, in bytes.
pub const MAX_PACKED_BYTES: usize = 1024 * 1024;

/// Largest piece, in bytes; as text in a payload it takes a third more.
pub const MAX_CHUNK_BYTES: usize = 32 * 1024;

/// SHA-256 of a schema's document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaHash(pub [u8; 32]);

impl SchemaHash {
    /// The hash of a document.
    #[must_use]
    pub fn of(document: &[u8]) -> Self {
        Self(Sha256::digest(document).into())
    }
}

impl fmt::Display for SchemaHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SchemaHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no hash of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a schema's hash has 64 hexadecimal digits")]
pub struct NotAHash;

impl FromStr for SchemaHash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let digits = text.as_bytes();
        let mut hash = [0; 32];
        if digits.len() != 2 * hash.len() {
            return Err(NotAHash);
        }
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let &[high, low] = pair else { return Err(NotAHash) };
            *byte = digit(high).ok_or(NotAHash)? << 4 | digit(low).ok_or(NotAHash)?;
        }
        Ok(Self(hash))
    }
}

/// A request for the piece that begins at an offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// Of which schema.
    pub hash: SchemaHash,
    /// Where the piece begins in the packed document, in bytes.
    pub offset: usize,
    /// Comes back with the piece; a server that gathers schemas of its own accord gives none.
    pub id: Option<String>,
}

/// A piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Of which schema.
    pub hash: SchemaHash,
    /// Where it begins in the packed document, in bytes.
    pub offset: usize,
    /// Bytes of the whole packed document.
    pub total: usize,
    /// The piece.
    pub data: Bytes,
    /// The request's id.
    pub id: Option<String>,
}

/// Why there is no piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable {
    /// Of which schema, where the sender could tell.
    pub hash: Option<SchemaHash>,
    /// The reason.
    pub reason: String,
    /// The request's id.
    pub id: Option<String>,
}

impl Fetch {
    /// Reads a request.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(data: &[u8]) -> Result<Self, PayloadError> {
        let mut fields = Fields::read(data)?;
        let hash = hash(&mut fields)?.ok_or(PayloadError::Missing("hash"))?;
        Ok(Self { hash, offset: place(&mut fields, "offset")?.unwrap_or(0), id: fields.id()? })
    }

    /// The request as a message.
    ///
    /// # Errors
    /// [`PayloadError::TooLarge`].
    pub fn to_message(&self) -> Result<CustomMessage, PayloadError> {
        let fields = [("hash", self.hash.to_string().into()), ("offset", self.offset.into())];
        message(FETCH, fields, self.id.as_ref())
    }
}

impl Chunk {
    /// The piece of a packed document that a request asks for: as much as goes into one. `None` where the document
    /// ends before it.
    #[must_use]
    pub fn cut(packed: &[u8], fetch: &Fetch) -> Option<Self> {
        let rest = packed.get(fetch.offset..).filter(|rest| !rest.is_empty())?;
        let piece = rest.get(..MAX_CHUNK_BYTES).unwrap_or(rest);
        Some(Self {
            hash: fetch.hash,
            offset: fetch.offset,
            total: packed.len(),
            data: Bytes::copy_from_slice(piece),
            id: fetch.id.clone(),
        })
    }

    /// Reads a piece.
    ///
    /// # Errors
    /// [`PayloadError`], also for one that is empty, larger than a piece may be, or does not lie within its whole.
    pub fn parse(data: &[u8]) -> Result<Self, PayloadError> {
        const DATA: PayloadError = PayloadError::WrongForm { field: "data", expected: "base64 of a piece" };
        const WITHIN: PayloadError =
            PayloadError::WrongForm { field: "total", expected: "at least the end of the piece" };
        let mut fields = Fields::read(data)?;
        let hash = hash(&mut fields)?.ok_or(PayloadError::Missing("hash"))?;
        let offset = place(&mut fields, "offset")?.ok_or(PayloadError::Missing("offset"))?;
        let total = place(&mut fields, "total")?.ok_or(PayloadError::Missing("total"))?;
        let text = fields.text("data", crate::MAX_DATA_BYTES)?.ok_or(PayloadError::Missing("data"))?;
        let piece = STANDARD.decode(text).map_err(|_| DATA)?;
        if piece.is_empty() || piece.len() > MAX_CHUNK_BYTES {
            return Err(DATA);
        }
        if total > MAX_PACKED_BYTES || offset + piece.len() > total {
            return Err(WITHIN);
        }
        Ok(Self { hash, offset, total, data: piece.into(), id: fields.id()? })
    }

    /// The piece as a message.
    ///
    /// # Errors
    /// [`PayloadError::TooLarge`].
    pub fn to_message(&self) -> Result<CustomMessage, PayloadError> {
        let fields = [
            ("hash", self.hash.to_string().into()),
            ("offset", self.offset.into()),
            ("total", self.total.into()),
            ("data", STANDARD.encode(&self.data).into()),
        ];
        message(CHUNK, fields, self.id.as_ref())
    }
}

impl Unavailable {
    /// Reads the reason.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn parse(data: &[u8]) -> Result<Self, PayloadError> {
        let mut fields = Fields::read(data)?;
        let reason = fields.text("err_msg", MAX_TEXT_BYTES)?.ok_or(PayloadError::Missing("err_msg"))?;
        Ok(Self { hash: hash(&mut fields)?, reason, id: fields.id()? })
    }

    /// The reason as a message, cut to what may be sent.
    ///
    /// # Errors
    /// [`PayloadError::TooLarge`].
    pub fn to_message(&self) -> Result<CustomMessage, PayloadError> {
        let reason = excerpt(&self.reason, MAX_TEXT_BYTES).0;
        let hash = self.hash.map(|hash| ("hash", hash.to_string().into()));
        message(FAILURE, std::iter::once(("err_msg", reason.into())).chain(hash), self.id.as_ref())
    }
}

fn message(
    kind: &str,
    fields: impl IntoIterator<Item = (&'static str, Value)>,
    id: Option<&String>,
) -> Result<CustomMessage, PayloadError> {
    let id = id.map(|id| ("id", id.as_str().into()));
    let fields: Map<String, Value> =
        fields.into_iter().chain(id).map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(CustomMessage {
        capability: SCHEMA.to_owned(),
        kind: kind.to_owned(),
        data: encode(&fields)?,
        ..CustomMessage::default()
    })
}

fn hash(fields: &mut Fields) -> Result<Option<SchemaHash>, PayloadError> {
    const WRONG: PayloadError = PayloadError::WrongForm { field: "hash", expected: "64 hexadecimal digits" };
    let text = fields.text("hash", MAX_TEXT_BYTES)?;
    text.map(|text| text.parse().map_err(|_| WRONG)).transpose()
}

/// A place in a packed document; one beyond what any may have is refused.
fn place(fields: &mut Fields, field: &'static str) -> Result<Option<usize>, PayloadError> {
    const EXPECTED: &str = "a whole number up to 1048576";
    let wrong = PayloadError::WrongForm { field, expected: EXPECTED };
    let number = fields.number(field)?;
    let number = number.map(|number| usize::try_from(number).unwrap_or(usize::MAX));
    if number.is_some_and(|number| number > MAX_PACKED_BYTES) { Err(wrong) } else { Ok(number) }
}

/// The hash that our supervisors give a list of components: SHA-256 over the list in the order of its names, each text
/// with its length, so that nothing can pass from one to the next.
#[must_use]
pub fn list_hash(components: &BTreeMap<String, ComponentDetails>) -> [u8; 32] {
    fn walk(components: &BTreeMap<String, ComponentDetails>, hash: &mut Sha256) {
        number(components.len(), hash);
        for (name, details) in components {
            text(name, hash);
            number(details.metadata.len(), hash);
            for pair in &details.metadata {
                text(&pair.key, hash);
                text(pair.value.as_ref().and_then(|value| value.as_str()).unwrap_or_default(), hash);
            }
            walk(&details.sub_component_map, hash);
        }
    }
    fn number(number: usize, hash: &mut Sha256) {
        hash.update((number as u64).to_be_bytes());
    }
    fn text(text: &str, hash: &mut Sha256) {
        number(text.len(), hash);
        hash.update(text);
    }
    let mut all = Sha256::new();
    walk(components, &mut all);
    all.finalize().into()
}

/// The hash of the schema of a build, from the list of its components under the hash that agents report for it. Only a
/// list that has this hash is believed: no agent can say of another's build what its schema is.
#[must_use]
pub fn schema_of(reported: &[u8], components: &BTreeMap<String, ComponentDetails>) -> Option<SchemaHash> {
    let named = components.values().flat_map(|group| &group.metadata).find(|pair| pair.key == METADATA)?;
    let hash = named.value.as_ref().and_then(|value| value.as_str())?.parse().ok()?;
    (list_hash(components) == reported).then_some(hash)
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
