//! The program: settings, server, signals, end.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use tidegate_server::settings::{Flags, Settings, resolve};
use tidegate_server::{maintenance, run};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Exit code of settings that cannot be used.
const USAGE: u8 = 2;

/// Descriptors that are no agent's: the store, the planes, the log.
const OWN_DESCRIPTORS: u64 = 64;

fn main() -> ExitCode {
    let flags = Flags::parse();
    let settings = match resolve(&flags, |name| std::env::var(name).ok()) {
        Ok(settings) => settings,
        Err(error) => return complain(&error.to_string(), USAGE),
    };
    if flags.print_config {
        return print_config(&settings);
    }
    if let Some(task) = &flags.task {
        return match maintenance::run(task, &settings.data_dir) {
            Ok(told) if writeln!(std::io::stdout(), "{told}").is_ok() => ExitCode::SUCCESS,
            Ok(_) => ExitCode::FAILURE,
            Err(error) => complain(&error, 1),
        };
    }
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).init();
    raise_descriptor_limit();
    match tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(16).build() {
        Ok(runtime) => runtime.block_on(serve(settings)),
        Err(error) => complain(&format!("cannot start the runtime: {error}"), 1),
    }
}

async fn serve(settings: Settings) -> ExitCode {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
        return complain("cannot listen for signals", 1);
    };
    let data_dir = settings.data_dir.clone();
    let path = settings.agents.path.clone();
    let tls = if settings.agents.tls.is_some() { "s" } else { "" };
    let running = match run::start(settings).await {
        Ok(running) => running,
        Err(error) => return complain(&error.to_string(), 1),
    };
    tracing::info!("agents connect to ws{tls}://{0}{path} or http{tls}://{0}{path}", running.agents);
    tracing::info!(
        "operators connect to http://{}; the token is in {}",
        running.operators,
        data_dir.join("admin-token").display()
    );
    match running.login_link() {
        Ok(None) => {}
        Ok(Some(link)) => tracing::info!("log in to the console within 15 minutes, once: {link}"),
        Err(error) => tracing::warn!(error, "no link to log in with can be made"),
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    running.stop().await;
    ExitCode::SUCCESS
}

/// Raises the soft limit to the hard one, and says how many agents that allows.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
    if let Some(files) = getrlimit(Resource::Nofile).current {
        let agents = files.saturating_sub(OWN_DESCRIPTORS);
        tracing::info!("the limit of {files} open files allows about {agents} connected agents");
    }
}

fn print_config(settings: &Settings) -> ExitCode {
    match serde_saphyr::to_string(settings) {
        Ok(text) if write!(std::io::stdout(), "{text}").is_ok() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => complain(&format!("cannot print the settings: {error}"), 1),
    }
}

fn complain(message: &str, code: u8) -> ExitCode {
    // Nobody is left to tell when stderr is gone.
    let _ = writeln!(std::io::stderr(), "tidegate-server: {message}");
    ExitCode::from(code)
}
