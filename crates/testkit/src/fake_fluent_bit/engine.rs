//! One engine: started from a config, stopped by a signal or a reload.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::config::{Instance, Loaded};
use super::context::{Context, View, wall_clock};
use super::http::{Backend, Door, Gate};
use super::judge::flaw;
use super::listeners;
use super::log::Level;
use super::pipeline::{Pipeline, Worker};
use super::settings::Settings;

/// How long a stop waits for undelivered chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grace {
    /// So many seconds.
    Seconds(u64),
    /// Until everything is delivered: a reload with thread safety, and any stop after a halted one.
    Endless,
}

/// A running engine.
pub(super) struct Engine {
    context: Arc<Context>,
    loaded: Loaded,
    pipeline: Arc<Mutex<Pipeline>>,
    worker: Worker,
    doors: Vec<Door>,
    gate: Option<Gate>,
    /// The stop's patience; a halted reload makes it endless.
    pub(super) grace: Grace,
    /// What the engine was started with.
    pub(super) settings: Settings,
}

/// The engine could not start: everything has been logged, and the process is to leave with 255.
#[derive(Debug)]
pub(super) struct StartFailure;

/// Whether the properties have been checked before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checked {
    /// By a reload.
    Already,
    /// Not yet: a cold start finds flaws only now.
    NotYet,
}

impl Engine {
    /// Starts everything, in the real one's order, and logs as it does.
    pub(super) fn start(
        context: &Arc<Context>,
        loaded: Loaded,
        settings: Settings,
        checked: Checked,
    ) -> Result<Self, StartFailure> {
        context.log.begin(settings.log_level, settings.log_file.as_deref());
        let starting = Starting { context, loaded: &loaded, settings: &settings };
        starting.greet();
        if checked == Checked::NotYet {
            starting.check()?;
        }
        let pipeline = starting.pipeline()?;
        let doors = starting.doors(&pipeline)?;
        for output in &loaded.outputs {
            let line = format!("[output:{}:{}] worker #0 started", output.plugin, output.name);
            context.log.engine(Level::Info, &line);
        }
        let view = Arc::new(View {
            context: Arc::clone(context),
            settings: settings.clone(),
            pipeline: Arc::clone(&pipeline),
            began: Instant::now(),
            began_at: wall_clock(),
        });
        // Signals are heard before the first answer over HTTP: who was answered may send one.
        *context.view.lock() = Some(Arc::clone(&view));
        let gate = starting.gate(&view)?;
        let flush = settings.flush.unwrap_or_default();
        let worker = Worker::start(&pipeline, &context.log, flush).map_err(|_| StartFailure)?;
        context.log.engine(Level::Info, "[sp] stream processor started");
        let line = format!(
            "[engine] Shutdown Grace Period={}, Shutdown Input Grace Period={}",
            settings.grace,
            settings.grace / 2
        );
        context.log.engine(Level::Info, &line);
        let grace = Grace::Seconds(settings.grace);
        Ok(Self { context: Arc::clone(context), loaded, pipeline, worker, doors, gate, grace, settings })
    }

    /// Stops everything. Returns when all is delivered, or when the grace is over; never, if neither
    /// comes. `least` is how long it takes at the least.
    pub(super) fn stop(self, least: Duration) {
        let log = &self.context.log;
        let said = match self.grace {
            Grace::Seconds(seconds) => format!("[engine] service will shutdown in max {seconds} seconds"),
            Grace::Endless => {
                "[engine] service will shutdown when all remaining tasks are flushed".to_owned()
            }
        };
        log.engine(Level::Warn, &said);
        log.engine(Level::Info, "[engine] pausing all inputs..");
        let pause =
            |instance: &Instance| log.engine(Level::Info, &format!("[input] pausing {}", instance.name));
        self.loaded.inputs.iter().for_each(pause);
        self.pipeline.lock().pause();
        drop(self.doors);
        self.worker.flush();
        let began = Instant::now();
        let pending = loop {
            thread::sleep(Duration::from_millis(5));
            let waited = began.elapsed();
            let pending = self.pipeline.lock().undelivered();
            let spent = match self.grace {
                Grace::Seconds(seconds) => waited >= Duration::from_secs(seconds),
                Grace::Endless => false,
            };
            if (pending == 0 && waited >= least) || spent {
                break pending;
            }
        };
        log.engine(Level::Info, &format!("[engine] service has stopped ({pending} pending tasks)"));
        self.loaded.inputs.iter().for_each(pause);
        self.worker.end();
        for output in &self.loaded.outputs {
            let who = format!("[output:{}:{}] thread worker #0", output.plugin, output.name);
            log.engine(Level::Info, &format!("{who} stopping..."));
            log.engine(Level::Info, &format!("{who} stopped"));
        }
        drop(self.gate);
    }
}

struct Starting<'a> {
    context: &'a Arc<Context>,
    loaded: &'a Loaded,
    settings: &'a Settings,
}

impl Starting<'_> {
    fn info(&self, line: &str) {
        self.context.log.engine(Level::Info, line);
    }

    fn error(&self, line: &str) {
        self.context.log.engine(Level::Error, line);
    }

    fn greet(&self) {
        let version = self.context.control.current().version;
        let kind = if self.settings.storage_path.is_some() { "memory+filesystem" } else { "memory" };
        self.info(&format!("[fluent bit] version={version}, commit=, pid={}", std::process::id()));
        self.info(&format!("[storage] ver=1.5.4, type={kind}, sync=normal, checksum=off, max_chunks_up=128"));
        self.info("[simd    ] disabled");
        self.info("[cmetrics] version=2.2.1");
        self.info("[ctraces ] version=0.7.1");
        for Instance { plugin, name, .. } in &self.loaded.inputs {
            self.info(&format!("[input:{plugin}:{name}] initializing"));
            self.info(&format!("[input:{plugin}:{name}] storage_strategy='memory' (memory only)"));
        }
    }

    fn fail<T>(&self, stage: &str) -> Result<T, StartFailure> {
        self.error(&format!("[engine] {stage}"));
        thread::sleep(Duration::from_millis(self.context.control.current().start_failure_ms));
        for input in &self.loaded.inputs {
            self.info(&format!("[input] pausing {}", input.name));
        }
        Err(StartFailure)
    }

    fn check(&self) -> Result<(), StartFailure> {
        let Some(flaw) = flaw(self.loaded) else {
            return Ok(());
        };
        match &flaw.help {
            Some(plugin) => {
                self.context.log.main(Level::Error, &flaw.said_at_start);
                self.context.log.help(&self.context.program, flaw.kind.flag(), plugin);
            }
            None => self.context.log.engine(Level::Warn, &flaw.said_at_start),
        }
        self.fail(&format!("{} initialization failed", flaw.kind.word()))
    }

    fn pipeline(&self) -> Result<Arc<Mutex<Pipeline>>, StartFailure> {
        match Pipeline::new(self.loaded, self.settings.hc_period) {
            Ok(pipeline) => Ok(Arc::new(Mutex::new(pipeline))),
            Err((Instance { plugin, name, .. }, pattern)) => {
                self.error(&format!("[filter:{plugin}:{name}] could not compile regex pattern '{pattern}'"));
                self.error(&format!("Failed initialize filter {name}"));
                self.fail("filter initialization failed")
            }
        }
    }

    fn doors(&self, pipeline: &Arc<Mutex<Pipeline>>) -> Result<Vec<Door>, StartFailure> {
        let mut doors = Vec::new();
        for (index, instance) in self.loaded.inputs.iter().enumerate() {
            let Some((listen, port)) = listeners::place(instance) else { continue };
            match listeners::open(instance, index, (&listen, port), pipeline) {
                Ok(door) => doors.push(door),
                Err(_) => {
                    let Instance { plugin, name, .. } = instance;
                    self.cannot_listen(&listen, port);
                    self.error(&format!(
                        "[input:{plugin}:{name}] could not initialize downstream on {listen}:{port}. Aborting"
                    ));
                    self.error(&format!("failed initialize input {name}"));
                    return self.fail("input initialization failed");
                }
            }
        }
        Ok(doors)
    }

    fn gate(&self, view: &Arc<View>) -> Result<Option<Gate>, StartFailure> {
        let Some(place) = &self.settings.http else {
            return Ok(None);
        };
        let Some(port) = place.port else {
            return self.fail("could not start HTTP server");
        };
        let backend: Arc<dyn Backend> = Arc::<View>::clone(view);
        match Gate::open(&place.listen, port, &backend) {
            Ok(gate) => {
                self.info(&format!("[http_server] listen iface={} tcp_port={port}", place.listen));
                Ok(Some(gate))
            }
            Err(_) => {
                self.cannot_listen(&place.listen, port);
                self.fail("could not start HTTP server")
            }
        }
    }

    fn cannot_listen(&self, listen: &str, port: u16) {
        self.context.log.main(Level::Warn, &format!("Cannot listen on {listen} port {port}"));
        let line = format!("[downstream] could not bind address {listen}:{port}. Aborting");
        self.context.log.main(Level::Error, &line);
    }
}
