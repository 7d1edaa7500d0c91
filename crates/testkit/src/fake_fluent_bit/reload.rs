//! A hot reload: judged first, then the old engine goes and the new one comes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::config::{Loaded, Moment, Refusal, load};
use super::context::{Context, Hearing};
use super::control::{Control, ReloadFault, millis};
use super::engine::{Checked, Engine, Grace};
use super::flags::Flags;
use super::judge::flaw;
use super::log::Level;
use super::settings::Settings;

/// The deafness after a halted reload (fluent-bit.md, "Hot reload").
const AFTER_HALT: Duration = Duration::from_secs(1);

/// What is left after a reload.
pub(super) enum Outcome {
    /// An engine: the new one, or the old one after a halt.
    Running(Box<Engine>),
    /// Nothing: the process is to leave with 255.
    Aborted,
}

/// Reloads. Does not return while the old engine cannot deliver.
pub(super) fn reload(context: &Arc<Context>, flags: &Flags, mut old: Engine) -> Outcome {
    let began = Instant::now();
    let control = context.control.current();
    let pid = std::process::id();
    context.log.main(Level::Info, &format!("reloading instance pid={pid} tid=0x{pid:012x}"));
    if old.settings.ensure_thread_safety {
        old.grace = Grace::Endless;
    }
    let Some((loaded, settings)) = judged(context, flags, &control) else {
        // The old engine keeps the endless grace: a later SIGTERM waits for every chunk.
        thread::sleep(AFTER_HALT.min(millis(control.reload_ms)));
        *context.hearing.lock() = Hearing::Ready;
        return Outcome::Running(Box::new(old));
    };
    context.log.main(Level::Info, "[reload] stop everything of the old context");
    if let Some(timeout) = old.settings.reload_timeout {
        watch(context, timeout);
    }
    if control.reload == ReloadFault::Hang {
        hang();
    }
    let least = millis(control.reload_ms.saturating_sub(control.gap_ms)).saturating_sub(began.elapsed());
    old.stop(least);
    thread::sleep(millis(control.gap_ms));
    context.log.main(Level::Info, "[reload] start everything");
    let started = match control.reload {
        ReloadFault::Abort => None,
        ReloadFault::Normal | ReloadFault::Halt | ReloadFault::Hang => {
            Engine::start(context, loaded, settings, Checked::Already).ok()
        }
    };
    let Some(engine) = started else {
        context
            .log
            .main(Level::Error, "[reload] loaded configuration contains error(s). Reloading is aborted");
        context.log.plain("reloading is aborted and exit\n");
        return Outcome::Aborted;
    };
    // Ready before the count tells that it is: the next SIGHUP may follow at once.
    *context.hearing.lock() = Hearing::Ready;
    context.reloads.fetch_add(1, Ordering::SeqCst);
    context.log.main(Level::Info, "[reload] successful reload done.");
    Outcome::Running(Box::new(engine))
}

/// The new config, or nothing when the reload is halted, which has been logged then.
fn judged(context: &Context, flags: &Flags, control: &Control) -> Option<(Loaded, Settings)> {
    let error = |line: &str| context.log.main(Level::Error, line);
    let invalid = "[reload] reloaded config is invalid. Reloading is halted";
    if control.reload == ReloadFault::Halt {
        error(invalid);
        return None;
    }
    match load(flags.config.as_deref(), Moment::Reload) {
        Err(Refusal::Syntax(lines)) => {
            lines.iter().for_each(|line| error(line));
            None
        }
        Err(Refusal::Format(lines)) => {
            lines.iter().for_each(|line| error(line));
            error("[reload] reloaded config format is invalid. Reloading is halted");
            None
        }
        Ok(loaded) => match flaw(&loaded) {
            Some(flaw) => {
                error(&flaw.said);
                error(flaw.verdict());
                error(invalid);
                None
            }
            None => {
                let settings = Settings::of(flags, &loaded);
                Some((loaded, settings))
            }
        },
    }
}

/// The watchdog of `hot_reload.timeout`: signal 6 when the reload outlives it.
fn watch(context: &Arc<Context>, timeout: Duration) {
    let context = Arc::clone(context);
    let count = context.reloads.load(Ordering::SeqCst);
    let bite = move || {
        thread::sleep(timeout);
        let ended = context.reloads.load(Ordering::SeqCst) != count;
        if !ended {
            let seconds = timeout.as_secs();
            context.log.main(
                Level::Error,
                &format!(
                    "[hot_reload_watchdog] Hot reload timeout exceeded ({seconds} seconds), aborting to prevent \
                     indefinite hang"
                ),
            );
            std::process::abort();
        }
    };
    drop(thread::Builder::new().name("watchdog".to_owned()).spawn(bite));
}

/// Only a signal ends this.
fn hang() {
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}
