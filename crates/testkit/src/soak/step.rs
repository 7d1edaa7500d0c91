//! What became of one config, and whether that is right.

use std::time::Duration;

use super::{Disturbance, Made, Verdict};

/// A config that has ended in a status.
#[derive(Clone, Debug)]
pub struct Step {
    /// The config.
    pub made: Made,
    /// What happened meanwhile.
    pub disturbance: Disturbance,
    /// The push.
    pub push: String,
    /// Its state at the end.
    pub state: String,
    /// Why.
    pub reason: String,
    /// How long that took.
    pub took: Duration,
}

impl Step {
    /// Whether its config runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.state == "proven"
    }

    /// What is wrong with how it ended.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let names = |proofs: &[&str]| {
            proofs.iter().any(|proof| self.reason.starts_with(&format!("{proof} proof failed")))
        };
        let is_right = match (self.state.as_str(), self.made.verdict) {
            ("proven", Verdict::Runs) => true,
            ("failed", Verdict::Runs) => self.disturbance.may_fail_a_good_config() && !self.reason.is_empty(),
            // A process that ends of its config ends of a disturbance as well: any proof after the check may be named.
            ("failed", Verdict::Fails(proofs)) => {
                names(proofs) || (self.disturbance.may_fail_a_good_config() && !self.reason.is_empty())
            }
            _ => false,
        };
        let Self { made, disturbance, state, reason, .. } = self;
        let (kind, alias) = (made.kind, &made.alias);
        let said = format!("{alias} ({kind}, {}) ended as {state}: {reason}", disturbance.name());
        (!is_right).then_some(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_ends_of_configs_when_judged_then_only_right_ones_pass() {
        let step = |verdict, disturbance, state: &str, reason: &str| {
            let made = Made { kind: "k", files: Vec::new(), verdict, alias: "a".to_owned() };
            let (state, reason) = (state.to_owned(), reason.to_owned());
            Step { made, disturbance, push: String::new(), state, reason, took: Duration::ZERO }
                .fault()
                .is_none()
        };
        let bad = Verdict::Fails(&["dry-run"]);
        for (verdict, disturbance, state, reason, expect) in [
            (Verdict::Runs, Disturbance::None, "proven", "", true),
            (Verdict::Runs, Disturbance::Cut, "failed", "health proof failed: x", false),
            (Verdict::Runs, Disturbance::AgentKilled, "failed", "health proof failed: x", true),
            (Verdict::Runs, Disturbance::AgentKilled, "failed", "", false),
            (bad, Disturbance::None, "failed", "dry-run proof failed: x", true),
            (bad, Disturbance::None, "failed", "reload proof failed: x", false),
            (bad, Disturbance::AgentKilled, "proven", "", false),
            (Verdict::Runs, Disturbance::None, "applying", "", false),
        ] {
            assert_eq!(step(verdict, disturbance, state, reason), expect, "{state} {reason}");
        }
    }
}
