//! The program `tidegate-bench`.

use std::io::Write as _;
use std::process::ExitCode;

use super::figure::{Outcome, json, table};
use super::phases::{PHASES, Tools};
use super::plan::Plan;
use super::{children, figure};

/// Runs the phases and prints what they found. Fails when a figure was not measured; a goal that is missed is a
/// finding, not a failure.
#[must_use]
pub fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(why) => {
            say(&format!("tidegate-bench: {why}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, String> {
    let plan = Plan::from_env()?;
    children::end_with_this_process()?;
    let tools = Tools::beside_this_program(&plan)?;
    let known: Vec<_> = PHASES.iter().map(|phase| phase.name).collect();
    if let Some(unknown) = plan.only.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("BENCH_ONLY: there is no phase {unknown:?}; there are {}", known.join(", ")));
    }
    let mut figures = Vec::new();
    for phase in PHASES.iter().filter(|phase| plan.wants(phase.name)) {
        say(&format!("== {}: {}", phase.name, phase.what));
        match (phase.run)(&plan, &tools) {
            Ok(found) => figures.extend(found),
            Err(why) => {
                say(&format!("{}: {why}", phase.name));
                figures.push(figure::Figure::failed(phase.name, phase.what, why));
            }
        }
    }
    let json = serde_json::json!({
        "agents": plan.agents, "known": plan.known, "known_report": plan.known_report,
        "offered": plan.offered, "pollers": plan.pollers, "rate": plan.rate,
        "seconds": plan.time.as_secs(), "rounds": plan.rounds, "figures": json(&figures),
    });
    if let Some(path) = &plan.json {
        std::fs::write(path, format!("{json:#}\n"))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{}\n{json}", table(&figures)).map_err(|error| error.to_string())?;
    let all = figures.iter().all(|figure| matches!(figure.outcome, Outcome::Measured { .. }));
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn say(text: &str) {
    // Progress is for whoever watches.
    let _ = writeln!(std::io::stderr(), "{text}");
}
