//! tidegate-supervisor: starts and supervises an agent on a host and speaks OpAMP for it.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use tidegate_supervisor::run;
use tidegate_supervisor::settings::{self, Host, LowArgs, Settings};

/// Largest settings file, in bytes.
const MAX_SETTINGS_BYTES: u64 = 1024 * 1024;

/// Exit code for settings that cannot be used, as for a wrong command line.
const BAD_SETTINGS: u8 = 2;

#[expect(clippy::print_stderr, reason = "why the program does not start is for whoever started it")]
fn main() -> ExitCode {
    let args = match LowArgs::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version come here too. Where nothing can be written, nothing more can be said.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(BAD_SETTINGS) } else { ExitCode::SUCCESS };
        }
    };
    let settings = match settings::resolve(&args, &host()) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("tidegate-supervisor: {error}");
            return ExitCode::from(BAD_SETTINGS);
        }
    };
    let done = if args.print_config { print(&settings) } else { supervise(args, settings) };
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

fn supervise(args: LowArgs, settings: Settings) -> Result<(), String> {
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing_subscriber::filter::LevelFilter::INFO.into())
        .from_env_lossy();
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
    // One thread is enough for one agent, and keeps the supervisor small.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the runtime: {error}"))?;
    let reread = move || settings::resolve(&args, &host()).map_err(|error| error.to_string());
    let ended = runtime.block_on(run::run(settings, Arc::new(reread))).map_err(|error| error.to_string());
    // A task that hangs must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    ended
}
