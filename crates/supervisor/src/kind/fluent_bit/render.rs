//! From a user's or an offered config to the one that Fluent Bit loads (fluent-bit.md, "Injecting settings").
//!
//! `log_file` is forced to `/dev/stderr` where a config sets it: Fluent Bit writes the errors of a reload to stderr
//! whatever the setting says, so with a log file of its own the story would stand in two places. The supervisor keeps
//! the one file, and keeps it short.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use tidegate_fluent::{
    Config, Diagnostic, Format, IncludeRequest, IncludedFile, PluginKind, RenderRequest, compare,
    lint::no_pipeline, load, render_effective,
};

use super::include;
use crate::{
    child::is_withheld,
    hex::hex,
    kind::{Differences, PickPort, RenderError, Rendered, Source},
};

/// Fluent Bit's port when a config enables HTTP and names none.
const DEFAULT_PORT: u16 = 2020;
/// Fluent Bit's grace time when a config names none.
const DEFAULT_GRACE: Duration = Duration::from_secs(5);
/// Longest grace time that the supervisor waits for.
const GRACE_LIMIT: Duration = Duration::from_secs(300);
/// Most faults of a config that are told at once.
const FAULTS_TOLD: usize = 5;

/// The service keys that the supervisor forces; `log_file` only where a config sets it.
const FORCED_KEYS: [&str; 7] =
    ["http_server", "http_listen", "http_port", "hot_reload", "health_check", "daemon", "log_file"];

/// The extension that makes Fluent Bit read a file in the right format: `.yaml` and `.yml` are YAML, all else classic.
pub(super) fn extension(name: &str, content_type: &str, text: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("yaml") => "yaml",
        Some("yml") => "yml",
        Some("conf") => "conf",
        _ if content_type.to_ascii_lowercase().contains("yaml") || looks_like_yaml(text) => "yaml",
        _ => "conf",
    }
}

/// True for a text with one of YAML's usual top keys at the start of a line, which classic cannot have.
fn looks_like_yaml(text: &str) -> bool {
    text.lines().any(|line| {
        let key = line.split_once(':').map_or("", |(key, _)| key.trim_end());
        matches!(key, "pipeline" | "service" | "includes" | "env" | "customs" | "parsers" | "extensions")
    })
}

/// Renders a config.
pub(super) fn render(
    source: &Source,
    includes: &Path,
    pick_port: &mut PickPort<'_>,
) -> Result<Rendered, RenderError> {
    let folder = source.path.parent().unwrap_or(Path::new("/"));
    let tell =
        |diagnostic: &Diagnostic| diagnostic.to_string().replace(&format!("{}/", folder.display()), "");
    let (config, diagnostics) = read(source);
    let faults: Vec<String> =
        diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).take(FAULTS_TOLD).map(tell).collect();
    if !faults.is_empty() {
        return Err(RenderError::Broken(faults));
    }
    if let Some(diagnostic) = no_pipeline(&config) {
        return Err(RenderError::Empty(tell(&diagnostic)));
    }
    let port = pick_port(wanted_port(&config)).ok_or(RenderError::NoPort)?;
    let port_text = port.to_string();
    let mut forced = vec![
        ("http_server", "on"),
        ("http_listen", "127.0.0.1"),
        ("http_port", port_text.as_str()),
        ("hot_reload", "on"),
        ("health_check", "on"),
        ("daemon", "off"),
    ];
    if config.service().get("log_file").is_some() {
        forced.push(("log_file", "/dev/stderr"));
    }
    let is_yaml = config.format() == Format::Yaml;
    let request = RenderRequest {
        forced: &forced,
        base: &folder.to_string_lossy(),
        file_name_for: &|name: &str| place(includes, name),
    };
    let mut files = render_effective(&config, request)
        .map_err(|error| RenderError::Edit(error.to_string().replace(&format!("{}/", folder.display()), "")))?
        .into_iter();
    let main = files.next().ok_or_else(|| RenderError::Edit("nothing was rendered".to_owned()))?;
    Ok(Rendered {
        name: if is_yaml { "fluent-bit.yaml" } else { "fluent-bit.conf" }.to_owned(),
        text: main.text,
        included: config
            .trees
            .iter()
            .skip(1)
            .map(|tree| (tree.name().into(), tree.text().to_owned()))
            .collect(),
        includes: files.map(|file| (file.name.into(), file.text)).collect(),
        port,
        expected: expected(&config),
        grace: grace(&config),
        storage: storage(&config),
        warnings: warnings(&config, &diagnostics),
        own: None,
    })
}

/// How the written config differs from its source, the forced keys aside.
pub(super) fn differences(source: &Source, written: &Source) -> Differences {
    let (before, _) = read(source);
    let (after, faults) = read(written);
    let broken = faults.iter().filter(|diagnostic| diagnostic.is_error()).map(ToString::to_string);
    let changed = compare(&before, &after, &FORCED_KEYS);
    broken.chain(changed.iter().map(ToString::to_string)).take(20).collect()
}

pub(super) fn read(source: &Source) -> (Config, Vec<Diagnostic>) {
    let name = source.path.to_string_lossy();
    let mut resolve = |request: &IncludeRequest<'_>| {
        let folder = Path::new(request.base).parent().unwrap_or(Path::new("/"));
        let found = include::find(folder, request.argument, request.glob)?;
        let file = |(path, text): (PathBuf, String)| IncludedFile {
            name: path.to_string_lossy().into_owned(),
            text,
        };
        Ok(found.into_iter().map(file).collect())
    };
    load(Format::of_name(&name), &name, &source.text, &mut resolve)
}

/// Where a rendered include goes: a name of its own for each source, the same one each time.
fn place(includes: &Path, name: &str) -> String {
    let hash = hex(&Sha256::digest(name.as_bytes()));
    let base = Path::new(name).file_name().unwrap_or_default().to_string_lossy().into_owned();
    includes.join(format!("{}-{base}", crate::text::head(&hash, 12))).to_string_lossy().into_owned()
}

/// A variable as the agent will see it.
pub(super) fn process_variable(name: &str) -> Option<String> {
    if is_withheld(name) { None } else { std::env::var(name).ok() }
}

fn wanted_port(config: &Config) -> Option<u16> {
    let service = config.service();
    if service.get_bool("http_server") != Some(true) {
        return None;
    }
    match service.get("http_port") {
        None => Some(DEFAULT_PORT),
        Some(text) => config.expand(text, &process_variable).trim().parse().ok().filter(|port| *port != 0),
    }
}

fn grace(config: &Config) -> Duration {
    let value = config.service().get("grace").map(|text| config.expand(text, &process_variable));
    let seconds = value.and_then(|text| text.trim().parse().ok());
    seconds.map_or(DEFAULT_GRACE, Duration::from_secs).min(GRACE_LIMIT)
}

/// Where Fluent Bit buffers records. A relative path is meant from its working directory.
fn storage(config: &Config) -> Option<PathBuf> {
    let path = config.service().get("storage.path")?;
    Some(PathBuf::from(config.expand(path, &process_variable)))
}

/// The components that must show in the metrics. Two of one name show as one.
fn expected(config: &Config) -> Vec<String> {
    let names: BTreeSet<String> = config
        .plugins()
        .iter()
        .filter_map(|plugin| {
            let kind = match plugin.kind {
                PluginKind::Input => "input",
                PluginKind::Filter => "filter",
                PluginKind::Output => "output",
                _ => return None,
            };
            Some(format!("{kind}:{}", config.expand(&plugin.instance, &process_variable)))
        })
        .collect();
    names.into_iter().collect()
}

fn warnings(config: &Config, diagnostics: &[Diagnostic]) -> Vec<String> {
    let service = config.service();
    let mut warnings: Vec<String> = diagnostics.iter().map(ToString::to_string).take(FAULTS_TOLD).collect();
    if let Some(listen) = service.get("http_listen").filter(|listen| *listen != "127.0.0.1")
        && service.get_bool("http_server") == Some(true)
    {
        warnings.push(format!(
            "http_listen {listen} becomes 127.0.0.1: Fluent Bit's API has no authentication and serves the supervisor only"
        ));
    }
    if let Some(path) = service.get("storage.path").filter(|path| !path.starts_with(['/', '$'])) {
        warnings.push(format!(
            "storage.path {path} is relative: it is taken from the folder of the host's own config, whichever config runs"
        ));
    }
    if let Some(file) = service.get("log_file") {
        warnings
            .push(format!("log_file {file} is not written: the log goes to the supervisor's state folder"));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn rendered(folder: &Path, name: &str, text: &str) -> Result<(Source, Rendered), RenderError> {
        let source = Source { path: folder.join(name), text: text.to_owned() };
        fs::write(&source.path, text).unwrap();
        let rendered = render(&source, &folder.join("rendered"), &mut |wanted| wanted.or(Some(4321)))?;
        Ok((source, rendered))
    }

    const YAML: &str = "service:\n  flush: 1\n  grace: 2\n  log_file: /var/log/fb.log\n  daemon: on\n  http_server: off\npipeline:\n  inputs:\n    - name: dummy\n      alias: gen\n    - name: cpu\n  outputs:\n    - name: \"null\"\n      match: \"*\"\n";
    const CLASSIC: &str = "[SERVICE]\n    Flush 1\n    HTTP_Server On\n    HTTP_Listen 0.0.0.0\n    HTTP_Port 2999\n    Parsers_File parsers.conf\n[INPUT]\n    Name dummy\n[FILTER]\n    Name grep\n    Match *\n    Regex log x\n[OUTPUT]\n    Name null\n    Match *\n";

    /// C187: no config opens the agent's API to other hosts.
    #[test]
    fn given_configs_when_rendered_then_the_forced_keys_hold_and_nothing_else_differs() {
        for (name, text, port, expected, grace) in [
            ("c.yaml", YAML, 4321, vec!["input:cpu.1", "input:gen", "output:null.0"], 2),
            ("c.conf", CLASSIC, 2999, vec!["filter:grep.0", "input:dummy.0", "output:null.0"], 5),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let (source, done) = rendered(folder.path(), name, text).unwrap();
            assert_eq!(
                (done.port, done.expected.clone(), done.grace.as_secs()),
                (port, expected.into_iter().map(str::to_owned).collect(), grace)
            );
            let path = folder.path().join("run").join(&done.name);
            let written = Source { path, text: done.text.clone() };
            let (config, faults) = read(&written);
            assert!(!faults.iter().any(Diagnostic::is_error), "{faults:?}");
            for (key, value) in [
                ("http_server", "on"),
                ("http_listen", "127.0.0.1"),
                ("hot_reload", "on"),
                ("health_check", "on"),
                ("daemon", "off"),
                ("http_port", &port.to_string()),
            ] {
                assert_eq!(config.service().get(key), Some(value), "{key} in {}", done.text);
            }
            assert_eq!(differences(&source, &written), Vec::<String>::new());
            let other = Source { text: done.text.replace("dummy", "mem"), ..written };
            assert_ne!(differences(&source, &other), Vec::<String>::new());
        }
    }

    #[test]
    fn given_relative_paths_when_rendered_then_they_are_absolute_for_a_reload() {
        let folder = tempfile::tempdir().unwrap();
        let (_, done) = rendered(folder.path(), "c.conf", CLASSIC).unwrap();
        assert!(done.text.contains(&format!("{}/parsers.conf", folder.path().display())), "{}", done.text);
    }

    #[test]
    fn given_a_service_section_in_an_include_when_rendered_then_the_include_is_rendered_too() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("service.yaml"), "service:\n  flush: 2\n").unwrap();
        let text = "includes:\n  - service.yaml\npipeline:\n  inputs:\n    - name: dummy\n  outputs:\n    - name: \"null\"\n      match: \"*\"\n";
        let (source, done) = rendered(folder.path(), "c.yaml", text).unwrap();
        assert_eq!(done.includes.len(), 1);
        let (path, include) = &done.includes[0];
        assert!(include.contains("http_port: 4321"), "{include}");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, include).unwrap();
        let written = Source { path: folder.path().join("run.yaml"), text: done.text };
        assert_eq!(differences(&source, &written), Vec::<String>::new());
    }

    #[test]
    fn given_configs_that_cannot_run_when_rendered_then_the_reason_names_the_place() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text, expect) in [
            ("c.yaml", "", "nothing to run"),
            ("c.conf", "[SERVICE]\n    Flush 1\n", "nothing to run"),
            ("c.conf", "[INPUT\n    Name dummy\n", "c.conf:1:"),
            ("c.yaml", "pipeline:\n  inputs: [\n", "c.yaml:"),
            ("c.conf", "@INCLUDE none.conf\n", "c.conf:1:"),
        ] {
            let error = rendered(folder.path(), name, text).unwrap_err().to_string();
            assert!(error.contains(expect), "{text:?}: {error}");
        }
    }
}
