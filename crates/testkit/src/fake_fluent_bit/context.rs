//! What every thread of the process shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

use super::control::{ControlFile, millis};
use super::http::Backend;
use super::log::Log;
use super::pipeline::Pipeline;
use super::settings::Settings;
use super::snapshot::{Health, Presence, ReloadState, Snapshot};

/// Whether a SIGHUP is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hearing {
    /// The next one reloads.
    Ready,
    /// A reload is under way.
    Busy,
    /// A SIGHUP came while hot reload was off: the real one never hears another.
    Stuck,
}

/// One per process.
pub(super) struct Context {
    /// The program's own path, as it was called.
    pub(super) program: String,
    pub(super) log: Arc<Log>,
    pub(super) control: Arc<ControlFile>,
    pub(super) hearing: Mutex<Hearing>,
    /// The running engine, as the API and the signals see it.
    pub(super) view: Mutex<Option<Arc<View>>>,
    pub(super) reloads: AtomicU64,
    pub(super) hostname: String,
    pub(super) began: Instant,
}

impl Context {
    pub(super) fn new(program: String, control: ControlFile) -> Self {
        Self {
            program,
            log: Arc::new(Log::default()),
            control: Arc::new(control),
            hearing: Mutex::new(Hearing::Ready),
            view: Mutex::new(None),
            reloads: AtomicU64::new(0),
            hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            began: Instant::now(),
        }
    }
}

/// One per engine.
pub(super) struct View {
    pub(super) context: Arc<Context>,
    pub(super) settings: Settings,
    pub(super) pipeline: Arc<Mutex<Pipeline>>,
    pub(super) began: Instant,
    pub(super) began_at: Duration,
}

/// The wall clock, since the epoch.
pub(super) fn wall_clock() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl Backend for View {
    fn snapshot(&self) -> Snapshot {
        let control = self.context.control.current();
        let stats = self.pipeline.lock().stats();
        let age = self.began.elapsed();
        let settings = &self.settings;
        let hearing = *self.context.hearing.lock();
        let reload = match hearing {
            _ if !settings.hot_reload => ReloadState::NotEnabled,
            Hearing::Busy => ReloadState::InProgress,
            Hearing::Ready | Hearing::Stuck => ReloadState::Ready,
        };
        let stored = settings.storage_metrics && age >= millis(control.storage_after_ms);
        let (errors, failed) = if settings.health_check { stats.failures } else { (0, 0) };
        Snapshot {
            version: control.version,
            hostname: self.context.hostname.clone(),
            uptime_sec: age.as_secs(),
            start_sec: self.began_at.as_secs(),
            now: wall_clock(),
            hot_reload_count: self.context.reloads.load(Ordering::SeqCst),
            reload,
            health: Health {
                checked: settings.health_check,
                errors,
                retries_failed: failed,
                error_limit: settings.hc_errors,
                retry_limit: settings.hc_retries,
                period: settings.hc_period,
            },
            metrics: Presence::when(age >= millis(control.metrics_after_ms)),
            storage: Presence::when(stored),
            logs: self.context.log.counts(),
            inputs: stats.inputs,
            filters: stats.filters,
            outputs: stats.outputs,
            routes: stats.routes,
        }
    }

    fn reload(&self) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::HUP);
    }

    fn control(&self) -> &ControlFile {
        &self.context.control
    }
}
