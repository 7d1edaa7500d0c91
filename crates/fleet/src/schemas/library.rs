//! What is held.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use tidegate_custom::schema::{MAX_DOCUMENT_BYTES, SchemaHash};
use tidegate_fluent::schema::{self, SchemaError};
use tidegate_opamp::body::{self, BodyError, Encoding};

use crate::Timestamp;

/// Most schemas that are held; a fleet runs a few versions.
const MAX_SCHEMAS: usize = 64;

/// Most bytes of all held documents, packed; that of a whole Fluent Bit 5.1.1 has about 60 KiB.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// A schema that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// SHA-256 of the document.
    pub hash: SchemaHash,
    /// What it is of, such as `fluent-bit`.
    pub kind: String,
    /// The version that it names; may be empty.
    pub version: String,
    /// How many plugins it names.
    pub plugins: u32,
    /// Bytes of the document.
    pub bytes: u32,
    /// The document, packed with gzip.
    pub packed: Bytes,
    /// When it came.
    pub since: Timestamp,
}

/// Why what an agent sent is not held.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It cannot be unpacked, or is too large.
    #[error("the schema cannot be unpacked: {0}")]
    Packed(BodyError),
    /// It is not the document that was asked for.
    #[error("the schema has another hash than the agent's build was said to have")]
    OtherHash,
    /// It is no schema.
    #[error("the schema cannot be read: {0}")]
    Document(SchemaError),
}

impl Schema {
    /// Reads what an agent sent, bounded in size and form. It is packed anew: nothing of the sender's packing is kept.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn read(hash: SchemaHash, packed: Bytes, now: Timestamp) -> Result<Self, Unusable> {
        let document = body::decode(Encoding::Gzip, packed, MAX_DOCUMENT_BYTES).map_err(Unusable::Packed)?;
        if SchemaHash::of(&document) != hash {
            return Err(Unusable::OtherHash);
        }
        let read = schema::Schema::read(&document).map_err(Unusable::Document)?;
        Ok(Self {
            hash,
            kind: "fluent-bit".to_owned(),
            plugins: u32::try_from(read.plugins()).unwrap_or(u32::MAX),
            version: read.version,
            bytes: u32::try_from(document.len()).unwrap_or(u32::MAX),
            packed: body::gzip(&document).into(),
            since: now,
        })
    }

    /// The document as the agent's binary printed it.
    ///
    /// # Errors
    /// [`BodyError`] for a document that was not packed by [`Schema::read`].
    pub fn document(&self) -> Result<Bytes, BodyError> {
        body::decode(Encoding::Gzip, self.packed.clone(), MAX_DOCUMENT_BYTES)
    }
}

/// The schemas that are held.
#[derive(Clone, Debug, Default)]
pub struct Library {
    schemas: BTreeMap<SchemaHash, Arc<Schema>>,
    bytes: usize,
}

impl Library {
    /// A library of these.
    pub fn new(schemas: impl IntoIterator<Item = Schema>) -> Self {
        let mut library = Self::default();
        schemas.into_iter().for_each(|schema| library.insert(Arc::new(schema)));
        library
    }

    fn insert(&mut self, schema: Arc<Schema>) {
        self.bytes += schema.packed.len();
        if let Some(before) = self.schemas.insert(schema.hash, schema) {
            self.bytes -= before.packed.len();
        }
    }

    /// Whether a schema is held.
    #[must_use]
    pub fn holds(&self, hash: &SchemaHash) -> bool {
        self.schemas.contains_key(hash)
    }

    /// A schema.
    #[must_use]
    pub fn get(&self, hash: &SchemaHash) -> Option<&Arc<Schema>> {
        self.schemas.get(hash)
    }

    /// All schemas, in order of their hashes.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Schema>> {
        self.schemas.values()
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.schemas.len() < MAX_SCHEMAS && self.bytes + bytes <= MAX_BYTES
    }

    /// True when a schema would not find room without others giving way.
    #[must_use]
    pub fn is_full_for(&self, schema: &Schema) -> bool {
        !self.holds(&schema.hash) && !self.has_room(schema.packed.len())
    }

    /// Takes a schema in. Where there is no room for it, the oldest of those that no agent uses give way; what went is
    /// told. `None`, and all stays as it was, where not enough of them can go.
    pub fn take(&mut self, schema: Arc<Schema>, used: &BTreeSet<SchemaHash>) -> Option<Vec<SchemaHash>> {
        let mut after = self.clone();
        let mut unused: Vec<_> = after.all().filter(|held| !used.contains(&held.hash)).cloned().collect();
        unused.sort_by_key(|held| std::cmp::Reverse(held.since));
        let mut gone = Vec::new();
        while after.is_full_for(&schema) {
            let oldest = unused.pop()?;
            after.bytes -= oldest.packed.len();
            after.schemas.remove(&oldest.hash);
            gone.push(oldest.hash);
        }
        after.insert(schema);
        *self = after;
        Some(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(number: u8, bytes: usize) -> Schema {
        Schema {
            hash: SchemaHash([number; 32]),
            kind: "fluent-bit".into(),
            version: "5".into(),
            plugins: 1,
            bytes: 1,
            packed: vec![0; bytes].into(),
            since: Timestamp(number.into()),
        }
    }

    fn used(numbers: &[u8]) -> BTreeSet<SchemaHash> {
        numbers.iter().map(|number| SchemaHash([*number; 32])).collect()
    }

    const DOCUMENT: &[u8] = br#"{"fluent-bit":{"version":"5.1.1"},"inputs":[{"name":"dummy"}]}"#;

    #[test]
    fn given_a_packed_document_when_read_then_it_is_held_under_its_hash_and_comes_out_as_it_was() {
        let hash = SchemaHash::of(DOCUMENT);
        let [begin, end] = [&DOCUMENT[..20], &DOCUMENT[20..]].map(body::gzip);
        let read = Schema::read(hash, [begin, end].concat().into(), Timestamp(7)).unwrap();
        assert_eq!((read.version.as_str(), read.plugins, read.bytes), ("5.1.1", 1, 62));
        assert_eq!(read.document().unwrap(), DOCUMENT);
        assert_eq!(read.packed, body::gzip(DOCUMENT), "packed anew");
    }

    #[test]
    fn given_what_is_no_schema_when_read_then_it_is_refused_with_the_reason() {
        let bomb = body::gzip(&vec![b' '; MAX_DOCUMENT_BYTES + 1]);
        for (document, packed, part) in [
            (DOCUMENT, b"no gzip".to_vec(), "cannot be unpacked"),
            (DOCUMENT, bomb, "cannot be unpacked"),
            (b"another", body::gzip(DOCUMENT), "another hash"),
            (b"{}", body::gzip(b"{}"), "cannot be read"),
            (b"\xff", body::gzip(b"\xff"), "cannot be read"),
        ] {
            let error = Schema::read(SchemaHash::of(document), packed.into(), Timestamp(0)).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn given_a_full_library_when_another_comes_then_the_oldest_that_nobody_uses_gives_way() {
        let quarter = MAX_BYTES / 4;
        let mut library = Library::new((1..=4).map(|number| schema(number, quarter)));
        let next = Arc::new(schema(5, quarter));
        assert!(library.is_full_for(&next) && !library.is_full_for(&schema(4, quarter)));
        assert_eq!(library.take(Arc::clone(&next), &used(&[1, 2, 3, 4])), None);
        assert!(!library.holds(&next.hash));
        assert_eq!(library.take(next, &used(&[1, 3])), Some(vec![SchemaHash([2; 32])]));
        let held: Vec<_> = library.all().map(|held| held.hash.0[0]).collect();
        assert_eq!((held, library.bytes), (vec![1, 3, 4, 5], MAX_BYTES));
        assert_eq!(library.take(Arc::new(schema(6, MAX_BYTES)), &used(&[])).map(|gone| gone.len()), Some(4));
    }

    #[test]
    fn given_many_small_ones_when_another_comes_then_their_number_is_bounded_too() {
        let mut library = Library::default();
        for number in 0..=u8::try_from(MAX_SCHEMAS).unwrap() {
            assert!(library.take(Arc::new(schema(number, 1)), &used(&[])).is_some());
        }
        assert_eq!((library.all().count(), library.holds(&SchemaHash([0; 32]))), (MAX_SCHEMAS, false));
    }
}
