//! Simulated agents; see `tidegate_testkit::swarm`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tidegate_testkit::swarm::main()
}
