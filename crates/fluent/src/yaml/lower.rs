//! Turns YAML documents into items, and reports each shape that Fluent Bit 5.1.1 refuses.

use crate::diagnostic::Report;
use crate::position::{LineIndex, Position};
use crate::section::{Entry, Include, Item, Section, SectionKind, Variable};
use crate::value::{Value, trim};
use crate::yaml::key::normalised;
use crate::yaml::node::{Node, NodeKind};

/// All items of all documents, in file order; Fluent Bit reads several documents as one config.
pub(super) fn items(documents: &[Node], index: &LineIndex<'_>, report: &mut Report) -> Vec<Item> {
    let mut lower = Lower { index, report, items: Vec::new() };
    for document in documents {
        lower.document(document);
    }
    lower.items
}

pub(super) struct Lower<'a, 'r> {
    index: &'a LineIndex<'a>,
    report: &'r mut Report,
    items: Vec<Item>,
}

impl Lower<'_, '_> {
    pub(super) fn at(&self, node: &Node) -> Position {
        self.index.position(node.span.start)
    }

    /// Reports an error at the node, unless it is an alias, which is reported already.
    pub(super) fn error(&mut self, node: &Node, message: impl Into<String>, fix: &str) {
        if !matches!(node.kind, NodeKind::Alias) {
            let at = self.at(node);
            self.report.error(Some(at), message, Some(fix));
        }
    }

    fn warning(&mut self, node: &Node, message: &str, fix: &str) {
        let at = self.at(node);
        self.report.warning(Some(at), message, Some(fix));
    }

    pub(super) fn push(&mut self, section: Section) {
        self.items.push(Item::Section(section));
    }

    fn document(&mut self, root: &Node) {
        let Some(pairs) = root.pairs() else {
            let fix = "write sections such as `service:` and `pipeline:`";
            self.error(root, "a YAML config is a map of sections", fix);
            return;
        };
        for (key, value) in pairs {
            match key.scalar() {
                Some(name) => self.top(name, key, value),
                None => self.error(key, "a section's name must be text", "write a plain name"),
            }
        }
    }

    fn top(&mut self, name: &str, key: &Node, value: &Node) {
        match name.to_ascii_lowercase().as_str() {
            "env" => self.env(key, value),
            "includes" => self.includes(key, value),
            "service" => self.service(name, key, value),
            "pipeline" => self.pipeline(key, value),
            "customs" => self.plugins(SectionKind::Custom, "custom", key, value),
            "parsers" => self.list(SectionKind::Parser, "parser", key, value),
            "multiline_parsers" => self.list(SectionKind::MultilineParser, "multiline_parser", key, value),
            "stream_processor" => self.list(SectionKind::StreamProcessor, "stream_processor", key, value),
            "upstream_servers" => self.list(SectionKind::UpstreamServers, "upstream_servers", key, value),
            "plugins" => self.shared_objects(key, value),
            "extensions" => self.extensions(name, key, value),
            _ => self.other(name, key, value),
        }
    }

    fn env(&mut self, key: &Node, value: &Node) {
        match &value.kind {
            NodeKind::Map { pairs, .. } => {
                for (key, value) in pairs {
                    match (key.scalar(), value.scalar()) {
                        (Some(name), Some(text)) => self.variable(name, text, key),
                        (None, _) => self.error(key, "a variable's name must be text", "write a plain name"),
                        (_, None) => self.error(value, "a variable's value must be text", "write a scalar"),
                    }
                }
            }
            NodeKind::List { items, .. } => {
                for item in items {
                    self.env_item(item);
                }
            }
            NodeKind::Scalar(_) | NodeKind::Alias => {
                self.error(
                    key,
                    "`env` must be a map or a list of maps",
                    "write `NAME: value` lines below it",
                );
            }
        }
    }

    /// An item of a listed `env`: `name` with `value` or `uri`, or one `NAME: value` pair.
    fn env_item(&mut self, item: &Node) {
        let Some(pairs) = item.pairs() else {
            self.error(item, "an item of `env` must be a map", "write `name:` and `value:`");
            return;
        };
        let mut name = None;
        let mut content = None;
        let mut uri = None;
        for (key, value) in pairs {
            let (Some(word), Some(text)) = (key.scalar(), value.scalar()) else {
                self.error(value, "names and values of variables must be text", "write a scalar");
                continue;
            };
            match word.to_ascii_lowercase().as_str() {
                "name" => name = Some(text),
                "value" => content = Some(text),
                "uri" => uri = Some(text),
                "refresh_interval" => {}
                _ if name.is_none() => (name, content) = (Some(word), Some(text)),
                _ => {}
            }
        }
        match name {
            Some(name) => self.variable(name, uri.or(content).unwrap_or_default(), item),
            None => {
                self.warning(item, "this variable has no name, so Fluent Bit ignores it", "write `name:`");
            }
        }
    }

    fn variable(&mut self, name: &str, value: &str, node: &Node) {
        let position = self.at(node);
        self.items.push(Item::Variable(Variable {
            name: name.to_owned(),
            value: value.to_owned(),
            position,
        }));
    }

    fn includes(&mut self, key: &Node, value: &Node) {
        let Some(items) = value.items() else {
            self.error(key, "`includes` must be a list", "write each path on a line of its own after `- `");
            return;
        };
        for item in items {
            match item.scalar() {
                Some(argument) if !argument.is_empty() => {
                    let (position, span) = (self.at(item), item.span.clone());
                    let argument = argument.to_owned();
                    self.items.push(Item::Include(Include { argument, position, span }));
                }
                _ => self.error(item, "an include must be a path", "write the path of a YAML file"),
            }
        }
    }

    fn service(&mut self, name: &str, key: &Node, value: &Node) {
        let Some(pairs) = value.pairs() else {
            let fix = "write `key: value` lines below it, or remove it";
            self.error(key, "the service section must be a map", fix);
            return;
        };
        let mut section = self.section(SectionKind::Service, name, key);
        for (key, value) in pairs {
            if value.pairs().is_some()
                && key.scalar().is_some_and(|key| !key.eq_ignore_ascii_case("telemetry"))
            {
                self.error(value, "Fluent Bit knows no map in the service but `telemetry`", "write a scalar");
            } else if value.items().is_some() {
                self.error(value, "a service key cannot hold a list", "write a scalar");
            }
            if let Some(text) = value.scalar()
                && !text.is_empty()
                && trim(text).is_empty()
            {
                self.warning(value, "Fluent Bit ignores a blank value", "write a value");
                continue;
            }
            self.entry(&mut section, key, value);
        }
        self.push(section);
    }

    /// A section that Fluent Bit's core does not know: it must be a flat map. By its prefix rule it may
    /// still become a service or a plugin.
    fn other(&mut self, name: &str, key: &Node, value: &Node) {
        let Some(pairs) = value.pairs() else {
            let fix = "correct the section's name, or write `key: value` lines below it";
            self.error(key, format!("Fluent Bit knows no section `{name}` of this shape"), fix);
            return;
        };
        let mut section = self.section(SectionKind::of_name(name), name, key);
        for (key, value) in pairs {
            if value.scalar().is_none() {
                self.error(value, "an unknown section can hold scalars only", "correct the section's name");
            }
            self.entry(&mut section, key, value);
        }
        self.push(section);
    }

    fn extensions(&mut self, name: &str, key: &Node, value: &Node) {
        let Some(pairs) = value.pairs() else {
            self.error(key, "`extensions` must be a map", "write `key: value` lines below it");
            return;
        };
        let mut section = self.section(SectionKind::Other, name, key);
        for (key, value) in pairs {
            self.entry(&mut section, key, value);
        }
        self.push(section);
    }

    fn list(&mut self, kind: SectionKind, name: &str, key: &Node, value: &Node) {
        let Some(items) = value.items() else {
            self.error(key, format!("the {name} section must be a list"), "write each item after `- `");
            return;
        };
        for item in items {
            let Some(pairs) = item.pairs() else {
                self.error(
                    item,
                    format!("a {name} item must be a map"),
                    "write `name:` and what belongs to it",
                );
                continue;
            };
            let mut section = self.section(kind, name, item);
            for (key, value) in pairs {
                self.entry(&mut section, key, value);
            }
            self.push(section);
        }
    }

    fn shared_objects(&mut self, key: &Node, value: &Node) {
        let Some(items) = value.items() else {
            self.error(key, "`plugins` must be a list", "write each path on a line of its own after `- `");
            return;
        };
        let mut section = self.section(SectionKind::Plugins, "plugins", key);
        for item in items {
            if item.scalar().is_some() {
                let position = self.at(item);
                section.entries.push(Entry {
                    key: "path".to_owned(),
                    value: value_of(item),
                    position,
                    key_span: item.span.clone(),
                    value_span: item.span.clone(),
                });
            } else {
                self.error(item, "a plugin to load must be a path", "write the path of a shared object");
            }
        }
        self.push(section);
    }

    pub(super) fn section(&self, kind: SectionKind, name: &str, node: &Node) -> Section {
        Section { kind, name: name.to_owned(), entries: Vec::new(), position: self.at(node) }
    }

    pub(super) fn entry(&mut self, section: &mut Section, key: &Node, value: &Node) {
        let Some(name) = key.scalar() else {
            self.error(key, "a key must be text", "write a plain name");
            return;
        };
        section.entries.push(Entry {
            key: normalised(name),
            value: value_of(value),
            position: self.at(key),
            key_span: key.span.clone(),
            value_span: value.span.clone(),
        });
    }
}

/// The value of a node; depth is bounded by the parser.
pub(super) fn value_of(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Scalar(text) => Value::Text(trim(text).to_owned()),
        NodeKind::List { items, .. } => Value::List(items.iter().map(value_of).collect()),
        NodeKind::Map { pairs, .. } => Value::Map(
            pairs
                .iter()
                .map(|(key, value)| (key.scalar().unwrap_or_default().to_owned(), value_of(value)))
                .collect(),
        ),
        NodeKind::Alias => Value::Text(String::new()),
    }
}
