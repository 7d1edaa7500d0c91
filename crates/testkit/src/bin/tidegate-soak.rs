//! Random configs and kills for one agent; see `tidegate_testkit::soak`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tidegate_testkit::soak::main()
}
