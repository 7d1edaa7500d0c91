//! What a soak showed.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::memory::Flatness;
use super::{Disturbance, Step};

/// What a soak showed.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// What was run on.
    pub agent: String,
    /// What repeats it.
    pub seed: u64,
    /// How long it took.
    pub took: Duration,
    /// Configs by kind: how many were proven and how many failed.
    pub kinds: BTreeMap<&'static str, (u32, u32)>,
    /// Disturbances by name.
    pub disturbances: BTreeMap<&'static str, u32>,
    /// Configs that were pushed over by the next one before they were taken up.
    pub superseded: u32,
    /// The longest time from a push to its end.
    pub slowest: Duration,
    /// Memory and descriptors of the supervisor.
    pub flatness: Flatness,
    /// The longest run of one supervisor process, in configs.
    pub longest_life: usize,
    /// Everything that was wrong.
    pub faults: Vec<String>,
}

impl Summary {
    /// Counts a step.
    pub(super) fn count(&mut self, step: &Step) {
        let (proven, failed) = self.kinds.entry(step.made.kind).or_default();
        *(if step.runs() { proven } else { failed }) += 1;
        self.slowest = self.slowest.max(step.took);
        self.faults.extend(step.fault());
    }

    /// Counts what happened.
    pub(super) fn disturbed(&mut self, disturbance: Disturbance) {
        *self.disturbances.entry(disturbance.name()).or_default() += 1;
    }

    /// How many configs ended in a status.
    #[must_use]
    pub fn configs(&self) -> u32 {
        self.kinds.values().map(|(proven, failed)| proven + failed).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: (u32, u32) =
            self.kinds.values().fold((0, 0), |sum, kind| (sum.0 + kind.0, sum.1 + kind.1));
        writeln!(f, "soak of {} on {}, seed {}", told(self.took), self.agent, self.seed)?;
        writeln!(
            f,
            "configs: {} ended in a status ({} proven, {} failed), {} were replaced by the next before that",
            self.configs(),
            total.0,
            total.1,
            self.superseded
        )?;
        writeln!(f, "slowest from push to status: {}", told(self.slowest))?;
        writeln!(f, "{:<24} {:>7} {:>7}", "kind", "proven", "failed")?;
        for (kind, (proven, failed)) in &self.kinds {
            writeln!(f, "{kind:<24} {proven:>7} {failed:>7}")?;
        }
        let disturbances: Vec<_> =
            self.disturbances.iter().map(|(name, count)| format!("{name} {count}")).collect();
        writeln!(f, "meanwhile: {}", disturbances.join(", "))?;
        let Flatness { compared, ends: (first, last), growth_kib, descriptors: (most, least) } =
            self.flatness;
        writeln!(
            f,
            "supervisor: {} to {} KiB resident over the last {compared} of {} configs of one process (fitted growth \
             {growth_kib:.0} KiB), {least} to {most} descriptors",
            first.resident_kib, last.resident_kib, self.longest_life
        )?;
        writeln!(f, "faults: {}", self.faults.len())?;
        self.faults.iter().try_for_each(|fault| writeln!(f, "  {fault}"))
    }
}

fn told(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{:.1} s", time.as_secs_f32())
    } else {
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}
