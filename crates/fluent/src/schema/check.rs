//! A config against what a build says of its plugins.
//!
//! Every finding is a warning: a build takes properties that it does not tell of, and what it refuses in truth is told
//! by its own `--dry-run`. What may be right is never found: properties that the core takes before a plugin sees them,
//! names with variables in them, plugins that may be loaded from elsewhere, processors, and plugins that tell of no
//! property of their own (those without a table take any). All of that was measured with 5.1.1.

use super::{Part, Plugin as Known, Property, Schema};
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Severity};
use crate::format::Format;
use crate::include::{IncludeRequest, IncludedFile, load};
use crate::limits::MAX_DIAGNOSTICS;
use crate::pipeline::{Plugin, PluginKind};
use crate::position::Position;
use crate::section::{Entry, SectionKind};
use crate::value::Value;

/// Properties that the core takes, whatever the plugin; of each kind some more than the schema tells.
const CORE: [&str; 28] = [
    "active",
    "alias",
    "buffer_chunk_size",
    "buffer_max_size",
    "condition",
    "host",
    "http2",
    "ipv6",
    "listen",
    "log_level",
    "log_suppress_interval",
    "match",
    "match_regex",
    "max_connections",
    "mem_buf_limit",
    "name",
    "port",
    "processors",
    "rate_gate",
    "rate_window",
    "retry_limit",
    "routable",
    "routes",
    "tag",
    "telemetry",
    "threaded",
    "tls",
    "workers",
];

/// Beginnings of properties that the core takes, and of those that are handed to parts of it.
const CORE_BEGINS: [&str; 8] =
    ["net.", "tls.", "oauth2", "http_server.", "_debug.", "storage.", "thread.", "rate_gate."];

/// Longest name that a resembling one is looked for, in bytes.
const MAX_MISSPELT: usize = 64;

/// What in the config the build will not understand, in the order of the config; at most as many as there may be
/// diagnostics of one file.
#[must_use]
pub fn check(config: &Config, schema: &Schema) -> Vec<Diagnostic> {
    check_with(config, schema, loads_plugins(config))
}

/// The same of files by name, the main one first. What they include is looked for among them; where something else is
/// included, plugins may come from elsewhere. A config that cannot be loaded has nothing found in it: that is told by
/// whoever loads it.
#[must_use]
pub fn check_files(files: &[(&str, &str)], schema: &Schema) -> Vec<Diagnostic> {
    let Some((name, text)) = files.first() else { return Vec::new() };
    let mut elsewhere = false;
    let mut resolve = |request: &IncludeRequest<'_>| {
        let same = |(name, _): &&(&str, &str)| *name == request.argument;
        let found = files.iter().find(same);
        elsewhere |= found.is_none();
        // An included file that says nothing stands for what is not here: no file would be an error.
        let (name, text) = found.copied().unwrap_or((request.argument, ""));
        Ok(vec![IncludedFile { name: name.to_owned(), text: text.to_owned() }])
    };
    let (config, _) = load(Format::of_name(name), name, text, &mut resolve);
    if config.fault().is_some() {
        return Vec::new();
    }
    check_with(&config, schema, elsewhere || loads_plugins(&config))
}

fn check_with(config: &Config, schema: &Schema, loads_others: bool) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for plugin in config.plugins() {
        plugin_of(config, plugin, schema, loads_others, &mut found);
        if found.len() >= MAX_DIAGNOSTICS {
            break;
        }
    }
    found
}

/// Whether plugins may come from elsewhere than the build.
fn loads_plugins(config: &Config) -> bool {
    config.service().get("plugins_file").is_some()
        || config.rest.iter().any(|(_, section)| section.kind == SectionKind::Plugins)
}

fn plugin_of(config: &Config, plugin: &Plugin, schema: &Schema, others: bool, found: &mut Vec<Diagnostic>) {
    let name = plugin.name.split_once("://").map_or(plugin.name.as_str(), |(name, _)| name);
    let Some(plugins) = schema.groups.get(group(plugin.kind)).filter(|_| is_plain(name)) else { return };
    let warning = |position: Position, message: String, fix: Option<String>| Diagnostic {
        severity: Severity::Warning,
        file: config.trees.get(plugin.file).map(|tree| tree.name().to_owned()).unwrap_or_default(),
        position: Some(position),
        message,
        fix,
    };
    let Some((_, known)) = plugins.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) else {
        if !others {
            let at = plugin.properties.iter().find(|entry| entry.key == "name");
            let position = at.map_or(plugin.position, |entry| entry.position);
            let message = format!("{} has no {} plugin `{name}`", build(schema), plugin.kind);
            found.push(warning(position, message, nearest(name, plugins.keys().map(String::as_str))));
        }
        return;
    };
    if known.properties.iter().all(|property| property.part != Part::Options) {
        return;
    }
    for entry in plugin.properties.iter().filter(|entry| is_plain(&entry.key)) {
        if found.len() >= MAX_DIAGNOSTICS {
            return;
        }
        if let Some(property) = property(known, &entry.key) {
            if let Some((what, fix)) = wrong_value(property, entry) {
                found.push(warning(entry.position, what, Some(fix.to_owned())));
            }
        } else if !is_core(&entry.key) && !matches!(entry.value, Value::Map(_)) {
            let message = format!(
                "the {} plugin `{name}` of {} has no property `{}`",
                plugin.kind,
                build(schema),
                entry.key
            );
            let names = known.properties.iter().map(|property| property.name.as_str());
            found.push(warning(entry.position, message, nearest(&entry.key, names.chain(CORE))));
        }
    }
}

const fn group(kind: PluginKind) -> &'static str {
    match kind {
        PluginKind::Input => "inputs",
        PluginKind::Filter => "filters",
        PluginKind::Output => "outputs",
        PluginKind::Custom => "customs",
    }
}

fn build(schema: &Schema) -> String {
    if schema.version.is_empty() { "this build".to_owned() } else { format!("Fluent Bit {}", schema.version) }
}

/// Whether a name is what stands there: a variable may become any.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains("${")
}

fn is_core(key: &str) -> bool {
    let begins = |known: &&str| key.get(..known.len()).is_some_and(|head| head.eq_ignore_ascii_case(known));
    CORE.iter().any(|known| known.eq_ignore_ascii_case(key)) || CORE_BEGINS.iter().any(begins)
}

/// The property that a key sets; one that is told as a prefix stands for all that begin with it.
fn property<'a>(known: &'a Known, key: &str) -> Option<&'a Property> {
    known.properties.iter().find(|property| {
        let head = key.get(..property.name.len()).unwrap_or_default();
        let same = head.eq_ignore_ascii_case(&property.name);
        same && (key.len() == property.name.len() || property.kind == "prefixed string")
    })
}

/// What is wrong with a value, and what to do. Numbers are read as far as they are digits, so only what is none at all
/// is told; sizes, times and lists have words of their own.
fn wrong_value(property: &Property, entry: &Entry) -> Option<(String, &'static str)> {
    let value = entry.value.as_str()?;
    if property.part != Part::Options || value.is_empty() || value.contains("${") {
        return None;
    }
    match property.kind.as_str() {
        "boolean" => {
            let words = ["true", "false", "on", "off", "yes", "no"];
            let known = words.iter().any(|word| word.eq_ignore_ascii_case(value));
            (!known).then(|| (format!("`{}` cannot be `{value}`", entry.key), "use on or off"))
        }
        "integer" => {
            let digits = value.trim_start_matches(['-', '+', ' ']);
            let number = digits.starts_with(|first: char| first.is_ascii_digit());
            (!number).then(|| (format!("`{}` reads `{value}` as 0", entry.key), "write a whole number"))
        }
        _ => None,
    }
}

/// The name that resembles a misspelt one most, where one does.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let most = name.len().div_ceil(4).min(3);
    if name.len() > MAX_MISSPELT {
        return None;
    }
    let near = known.filter(|known| known.len().abs_diff(name.len()) <= most);
    let near = near.map(|known| (distance(name.as_bytes(), known.to_ascii_lowercase().as_bytes()), known));
    let (_, known) = near.filter(|(distance, _)| *distance <= most).min_by_key(|(distance, _)| *distance)?;
    Some(format!("is `{known}` meant?"))
}

/// How many bytes must be changed, put in, left out or exchanged with their neighbour.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let (mut before_last, mut last): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=b.len()).collect());
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before_last[j - 1] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
