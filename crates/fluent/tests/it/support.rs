//! A file system in memory, for includes.

use tidegate_fluent::{Config, Diagnostic, Format, IncludeRequest, IncludedFile, load};

/// Files by absolute path; the first one is the main file.
pub(crate) type Files<'a> = &'a [(&'a str, &'a str)];

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Finds the files of an include: relative ones beside the base file, `*` within the last name only.
fn find(files: Files<'_>, request: &IncludeRequest<'_>) -> Result<Vec<IncludedFile>, String> {
    let argument = request.argument;
    let path = if argument.starts_with('/') {
        argument.to_owned()
    } else {
        format!("{}/{argument}", folder(request.base))
    };
    let matches = |name: &str| match path.split_once('*') {
        Some((head, tail)) => folder(name) == folder(&path) && name.starts_with(head) && name.ends_with(tail),
        None => name == path,
    };
    let found = files.iter().filter(|(name, _)| matches(name));
    let found: Vec<_> = found
        .map(|(name, text)| IncludedFile { name: (*name).to_owned(), text: (*text).to_owned() })
        .collect();
    if found.is_empty() && !request.glob { Err("no such file".to_owned()) } else { Ok(found) }
}

pub(crate) fn load_files(files: Files<'_>) -> (Config, Vec<Diagnostic>) {
    let (name, text) = files[0];
    load(Format::of_name(name), name, text, &mut |request| find(files, request))
}

/// Loads files in which no error is expected.
pub(crate) fn config(files: Files<'_>) -> Config {
    let (config, diagnostics) = load_files(files);
    assert_eq!(config.fault(), None, "{diagnostics:?}");
    config
}

/// Loads one file, classic or YAML by its looks.
pub(crate) fn one(text: &str) -> Config {
    let first = text.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
    let classic = first.is_empty() || first.starts_with(['[', '@']);
    config(&[(if classic { "/etc/fb/main.conf" } else { "/etc/fb/main.yaml" }, text)])
}
