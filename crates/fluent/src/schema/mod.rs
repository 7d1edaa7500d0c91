//! What a build of Fluent Bit says of its plugins and their properties: the document that `fluent-bit -J` prints.
//!
//! The document is read within bounds, for it comes over the network. What it says is what 5.1.1 prints: groups of
//! plugins, each with its properties in parts (`options`, `global_options`, `networking`, `network_tls`).

mod check;
mod read;

use std::collections::BTreeMap;

pub use check::{check, check_files};
pub use read::SchemaError;

/// Most plugins of one group; 5.1.1 has 42 inputs.
pub const MAX_PLUGINS: usize = 1_000;

/// Most properties of one part of a plugin; 5.1.1 has 66.
pub const MAX_PROPERTIES: usize = 1_000;

/// The plugins of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The version of Fluent Bit; empty where it is not said.
    pub version: String,
    /// By group, such as `inputs`; a group without plugins is not there.
    pub groups: BTreeMap<&'static str, BTreeMap<String, Plugin>>,
}

/// A plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plugin {
    /// What it does; may be empty.
    pub description: String,
    /// Its properties, in the document's order.
    pub properties: Vec<Property>,
}

/// A property of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// Its name as the document writes it; case does not count.
    pub name: String,
    /// Where it comes from: `options` for the plugin's own, or what all plugins of a kind have.
    pub part: Part,
    /// Its type in the document's words, such as `boolean` or `space delimited strings (minimum 1)`.
    pub kind: String,
    /// What it is when it is not set.
    pub default: Option<String>,
    /// What it means; may be empty.
    pub description: String,
}

/// Where a property comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// It is the plugin's own.
    Options,
    /// All plugins of the kind have it.
    Global,
    /// It is about connections.
    Networking,
    /// It is about TLS.
    Tls,
}

impl Part {
    /// The document's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Options => "options",
            Self::Global => "global_options",
            Self::Networking => "networking",
            Self::Tls => "network_tls",
        }
    }
}

impl Schema {
    /// Reads a document.
    ///
    /// # Errors
    /// [`SchemaError`]: it is no such document, or goes beyond a bound.
    pub fn read(document: &[u8]) -> Result<Self, SchemaError> {
        read::read(document)
    }

    /// How many plugins there are, over all groups.
    #[must_use]
    pub fn plugins(&self) -> usize {
        self.groups.values().map(BTreeMap::len).sum()
    }

    /// The plugins of a name, with their groups; several kinds may have one of the same name. Case does not count.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'static str, &'a str, &'a Plugin)> {
        self.groups.iter().flat_map(move |(group, plugins)| {
            let same = move |(known, _): &(&String, &Plugin)| known.eq_ignore_ascii_case(name);
            plugins.iter().filter(same).map(move |(known, plugin)| (*group, known.as_str(), plugin))
        })
    }
}
