//! Reading a config as far as Fluent Bit reads it before anything starts.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use tidegate_fluent::{Config, Diagnostic, Format, IncludeRequest, IncludedFile, PluginKind, Value};

use super::catalogue::{self, Kind};
use super::glob::glob_takes;
use super::log::Level;

/// The largest file that is read.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// One plugin instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The plugin, in lower case.
    pub plugin: String,
    /// Its name in metrics: alias or `plugin.N`.
    pub name: String,
    /// `plugin.N`, whatever the alias.
    pub numbered: String,
    /// Its text properties in file order, keys in lower case, variables expanded.
    pub properties: Vec<(String, String)>,
}

impl Instance {
    /// The last value of a property.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self.properties.iter().rev().find(|(known, _)| known == key);
        found.map(|(_, value)| value.as_str())
    }
}

/// A config that can be loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The service keys in order; the later wins.
    pub service: Vec<(String, String)>,
    /// Inputs in order, the storage backlog last.
    pub inputs: Vec<Instance>,
    /// Filters in order.
    pub filters: Vec<Instance>,
    /// Outputs in order.
    pub outputs: Vec<Instance>,
}

/// When the config is read: it decides what relative service files resolve against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Against the config's folder.
    ColdStart,
    /// Against the working directory only (fluent-bit.md, "Injecting settings", 5).
    Reload,
}

/// Why a config cannot be loaded: error lines without their prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The file cannot be parsed. A reload says no more than the parser's own lines.
    Syntax(Vec<String>),
    /// It can, but what it says makes no config. A reload says that it is halted.
    Format(Vec<String>),
}

/// Reads the config at `path`, or the empty config where none is named.
///
/// # Errors
/// With what the real one prints.
pub fn load(path: Option<&Path>, moment: Moment) -> Result<Loaded, Refusal> {
    let Some(path) = path else {
        return Ok(Loaded::default());
    };
    if path.is_dir() {
        return Ok(Loaded::default());
    }
    let text = read(path)
        .map_err(|_| Refusal::Syntax(vec!["could not open configuration file, aborting.".to_owned()]))?;
    let name = path.to_string_lossy();
    let format = Format::of_name(&name);
    let (config, diagnostics) = tidegate_fluent::load(format, &name, &text, &mut |request| include(request));
    if let Some(fault) = diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
        return Err(refusal(format, fault));
    }
    let loaded = gather(&config);
    check_plugins(&loaded)?;
    check_processors(&config)?;
    let folder = match moment {
        Moment::ColdStart => path.parent().unwrap_or(Path::new("")),
        Moment::Reload => Path::new(""),
    };
    check_service(&loaded, folder)?;
    Ok(loaded)
}

fn gather(config: &Config) -> Loaded {
    let environment = |name: &str| match name.strip_prefix("file://") {
        Some(path) => read(Path::new(path)).ok().map(|text| text.trim_end().to_owned()),
        None => std::env::var(name).ok(),
    };
    let expand = |value: &str| config.expand(value, &environment);
    let entries = config.service().entries().iter();
    let service: Vec<(String, String)> =
        entries.filter_map(|entry| Some((entry.key.clone(), expand(entry.value.as_str()?)))).collect();
    let instances = |kind: PluginKind| -> Vec<Instance> {
        let all = config.plugins_of(kind).enumerate().map(|(number, plugin)| {
            let name = expand(&plugin.name).to_ascii_lowercase();
            let name = name.split_once("://").map_or(name.as_str(), |(short, _)| short).to_owned();
            let numbered = format!("{name}.{number}");
            Instance {
                name: plugin.alias.as_deref().map_or_else(|| numbered.clone(), expand),
                numbered,
                plugin: name,
                properties: plugin
                    .properties
                    .iter()
                    .filter_map(|entry| Some((entry.key.to_ascii_lowercase(), expand(entry.value.as_str()?))))
                    .collect(),
            }
        });
        all.collect()
    };
    let mut inputs = instances(PluginKind::Input);
    if service.iter().any(|(key, _)| key == "storage.path") {
        let name = format!("storage_backlog.{}", inputs.len());
        let plugin = "storage_backlog".to_owned();
        inputs.push(Instance { plugin, numbered: name.clone(), name, properties: Vec::new() });
    }
    Loaded { service, inputs, filters: instances(PluginKind::Filter), outputs: instances(PluginKind::Output) }
}

fn check_plugins(loaded: &Loaded) -> Result<(), Refusal> {
    let kinds =
        [(Kind::Input, &loaded.inputs), (Kind::Filter, &loaded.filters), (Kind::Output, &loaded.outputs)];
    for (kind, instances) in kinds {
        for Instance { plugin, .. } in instances {
            if plugin != "storage_backlog" && catalogue::find(kind, plugin).is_none() {
                return Err(Refusal::Format(vec![format!(
                    "[config] section '{plugin}' tried to instance a plugin name that doesn't exist"
                )]));
            }
        }
    }
    Ok(())
}

/// The names under `processors: {logs: [...], metrics: [...], traces: [...]}`.
fn check_processors(config: &Config) -> Result<(), Refusal> {
    let attached = config.plugins().iter().flat_map(|plugin| &plugin.properties);
    for entry in attached.filter(|entry| entry.key == "processors") {
        let Value::Map(signals) = &entry.value else { continue };
        for (signal, list) in signals {
            let Value::List(list) = list else { continue };
            for processor in list {
                let Value::Map(keys) = processor else { continue };
                let name = keys.iter().find(|(key, _)| key == "name").and_then(|(_, name)| name.as_str());
                if let Some(name) = name.filter(|name| !catalogue::is_processor(name)) {
                    return Err(Refusal::Format(vec![
                        format!(
                            "[processor] error creating processor '{name}': plugin doesn't exist or failed to \
                             initialize"
                        ),
                        format!("failed to load '{signal}' processors"),
                    ]));
                }
            }
        }
    }
    Ok(())
}

fn check_service(loaded: &Loaded, folder: &Path) -> Result<(), Refusal> {
    for (key, value) in &loaded.service {
        let mut said = match key.as_str() {
            "parsers_file" if !folder.join(value).is_file() => {
                vec!["could not open parser configuration file, aborting.".to_owned()]
            }
            "plugins_file" if !folder.join(value).is_file() => vec![format!("file={value}")],
            "log_level" if Level::of_name(value).is_none() => Vec::new(),
            _ => continue,
        };
        said.push(format!("[config] could not configure service property '{key}'"));
        return Err(Refusal::Format(said));
    }
    Ok(())
}

/// The first error in the real one's words, as far as a supervisor reads them.
fn refusal(format: Format, fault: &Diagnostic) -> Refusal {
    let (file, message) = (&fault.file, &fault.message);
    let (line, column) = fault.position.map_or((0, 0), |position| (position.line, position.column));
    if let Some(kind) = message.strip_prefix("the ").and_then(|rest| rest.strip_suffix(" has no `name`")) {
        return Refusal::Format(vec![format!("[config] section '{kind}' is missing the 'name' property")]);
    }
    if message.starts_with("there is a second `service`") {
        return Refusal::Syntax(vec![
            format!(
                "[config] YAML error found in file \"{file}\", line {line}, column 0: duplicated definition of 'service'"
            ),
            "yaml error".to_owned(),
        ]);
    }
    // libyaml's own words are the last part of the message.
    let problem = message.rsplit_once(", ").map_or(message.as_str(), |(_, problem)| problem);
    Refusal::Syntax(match format {
        Format::Yaml => vec![
            format!("[config] invalid YAML in file {file} at line {line}, column {column}: {problem}"),
            format!(
                "[config] hint: check line {} (above) for missing ':' or incorrect indentation",
                line.saturating_sub(1)
            ),
        ],
        Format::Classic => vec![format!("[config] error in {file}:{line}: {message}")],
    })
}

fn include(request: &IncludeRequest<'_>) -> Result<Vec<IncludedFile>, String> {
    let beside = Path::new(request.base).parent().unwrap_or(Path::new("")).join(request.argument);
    let plain = PathBuf::from(request.argument);
    let here_first = request.format == Format::Classic && plain.exists();
    let path = if here_first { plain } else { beside };
    let paths = if request.glob { matching(&path)? } else { vec![path] };
    let file = |path: PathBuf| {
        let text = read(&path).map_err(|error| error.to_string())?;
        Ok(IncludedFile { name: path.to_string_lossy().into_owned(), text })
    };
    paths.into_iter().map(file).collect()
}

/// The files that a glob in the last part of a path stands for, by name.
fn matching(path: &Path) -> Result<Vec<PathBuf>, String> {
    let pattern = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let listed = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
    let mut found: Vec<PathBuf> = listed
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().is_some_and(|name| glob_takes(&pattern, &name.to_string_lossy())))
        .collect();
    found.sort();
    if found.is_empty() { Err("no file matches".to_owned()) } else { Ok(found) }
}

#[expect(clippy::disallowed_methods, reason = "bounded by `take`")]
fn read(path: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
