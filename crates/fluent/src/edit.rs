//! The setting of service keys.

use crate::classic;
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::service::ServiceEntry;
use crate::splice::{Splice, apply};
use crate::tree::{Syntax, Tree};
use crate::value::Value;
use crate::verify::{reloaded, verify};
use crate::yaml;

/// Why a config could not be edited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// Fluent Bit would refuse the config, so there is nothing sure to edit.
    #[error("cannot edit a config that has an error: {0}")]
    Broken(Diagnostic),
    /// A key that is not a service key's spelling.
    #[error("cannot set the service key `{key}`: a key has small letters, digits, `_` and `.` only")]
    Key {
        /// The key asked for.
        key: String,
    },
    /// A value that the file's format cannot carry unchanged.
    #[error("cannot set the service key `{key}`: its value is empty, has blanks around it or a line break")]
    Value {
        /// The key asked for.
        key: String,
    },
    /// No place was found in which the keys take effect and nothing else changes.
    #[error("cannot set service keys in {file}: {reason}; write the service section in plain block style")]
    Place {
        /// The file that was edited.
        file: String,
        /// What went wrong at the last place tried.
        reason: String,
    },
    /// An include stands so in its file that it cannot be replaced by several paths.
    #[error("cannot replace the include `{argument}` in {file}: write it on a line of its own after `- `")]
    Include {
        /// The including file.
        file: String,
        /// The include's argument.
        argument: String,
    },
}

/// A file with service keys set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Which file it is, as an index into [`Config::trees`]. It is not the main file (0) when the service
    /// section of a YAML config stands in an included file.
    pub file: usize,
    /// The file's name.
    pub name: String,
    /// Its new text.
    pub text: String,
}

/// Sets service keys so that Fluent Bit sees exactly these values, and touches no other line.
///
/// Where the entry that counts stands in the file that is edited, its value is replaced. Other keys are
/// added: in classic with a `[SERVICE]` section at the end of the main file, where they win over all
/// includes; in YAML at the end of the one `service` map, or with a `service` section if there is none.
/// The result is read again before it is given back.
pub fn set_service(config: &Config, keys: &[(&str, &str)]) -> Result<Rendered, EditError> {
    let plan = plan(config, keys)?;
    let tree = config.trees.get(plan.file);
    let name = tree.map(|tree| tree.name().to_owned()).unwrap_or_default();
    let text = tree.map(Tree::text).unwrap_or_default();
    plan.first_right(&name, |splices| {
        let text = apply(text, splices);
        let after = reloaded(config, plan.file, &text);
        verify(config, &after, keys)?;
        Ok(Rendered { file: plan.file, name: name.clone(), text })
    })
}

/// Alternative edits of one file, the preferred one first.
pub(crate) struct Plan {
    pub(crate) file: usize,
    alternatives: Vec<Vec<Splice>>,
}

impl Plan {
    /// The first alternative that `try_out` accepts.
    pub(crate) fn first_right<T>(
        &self,
        name: &str,
        mut try_out: impl FnMut(&[Splice]) -> Result<T, String>,
    ) -> Result<T, EditError> {
        let mut reason = "there is no place for them".to_owned();
        for splices in &self.alternatives {
            match try_out(splices) {
                Ok(done) => return Ok(done),
                Err(why) => reason = why,
            }
        }
        Err(EditError::Place { file: name.to_owned(), reason })
    }
}

/// Finds the ways to set the keys.
pub(crate) fn plan(config: &Config, keys: &[(&str, &str)]) -> Result<Plan, EditError> {
    if let Some(fault) = config.fault() {
        return Err(EditError::Broken(fault.clone()));
    }
    for (key, value) in keys {
        let spelled = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.');
        if !key.starts_with(|c: char| c.is_ascii_lowercase()) || !key.bytes().all(spelled) {
            return Err(EditError::Key { key: (*key).to_owned() });
        }
        classic::check_value(key, value)?;
    }
    let file = service_file(config);
    let Some(tree) = config.trees.get(file) else { return Ok(Plan { file, alternatives: Vec::new() }) };
    let mut in_place = Vec::new();
    let mut missing = Vec::new();
    for (key, value) in keys {
        match config.service().entry(key) {
            Some(entry) if entry.value == Value::Text((*value).to_owned()) => {}
            Some(entry) if entry.file == file => in_place.push(replaced(tree, entry, value)),
            _ => missing.push((*key, *value)),
        }
    }
    let alternatives = if missing.is_empty() {
        vec![in_place]
    } else {
        let additions = additions(tree, &missing);
        additions.into_iter().map(|splice| in_place.iter().cloned().chain([splice]).collect()).collect()
    };
    Ok(Plan { file, alternatives })
}

/// The file whose text decides: the main file, or the one that holds YAML's service section.
fn service_file(config: &Config) -> usize {
    let holds = |tree: &Tree| {
        matches!(tree.syntax, Syntax::Yaml(_))
            && tree.sections().any(|s| s.name.eq_ignore_ascii_case("service"))
    };
    config.trees.iter().position(holds).unwrap_or(0)
}

/// The value of an entry of this tree replaced where it stands.
fn replaced(tree: &Tree, entry: &ServiceEntry, value: &str) -> Splice {
    match &tree.syntax {
        Syntax::Classic(_) => Splice { span: entry.value_span.clone(), text: value.to_owned() },
        Syntax::Yaml(_) => yaml::set_value(tree.text(), &entry.key_span, &entry.value_span, value),
    }
}

/// Ways to add keys to this tree.
fn additions(tree: &Tree, keys: &[(&str, &str)]) -> Vec<Splice> {
    match &tree.syntax {
        Syntax::Classic(layout) => {
            vec![classic::append_section(tree.text(), layout.indent.as_deref(), "SERVICE", keys)]
        }
        Syntax::Yaml(documents) => {
            let map = documents.iter().filter_map(yaml::Node::pairs).flatten().find_map(|(key, value)| {
                key.scalar().is_some_and(|key| key.eq_ignore_ascii_case("service")).then_some(value)
            });
            match map {
                Some(map) => yaml::candidates(tree.text(), map, keys),
                None => yaml::service_candidates(tree.text(), documents, keys),
            }
        }
    }
}
