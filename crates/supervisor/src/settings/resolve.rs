//! What settings mean as a whole: every value is checked once.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};

use super::environment::{self, variable};
use super::values::{absolute, number, time, time_or_off, word, wrong};
use super::written::{Key, Layer, Layers, Written};
use super::{Allowed, Host, LowArgs, Settings, SettingsError, agents, file};
use crate::apply::OnHang;
use crate::client::{Endpoint, Proxy, Target, TlsSettings, headers};
use crate::supervise::{OnSilence, Patience};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// The settings file that is named, if one is.
#[must_use]
pub fn file_of(args: &LowArgs, host: &Host<'_>) -> Option<PathBuf> {
    let named = || (host.variable)(&variable("config")).filter(|path| !path.is_empty()).map(PathBuf::from);
    args.config.clone().or_else(named)
}

/// Reads the settings file, if one is named, and resolves all sources.
///
/// # Errors
/// [`SettingsError`] for the first value that cannot be used.
pub fn resolve(args: &LowArgs, host: &Host<'_>) -> Result<Settings, SettingsError> {
    let (file, entries) = match file_of(args, host) {
        Some(path) => match (host.read)(&path) {
            Ok(text) => file::layers(&path, &text, host)?,
            Err(source) => return Err(SettingsError::Unreadable { path, source }),
        },
        None => <(Layer, Vec<Layer>)>::default(),
    };
    let layers = Layers(vec![args.layer(), environment::layer(host.variable), file]);
    let server = Target {
        endpoint: endpoint(&layers)?,
        headers: headers_of(&layers, host)?,
        tls: tls(&layers, host)?,
        proxy: proxy(&layers)?,
    };
    let state_dir = state_dir(&layers, host)?;
    Ok(Settings {
        server,
        ca_file: layers.one(Key::CaFile).map(absolute).transpose()?,
        token_file: layers.one(Key::TokenFile).map(absolute).transpose()?,
        agents: agents::agents(&layers, entries, &state_dir, host)?,
        state_dir,
        probation: time(&layers, Key::Probation, Duration::from_secs(10), Duration::ZERO..=HOUR)?,
        confirm: time_or_off(
            &layers,
            Key::Confirm,
            Duration::from_secs(600),
            Duration::from_secs(5)..=24 * HOUR,
        )?,
        heartbeat: time(
            &layers,
            Key::Heartbeat,
            Duration::from_secs(30),
            Duration::from_secs(1)..=24 * HOUR,
        )?,
        redact: layers.one(Key::Redact).is_none_or(|written| written.text == "true"),
        metrics_interval: time_or_off(
            &layers,
            Key::MetricsInterval,
            Duration::from_secs(60),
            Duration::from_secs(10)..=HOUR,
        )?,
        patience: Patience {
            on_hang: word(&layers, Key::OnHang, &OnHang::WORDS)?,
            on_silence: word(&layers, Key::OnSilence, &OnSilence::WORDS)?,
            silence: time(&layers, Key::Silence, Patience::default().silence, Duration::from_secs(5)..=HOUR)?,
        },
        allow_connection_settings: layers
            .list(Key::Allow)
            .iter()
            .any(|written| written.text == Allowed::ConnectionSettings.word()),
        limits: layers.structured(|file| file.limits.as_ref()).unwrap_or_default(),
        max_message_bytes: number(
            &layers,
            Key::MaxMessageBytes,
            tidegate_opamp::DEFAULT_MAX_MESSAGE_BYTES,
            (64 * 1024)..=(1 << 30),
        )?,
    })
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

/// The URL may hold a password and is not repeated.
fn proxy(layers: &Layers) -> Result<Option<Proxy>, SettingsError> {
    let Some(written) = layers.one(Key::Proxy) else { return Ok(None) };
    Proxy::new(&written.text, Vec::new())
        .map(Some)
        .map_err(|error| wrong(written, format!("the proxy cannot be used: {error}")))
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

/// All headers, the token's among them. Their values may be secret and stand in no error.
fn headers_of(layers: &Layers, host: &Host<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, SettingsError> {
    let header =
        |written: &Written| headers::parse(&written.name, &written.text).map_err(|why| wrong(written, why));
    let mut all = layers.list(Key::Header).iter().map(header).collect::<Result<Vec<_>, _>>()?;
    let Some(written) = layers.one(Key::TokenFile) else { return Ok(all) };
    if all.iter().any(|(name, _)| *name == AUTHORIZATION) {
        return Err(wrong(written, "the headers have an Authorization already: give one of the two"));
    }
    let path = absolute(written)?;
    let token = (host.read)(&path)
        .map_err(|error| wrong(written, format!("cannot read {}: {error}", path.display())))?;
    let token = token.trim();
    if token.is_empty() {
        return Err(wrong(written, format!("{} is empty: it is to hold a token", path.display())));
    }
    let value = format!("Bearer {token}");
    all.push(headers::parse(AUTHORIZATION.as_str(), &value).map_err(|why| wrong(written, why))?);
    Ok(all)
}
