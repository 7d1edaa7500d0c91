//! The shapes of `pipeline`, `customs` and the plugins in them.

use crate::section::SectionKind;
use crate::yaml::lower::Lower;
use crate::yaml::node::{Node, NodeKind};

impl Lower<'_, '_> {
    pub(super) fn pipeline(&mut self, key: &Node, value: &Node) {
        let Some(pairs) = value.pairs() else {
            self.error(
                key,
                "`pipeline` must be a map",
                "write `inputs:`, `filters:` and `outputs:` below it",
            );
            return;
        };
        for (key, value) in pairs {
            let name = key.scalar().unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "inputs" => self.plugins(SectionKind::Input, "input", key, value),
                "filters" => self.plugins(SectionKind::Filter, "filter", key, value),
                "outputs" => self.plugins(SectionKind::Output, "output", key, value),
                _ => {
                    let message = format!("a pipeline has no component `{name}`");
                    self.error(key, message, "use inputs, filters or outputs");
                }
            }
        }
    }

    pub(super) fn plugins(&mut self, kind: SectionKind, word: &str, key: &Node, value: &Node) {
        let Some(items) = value.items() else {
            let fix = "write each plugin after `- `, or `[]` for none";
            self.error(key, format!("the {word}s must be a list"), fix);
            return;
        };
        for item in items {
            let Some(pairs) = item.pairs() else {
                let fix = "write `name:` and its properties";
                self.error(item, format!("the {word} must be a map"), fix);
                continue;
            };
            let mut section = self.section(kind, word, item);
            for (key, value) in pairs {
                self.property(kind, key, value);
                self.entry(&mut section, key, value);
            }
            self.push(section);
        }
    }

    fn property(&mut self, kind: SectionKind, key: &Node, value: &Node) {
        // Fluent Bit compares these names with regard to case.
        let free = match key.scalar() {
            Some("routes") => true,
            Some("telemetry") => kind == SectionKind::Input,
            Some("processors") => {
                if let Some(pairs) = value.pairs() {
                    self.processors(pairs);
                }
                true
            }
            _ => false,
        };
        match &value.kind {
            NodeKind::List { items, .. } if !free => {
                for item in items {
                    if item.scalar().is_none() {
                        self.error(item, "a list of a property can hold scalars only", "write a scalar");
                    }
                }
            }
            NodeKind::Map { pairs, .. } if !free => {
                for (_, value) in pairs {
                    if value.scalar().is_none() {
                        self.error(value, "a map of a property can hold scalars only", "write a scalar");
                    }
                }
            }
            _ => {}
        }
    }

    fn processors(&mut self, pairs: &[(Node, Node)]) {
        for (key, value) in pairs {
            let name = key.scalar().unwrap_or_default();
            if !["logs", "metrics", "traces"].iter().any(|known| known.eq_ignore_ascii_case(name)) {
                let message = format!("there are no processors for `{name}`");
                self.error(key, message, "use logs, metrics or traces");
            }
            match value.items() {
                Some(items) => {
                    for item in items {
                        if item.pairs().is_none() {
                            self.error(item, "a processor must be a map", "write `name:` and its properties");
                        }
                    }
                }
                None => {
                    self.error(key, format!("`{name}` must be a list"), "write each processor after `- `");
                }
            }
        }
    }
}
