//! Background tasks: each has a name, a period and a last result, and the API shows them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tidegate_fleet::{Event, EventKind, Timestamp};
use tidegate_store::{StoreError, Transaction, Write};

use crate::listen::Stopping;
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

/// Every task by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tasks(Arc<Mutex<BTreeMap<&'static str, TaskView>>>);

impl Tasks {
    pub(crate) fn views(&self) -> Vec<TaskView> {
        self.0.lock().values().cloned().collect()
    }

    /// Runs `work` once a period until the server stops.
    fn run(&self, core: &Arc<Core>, stopping: &Stopping, name: &'static str, period: Duration, work: Work) {
        self.0.lock().insert(name, TaskView { name, period, last: None });
        let (tasks, core, mut stopping) = (self.clone(), Arc::clone(core), stopping.clone());
        tokio::spawn(async move {
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
pub(crate) fn start(core: &Arc<Core>, stopping: &Stopping) -> Tasks {
    let tasks = Tasks::default();
    let run = |name, period, work| tasks.run(core, stopping, name, period, work);
    run("write-behind", Duration::from_millis(200), |core| {
        async move { Ok(format!("{} rows written", core.flush(Extent::Changed).await?)) }.boxed()
    });
    run("liveness", Duration::from_secs(1), |core| {
        async move { Ok(format!("{} agents changed by silence", core.sweep_silent())) }.boxed()
    });
    run("command-deadlines", Duration::from_secs(1), |core| expire(core).boxed());
    run("garbage", Duration::from_secs(600), |core| {
        async move { Ok(format!("{} rows removed", core.store.collect_garbage().await?)) }.boxed()
    });
    tasks
}

/// Ends the commands whose time is up.
async fn expire(core: Arc<Core>) -> Result<String, StoreError> {
    let now = core.now();
    let mut ended = Vec::new();
    core.registry.for_each(|entry| {
        let before = ended.len();
        ended.extend(
            entry.commands.iter_mut().filter_map(|command| command.expire(now).then(|| command.clone())),
        );
        if ended.len() > before {
            entry.forget_ended();
        }
    });
    if ended.is_empty() {
        return Ok("none ended".into());
    }
    let event = |command: &tidegate_fleet::Command| Event {
        at: now,
        kind: EventKind::Command,
        agent: command.agent,
        text: format!("{}: {}", command.summary(), command.state.as_str()),
    };
    let count = ended.len();
    core.stream.publish(ended.iter().map(event).collect());
    let writes = ended.into_iter().map(|command| Write::Command(Box::new(command))).collect();
    // A write that fails is made again at the next start: the deadline has passed then, too.
    core.store.commit(Transaction::observed(writes)).await?;
    Ok(format!("{count} ended"))
}
