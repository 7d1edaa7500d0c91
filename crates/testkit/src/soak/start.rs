//! The program `tidegate-soak`.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use super::{Plan, soak};
use crate::fleet::Agent;

/// Pushes random configs to one agent while everything around it is killed, and tells what came of it.
#[derive(Debug, Parser)]
#[command(name = "tidegate-soak")]
struct Flags {
    /// At least so many minutes
    #[arg(long, default_value_t = 20)]
    minutes: u64,
    /// At least so many configs
    #[arg(long, default_value_t = 300)]
    configs: u32,
    /// What the run repeats
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The fake agent, not the Fluent Bit that FLUENT_BIT_BIN names or that is on the path
    #[arg(long)]
    fake: bool,
}

/// Runs the program; fails when anything was wrong.
#[must_use]
pub fn main() -> ExitCode {
    let flags = Flags::parse();
    let agent = if flags.fake { Some(Agent::fake()) } else { Agent::real() };
    let Some(agent) = agent else {
        let _ =
            writeln!(std::io::stderr(), "tidegate-soak: no fluent-bit: set FLUENT_BIT_BIN, or say --fake");
        return ExitCode::FAILURE;
    };
    let plan = Plan {
        seed: flags.seed,
        configs: flags.configs,
        time: Duration::from_secs(flags.minutes * 60),
        hangs: true,
        probation: "0s",
        is_told: true,
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "tidegate-soak: cannot start the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let summary = runtime.block_on(soak(plan, agent));
    println!("\n{summary}");
    if summary.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
