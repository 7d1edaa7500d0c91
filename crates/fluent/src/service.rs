//! The service section, merged over all files.

use std::ops::Range;

use crate::position::Position;
use crate::value::Value;

/// Keys that Fluent Bit acts on each time they appear, where for all others the last one counts.
pub(crate) const REPEATABLE: [&str; 2] = ["parsers_file", "plugins_file"];

/// One key of the service section, in the order in which Fluent Bit applies them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceEntry {
    /// The key in Fluent Bit's spelling, such as `http_server`.
    pub key: String,
    /// Its value, variables not expanded.
    pub value: Value,
    /// The file it stands in, as an index into [`Config::trees`](crate::Config::trees).
    pub file: usize,
    /// Where the key begins.
    pub position: Position,
    /// The bytes of the key.
    pub key_span: Range<usize>,
    /// The bytes of the value.
    pub value_span: Range<usize>,
}

/// The service section as Fluent Bit merges it: all entries in order, the later key wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    pub(crate) entries: Vec<ServiceEntry>,
}

impl Service {
    /// The entry that counts for a key; the key's case does not matter.
    pub fn entry(&self, key: &str) -> Option<&ServiceEntry> {
        self.entries.iter().rev().find(|entry| entry.key.eq_ignore_ascii_case(key))
    }

    /// The text that counts for a key, variables not expanded (see [`Config::expand`](crate::Config::expand));
    /// `None` when the key is absent or holds a map.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entry(key)?.value.as_str()
    }

    /// A key read as Fluent Bit reads booleans: `on`, `true`, `yes` against `off`, `false`, `no`, in any
    /// case. All else is `None`, numbers too: 5.1.1 does not start its HTTP server for `http_server: 1`.
    pub fn get_bool(&self, key: &str) -> Option<bool> {
        let value = self.get(key)?;
        let is_one_of = |words: [&str; 3]| words.iter().any(|word| word.eq_ignore_ascii_case(value));
        if is_one_of(["true", "on", "yes"]) {
            Some(true)
        } else if is_one_of(["false", "off", "no"]) {
            Some(false)
        } else {
            None
        }
    }

    /// All entries in order, those that a later one overrides included.
    pub fn entries(&self) -> &[ServiceEntry] {
        &self.entries
    }

    /// All values of a key in order: `parsers_file` and `plugins_file` count each time.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Value> {
        self.entries.iter().filter(move |entry| entry.key.eq_ignore_ascii_case(key)).map(|entry| &entry.value)
    }
}
