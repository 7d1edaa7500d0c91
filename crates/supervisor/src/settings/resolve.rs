//! What settings mean: every value is checked here, once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use tidegate_custom::chatops::check_tag;

use super::environment::{self, variable};
use super::written::{Key, Layers, Written};
use super::{Allowed, Host, LowArgs, Settings, SettingsError, duration, file};
use crate::client::{Endpoint, Target, TlsSettings, headers};
use crate::handlers::ChatOpsSettings;
use crate::supervise::{Kind, UnknownKind};

/// Where Fluent Bit is looked for when PATH has none.
const FLUENT_BIT_PLACES: [&str; 3] =
    ["/opt/fluent-bit/bin/fluent-bit", "/usr/bin/fluent-bit", "/usr/local/bin/fluent-bit"];

/// Most attributes, and most bytes of a name or a value.
const MOST_ATTRIBUTES: usize = 64;
const MOST_ATTRIBUTE_BYTES: usize = 1024;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Reads the settings file, if one is named, and resolves all sources.
///
/// # Errors
/// [`SettingsError`] for the first value that cannot be used.
pub fn resolve(args: &LowArgs, host: &Host<'_>) -> Result<Settings, SettingsError> {
    let named = (host.variable)(&variable("config")).filter(|path| !path.is_empty()).map(PathBuf::from);
    let file = match args.config.clone().or(named) {
        Some(path) => match (host.read)(&path) {
            Ok(text) => file::layer(&path, &text)?,
            Err(source) => return Err(SettingsError::Unreadable { path, source }),
        },
        None => super::written::Layer::default(),
    };
    let layers = Layers(vec![args.layer(), environment::layer(host.variable), file]);
    let kind = kind(&layers)?;
    Ok(Settings {
        server: Target {
            endpoint: endpoint(&layers)?,
            headers: layers.list(Key::Header).iter().map(header).collect::<Result<_, _>>()?,
            tls: tls(&layers, host)?,
        },
        ca_file: layers.one(Key::CaFile).map(absolute).transpose()?,
        kind,
        binary: binary(&layers, host)?,
        agent_config: agent_config(&layers)?,
        state_dir: state_dir(&layers, host)?,
        probation: time(&layers, Key::Probation, Duration::from_secs(10), Duration::ZERO..=HOUR)?,
        heartbeat: time(
            &layers,
            Key::Heartbeat,
            Duration::from_secs(30),
            Duration::from_secs(1)..=24 * HOUR,
        )?,
        allow: layers.list(Key::Allow).iter().map(allowed).collect::<Result<BTreeSet<_>, _>>()?,
        chatops: ChatOpsSettings {
            port: number(&layers, Key::ChatOpsPort, 8888, 1..=u64::from(u16::MAX))?,
            tags: layers.list(Key::ChatOpsTag).iter().map(tag).collect::<Result<_, _>>()?,
        },
        attributes: attributes(&layers)?,
        max_message_bytes: number(
            &layers,
            Key::MaxMessageBytes,
            tidegate_opamp::DEFAULT_MAX_MESSAGE_BYTES,
            (64 * 1024)..=(1 << 30),
        )?,
    })
}

fn wrong(written: &Written, why: impl Into<String>) -> SettingsError {
    SettingsError::Value { origin: written.origin.clone(), why: why.into() }
}

fn endpoint(layers: &Layers) -> Result<Endpoint, SettingsError> {
    let Some(written) = layers.one(Key::Endpoint) else {
        let why = "no server is named: give --endpoint wss://HOST:PORT/v1/opamp, or server.endpoint in the \
                   settings file";
        return Err(SettingsError::Missing(why.to_owned()));
    };
    // A URL with a password in it is not repeated.
    let shown = if written.text.contains('@') { "the URL" } else { &written.text };
    written.text.parse().map_err(|error| wrong(written, format!("{shown} cannot be used: {error}")))
}

/// A file of authorities takes the place of the host's, unless these are asked for as well.
fn tls(layers: &Layers, host: &Host<'_>) -> Result<TlsSettings, SettingsError> {
    let system = layers.one(Key::SystemRoots);
    let Some(written) = layers.one(Key::CaFile) else {
        return match system.filter(|written| written.text == "false") {
            Some(written) => {
                Err(wrong(written, "then nobody is trusted: name the authorities with server.tls.ca_file"))
            }
            None => Ok(TlsSettings::default()),
        };
    };
    let path = absolute(written)?;
    let authorities = (host.read)(&path)
        .map_err(|error| wrong(written, format!("cannot read {}: {error}", path.display())))?;
    let tls = TlsSettings {
        authorities,
        system: system.is_some_and(|written| written.text == "true"),
        ..TlsSettings::default()
    };
    tls.check().map_err(|error| wrong(written, format!("{}: {error}", path.display())))?;
    Ok(tls)
}

fn kind(layers: &Layers) -> Result<Kind, SettingsError> {
    let Some(written) = layers.one(Key::Kind) else { return Ok(Kind::FluentBit) };
    written.text.parse().map_err(|error: UnknownKind| wrong(written, error.to_string()))
}

fn absolute(written: &Written) -> Result<PathBuf, SettingsError> {
    std::path::absolute(&written.text).map_err(|error| wrong(written, format!("not a path: {error}")))
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

fn agent_config(layers: &Layers) -> Result<PathBuf, SettingsError> {
    let why =
        "the agent's own config is not named: give --agent-config FILE, or agent.config in the settings file";
    let written = layers.one(Key::AgentConfig).ok_or_else(|| SettingsError::Missing(why.to_owned()))?;
    absolute(written)
}

fn state_dir(layers: &Layers, host: &Host<'_>) -> Result<PathBuf, SettingsError> {
    if let Some(written) = layers.one(Key::StateDir) {
        return absolute(written);
    }
    let folder =
        |name: &str| (host.variable)(name).map(PathBuf::from).filter(|folder| Path::is_absolute(folder));
    folder("XDG_STATE_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".local/state")))
        .map(|folder| folder.join("tidegate-supervisor"))
        .ok_or_else(|| {
            let why =
                "no folder for state is known, as neither XDG_STATE_HOME nor HOME is set: give --state-dir";
            SettingsError::Missing(why.to_owned())
        })
}

fn time(
    layers: &Layers,
    key: Key,
    default: Duration,
    range: RangeInclusive<Duration>,
) -> Result<Duration, SettingsError> {
    let Some(written) = layers.one(key) else { return Ok(default) };
    duration::parse(&written.text).filter(|duration| range.contains(duration)).ok_or_else(|| {
        let (least, most) = (duration::write(*range.start()), duration::write(*range.end()));
        let why = format!("{:?} is not a duration from {least} to {most}, as in 30s or 1m30s", written.text);
        wrong(written, why)
    })
}

fn number<T: TryFrom<u64>>(
    layers: &Layers,
    key: Key,
    default: T,
    range: RangeInclusive<u64>,
) -> Result<T, SettingsError> {
    let Some(written) = layers.one(key) else { return Ok(default) };
    let number = written.text.parse().ok().filter(|number| range.contains(number));
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| {
        let why = format!("{:?} is not a number from {} to {}", written.text, range.start(), range.end());
        wrong(written, why)
    })
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

/// A header; its value may be secret and stands in no error.
fn header(written: &Written) -> Result<(HeaderName, HeaderValue), SettingsError> {
    headers::parse(&written.name, &written.text).map_err(|why| wrong(written, why))
}
