//! tidegate-supervisor: starts and supervises an agent on a host and speaks OpAMP for it.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use tidegate_supervisor::check::{self, Verdict};
use tidegate_supervisor::run;
use tidegate_supervisor::settings::{self, Host, LowArgs, Settings};

/// Largest settings file, in bytes.
const MAX_SETTINGS_BYTES: u64 = 1024 * 1024;

/// Exit code for settings that cannot be used, as for a wrong command line.
const BAD_SETTINGS: u8 = 2;

/// Starts and supervises Fluent Bit on this host, and speaks OpAMP for it.
///
/// Every flag with a value can also stand in the environment, as TIDEGATE_SUPERVISOR_ENDPOINT and so on, or in
/// the settings file. A flag outranks a variable, a variable the file.
#[derive(Debug, Parser)]
#[command(
    name = "tidegate-supervisor",
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = true
)]
struct CommandLine {
    #[command(flatten)]
    args: LowArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look at all that a supervisor with these settings needs on this host, and say in plain words what is missing;
    /// nothing is started
    Check(LowArgs),
}

#[expect(clippy::print_stderr, reason = "why the program does not start is for whoever started it")]
fn main() -> ExitCode {
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => {
            // Help and version come here too. Where nothing can be written, nothing more can be said.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(BAD_SETTINGS) } else { ExitCode::SUCCESS };
        }
    };
    let (args, checks) = match line.command {
        Some(Command::Check(args)) => (args, true),
        None => (line.args, false),
    };
    let settings = match settings::resolve(&args, &host()) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("tidegate-supervisor: {error}");
            return ExitCode::from(BAD_SETTINGS);
        }
    };
    let done = if args.print_config {
        print(&settings)
    } else if checks {
        check(&args, &settings)
    } else {
        supervise(args, settings)
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tidegate-supervisor: {error}");
            ExitCode::FAILURE
        }
    }
}

fn host() -> Host<'static> {
    Host {
        variable: &|name| std::env::var(name).ok(),
        is_file: &Path::is_file,
        read: &|path| {
            let bytes = tidegate_supervisor::files::read_bounded(path, MAX_SETTINGS_BYTES)?
                .ok_or(std::io::ErrorKind::NotFound)?;
            String::from_utf8(bytes).map_err(|_| std::io::Error::other("it is not UTF-8 text"))
        },
    }
}

fn print(settings: &Settings) -> Result<(), String> {
    let text = settings::print(settings)?;
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| format!("cannot write: {error}"))
}

/// Prints what was found; an error when the supervisor would not work.
fn check(args: &LowArgs, settings: &Settings) -> Result<(), String> {
    let file = settings::file_of(args, &host());
    let findings = runtime()?.block_on(check::check(settings, file.as_deref()));
    let text: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| format!("cannot write: {error}"))?;
    let wrong = findings.iter().filter(|finding| finding.verdict == Verdict::Wrong).count();
    if wrong == 0 { Ok(()) } else { Err(format!("{wrong} of {} checks failed", findings.len())) }
}

/// One thread is enough for all agents of a host, and keeps the supervisor small.
fn runtime() -> Result<tokio::runtime::Runtime, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| format!("cannot start the runtime: {error}"))
}

fn supervise(args: LowArgs, settings: Settings) -> Result<(), String> {
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing_subscriber::filter::LevelFilter::INFO.into())
        .from_env_lossy();
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
    let runtime = runtime()?;
    let reread = move || settings::resolve(&args, &host()).map_err(|error| error.to_string());
    let ended = runtime.block_on(run::run(settings, Arc::new(reread))).map_err(|error| error.to_string());
    // A task that hangs must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    ended
}
