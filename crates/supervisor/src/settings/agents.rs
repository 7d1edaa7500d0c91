//! What is supervised: one agent, or a list of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tidegate_custom::chatops::check_tag;

use super::values::{absolute, number, wrong};
use super::written::{Key, Layer, Layers, Written};
use super::{Agent, Allowed, Host, SettingsError};
use crate::handlers::ChatOpsSettings;
use crate::supervise::{Kind, UnknownKind};

/// Where Fluent Bit is looked for when PATH has none.
const FLUENT_BIT_PLACES: [&str; 3] =
    ["/opt/fluent-bit/bin/fluent-bit", "/usr/bin/fluent-bit", "/usr/local/bin/fluent-bit"];

/// Most attributes, and most bytes of a name or a value.
const MOST_ATTRIBUTES: usize = 64;
const MOST_ATTRIBUTE_BYTES: usize = 1024;

/// The attribute that tells the agents of one host apart.
const AGENT_NAME: &str = "tidegate.agent.name";

/// Most agents of one supervisor.
const MOST_AGENTS: usize = 64;

/// Longest name of an agent, in bytes.
const MOST_NAME_BYTES: usize = 64;

/// The agents; `entries` are those of the list in the settings file.
pub(super) fn agents(
    layers: &Layers,
    entries: Vec<Layer>,
    state_dir: &Path,
    host: &Host<'_>,
) -> Result<Vec<Agent>, SettingsError> {
    if entries.is_empty() {
        return Ok(vec![agent(layers, String::new(), state_dir.to_owned(), host)?]);
    }
    if let Some(written) = layers.one(Key::AgentConfig) {
        return Err(wrong(written, "the agents are listed in the settings file, each with its own config"));
    }
    if entries.len() > MOST_AGENTS {
        let why = format!("agents: there are more than {MOST_AGENTS} in the list: run another supervisor");
        return Err(SettingsError::Missing(why));
    }
    let mut agents: Vec<Agent> = Vec::new();
    for (at, entry) in entries.into_iter().enumerate() {
        let mut all = layers.clone();
        all.0.insert(0, entry);
        let own = Layers(all.0.iter().take(1).cloned().collect());
        let unnamed = || SettingsError::Missing(format!("agents[{at}] has no name: give each agent its own"));
        let written = own.one(Key::Name).ok_or_else(unnamed)?;
        let name = name(written)?;
        if own.one(Key::AgentConfig).is_none() {
            return Err(wrong(written, format!("the agent {name} has no config: name its file with config")));
        }
        let folder =
            own.one(Key::StateDir).map_or_else(|| Ok(state_dir.join("agents").join(&name)), absolute);
        let mut agent = agent(&all, name, folder?, host)?;
        agent.allow.remove(&Allowed::ConnectionSettings);
        agent.attributes.insert(AGENT_NAME.to_owned(), agent.name.clone());
        if let Some(allowed) = own.list(Key::Allow).iter().find(|written| is_supervisors(&written.text)) {
            return Err(wrong(allowed, "it concerns the whole supervisor: allow it at the top of the file"));
        }
        if let Some(other) = agents.iter().find(|other| other.name == agent.name) {
            return Err(wrong(written, format!("two agents are named {}", other.name)));
        }
        if let Some(other) = agents.iter().find(|other| overlap(&other.state_dir, &agent.state_dir)) {
            let why = format!("the state folders of {} and {} are not apart", other.name, agent.name);
            return Err(wrong(written, why));
        }
        agents.push(agent);
    }
    Ok(agents)
}

fn is_supervisors(word: &str) -> bool {
    word == Allowed::ConnectionSettings.word()
}

fn overlap(one: &Path, other: &Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn agent(layers: &Layers, name: String, state_dir: PathBuf, host: &Host<'_>) -> Result<Agent, SettingsError> {
    Ok(Agent {
        name,
        kind: kind(layers)?,
        binary: binary(layers, host)?,
        config: config(layers)?,
        state_dir,
        allow: layers.list(Key::Allow).iter().map(allowed).collect::<Result<BTreeSet<_>, _>>()?,
        chatops: ChatOpsSettings {
            port: number(layers, Key::ChatOpsPort, 8888, 1..=u64::from(u16::MAX))?,
            tags: layers.list(Key::ChatOpsTag).iter().map(tag).collect::<Result<_, _>>()?,
        },
        handlers: layers.structured(|file| file.handlers.as_ref()).unwrap_or_default(),
        attributes: attributes(layers)?,
    })
}

/// A name that may be a folder's and reads well in a log.
fn name(written: &Written) -> Result<String, SettingsError> {
    let name = &written.text;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if name.is_empty() || name.len() > MOST_NAME_BYTES || !name.chars().all(fits) {
        let why =
            format!("{name:?} is not a name of 1 to {MOST_NAME_BYTES} small letters, digits, `-` and `_`");
        return Err(wrong(written, why));
    }
    Ok(name.clone())
}

fn kind(layers: &Layers) -> Result<Kind, SettingsError> {
    let Some(written) = layers.one(Key::Kind) else { return Ok(Kind::FluentBit) };
    written.text.parse().map_err(|error: UnknownKind| wrong(written, error.to_string()))
}

fn binary(layers: &Layers, host: &Host<'_>) -> Result<PathBuf, SettingsError> {
    let path = (host.variable)("PATH").unwrap_or_default();
    let on_path = |name: &str| {
        std::env::split_paths(&path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(name))
            .find(|candidate| (host.is_file)(candidate))
    };
    if let Some(written) = layers.one(Key::Binary) {
        if !written.text.contains('/') {
            let why = format!("no program {:?} is on PATH", written.text);
            return on_path(&written.text).ok_or_else(|| wrong(written, why));
        }
        let binary = absolute(written)?;
        let why = format!("there is no program at {}", binary.display());
        return if (host.is_file)(&binary) { Ok(binary) } else { Err(wrong(written, why)) };
    }
    let place = || FLUENT_BIT_PLACES.iter().map(PathBuf::from).find(|candidate| (host.is_file)(candidate));
    on_path("fluent-bit").or_else(place).ok_or_else(|| {
        let places = FLUENT_BIT_PLACES.join(", ");
        SettingsError::Missing(format!(
            "no fluent-bit is on PATH or at {places}: install it, or name it with --binary"
        ))
    })
}

fn config(layers: &Layers) -> Result<PathBuf, SettingsError> {
    let why =
        "the agent's own config is not named: give --agent-config FILE, or agent.config in the settings file";
    let written = layers.one(Key::AgentConfig).ok_or_else(|| SettingsError::Missing(why.to_owned()))?;
    absolute(written)
}

fn allowed(written: &Written) -> Result<Allowed, SettingsError> {
    let found = Allowed::WORDS.iter().find(|(_, word)| *word == written.text);
    found.map(|(what, _)| *what).ok_or_else(|| {
        let words = Allowed::WORDS.map(|(_, word)| word).join(", ");
        wrong(written, format!("{:?} cannot be allowed: use {words}", written.text))
    })
}

fn tag(written: &Written) -> Result<String, SettingsError> {
    check_tag(&written.text).map_err(|error| wrong(written, error.to_string()))?;
    Ok(written.text.clone())
}

fn attributes(layers: &Layers) -> Result<BTreeMap<String, String>, SettingsError> {
    let mut attributes = BTreeMap::new();
    for written in layers.all(Key::Attribute) {
        if written.name.trim().is_empty() {
            return Err(wrong(written, "an attribute has the form NAME=VALUE"));
        }
        if written.name.len().max(written.text.len()) > MOST_ATTRIBUTE_BYTES {
            return Err(wrong(
                written,
                format!("a name or value is longer than {MOST_ATTRIBUTE_BYTES} bytes"),
            ));
        }
        attributes.insert(written.name.trim().to_owned(), written.text.clone());
        if attributes.len() > MOST_ATTRIBUTES {
            return Err(wrong(written, format!("there are more than {MOST_ATTRIBUTES} attributes")));
        }
    }
    Ok(attributes)
}
