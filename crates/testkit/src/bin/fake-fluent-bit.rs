//! A fake Fluent Bit for tests; see `tidegate_testkit::fake_fluent_bit`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tidegate_testkit::fake_fluent_bit::main()
}
