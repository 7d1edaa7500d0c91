//! Writes or checks `docs/conformance.md`; see `tidegate_testkit::conformance`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tidegate_testkit::conformance::main()
}
