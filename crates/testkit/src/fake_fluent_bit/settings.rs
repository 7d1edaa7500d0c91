//! The service section as the process obeys it: flags first, then the file's keys.

use std::time::Duration;

use super::config::Loaded;
use super::flags::Flags;
use super::log::Level;

/// What the service keys come down to.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where the HTTP server listens; `None` when it is off.
    pub http: Option<HttpPlace>,
    /// Whether SIGHUP reloads.
    pub hot_reload: bool,
    /// Whether a reload waits for every undelivered chunk (on by default).
    pub ensure_thread_safety: bool,
    /// `hot_reload.timeout`: the watchdog; `None` when off.
    pub reload_timeout: Option<Duration>,
    /// How long a stop waits for undelivered chunks.
    pub grace: u64,
    /// Time between flushes; `None` when the value is no number.
    pub flush: Option<Duration>,
    /// Whether `/api/v1/health` exists and v2 tells the truth.
    pub health_check: bool,
    /// `hc_errors_count`.
    pub hc_errors: u64,
    /// `hc_retry_failure_count`.
    pub hc_retries: u64,
    /// `hc_period` in seconds.
    pub hc_period: u64,
    /// Whether `/api/v1/storage` exists.
    pub storage_metrics: bool,
    /// `storage.path`.
    pub storage_path: Option<String>,
    /// The engine's log level.
    pub log_level: Level,
    /// Where the engine logs to, if not stderr.
    pub log_file: Option<String>,
}

/// The HTTP server's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpPlace {
    /// The interface.
    pub listen: String,
    /// The port; `None` when the value is not within 1..=65535, which fails the start.
    pub port: Option<u16>,
}

impl Settings {
    /// Merges flags and file: the file beats the flags (fluent-bit.md, "Injecting settings", 1).
    #[must_use]
    pub fn of(flags: &Flags, loaded: &Loaded) -> Self {
        let get = |key: &str| -> Option<&str> {
            let in_file = loaded.service.iter().rev().find(|(known, _)| known == key);
            let by_flag = || flags.service.iter().rev().find(|(known, _)| *known == key);
            in_file.map(|(_, value)| value.as_str()).or_else(|| by_flag().map(|(_, value)| value.as_str()))
        };
        let switch = |key: &str, default: bool| get(key).and_then(boolean).unwrap_or(default);
        // Like C's atoi: what is not a number is 0.
        let number =
            |key: &str, default: u64| get(key).map_or(default, |text| text.trim().parse().unwrap_or(0));
        let http = switch("http_server", false).then(|| HttpPlace {
            listen: get("http_listen").unwrap_or("0.0.0.0").to_owned(),
            port: get("http_port").map_or(Some(2020), |text| text.parse().ok().filter(|port| *port > 0)),
        });
        let level = get("log_level").and_then(Level::of_name);
        let flush = get("flush").map_or(Some(1.0), |text| text.trim().parse::<f64>().ok());
        Self {
            http,
            hot_reload: switch("hot_reload", false),
            ensure_thread_safety: switch("hot_reload.ensure_thread_safety", true),
            reload_timeout: Some(number("hot_reload.timeout", 0)).filter(|s| *s > 0).map(Duration::from_secs),
            grace: number("grace", 5),
            flush: flush.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
            health_check: switch("health_check", false),
            hc_errors: number("hc_errors_count", 5),
            hc_retries: number("hc_retry_failure_count", 5),
            hc_period: number("hc_period", 60),
            storage_metrics: switch("storage.metrics", true),
            storage_path: get("storage.path").map(str::to_owned),
            log_level: level.unwrap_or(if flags.quiet { Level::Off } else { Level::Info }),
            log_file: get("log_file").map(str::to_owned),
        }
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" => Some(true),
        "off" | "false" | "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(pairs: &[(&str, &str)]) -> Loaded {
        let service = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Loaded { service, ..Loaded::default() }
    }

    #[test]
    fn given_a_flag_and_a_key_when_merged_then_the_file_wins_and_the_flag_fills_the_gap() {
        let flags = Flags {
            service: vec![("http_server", "on".to_owned()), ("http_port", "2107".to_owned())],
            ..Flags::default()
        };
        let silent = Settings::of(&flags, &loaded(&[]));
        assert_eq!(silent.http.and_then(|place| place.port), Some(2107));
        let spoken = Settings::of(&flags, &loaded(&[("http_port", "2105")]));
        assert_eq!(spoken.http.and_then(|place| place.port), Some(2105));
        assert_eq!(Settings::of(&flags, &loaded(&[("http_server", "off")])).http, None);
    }
}
