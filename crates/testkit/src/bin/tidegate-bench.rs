//! Measures the server's figures; see `tidegate_testkit::bench`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tidegate_testkit::bench::main()
}
