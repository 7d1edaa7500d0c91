//! A config that is only checked: the steps of an apply up to the agent's own check, in a folder of their own that is
//! removed again. What runs, and what is written down of offers, is not touched.

use tidegate_opamp::AgentConfigMap;

use super::{Failure, Proof, check, offer, prepare, store};
use crate::{agent::Verdict, machine::Machine, state::Entry};

/// The folder of the files, which no hash of a content can be.
const CONTENT: &str = "dry-run";

/// What an apply of these files would come to, as far as that shows without applying them.
pub async fn dry_run(machine: &Machine, map: &AgentConfigMap) -> Verdict {
    let mut warnings = Vec::new();
    let failed = attempt(machine, map, &mut warnings).await.err();
    // What cannot be removed is overwritten by the next one, and goes with the next apply.
    let _ = std::fs::remove_dir_all(machine.state.config(CONTENT));
    machine.sweep_own();
    Verdict {
        proof: failed.as_ref().map(|failure| failure.proof.name()),
        errors: failed.map(|failure| failure.what).into_iter().collect(),
        warnings,
    }
}

async fn attempt(machine: &Machine, map: &AgentConfigMap, warnings: &mut Vec<String>) -> Result<(), Failure> {
    let offered = offer::read(map, &*machine.fixed.kind)
        .map_err(|error| Failure::untouched(Proof::Offer, error.to_string()))?;
    let entry = Entry { hash: String::new(), content: CONTENT.to_owned() };
    let (source, files) = store(&machine.state, CONTENT, &offered)
        .map_err(|error| Failure::untouched(Proof::Disk, error.to_string()))?;
    let next = prepare(machine, &entry, source, files).await?;
    warnings.clone_from(&next.rendered.warnings);
    check(machine, &next).await
}
