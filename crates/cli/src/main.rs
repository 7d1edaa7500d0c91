//! `tidegate`: the command line of Tidegate.

use std::process::ExitCode;

fn main() -> ExitCode {
    tidegate_cli::run(std::env::args_os())
}
