//! The plugins of a config.

use std::fmt;

use crate::position::Position;
use crate::section::{Entry, Section, SectionKind};

/// The kinds of plugins that a pipeline is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PluginKind {
    /// Brings records in.
    Input,
    /// Changes or drops records.
    Filter,
    /// Delivers records.
    Output,
    /// Extends the agent itself.
    Custom,
}

impl PluginKind {
    /// The kind that a section configures, if it configures a plugin.
    pub fn of_section(kind: SectionKind) -> Option<Self> {
        match kind {
            SectionKind::Input => Some(Self::Input),
            SectionKind::Filter => Some(Self::Filter),
            SectionKind::Output => Some(Self::Output),
            SectionKind::Custom => Some(Self::Custom),
            _ => None,
        }
    }
}

/// `input`, `filter`, `output` or `custom`.
impl fmt::Display for PluginKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Input => "input",
            Self::Filter => "filter",
            Self::Output => "output",
            Self::Custom => "custom",
        })
    }
}

/// One plugin of a config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugin {
    /// Its kind.
    pub kind: PluginKind,
    /// Its plugin's name, such as `tail`, variables not expanded.
    pub name: String,
    /// Its alias, variables not expanded.
    pub alias: Option<String>,
    /// Its name in metrics: the alias, or `tail.0` with its number among all plugins of its kind
    /// (fluent-bit.md, "Metrics and ComponentHealth"). Not unique if two plugins share an alias.
    pub instance: String,
    /// All its properties in file order, `name` and `alias` included.
    pub properties: Vec<Entry>,
    /// The file it stands in, as an index into [`Config::trees`](crate::Config::trees).
    pub file: usize,
    /// Where it begins.
    pub position: Position,
}

impl Plugin {
    /// The text of a property, the last one if it is set several times; the key's case does not matter.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.properties.iter().rev().find(|entry| entry.key.eq_ignore_ascii_case(key))?.value.as_str()
    }
}

/// The text under which the section names its plugin: the first one counts.
pub(crate) fn plugin_name(section: &Section) -> Option<&str> {
    section.entries.iter().find(|entry| entry.key == "name")?.value.as_str()
}

/// Turns a section into the plugin with this number among those of its kind.
pub(crate) fn plugin(kind: PluginKind, number: usize, file: usize, section: Section) -> Option<Plugin> {
    let name = plugin_name(&section)?.to_owned();
    let alias = section.entries.iter().rev().find(|entry| entry.key == "alias");
    let alias = alias.and_then(|entry| entry.value.as_str()).map(str::to_owned);
    // `tcp://host:port` names the plugin `tcp`.
    let short = name.split_once("://").map_or(name.as_str(), |(short, _)| short).to_ascii_lowercase();
    let instance = alias.clone().unwrap_or_else(|| format!("{short}.{number}"));
    Some(Plugin {
        kind,
        name,
        alias,
        instance,
        properties: section.entries,
        file,
        position: section.position,
    })
}
