//! Reading an edited config again, and requiring that only the intended keys changed.

use crate::compare::compare;
use crate::config::Config;
use crate::include::{IncludeRequest, IncludedFile, load};
use crate::tree::Tree;

/// The config with the text of one file replaced. Includes lead to the files they led to before.
pub(crate) fn reloaded(config: &Config, file: usize, text: &str) -> Config {
    let content = |index: usize| -> Option<IncludedFile> {
        let tree = config.trees.get(index)?;
        let text = if index == file { text } else { tree.text() };
        Some(IncludedFile { name: tree.name().to_owned(), text: text.to_owned() })
    };
    let mut resolve = |request: &IncludeRequest<'_>| {
        let from = config.trees.iter().position(|tree| tree.name() == request.from);
        let edge =
            config.edges.iter().find(|edge| Some(edge.from) == from && edge.argument == request.argument);
        let files: Option<Vec<_>> =
            edge.map(|edge| edge.targets.iter().filter_map(|target| content(*target)).collect());
        files.ok_or_else(|| "the edit changed this include".to_owned())
    };
    let text = if file == 0 { text } else { config.trees.first().map(Tree::text).unwrap_or_default() };
    load(config.format(), config.name(), text, &mut resolve).0
}

/// Whether `after` loads, has the keys, and is otherwise the same as `before`; if not, why.
pub(crate) fn verify(before: &Config, after: &Config, keys: &[(&str, &str)]) -> Result<(), String> {
    if let Some(fault) = after.fault() {
        return Err(format!("the result would not load: {fault}"));
    }
    for (key, value) in keys {
        if after.service().get(key) != Some(value) {
            return Err(format!("`{key}` would not take effect"));
        }
    }
    let ignored: Vec<_> = keys.iter().map(|(key, _)| *key).collect();
    match compare(before, after, &ignored).first() {
        Some(difference) => Err(format!("something else would change: {difference}")),
        None => Ok(()),
    }
}
