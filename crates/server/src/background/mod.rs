//! Background tasks: each has a name, a period and a last result, and the API shows them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tidegate_fleet::Timestamp;
use tidegate_store::StoreError;

use crate::listen::{Serving, Stopping};
use crate::state::{Core, Extent};

/// A task as it stands.
#[derive(Clone, Debug)]
pub(crate) struct TaskView {
    pub(crate) name: &'static str,
    pub(crate) period: Duration,
    /// When it last ran, for how long, and what came of it.
    pub(crate) last: Option<(Timestamp, Duration, Result<String, String>)>,
}

/// What a task does: a sentence on what came of it, or why it failed.
type Work = fn(Arc<Core>) -> BoxFuture<'static, Result<String, StoreError>>;

/// How long tasks run, and what waits for them to end.
#[derive(Clone)]
pub(crate) struct Until {
    pub(crate) stopping: Stopping,
    pub(crate) serving: Serving,
}

/// Every task by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tasks(Arc<Mutex<BTreeMap<&'static str, TaskView>>>);

impl Tasks {
    pub(crate) fn views(&self) -> Vec<TaskView> {
        self.0.lock().values().cloned().collect()
    }

    /// Runs `work` once a period until the server stops.
    fn run(&self, core: &Arc<Core>, until: &Until, name: &'static str, period: Duration, work: Work) {
        self.0.lock().insert(name, TaskView { name, period, last: None });
        let (tasks, core, Until { mut stopping, serving }) = (self.clone(), Arc::clone(core), until.clone());
        tokio::spawn(async move {
            // Held to the end: the last flush of a stop comes after everything that may write.
            let _serving = serving;
            let mut ticks = tokio::time::interval(period);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    () = stopping.begun() => return,
                    _ = ticks.tick() => {}
                }
                let (at, begun) = (core.now(), Instant::now());
                let result = work(Arc::clone(&core)).await.map_err(|error| error.to_string());
                if let Err(error) = &result {
                    tracing::error!(task = name, error, "a background task failed");
                }
                if let Some(view) = tasks.0.lock().get_mut(name) {
                    view.last = Some((at, begun.elapsed(), result));
                }
            }
        });
    }
}

/// Starts every task.
pub(crate) fn start(core: &Arc<Core>, until: &Until) -> Tasks {
    let tasks = Tasks::default();
    let run = |name, period, work| tasks.run(core, until, name, period, work);
    run("write-behind", Duration::from_millis(200), |core| {
        async move { Ok(format!("{} rows written", core.flush(Extent::Changed).await?)) }.boxed()
    });
    run("deadlines", Duration::from_secs(1), |core| {
        async move {
            let looked = core.look_at_due().await?;
            Ok(format!(
                "{} agents were due, {} changed by silence, {} commands ended",
                looked.agents, looked.silent, looked.ended
            ))
        }
        .boxed()
    });
    run("schemas", Duration::from_secs(1), |core| async move { Ok(core.gather_schemas()) }.boxed());
    run("message-rates", Duration::from_secs(1), |core| {
        async move {
            core.flow.note(core.now(), core.metrics.messages.get());
            Ok(format!("{:.1} messages a second", core.flow.per_second(10)))
        }
        .boxed()
    });
    run("garbage", Duration::from_secs(600), |core| {
        async move {
            core.bodies.sweep();
            Ok(format!("{} rows removed", core.store.collect_garbage(core.now()).await?))
        }
        .boxed()
    });
    if core.history.is_some() {
        run("metrics-history", Duration::from_secs(5), |core| {
            async move { core.flush_history().await }.boxed()
        });
    }
    tasks
}
