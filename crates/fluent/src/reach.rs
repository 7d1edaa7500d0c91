//! What a config reaches of its host: the files that it names, and the programs that it runs.
//!
//! Which properties do so follows the schema of Fluent Bit 5.1.1, and the form of a name where the schema has none: a
//! property called `…_file`, `…_path` or `…_dir` names a file unless it is known not to.

use crate::config::Config;
use crate::paths::{is_plugin_file, is_relative, is_service_file};
use crate::pipeline::{Plugin, PluginKind};
use crate::position::Position;
use crate::section::{Entry, SectionKind};
use crate::value::Value;

/// What is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// A file, a folder, a socket or a pattern of files.
    File,
    /// Something that runs code of its own, by the name under which a host may allow it: `exec`, `lua`, `plugins`, ….
    Program(&'static str),
}

/// One place of a config that reaches out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// What is reached there.
    pub reached: Reached,
    /// Whose property it is, such as `input tail` or `service`.
    pub owner: String,
    /// The property.
    pub key: String,
    /// The value as written; for a file one of several that the property names, variables not expanded.
    pub value: String,
    /// The file that it stands in, as an index into [`Config::trees`].
    pub file: usize,
    /// Where it stands.
    pub position: Position,
    /// True for a file whose relative path is meant from the folder of the config that names it (see
    /// [`absolute_paths`](crate::absolute_paths)). All other relative paths are meant from the agent's working folder.
    pub beside: bool,
}

/// Plugins that run code of their own, whatever their kind. `lua` can start programs as `exec` does; `calyptia` takes
/// configs from elsewhere.
const RUNNERS: [&str; 5] = ["exec", "exec_wasi", "lua", "wasm", "calyptia"];

/// Properties that run code of their own: the key and the word for it.
const RUNNING_KEYS: [(&str, &str); 2] =
    [("kube_token_command", "kube_token_command"), ("rdkafka.plugin.library.paths", "plugins")];

/// Properties that name files though their names do not tell: of any plugin of the kinds, or of these plugins only.
const FILES: [(&str, &[PluginKind], &[&str]); 13] = {
    use PluginKind::{Custom, Filter, Input, Output};
    const ALL: &[PluginKind] = &[Input, Filter, Output, Custom];
    [
        ("path", &[Input, Filter, Custom], &[]),
        ("path", &[Output], &["file"]),
        ("file", &[Input], &[]),
        ("file", &[Filter], &[]),
        ("file", &[Output], &["file", "plot"]),
        ("db", ALL, &[]),
        ("database", &[Filter], &[]),
        ("script", ALL, &[]),
        ("typesdb", ALL, &[]),
        ("upstream", ALL, &[]),
        ("google_service_credentials", ALL, &[]),
        ("path_sysfs", ALL, &[]),
        ("accessible_paths", ALL, &[]),
    ]
};

/// Properties that name no file though their names look so: parts of URLs and of object names, names of keys, and what
/// is left out of a pattern.
const NO_FILES: [&str; 5] = ["metrics_path", "url_path", "static_file_path", "http_path", "exclude_path"];

/// Service keys that name files. `log_file` is the supervisor's to set.
const SERVICE_FILES: [&str; 4] = ["parsers_file", "streams_file", "storage.path", "plugins_file"];

/// What the config reaches, in the order read.
#[must_use]
pub fn reaches(config: &Config) -> Vec<Reach> {
    let mut found = Found(Vec::new());
    for edge in config.includes() {
        let argument = config.trees.get(edge.from).map_or("", |tree| tree.name());
        let folder = argument.rsplit_once('/').map_or("", |(folder, _)| folder);
        // An include is relative to the file that it stands in.
        let value = if edge.argument.starts_with('/') {
            edge.argument.clone()
        } else {
            format!("{folder}/{}", edge.argument)
        };
        found.put(Reached::File, "include", "include", value, edge.from, edge.position);
        found.are_beside(found.0.len() - 1, true);
    }
    for variable in config.variables() {
        // The content of the file becomes the value.
        if let Some(path) = variable.value.strip_prefix("file://") {
            let name = &variable.name;
            found.put(Reached::File, "env", name, path.to_owned(), 0, variable.position);
        }
    }
    for entry in config.service().entries() {
        if entry.key == "plugins_file" {
            let value = entry.value.to_string();
            found.put(Reached::Program("plugins"), "service", &entry.key, value, entry.file, entry.position);
        }
        if SERVICE_FILES.contains(&entry.key.as_str()) {
            let first = found.0.len();
            found.files("service", &entry.key, &entry.value, entry.file, entry.position);
            found.are_beside(
                first,
                is_service_file(&entry.key) && entry.value.as_str().is_some_and(is_relative),
            );
        }
    }
    for (file, section) in config.rest.iter().filter(|(_, section)| section.kind == SectionKind::Plugins) {
        let value = section.name.clone();
        found.put(Reached::Program("plugins"), "plugins", "path", value, *file, section.position);
    }
    for plugin in config.plugins() {
        found.plugin(plugin);
    }
    found.0
}

struct Found(Vec<Reach>);

impl Found {
    fn put(
        &mut self,
        reached: Reached,
        owner: &str,
        key: &str,
        value: String,
        file: usize,
        position: Position,
    ) {
        let (owner, key, beside) = (owner.to_owned(), key.to_owned(), false);
        self.0.push(Reach { reached, owner, key, value, file, position, beside });
    }

    /// Says of everything from `first` on whether it lies beside the config.
    fn are_beside(&mut self, first: usize, beside: bool) {
        self.0.iter_mut().skip(first).for_each(|reach| reach.beside = beside);
    }

    fn plugin(&mut self, plugin: &Plugin) {
        let owner = format!("{} {}", plugin.kind, plugin.name);
        let begin = self.0.len();
        for entry in &plugin.properties {
            let Entry { key, value, position, .. } = entry;
            let first = self.0.len();
            self.property(plugin.kind, &owner, &plugin.name, key, value, plugin.file, *position);
            let beside = is_plugin_file(plugin.kind, &plugin.name, key);
            self.are_beside(first, beside && value.as_str().is_some_and(is_relative));
        }
        if plugin.kind == PluginKind::Output && plugin.name.eq_ignore_ascii_case("file") {
            self.output_file(plugin, &owner, begin);
        }
    }

    /// The output `file`, read from `begin` on, writes its `file` below its `path`; without either, files called like
    /// tags where it runs.
    fn output_file(&mut self, plugin: &Plugin, owner: &str, begin: usize) {
        match (plugin.get("path"), plugin.get("file")) {
            (Some(path), Some(_)) => {
                let named =
                    self.0.iter_mut().skip(begin).filter(|reach| reach.key.eq_ignore_ascii_case("file"));
                named.for_each(|reach| reach.value = format!("{path}/{}", reach.value));
            }
            (None, None) => {
                self.put(Reached::File, owner, "path", ".".to_owned(), plugin.file, plugin.position);
            }
            _ => {}
        }
    }

    /// A property of a plugin, or of a processor within one.
    #[expect(clippy::too_many_arguments, reason = "where a property stands takes as many words")]
    fn property(
        &mut self,
        kind: PluginKind,
        owner: &str,
        plugin: &str,
        key: &str,
        value: &Value,
        file: usize,
        position: Position,
    ) {
        let lower = key.to_ascii_lowercase();
        if lower == "name" {
            self.runner(owner, value, file, position);
        }
        if let Some((_, word)) = RUNNING_KEYS.iter().find(|(running, _)| *running == lower) {
            self.put(Reached::Program(word), owner, key, value.to_string(), file, position);
        }
        if lower == "processors" {
            return self.processors(owner, value, file, position);
        }
        if names_file(kind, plugin, &lower) {
            self.files(owner, key, value, file, position);
        }
    }

    /// The plugin's own name: a variable in it may stand for any.
    fn runner(&mut self, owner: &str, value: &Value, file: usize, position: Position) {
        let Some(name) = value.as_str() else { return };
        let runs =
            RUNNERS.into_iter().filter(|runner| runner.eq_ignore_ascii_case(name) || name.contains("${"));
        for runner in runs {
            self.put(Reached::Program(runner), owner, "name", name.to_owned(), file, position);
        }
    }

    /// Lists of processors by signal; each has a name, as a plugin has.
    fn processors(&mut self, owner: &str, value: &Value, file: usize, position: Position) {
        match value {
            Value::List(values) => {
                values.iter().for_each(|value| self.processors(owner, value, file, position));
            }
            Value::Map(pairs) => {
                let name = pairs.iter().find(|(key, _)| key.eq_ignore_ascii_case("name"));
                let Some(name) = name.and_then(|(_, name)| name.as_str()) else {
                    return pairs.iter().for_each(|(_, value)| self.processors(owner, value, file, position));
                };
                let owner = format!("{owner} processor {name}");
                for (key, value) in pairs {
                    // A filter may stand here as well.
                    self.property(PluginKind::Filter, &owner, name, key, value, file, position);
                }
            }
            Value::Text(_) => {}
        }
    }

    /// Every file that a value names: lists are separated by commas, as in `tail`'s path.
    fn files(&mut self, owner: &str, key: &str, value: &Value, file: usize, position: Position) {
        match value {
            Value::List(values) => {
                values.iter().for_each(|value| self.files(owner, key, value, file, position));
            }
            Value::Map(pairs) => {
                pairs.iter().for_each(|(_, value)| self.files(owner, key, value, file, position));
            }
            Value::Text(text) => {
                for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
                    self.put(Reached::File, owner, key, part.to_owned(), file, position);
                }
            }
        }
    }
}

fn names_file(kind: PluginKind, plugin: &str, key: &str) -> bool {
    if NO_FILES.contains(&key) {
        return false;
    }
    let ends = ["_file", ".file", "_path", ".path", "_dir", ".dir"];
    if ends.iter().any(|end| key.ends_with(end))
        || key.starts_with("path.")
        || (key.starts_with("rdkafka.") && key.ends_with(".location"))
    {
        return true;
    }
    FILES.iter().any(|(file, kinds, plugins)| {
        let named = plugins.is_empty() || plugins.iter().any(|name| name.eq_ignore_ascii_case(plugin));
        *file == key && kinds.contains(&kind) && named
    })
}
