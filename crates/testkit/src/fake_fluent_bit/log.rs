//! Log lines as the real one writes them, and the two ways they take.
//!
//! Lines of the main thread (reload, config) go to stderr always; lines of the engine obey
//! `log_level` and `-q`, and go to `log_file` when one is set (fluent-bit.md, "Hot reload").

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

/// The weight of a line; the order is Fluent Bit's `log_level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing is written.
    Off,
    /// `[error]`
    Error,
    /// `[ warn]`
    Warn,
    /// `[ info]`
    Info,
    /// `[debug]`
    Debug,
    /// `[trace]`
    Trace,
}

impl Level {
    /// The level that a `log_level` value names, in any case.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "off" => Self::Off,
            "error" => Self::Error,
            "warn" | "warning" => Self::Warn,
            "info" => Self::Info,
            "debug" => Self::Debug,
            "trace" => Self::Trace,
            _ => return None,
        })
    }

    fn tag(self) -> &'static str {
        match self {
            Self::Off => "",
            Self::Error => "error",
            Self::Warn => " warn",
            Self::Info => " info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// How many lines of each weight the engine has logged since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// `[error]` lines.
    pub error: u64,
    /// `[ warn]` lines.
    pub warn: u64,
    /// `[ info]` lines.
    pub info: u64,
}

/// The process's log.
#[derive(Debug)]
pub struct Log {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    level: Level,
    file: Option<File>,
    counts: Counts,
}

impl Default for Log {
    fn default() -> Self {
        Self { inner: Mutex::new(Inner { level: Level::Info, file: None, counts: Counts::default() }) }
    }
}

impl Log {
    /// Takes the level and the file of a new engine, and counts from zero. A file that cannot be
    /// opened leaves the lines on stderr.
    pub fn begin(&self, level: Level, file: Option<&str>) {
        let opened = file.and_then(|path| OpenOptions::new().create(true).append(true).open(path).ok());
        let mut inner = self.inner.lock();
        *inner = Inner { level, file: opened, counts: Counts::default() };
    }

    /// A line of the engine.
    pub fn engine(&self, level: Level, message: &str) {
        let mut inner = self.inner.lock();
        match level {
            Level::Error => inner.counts.error += 1,
            Level::Warn => inner.counts.warn += 1,
            Level::Info => inner.counts.info += 1,
            Level::Off | Level::Debug | Level::Trace => {}
        }
        if level > inner.level {
            return;
        }
        let line = format!("[{}] [{}] {message}\n", stamp_millis(now()), level.tag());
        match &mut inner.file {
            Some(file) => ignore_loss(file.write_all(line.as_bytes())),
            None => self.stderr(&line),
        }
    }

    /// A line of the main thread.
    pub fn main(&self, level: Level, message: &str) {
        self.stderr(&format!("[{}] [{}] {message}\n", stamp_millis(now()), level.tag()));
    }

    /// The advice after an unknown property: `[ help] try the command: …`.
    pub fn help(&self, program: &str, flag: &str, plugin: &str) {
        let stamp = stamp_millis(now());
        self.stderr(&format!("[{stamp}] [ help] try the command: {program} {flag} {plugin} -h\n\n"));
    }

    /// `[engine] caught signal (NAME)`.
    pub fn signal(&self, name: &str) {
        self.stderr(&format!("[{}] [engine] caught signal ({name})\n", stamp_seconds(now())));
    }

    /// Text without a prefix.
    pub fn plain(&self, text: &str) {
        self.stderr(text);
    }

    /// What the engine has logged so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.inner.lock().counts
    }

    fn stderr(&self, text: &str) {
        ignore_loss(std::io::stderr().lock().write_all(text.as_bytes()));
    }
}

/// A reader that has gone away does not stop the real one either (EPIPE is ignored).
fn ignore_loss(written: std::io::Result<()>) {
    drop(written);
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// `2026/11/22 10:00:46.300`, in UTC.
#[must_use]
pub fn stamp_millis(since_epoch: Duration) -> String {
    format!("{}.{:03}", stamp_seconds(since_epoch), since_epoch.subsec_millis())
}

/// `2026/11/22 10:00:46`, in UTC.
#[must_use]
pub fn stamp_seconds(since_epoch: Duration) -> String {
    let (year, month, day, of_day) = civil(since_epoch.as_secs());
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}/{month:02}/{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// `2026-11-22T09:54:54.184596245Z`, as the v2 metrics text begins its lines.
#[must_use]
pub fn stamp_nanos(since_epoch: Duration) -> String {
    let (year, month, day, of_day) = civil(since_epoch.as_secs());
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let nanos = since_epoch.subsec_nanos();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
}

/// Year, month, day and second of the day: the proleptic Gregorian calendar by eras of 400 years.
fn civil(seconds: u64) -> (u64, u64, u64, u64) {
    let days = seconds / 86_400 + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day, seconds % 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_known_instants_when_stamped_then_the_calendar_is_right() {
        let cases = [
            (0, "1970/01/01 00:00:00"),
            (951_782_400, "2000/02/29 00:00:00"),
            (1_795_341_284, "2026/11/22 09:54:44"),
            (1_798_761_599, "2026/12/31 23:59:59"),
        ];
        for (seconds, said) in cases {
            assert_eq!(stamp_seconds(Duration::from_secs(seconds)), said);
        }
    }
}
