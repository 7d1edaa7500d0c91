//! Signals: which ones are heard, and by whom.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use super::context::{Context, Hearing};
use super::dump::dump;
use super::http::Backend;
use super::log::Level;

/// What a signal asks of the main thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// Reload the config.
    Reload,
    /// Stop gracefully; the signal's name.
    Stop(&'static str),
}

/// Starts to listen. SIGUSR1, SIGUSR2 and the rest keep their default: they kill.
pub(super) fn listen(context: &Arc<Context>) -> std::io::Result<Receiver<Event>> {
    let mut signals = Signals::new([SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGCONT])?;
    let (sender, events) = sync_channel(16);
    let context = Arc::clone(context);
    let hear = move || {
        for signal in signals.forever() {
            match signal {
                SIGHUP => reload(&context, &sender),
                SIGCONT => tell(&context),
                SIGTERM => stop(&context, &sender, "SIGTERM"),
                SIGINT => stop(&context, &sender, "SIGINT"),
                SIGQUIT => stop(&context, &sender, "SIGQUIT"),
                _ => {}
            }
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(hear)?;
    Ok(events)
}

fn reload(context: &Context, sender: &SyncSender<Event>) {
    context.log.signal("SIGHUP");
    let enabled = context.view.lock().as_ref().map(|view| view.settings.hot_reload);
    // Before there is an engine nothing is known about its settings: the signal is lost.
    let Some(enabled) = enabled else { return };
    let mut hearing = context.hearing.lock();
    match *hearing {
        Hearing::Ready if enabled => {
            *hearing = Hearing::Busy;
            let _ = sender.try_send(Event::Reload);
        }
        Hearing::Ready => {
            *hearing = Hearing::Stuck;
            context.log.main(Level::Warn, "[reload] hot reloading is not enabled");
        }
        Hearing::Busy | Hearing::Stuck => {
            context.log.main(Level::Error, "reloading in progress, aborting.");
        }
    }
}

/// While a reload runs the main thread does not look, so a stop waits for its end.
fn stop(context: &Context, sender: &SyncSender<Event>, name: &'static str) {
    if !context.control.current().deaf_to_sigterm {
        let _ = sender.try_send(Event::Stop(name));
    }
}

fn tell(context: &Context) {
    context.log.signal("SIGCONT");
    let view = context.view.lock().clone();
    if let Some(view) = view {
        context.log.plain(&dump(&view.snapshot()));
    }
}
