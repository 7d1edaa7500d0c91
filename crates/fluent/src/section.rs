//! What both formats come down to: sections with entries, includes and variables, in file order.

use std::ops::Range;

use crate::position::Position;
use crate::value::Value;

/// What a section configures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SectionKind {
    /// The service: the process as a whole.
    Service,
    /// A parser definition.
    Parser,
    /// A multiline parser definition.
    MultilineParser,
    /// A stream processor task.
    StreamProcessor,
    /// A list of shared objects to load.
    Plugins,
    /// A group of upstream servers.
    UpstreamServers,
    /// A custom plugin.
    Custom,
    /// An input plugin.
    Input,
    /// A filter plugin.
    Filter,
    /// An output plugin.
    Output,
    /// Anything else; Fluent Bit's core ignores it.
    Other,
}

impl SectionKind {
    /// The kind that Fluent Bit gives a section of this name: the first known name that begins with it,
    /// without regard to case. So `[SERV]` is a service section too.
    pub fn of_name(name: &str) -> Self {
        const NAMES: [(&str, SectionKind); 14] = [
            ("service", SectionKind::Service),
            ("parser", SectionKind::Parser),
            ("multiline_parser", SectionKind::MultilineParser),
            ("stream_processor", SectionKind::StreamProcessor),
            ("plugins", SectionKind::Plugins),
            ("upstream_servers", SectionKind::UpstreamServers),
            ("custom", SectionKind::Custom),
            ("customs", SectionKind::Custom),
            ("input", SectionKind::Input),
            ("inputs", SectionKind::Input),
            ("filter", SectionKind::Filter),
            ("filters", SectionKind::Filter),
            ("output", SectionKind::Output),
            ("outputs", SectionKind::Output),
        ];
        let begins = |known: &str| {
            known.get(..name.len()).is_some_and(|head| !name.is_empty() && head.eq_ignore_ascii_case(name))
        };
        NAMES.iter().find(|(known, _)| begins(known)).map_or(Self::Other, |(_, kind)| *kind)
    }
}

/// One key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key as Fluent Bit knows it, in lower case; YAML's camelCase is snake_case here.
    pub key: String,
    /// The value, outer blanks cut off.
    pub value: Value,
    /// Where the key begins.
    pub position: Position,
    /// The bytes of the key.
    pub key_span: Range<usize>,
    /// The bytes of the value; empty where YAML has no value.
    pub value_span: Range<usize>,
}

/// One section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it configures.
    pub kind: SectionKind,
    /// Its name as written; for a YAML plugin the name of its kind, such as `input`.
    pub name: String,
    /// Its entries in file order; keys may repeat.
    pub entries: Vec<Entry>,
    /// Where it begins.
    pub position: Position,
}

/// A request to read other files at this place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// A path or a glob, as written: Fluent Bit neither expands nor trims it.
    pub argument: String,
    /// Where the argument begins.
    pub position: Position,
    /// The bytes of the argument, in YAML with its quotes.
    pub span: Range<usize>,
}

/// A variable that the config itself defines: `@SET NAME=value`, or an item of YAML's `env`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The name, without `${}`.
    pub name: String,
    /// The value, not expanded; `file://…` stands for the content of that file.
    pub value: String,
    /// Where it is defined.
    pub position: Position,
}

/// A part of a file, in file order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A section.
    Section(Section),
    /// An include.
    Include(Include),
    /// A variable.
    Variable(Variable),
}
