//! `tidegate`: the command line, a client of the server's REST API only.
//!
//! What was typed (`lowargs`) becomes what it means (`settings`); a command talks to the server and hands values
//! to `render`, which is pure; `exit` alone knows the exit codes. Data goes to stdout, talk to stderr, and each
//! text that does not come from us passes through `sanitise` before it reaches a terminal.

mod commands;
mod exit;
mod failure;
mod files;
mod lowargs;
mod output;
mod poll;
mod render;
mod sanitise;
mod settings;
mod target;
mod terminal;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use failure::Failure;
use lowargs::LowArgs;
use output::Talk;
use settings::Environment;
use terminal::Terminal;

/// Runs one command line, the program's name first, and returns the exit code of design "Exit codes".
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let low = match LowArgs::try_parse_from(args) {
        Ok(low) => low,
        Err(error) => {
            // A reader that went away is no reason to fail.
            let _ = error.print();
            return ExitCode::from(exit::of_usage(&error));
        }
    };
    let environment = Environment::of_process();
    let terminal = Terminal::of_process(&environment);
    let talk = Talk::new(terminal);
    let result = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let result = runtime.block_on(until_interrupted(low, &environment, terminal));
            // A thread may still wait for a line from the terminal.
            runtime.shutdown_background();
            result
        }
        Err(source) => Err(Failure::Start(source)),
    };
    if let Err(failure) = &result {
        talk.failure(failure);
    }
    ExitCode::from(exit::of_result(&result))
}

async fn until_interrupted(
    low: LowArgs,
    environment: &Environment,
    terminal: Terminal,
) -> Result<(), Failure> {
    tokio::select! {
        result = commands::run(low, environment, terminal) => result,
        signal = tokio::signal::ctrl_c() => match signal {
            Ok(()) => Err(Failure::Interrupted),
            Err(source) => Err(Failure::Start(source)),
        },
    }
}
