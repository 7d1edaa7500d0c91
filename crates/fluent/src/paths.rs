//! Relative paths in configs.
//!
//! A hot reload resolves `parsers_file` and its like against the working directory only (fluent-bit.md,
//! "Injecting settings"), so a config that is rendered into another folder carries absolute paths.

use crate::format::Format;
use crate::pipeline::{PluginKind, plugin_name};
use crate::section::{Entry, Section, SectionKind};
use crate::splice::{Splice, apply};
use crate::tree::Tree;
use crate::yaml;

/// Service keys whose values are files beside the main config.
const SERVICE_FILES: [&str; 3] = ["parsers_file", "plugins_file", "streams_file"];

/// Plugin properties whose values are files beside the main config: Fluent Bit 5.1.1 looks for them in its
/// working directory and, until the first reload, beside the main config.
const PLUGIN_FILES: [(PluginKind, &str, &str); 3] = [
    (PluginKind::Filter, "lua", "script"),
    (PluginKind::Output, "forward", "upstream"),
    (PluginKind::Output, "es", "upstream"),
];

/// Whether the service key names a file beside the main config.
pub(crate) fn is_service_file(key: &str) -> bool {
    SERVICE_FILES.contains(&key)
}

/// Whether the plugin's property names a file beside the main config.
pub(crate) fn is_plugin_file(kind: PluginKind, name: &str, key: &str) -> bool {
    PLUGIN_FILES.iter().any(|(k, n, p)| *k == kind && n.eq_ignore_ascii_case(name) && *p == key)
}

/// Whether the path is absolute, on Unix or on Windows.
pub(crate) fn is_absolute(path: &str) -> bool {
    let mut chars = path.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some('/'), _, _) | (Some('\\'), Some('\\'), _) => true,
        (Some(drive), Some(':'), Some('/' | '\\')) => drive.is_ascii_alphabetic(),
        _ => false,
    }
}

/// The path below the folder. `.` steps at its start are dropped; `..` stays, for a link may be in the way.
pub(crate) fn join(folder: &str, path: &str) -> String {
    let mut path = path;
    while let Some(rest) = path.strip_prefix("./").or_else(|| path.strip_prefix(".\\")) {
        path = rest;
    }
    let separator = if folder.contains('\\') && !folder.contains('/') { '\\' } else { '/' };
    if folder.is_empty() {
        path.to_owned()
    } else if folder.ends_with(['/', '\\']) {
        format!("{folder}{path}")
    } else {
        format!("{folder}{separator}{path}")
    }
}

/// The folder of a file's path.
pub(crate) fn folder(path: &str) -> &str {
    match path.rfind(['/', '\\']) {
        Some(0) => path.get(..1).unwrap_or_default(),
        Some(at) => path.get(..at).unwrap_or_default(),
        None => "",
    }
}

/// Whether a path must be rewritten: not one that is absolute, names a URI, or begins with a variable,
/// which may hold an absolute path.
pub(crate) fn is_relative(path: &str) -> bool {
    !path.is_empty() && !is_absolute(path) && !path.contains("://") && !path.starts_with("${")
}

/// Whether both name the same file, one of them perhaps made absolute.
pub(crate) fn same_path(a: &str, b: &str) -> bool {
    let is_below = |full: &str, part: &str| {
        let part = join("", part);
        is_absolute(full)
            && !is_absolute(&part)
            && full.strip_suffix(part.as_str()).is_some_and(|head| head.ends_with(['/', '\\']))
    };
    a == b || is_below(a, b) || is_below(b, a)
}

/// The entries of a section whose relative values need the main config's folder.
fn file_entries(section: &Section) -> impl Iterator<Item = &Entry> {
    let name = plugin_name(section).unwrap_or_default().to_owned();
    section.entries.iter().filter(move |entry| {
        let names_file = match PluginKind::of_section(section.kind) {
            Some(kind) => is_plugin_file(kind, &name, &entry.key),
            None => section.kind == SectionKind::Service && is_service_file(&entry.key),
        };
        names_file && entry.value.as_str().is_some_and(is_relative)
    })
}

/// Makes the relative file values of a tree absolute; service keys in `skip` stay.
pub(crate) fn value_splices(tree: &Tree, base: &str, skip: &[(&str, &str)]) -> Vec<Splice> {
    let mut splices = Vec::new();
    for section in tree.sections() {
        for entry in file_entries(section) {
            let skipped =
                section.kind == SectionKind::Service && skip.iter().any(|(key, _)| *key == entry.key);
            if let (false, Some(path)) = (skipped, entry.value.as_str()) {
                splices.push(set_value(tree, entry, &join(base, path)));
            }
        }
    }
    splices
}

fn set_value(tree: &Tree, entry: &Entry, value: &str) -> Splice {
    match tree.format() {
        Format::Classic => Splice { span: entry.value_span.clone(), text: value.to_owned() },
        Format::Yaml => yaml::set_value(tree.text(), &entry.key_span, &entry.value_span, value),
    }
}

/// The text of one file with its relative paths made absolute against the folder `base`: includes,
/// `parsers_file`, `plugins_file`, `streams_file`, and the files of plugins that Fluent Bit looks for
/// beside the config. Paths with a scheme such as `file://` and paths that begin with a variable stay.
/// For classic files and for a YAML main file, `base` is the main file's folder.
pub fn absolute_paths(tree: &Tree, base: &str) -> String {
    let mut splices = value_splices(tree, base, &[]);
    for include in tree.includes().filter(|include| is_relative(&include.argument)) {
        let path = join(base, &include.argument);
        let text = if tree.format() == Format::Yaml { yaml::written(&path) } else { path };
        splices.push(Splice { span: include.span.clone(), text });
    }
    apply(tree.text(), &splices)
}
