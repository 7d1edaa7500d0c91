//! What is to be measured, from the environment.

use std::path::PathBuf;
use std::time::Duration;

/// How much, how long, and where.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Agents that are connected (`BENCH_AGENTS`).
    pub(super) agents: u32,
    /// Agents that are known (`BENCH_KNOWN`).
    pub(super) known: u32,
    /// What a known agent has reported: `small`, `health` or `full` (`BENCH_KNOWN_REPORT`).
    pub(super) known_report: String,
    /// Agents that get an edited config (`BENCH_OFFERED`).
    pub(super) offered: u32,
    /// Agents that poll (`BENCH_POLLERS`).
    pub(super) pollers: u32,
    /// Heartbeats or polls a second (`BENCH_RATE`).
    pub(super) rate: u32,
    /// Configs that one supervisor applies before its memory is read (`BENCH_APPLIES`).
    pub(super) applies: u32,
    /// For how long at a time (`BENCH_SECONDS`).
    pub(super) time: Duration,
    /// How often, the median counting (`BENCH_ROUNDS`).
    pub(super) rounds: u32,
    /// How long agents are left alone before memory is read (`BENCH_IDLE`, seconds).
    pub(super) idle: Duration,
    /// Phases to run; empty for all (`BENCH_ONLY`, separated by commas).
    pub(super) only: Vec<String>,
    /// Where state goes; on a disk, not in memory (`BENCH_DIR`).
    pub(super) dir: PathBuf,
    /// A file for the JSON, besides the last line of stdout (`BENCH_JSON`).
    pub(super) json: Option<PathBuf>,
}

impl Plan {
    /// Reads the environment. `BENCH_QUICK=1` makes everything small: to see that it works, not for figures.
    pub(super) fn from_env() -> Result<Self, String> {
        let is_quick = std::env::var("BENCH_QUICK").is_ok_and(|value| value == "1");
        let or = |full: u32, quick: u32| if is_quick { quick } else { full };
        let seconds = |name, default| number(name, default).map(|count| Duration::from_secs(count.into()));
        Ok(Self {
            agents: number("BENCH_AGENTS", or(15_000, 1_000))?,
            known: number("BENCH_KNOWN", or(100_000, 2_000))?,
            known_report: std::env::var("BENCH_KNOWN_REPORT").unwrap_or_else(|_| "full".to_owned()),
            offered: number("BENCH_OFFERED", or(10_000, 500))?,
            pollers: number("BENCH_POLLERS", or(2_000, 200))?,
            rate: number("BENCH_RATE", or(10_000, 2_000))?,
            applies: number("BENCH_APPLIES", or(1_000, 30))?,
            time: seconds("BENCH_SECONDS", or(10, 2))?,
            rounds: number("BENCH_ROUNDS", or(3, 1))?,
            idle: seconds("BENCH_IDLE", or(15, 3))?,
            only: list("BENCH_ONLY"),
            dir: std::env::var_os("BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from),
            json: std::env::var_os("BENCH_JSON").map(PathBuf::from),
        })
    }

    /// Whether a phase is to run.
    pub(super) fn wants(&self, phase: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == phase)
    }
}

fn number(name: &str, default: u32) -> Result<u32, String> {
    match std::env::var(name) {
        Err(_) => Ok(default),
        Ok(text) => match text.parse() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(format!("{name}={text} is no number above 0")),
        },
    }
}

fn list(name: &str) -> Vec<String> {
    let text = std::env::var(name).unwrap_or_default();
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
