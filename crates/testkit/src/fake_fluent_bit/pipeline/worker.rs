//! The threads that move the pipeline: one for the clock, and one for each output.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::Pipeline;
use super::state::Said;
use crate::fake_fluent_bit::log::{Level, Log};

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_millis(25);

/// A running pipeline.
#[derive(Debug)]
pub struct Worker {
    ending: Arc<AtomicBool>,
    flushing: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Worker {
    /// Moves `pipeline` every few milliseconds, flushing each `flush`.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(pipeline: &Arc<Mutex<Pipeline>>, log: &Arc<Log>, flush: Duration) -> io::Result<Self> {
        let mut worker = Self {
            ending: Arc::new(AtomicBool::new(false)),
            flushing: Arc::new(AtomicBool::new(false)),
            threads: Vec::new(),
        };
        let mut clock = Clock {
            pipeline: Arc::clone(pipeline),
            flush: flush.max(LOOK),
            began: Instant::now(),
            flushed: Instant::now(),
            seconds: 0,
        };
        let flushing = Arc::clone(&worker.flushing);
        worker.spawn("pipeline", move || clock.turn(flushing.load(Ordering::SeqCst)))?;
        let outputs = pipeline.lock().outputs.len();
        for output in 0..outputs {
            let (pipeline, log) = (Arc::clone(pipeline), Arc::clone(log));
            worker.spawn("output", move || deliver(&pipeline, &log, output))?;
        }
        Ok(worker)
    }

    fn spawn(&mut self, name: &str, mut turn: impl FnMut() + Send + 'static) -> io::Result<()> {
        let ending = Arc::clone(&self.ending);
        let turns = move || {
            while !ending.load(Ordering::SeqCst) {
                turn();
                thread::sleep(LOOK);
            }
        };
        self.threads.push(thread::Builder::new().name(name.to_owned()).spawn(turns)?);
        Ok(())
    }

    /// From now on everything is flushed at once.
    pub fn flush(&self) {
        self.flushing.store(true, Ordering::SeqCst);
    }

    /// Ends the threads. Waits for as long as a delivery blocks, as the real engine does.
    pub fn end(self) {
        self.ending.store(true, Ordering::SeqCst);
        for thread in self.threads {
            drop(thread.join());
        }
    }
}

struct Clock {
    pipeline: Arc<Mutex<Pipeline>>,
    flush: Duration,
    began: Instant,
    flushed: Instant,
    seconds: u64,
}

impl Clock {
    fn turn(&mut self, flush_now: bool) {
        let now = Instant::now();
        let age = now - self.began;
        let mut pipeline = self.pipeline.lock();
        pipeline.make(age);
        if flush_now || now - self.flushed >= self.flush {
            self.flushed = now;
            pipeline.flush(now);
        }
        if age.as_secs() > self.seconds {
            self.seconds = age.as_secs();
            pipeline.second();
        }
    }
}

/// Tries what is due at one output, without holding the pipeline meanwhile.
fn deliver(pipeline: &Mutex<Pipeline>, log: &Log, output: usize) {
    let (due, sink) = {
        let pipeline = pipeline.lock();
        let Some(sink) = pipeline.outputs.get(output).map(|output| output.sink.clone()) else { return };
        (pipeline.due(output, Instant::now()), sink)
    };
    for task in due {
        let outcome = sink.deliver(&task.chunk);
        let mut pipeline = pipeline.lock();
        let said = match outcome {
            Ok(()) => {
                pipeline.delivered(output, &task);
                Vec::new()
            }
            Err(_) => pipeline.failed(output, &task, Instant::now()),
        };
        drop(pipeline);
        for line in said {
            match line {
                Said::Error(text) => log.engine(Level::Error, &text),
                Said::Warn(text) => log.engine(Level::Warn, &text),
            }
        }
    }
}
