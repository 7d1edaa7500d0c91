//! Faults that need no occasion: crash, freeze, flood.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Signal, getpid, kill_process};

use super::context::Context;
use super::control::{Control, Death, millis};

/// How often the control file is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// The most lines of one look.
const MAX_LINES: u64 = 100_000;

/// Watches the control file, if there is one.
pub(super) fn watch(context: &Arc<Context>) -> std::io::Result<()> {
    if !context.control.is_named() {
        return Ok(());
    }
    let context = Arc::clone(context);
    let turn = move || {
        let (mut frozen, mut complaint, mut flood) = (false, None, Flood::default());
        let mut eaten: Vec<Vec<u8>> = Vec::new();
        loop {
            let (control, error) = context.control.now();
            if error != complaint {
                if let Some(error) = &error {
                    context.log.plain(&format!("fake-fluent-bit: {error}\n"));
                }
                complaint = error;
            }
            if control.crash_after_ms.is_some_and(|after| context.began.elapsed() >= millis(after)) {
                die(control.crash_with);
            }
            // Only the change counts: who wakes the process must not be put to sleep again.
            if control.freeze && !frozen {
                let _ = kill_process(getpid(), Signal::STOP);
            }
            frozen = control.freeze;
            while eaten.len() < control.eat_mb as usize {
                eaten.push(vec![1; 1024 * 1024]);
            }
            flood.pour(&context, &control);
            thread::sleep(LOOK);
        }
    };
    thread::Builder::new().name("chaos".to_owned()).spawn(turn).map(drop)
}

#[derive(Default)]
struct Flood {
    since: Option<Instant>,
    poured: u64,
}

impl Flood {
    fn pour(&mut self, context: &Context, control: &Control) {
        if control.log_flood == 0 {
            *self = Self::default();
            return;
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        let due = since.elapsed().as_millis() as u64 * u64::from(control.log_flood) / 1000;
        let lines = due.saturating_sub(self.poured).min(MAX_LINES);
        self.poured += lines;
        let text: String = (0..lines)
            .map(|line| format!("[2026/01/01 00:00:00.000] [ warn] [fake] flood {}\n", self.poured + line))
            .collect();
        context.log.plain(&text);
    }
}

fn die(death: Death) -> ! {
    match death {
        Death::Exit(code) => std::process::exit(code.into()),
        Death::Signal(number) => {
            if let Some(signal) = Signal::from_named_raw(number) {
                let _ = kill_process(getpid(), signal);
                thread::sleep(Duration::from_millis(200));
            }
            std::process::abort()
        }
    }
}
