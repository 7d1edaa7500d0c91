//! From the command line to a running process.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::catalogue::SCHEMA;
use super::config::{Moment, Refusal, load};
use super::context::Context;
use super::control::{CONTROL_VARIABLE, ControlFile, DryRunFault};
use super::engine::{Checked, Engine};
use super::flags::{Ask, Flags, parse};
use super::judge::flaw;
use super::log::Level;
use super::process::{FAILED, run};
use super::settings::Settings;
use super::{chaos, signals};

const BANNER: &str = include_str!("../../captures/fluent-bit/banner.txt");
const HELP: &str = include_str!("../../captures/fluent-bit/help.txt");

/// The exit code for a flag that the fake does not play.
const NOT_PLAYED: u8 = 64;

/// Runs the fake with the process's own arguments and environment.
#[must_use]
pub fn main() -> ExitCode {
    let mut args = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned());
    let program = args.next().unwrap_or_else(|| "fluent-bit".to_owned());
    let args: Vec<String> = args.collect();
    let control = ControlFile::new(std::env::var_os(CONTROL_VARIABLE).map(PathBuf::from));
    let context = Arc::new(Context::new(program.clone(), control));
    let code = match parse(&program, &args) {
        Ask::Version => {
            let version = context.control.current().version;
            print(&format!("Fluent Bit v{version}\nGit commit: \n"))
        }
        Ask::Schema => print(SCHEMA),
        Ask::Help => print(&HELP.replacen("/usr/bin/fluent-bit", &program, 1)),
        Ask::Refused(said) => {
            context.log.plain(&format!("{said}\n"));
            print(&HELP.replacen("/usr/bin/fluent-bit", &program, 1));
            1
        }
        Ask::NotPlayed(flag) => {
            context.log.plain(&format!("fake-fluent-bit: the flag {flag} is not played\n"));
            NOT_PLAYED
        }
        Ask::DryRun(flags) => prepare(&context, &flags).unwrap_or_else(|| dry_run(&context, &flags)),
        Ask::Run(flags) => prepare(&context, &flags).unwrap_or_else(|| cold_start(&context, &flags)),
    };
    ExitCode::from(code)
}

fn print(text: &str) -> u8 {
    drop(std::io::stdout().lock().write_all(text.as_bytes()));
    0
}

/// Banner and working directory; the exit code when that fails.
fn prepare(context: &Context, flags: &Flags) -> Option<u8> {
    if !flags.quiet {
        context.log.plain(BANNER);
    }
    let workdir = flags.workdir.as_ref()?;
    std::env::set_current_dir(workdir).is_err().then_some(1)
}

fn dry_run(context: &Context, flags: &Flags) -> u8 {
    match context.control.current().dry_run {
        DryRunFault::Normal => {}
        DryRunFault::Pass => return passed(context),
        DryRunFault::Fail => {
            context.log.main(Level::Error, "configuration file contains errors, aborting.");
            return 1;
        }
        DryRunFault::Hang => loop {
            thread::sleep(Duration::from_secs(3600));
        },
    }
    let loaded = match load(flags.config.as_deref(), Moment::ColdStart) {
        Ok(loaded) => loaded,
        Err(refusal) => return refused(context, &refusal),
    };
    if Settings::of(flags, &loaded).flush.is_none() {
        context.log.main(Level::Error, "invalid flush value, aborting.");
        return 1;
    }
    if let Some(flaw) = flaw(&loaded) {
        context.log.main(Level::Error, &flaw.said);
        if let Some(plugin) = &flaw.help {
            context.log.help(&context.program, flaw.kind.flag(), plugin);
        }
        context.log.main(Level::Error, flaw.verdict());
        return 1;
    }
    passed(context)
}

fn passed(context: &Context) -> u8 {
    context.log.plain("configuration test is successful\n");
    0
}

fn refused(context: &Context, refusal: &Refusal) -> u8 {
    let (Refusal::Syntax(lines) | Refusal::Format(lines)) = refusal;
    for line in lines {
        context.log.main(Level::Error, line);
    }
    if !lines.iter().any(|line| line.starts_with("could not open configuration file")) {
        context.log.main(Level::Error, "configuration file contains errors, aborting.");
    }
    1
}

fn cold_start(context: &Arc<Context>, flags: &Flags) -> u8 {
    let loaded = match load(flags.config.as_deref(), Moment::ColdStart) {
        Ok(loaded) => loaded,
        Err(refusal) => return refused(context, &refusal),
    };
    let settings = Settings::of(flags, &loaded);
    if settings.flush.is_none() {
        context.log.main(Level::Error, "invalid flush value, aborting.");
        return 1;
    }
    // The signals are taken before anything can send one, so that none of them kills.
    let Ok(events) = signals::listen(context) else {
        return FAILED;
    };
    if chaos::watch(context).is_err() {
        return FAILED;
    }
    match Engine::start(context, loaded, settings, Checked::NotYet) {
        Ok(engine) => run(context, flags, engine, &events),
        Err(_) => FAILED,
    }
}
