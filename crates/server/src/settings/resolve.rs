//! From what was typed to what it means.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::file::File;
use super::{AgentsSettings, Flags, LimitSettings, MetricsSettings, OperatorsSettings, Settings};

/// Largest settings file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Settings that cannot be used, in one sentence that says where and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidSettings(pub String);

/// Resolves flags (with the environment in them), the file they name, and the defaults.
///
/// `lookup` reads the environment for the default data directory.
///
/// # Errors
/// [`InvalidSettings`] when the file cannot be read or a value cannot be used.
pub fn resolve(flags: &Flags, lookup: impl Fn(&str) -> Option<String>) -> Result<Settings, InvalidSettings> {
    let file = flags.config.as_deref().map(read).transpose()?.unwrap_or_default();
    let place = flags.config.as_ref().map_or_else(String::new, |path| format!("{}: ", path.display()));
    let wrong = |field: &str, message: String| InvalidSettings(format!("{place}{field}: {message}"));

    let agents = AgentsSettings::resolve(flags, file.agents).map_err(|w| wrong(w.field, w.message))?;
    let operators =
        OperatorsSettings::resolve(flags, &file.operators).map_err(|w| wrong(w.field, w.message))?;
    let limits = LimitSettings::resolve(&file.limits).map_err(|w| wrong(w.field, w.message))?;
    let metrics = MetricsSettings::resolve(&file.metrics).map_err(|w| wrong(w.field, w.message))?;
    let data_dir =
        flags.data_dir.clone().or(file.data_dir).or_else(|| default_data_dir(&lookup)).ok_or_else(|| {
            InvalidSettings("no data directory: give --data-dir, or set XDG_STATE_HOME or HOME".to_owned())
        })?;
    let settings = Settings { data_dir, agents, operators, limits, metrics };
    refuse_open_doors(&settings)?;
    Ok(settings)
}

/// Decision D7: what is open to a network says so in the file.
fn refuse_open_doors(settings: &Settings) -> Result<(), InvalidSettings> {
    let Settings { agents, operators, .. } = settings;
    if let Some(reason) = agents.open_door() {
        return Err(InvalidSettings(reason));
    }
    if !operators.listen.ip().is_loopback() && !operators.allow_plaintext_network {
        return Err(InvalidSettings(format!(
            "operators would send their token to {} unencrypted; listen on 127.0.0.1 behind a proxy that speaks TLS, or \
             accept it in the settings file with `operators: {{allow_plaintext_network: true}}`",
            operators.listen
        )));
    }
    Ok(())
}

fn read(path: &Path) -> Result<File, InvalidSettings> {
    let failed = |reason: String| {
        InvalidSettings(format!("cannot read the settings file {}: {reason}", path.display()))
    };
    let file = std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
    let mut text = String::new();
    #[expect(clippy::disallowed_methods, reason = "bounded by take")]
    let length =
        file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(|error| failed(error.to_string()))?;
    if length as u64 > MAX_FILE_BYTES {
        return Err(failed(format!("it is larger than {MAX_FILE_BYTES} bytes")));
    }
    if text.trim().is_empty() {
        return Ok(File::default());
    }
    serde_saphyr::from_str(&text).map_err(|error| failed(error.to_string()))
}

fn default_data_dir(lookup: &impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let set = |name: &str| lookup(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = set("XDG_STATE_HOME").or_else(|| set("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("tidegate"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::settings::TlsVersion;

    fn with_file(text: &str, flags: Flags) -> Result<Settings, InvalidSettings> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.yaml");
        std::fs::write(&path, text).unwrap();
        resolve(&Flags { config: Some(path), ..flags }, |_| Some("/home/op".into()))
    }

    #[test]
    fn given_nothing_then_the_documented_defaults_hold() {
        let env = |name: &str| (name == "HOME").then(|| "/home/op".to_owned());
        let settings = resolve(&Flags::default(), env).unwrap();
        assert_eq!(settings.data_dir, PathBuf::from("/home/op/.local/state/tidegate"));
        assert_eq!(settings.agents.listen, "127.0.0.1:4320".parse().unwrap());
        assert_eq!(settings.operators.listen, "127.0.0.1:4321".parse().unwrap());
        assert_eq!(settings.agents.path, "/v1/opamp");
        assert_eq!(settings.limits.max_message_bytes, 64 * 1024 * 1024);
        assert!(resolve(&Flags::default(), |_| None).is_err());
    }

    #[test]
    fn given_a_file_and_flags_then_flags_win() {
        let text = "data_dir: /a\nagents: {listen: 127.0.0.1:1, heartbeat_interval: 5s}\n";
        let settings =
            with_file(text, Flags { agents: Some("127.0.0.1:2".parse().unwrap()), ..Flags::default() })
                .unwrap();
        assert_eq!(settings.agents.listen.port(), 2);
        assert_eq!(settings.agents.heartbeat_interval, Duration::from_secs(5));
        assert_eq!(settings.data_dir, PathBuf::from("/a"));
    }

    #[test]
    fn given_a_bad_file_then_file_line_and_field_are_named() {
        for (text, parts) in [
            ("data_dir: /a\nagnets: {}\n", &["server.yaml", "line 2", "agnets"][..]),
            ("agents:\n  listen: nowhere\n", &["server.yaml", "line 2"]),
            ("agents:\n  heartbeat_interval: soon\n", &["server.yaml", "agents.heartbeat_interval", "soon"]),
            (
                "limits: {max_message_bytes: 3}\n",
                &["server.yaml", "limits.max_message_bytes", "less than 1024"],
            ),
            (
                "limits: {read_burst: 1000001}\n",
                &["server.yaml", "limits.read_burst", "between 1 and 1000000"],
            ),
            ("limits: {watches_per_second: 0}\n", &["limits.watches_per_second", "between 1 and"]),
            ("limits: {max_watches: 0}\n", &["limits.max_watches", "less than 1"]),
            ("metrics: {history_bytes: 1000}\n", &["metrics.history_bytes", "0 keeps no history"]),
            ("metrics: {history_retention: 1m}\n", &["metrics.history_retention", "between 600s and"]),
            ("operators: {names: ['http://x']}\n", &["operators.names", "http://x", "without a scheme"]),
            ("operators: {names: ['']}\n", &["operators.names", "is no name"]),
            ("agents: [\n", &["server.yaml", "line"]),
        ] {
            let error = with_file(text, Flags::default()).unwrap_err().to_string();
            for part in parts {
                assert!(error.contains(part), "{text:?}: {error}");
            }
        }
        let missing = Flags { config: Some("/nowhere/at/all.yaml".into()), ..Flags::default() };
        assert!(resolve(&missing, |_| None).unwrap_err().to_string().contains("/nowhere/at/all.yaml"));
    }

    #[test]
    fn given_tls_settings_then_half_of_them_is_refused_and_a_version_is_read_quoted_or_not() {
        for (text, part) in [
            ("agents: {tls: {cert: a}}", "agents.tls.key"),
            ("agents: {tls: {key: a}}", "agents.tls.cert"),
            ("agents: {tls: {min_version: '1.2'}}", "agents.tls.min_version"),
            ("agents: {tls: {cert: a, key: b, min_version: '1.1'}}", "neither"),
            ("agents: {reload_interval: 0s}", "agents.reload_interval"),
        ] {
            let reason = with_file(text, Flags::default()).unwrap_err().to_string();
            assert!(reason.contains(part), "{text:?}: {reason}");
        }
        for (version, expected) in
            [("1.2", TlsVersion::V1_2), ("'1.3'", TlsVersion::V1_3), ("1.3", TlsVersion::V1_3)]
        {
            let text = format!("agents: {{tls: {{cert: a, key: b, min_version: {version}}}}}");
            let settings = with_file(&text, Flags::default()).unwrap();
            assert_eq!(settings.agents.tls.unwrap().min_version, expected, "{version}");
        }
    }

    #[test]
    fn given_printed_settings_when_read_again_then_they_are_the_same() {
        let text = "data_dir: /a\nagents: {tls: {cert: a, key: b}, tokens_file: t, reload_interval: 10ms}\n\
                    operators: {names: [Tidegate.Example]}\n";
        let printed = serde_saphyr::to_string(&with_file(text, Flags::default()).unwrap()).unwrap();
        let again = serde_saphyr::to_string(&with_file(&printed, Flags::default()).unwrap()).unwrap();
        assert_eq!(printed, again);
        assert!(printed.contains("reload_interval: 10ms") && printed.contains("1.2"), "{printed}");
        assert!(printed.contains("tidegate.example"), "{printed}");
    }

    #[test]
    fn given_an_open_door_then_only_the_file_can_allow_it() {
        let open = "0.0.0.0:4320".parse().ok();
        let flags = Flags { agents: open, ..Flags::default() };
        let refused = |text: &str, flags: &Flags, part: &str| {
            let reason = with_file(text, flags.clone()).unwrap_err().to_string();
            assert!(reason.contains(part), "{text:?}: {reason}");
        };
        refused("", &flags, "allow_unauthenticated_network");
        refused("agents: {allow_unauthenticated_network: true}", &flags, "allow_plaintext_network");
        refused("agents: {tokens_file: a}", &flags, "allow_plaintext_network");
        refused("agents: {tls: {cert: a, key: b}}", &flags, "allow_unauthenticated_network");
        for text in [
            "agents: {allow_unauthenticated_network: true, allow_plaintext_network: true}",
            "agents: {tokens_file: a, allow_plaintext_network: true}",
            "agents: {tls: {cert: a, key: b}, tokens_file: c}",
        ] {
            assert!(with_file(text, flags.clone()).is_ok(), "{text}");
        }
        let flags = Flags { operators: open, ..Flags::default() };
        assert!(with_file("", flags.clone()).unwrap_err().to_string().contains("allow_plaintext_network"));
        assert!(with_file("operators: {allow_plaintext_network: true}", flags).is_ok());
    }
}
