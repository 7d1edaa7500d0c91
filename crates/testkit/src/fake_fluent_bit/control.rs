//! Misbehaviour on demand: the control file, re-read at every decision so that a test can change
//! its mind while the fake runs.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use parking_lot::Mutex;

pub use super::faults::{Death, DryRunFault, HttpFault, ReloadFault};

/// The environment variable that names the control file.
pub const CONTROL_VARIABLE: &str = "FAKE_FLUENT_BIT_CONTROL";

/// The largest control file that is read.
const MAX_BYTES: u64 = 64 * 1024;

/// Everything a test can ask of the fake. The default is a well-behaved Fluent Bit 5.1.1.
///
/// The file is a JSON object or `key=value` lines (`#` begins a comment); the keys are the fields'
/// names. An absent file, an absent key and an empty file all mean the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// `reload=normal|halt|abort|hang`: how the next hot reload ends.
    pub reload: ReloadFault,
    /// `reload_ms`: SIGHUP to the new count, about 1000 in the real one.
    pub reload_ms: u64,
    /// `gap_ms`: how long no server listens inside a reload.
    pub gap_ms: u64,
    /// `stop_ms`: SIGTERM to exit while nothing is undelivered.
    pub stop_ms: u64,
    /// `start_failure_ms`: the engine's wait before it leaves after a failed start.
    pub start_failure_ms: u64,
    /// `deaf_to_sigterm=true`: SIGTERM, SIGINT and SIGQUIT do nothing.
    pub deaf_to_sigterm: bool,
    /// `http=normal|silent|slow_drip|malformed|huge|huge_metrics|refuse|late:MS`: what the HTTP server does.
    pub http: HttpFault,
    /// `metrics_after_ms`: the metrics endpoints answer 404 until then.
    pub metrics_after_ms: u64,
    /// `storage_after_ms`: `/api/v1/storage` answers 404 until then.
    pub storage_after_ms: u64,
    /// `crash_after_ms`: the process dies this long after its start.
    pub crash_after_ms: Option<u64>,
    /// `crash_with=255|sig6|…`: how it dies then.
    pub crash_with: Death,
    /// `exit_rc`: the exit code of a graceful stop, 0 if unset.
    pub exit_rc: Option<u8>,
    /// `log_flood`: extra stderr lines per second.
    pub log_flood: u32,
    /// `eat_mb`: memory that is taken and kept, in MiB.
    pub eat_mb: u32,
    /// `dry_run=normal|pass|fail|hang`: the verdict of `--dry-run`, whatever the config.
    pub dry_run: DryRunFault,
    /// `freeze=true`: the process stops itself (state T) each time this turns true.
    pub freeze: bool,
    /// `port_lie=true`: a taken HTTP port is no failure, so the port's other owner answers.
    pub port_lie: bool,
    /// `version`: the version that the fake claims to be.
    pub version: String,
}

impl Default for Control {
    fn default() -> Self {
        Self {
            reload: ReloadFault::Normal,
            reload_ms: 1000,
            gap_ms: 10,
            stop_ms: 100,
            start_failure_ms: 1000,
            deaf_to_sigterm: false,
            http: HttpFault::Normal,
            metrics_after_ms: 1000,
            storage_after_ms: 5000,
            crash_after_ms: None,
            crash_with: Death::Exit(255),
            exit_rc: None,
            log_flood: 0,
            eat_mb: 0,
            dry_run: DryRunFault::Normal,
            freeze: false,
            port_lie: false,
            version: "5.1.1".to_owned(),
        }
    }
}

/// Why a control file cannot be obeyed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ControlError {
    /// The file is neither a JSON object nor `key=value` lines.
    #[error("cannot read the control file as JSON or key=value lines near `{near}`")]
    Form {
        /// The text that does not fit.
        near: String,
    },
    /// A key that no field has.
    #[error("the control file has no key `{key}`; see the fields of `Control`")]
    UnknownKey {
        /// The key found.
        key: String,
    },
    /// A value that the field cannot take.
    #[error("the control file's `{key}` cannot be `{value}`; see the field's values in `Control`")]
    Value {
        /// The key found.
        key: String,
        /// The value found.
        value: String,
    },
}

impl Control {
    /// Reads a control file's text.
    ///
    /// # Errors
    /// When a line, a key or a value is not understood: a test's typing error must not pass for good behaviour.
    pub fn parse(text: &str) -> Result<Self, ControlError> {
        let mut control = Self::default();
        if text.trim_start().starts_with('{') {
            let object: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(text).map_err(|error| ControlError::Form { near: error.to_string() })?;
            for (key, value) in &object {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                control.set(key, &value)?;
            }
            return Ok(control);
        }
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) =
                line.split_once('=').ok_or_else(|| ControlError::Form { near: line.to_owned() })?;
            control.set(key.trim(), value.trim())?;
        }
        Ok(control)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), ControlError> {
        let wrong = || ControlError::Value { key: key.to_owned(), value: value.to_owned() };
        fn read<T: FromStr>(value: &str) -> Option<T> {
            value.parse().ok()
        }
        match key {
            "reload" => self.reload = read(value).ok_or_else(wrong)?,
            "reload_ms" => self.reload_ms = read(value).ok_or_else(wrong)?,
            "gap_ms" => self.gap_ms = read(value).ok_or_else(wrong)?,
            "stop_ms" => self.stop_ms = read(value).ok_or_else(wrong)?,
            "start_failure_ms" => self.start_failure_ms = read(value).ok_or_else(wrong)?,
            "deaf_to_sigterm" => self.deaf_to_sigterm = read(value).ok_or_else(wrong)?,
            "http" => self.http = read(value).ok_or_else(wrong)?,
            "metrics_after_ms" => self.metrics_after_ms = read(value).ok_or_else(wrong)?,
            "storage_after_ms" => self.storage_after_ms = read(value).ok_or_else(wrong)?,
            "crash_after_ms" => self.crash_after_ms = Some(read(value).ok_or_else(wrong)?),
            "crash_with" => self.crash_with = read(value).ok_or_else(wrong)?,
            "exit_rc" => self.exit_rc = Some(read(value).ok_or_else(wrong)?),
            "eat_mb" => self.eat_mb = read(value).ok_or_else(wrong)?,
            "log_flood" => self.log_flood = read(value).ok_or_else(wrong)?,
            "dry_run" => self.dry_run = read(value).ok_or_else(wrong)?,
            "freeze" => self.freeze = read(value).ok_or_else(wrong)?,
            "port_lie" => self.port_lie = read(value).ok_or_else(wrong)?,
            "version" => value.clone_into(&mut self.version),
            _ => {
                return Err(ControlError::UnknownKey { key: key.to_owned() });
            }
        }
        Ok(())
    }
}

/// Where the control file stands, and the last control that could be read from it.
#[derive(Debug)]
pub struct ControlFile {
    path: Option<PathBuf>,
    last: Mutex<Control>,
}

impl ControlFile {
    /// `path` is what [`CONTROL_VARIABLE`] names, if it is set.
    #[must_use]
    pub fn new(path: Option<PathBuf>) -> Self {
        Self { path, last: Mutex::new(Control::default()) }
    }

    /// Whether a control file can change anything at all.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.path.is_some()
    }

    /// The control as the file stands now. A file that cannot be read as a control keeps the last
    /// one, with the reason, so that a half-written file does no harm.
    #[must_use]
    pub fn now(&self) -> (Control, Option<ControlError>) {
        let Some(path) = &self.path else {
            return (Control::default(), None);
        };
        let mut last = self.last.lock();
        match Control::parse(&text_of(path)) {
            Ok(control) => {
                last.clone_from(&control);
                (control, None)
            }
            Err(error) => (last.clone(), Some(error)),
        }
    }

    /// The control as the file stands now, whatever is wrong with it.
    #[must_use]
    pub fn current(&self) -> Control {
        self.now().0
    }
}

#[expect(clippy::disallowed_methods, reason = "bounded by `take`")]
fn text_of(path: &Path) -> String {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
    if read.is_err() {
        text.clear();
    }
    text
}

/// Milliseconds as a duration.
#[must_use]
pub fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_json_and_lines_when_parsed_then_both_say_the_same() {
        let json = r#"{"reload":"hang","reload_ms":100,"http":"late:300","crash_with":"sig6","deaf_to_sigterm":true}"#;
        let lines =
            "# a test\nreload=hang\nreload_ms = 100\nhttp=late:300\ncrash_with=sig6\ndeaf_to_sigterm=true\n";
        let control = Control::parse(lines).unwrap();
        assert_eq!(Control::parse(json).unwrap(), control);
        assert_eq!(control.http, HttpFault::Late(300));
        assert_eq!(control.crash_with, Death::Signal(6));
    }

    #[test]
    fn given_a_typing_error_when_parsed_then_it_is_refused() {
        for text in ["relaod=halt", "reload=halted", "reload", "{\"reload\":1}", "http=late:x"] {
            assert!(Control::parse(text).is_err(), "{text}");
        }
    }
}
