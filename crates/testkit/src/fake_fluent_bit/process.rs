//! The main thread: one engine at a time, and what the signals make of it.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use super::context::Context;
use super::control::millis;
use super::engine::Engine;
use super::flags::Flags;
use super::reload::{Outcome, reload};
use super::signals::Event;

/// The exit code of a failed engine.
pub(super) const FAILED: u8 = 255;

/// Obeys events until one of them ends the process; gives its exit code.
pub(super) fn run(context: &Arc<Context>, flags: &Flags, engine: Engine, events: &Receiver<Event>) -> u8 {
    let mut engine = engine;
    loop {
        match events.recv() {
            Ok(Event::Reload) => match reload(context, flags, engine) {
                Outcome::Running(next) => engine = *next,
                Outcome::Aborted => return FAILED,
            },
            Ok(Event::Stop(name)) => {
                context.log.signal(name);
                engine.stop(millis(context.control.current().stop_ms));
                return context.control.current().exit_rc.unwrap_or(0);
            }
            Err(_) => return FAILED,
        }
    }
}
