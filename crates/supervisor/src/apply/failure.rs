//! Which proof failed, why, and what that leaves of the process.

use crate::{machine::Machine, text};

/// Longest report of a failure, in bytes.
const REPORT_LIMIT: usize = 4096;

/// The proofs that an offer must pass, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The offer is a set of files that can be written.
    Offer,
    /// The files could be written, and the check could be made.
    Disk,
    /// It names only what the host lets it name.
    Limits,
    /// The main file can be read.
    Readable,
    /// It has something to run.
    Pipeline,
    /// The agent's own check accepts it.
    DryRun,
    /// What stands on disk is what was offered, the forced keys aside.
    Equality,
    /// The running process loaded it.
    Reload,
    /// A new process came up on it.
    Process,
    /// Its components show in the metrics.
    Components,
    /// The port is held by our process.
    Port,
    /// The agent has logged no error of its config.
    Log,
    /// The agent stayed healthy for the probation.
    Health,
}

impl Proof {
    /// The name by which reports call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Disk => "disk",
            Self::Limits => "limits",
            Self::Readable => "readable",
            Self::Pipeline => "pipeline",
            Self::DryRun => "dry-run",
            Self::Equality => "equality",
            Self::Reload => "reload",
            Self::Process => "process",
            Self::Components => "components",
            Self::Port => "port",
            Self::Log => "log",
            Self::Health => "health",
        }
    }
}

/// What a failure leaves of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// It never heard of the new config.
    Untouched,
    /// It gave the new config up and runs the former one.
    Halted,
    /// It has ended.
    Gone,
    /// It hangs between the two.
    Hung,
    /// It runs the new config.
    Running,
}

/// A proof that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which.
    pub proof: Proof,
    /// Why, in one sentence.
    pub what: String,
    /// What it leaves.
    pub after: After,
}

impl Failure {
    /// A failure that came before the process heard of the config.
    #[must_use]
    pub fn untouched(proof: Proof, what: String) -> Self {
        Self { proof, what, after: After::Untouched }
    }

    /// True when the failure speaks against the config, so that the same one need not be tried again. A reload that
    /// hangs is held up by what ran before, and a full disk or a taken port passes.
    /// What the host does not allow today, it may allow tomorrow.
    #[must_use]
    pub fn blames_config(&self) -> bool {
        match self.proof {
            Proof::Disk | Proof::Port | Proof::Offer | Proof::Limits => false,
            Proof::Reload => self.after != After::Hung,
            _ => true,
        }
    }

    /// The text for the server: the proof, the reason and, where the process was touched, the last log lines; at
    /// most 4 KiB.
    #[must_use]
    pub fn report(&self, machine: &Machine) -> String {
        let lines = match self.after {
            After::Untouched => String::new(),
            _ => machine.last_lines(2048),
        };
        self.report_with(&lines)
    }

    fn report_with(&self, lines: &str) -> String {
        let mut report = format!("{} proof failed: {}", self.proof.name(), text::head(&self.what, 1900));
        if !lines.is_empty() {
            report.push_str("\nlast log lines:\n");
            let room = REPORT_LIMIT.saturating_sub(report.len());
            report.push_str(text::tail(lines, room));
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_long_reasons_and_logs_when_reported_then_the_text_is_bounded_and_names_the_proof() {
        let failure = Failure { proof: Proof::Reload, what: "é".repeat(9000), after: After::Gone };
        let report = failure.report_with(&"ü".repeat(9000));
        assert!(report.len() <= REPORT_LIMIT);
        assert!(report.starts_with("reload proof failed: é"));
        assert!(report.ends_with('ü'));
        let short = Failure::untouched(Proof::DryRun, "no".into()).report_with("");
        assert_eq!(short, "dry-run proof failed: no");
    }
}
