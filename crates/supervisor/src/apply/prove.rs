//! The proofs that need the process (fluent-bit.md, "How to know that a reload succeeded").

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time::{sleep, timeout};

use super::{
    failure::{After, Failure, Proof},
    hang::{self, OnHang},
    probation::{Probation, Step},
};
use crate::{
    child::{Exit, PortOwner, port_owner},
    files::{IN_TIME, in_time, read_bounded},
    kind::{ComponentState, LineVerdict, METRICS, Pulse, RenderError, Source},
    machine::{Loaded, Machine, StartFault},
    report::Phase,
};

/// How often a reload is looked after.
const POLL: Duration = Duration::from_millis(100);
/// How long one pulse may take while a reload runs.
const PULSE: Duration = Duration::from_millis(500);
/// The least time that a reload is given.
const RELOAD_DEADLINE: Duration = Duration::from_secs(15);
/// How long a new process may take to answer.
const START_DEADLINE: Duration = Duration::from_secs(15);
/// After this time the signal is sent once more: an agent that was busy has dropped the first.
const REPEAT: Duration = Duration::from_secs(5);
/// How long after an error of the config the process may still end of it.
const AFTERMATH: Duration = Duration::from_millis(2500);
/// A reload within this time after one that was given up would be ignored.
const DEAF: Duration = Duration::from_millis(1500);
/// After this time a reload counts as a standstill.
const OVERDUE: Duration = Duration::from_secs(5);

/// Puts the config in place and makes the agent load it: by a reload of the running process where that is possible,
/// else by a new process. Proofs: disk, reload or process.
pub(super) async fn bring_up(machine: &mut Machine, next: &Loaded, on_hang: OnHang) -> Result<(), Failure> {
    machine.mark_log();
    let before = pulse(machine, None).await;
    let same_file = machine
        .running
        .as_ref()
        .is_some_and(|running| running.config == machine.run_file(&next.rendered) && running.pulse.is_some());
    if let (Some(before), true) = (before, same_file) {
        let begun = Instant::now();
        return match reload(machine, next, &before).await {
            Err(Failure { after: After::Hung, .. }) if on_hang == OnHang::New => {
                cut(machine, next, begun).await
            }
            ended => ended,
        };
    }
    // Another format, an agent that does not answer, or none at all: a new process.
    machine.swap(&next.rendered).map_err(|error| Failure::untouched(Proof::Disk, error.to_string()))?;
    // What ran before holds it up, as it may a reload: that says nothing of the config.
    let alive =
        |what: StartFault| Failure { proof: Proof::Reload, what: what.to_string(), after: After::Hung };
    machine.stop().await.map_err(alive)?;
    start_anew(machine, next).await
}

/// Kills the process that hangs since `begun` and starts one on the new config.
async fn cut(machine: &mut Machine, next: &Loaded, begun: Instant) -> Result<(), Failure> {
    let waited = begun.elapsed().as_secs();
    machine.kill().await.map_err(|fault| Failure {
        proof: Proof::Reload,
        what: fault.to_string(),
        after: After::Hung,
    })?;
    let started = start_anew(machine, next).await;
    let told = hang::told(waited, begun.elapsed().as_secs());
    tracing::warn!("{told}");
    match started {
        Ok(()) => {
            machine.set_remark(told);
            Ok(())
        }
        Err(failure) => Err(Failure { what: format!("{told}; then {}", failure.what), ..failure }),
    }
}

/// Starts a new process on a config and waits until it answers.
async fn start_anew(machine: &mut Machine, next: &Loaded) -> Result<(), Failure> {
    machine.start_on(next).await.map_err(|error| Failure {
        proof: Proof::Process,
        what: error.to_string(),
        after: After::Gone,
    })?;
    come_up(machine).await
}

/// Reloads the running process.
async fn reload(machine: &mut Machine, next: &Loaded, before: &Pulse) -> Result<(), Failure> {
    if let Some(halted) = machine.running.as_ref().and_then(|running| running.halted) {
        sleep(DEAF.saturating_sub(halted.elapsed())).await;
    }
    let deadline = RELOAD_DEADLINE.max(machine.loaded.rendered.grace + Duration::from_secs(5));
    machine.swap(&next.rendered).map_err(|error| Failure::untouched(Proof::Disk, error.to_string()))?;
    machine.mark_log();
    // A supervisor that finds this process must not take it for one that runs the former config.
    let former = not_certain(machine);
    machine.reloading(false);
    let ended = await_reload(machine, next, before, deadline).await;
    machine.reload_ended();
    if let (Ok(()), Some(running)) = (&ended, &mut machine.running) {
        running.port = next.rendered.port;
        running.halted = None;
        running.loaded = next.fingerprint();
    }
    if let (Err(Failure { after: After::Halted, .. }), Some(running)) = (&ended, &mut machine.running) {
        running.halted = Some(Instant::now());
        running.loaded = former;
    }
    machine.record();
    ended
}

/// Writes down that what the process has loaded is about to change, and gives what it was.
fn not_certain(machine: &mut Machine) -> String {
    let former = machine.running.as_mut().map(|running| std::mem::take(&mut running.loaded));
    machine.record();
    former.unwrap_or_default()
}

async fn await_reload(
    machine: &mut Machine,
    next: &Loaded,
    before: &Pulse,
    deadline: Duration,
) -> Result<(), Failure> {
    let failed = |what: String, after| Failure { proof: Proof::Reload, what, after };
    let signal = machine.fixed.kind.reload_signal();
    let send = |machine: &Machine| {
        let sent = machine.running.as_ref().map(|running| running.child.signal(signal));
        sent.is_some_and(|sent| sent.is_ok())
    };
    send(machine);
    let begun = Instant::now();
    let mut repeated = false;
    let mut error_seen: Option<Instant> = None;
    loop {
        if let Some(exit) = ended(machine).await {
            let how = machine.how_it_ended(exit);
            let what = format!("the process ended while it loaded the config: it {how}{}", said(machine));
            return Err(failed(what, After::Gone));
        }
        machine.read_log();
        if machine.marked().any(|(verdict, _)| *verdict == LineVerdict::ReloadHalted) {
            return Err(failed(format!("the agent gave the reload up{}", said(machine)), After::Halted));
        }
        // Past the point of return there is no giving up: the process ends, hangs or comes back.
        let past = [LineVerdict::ReloadAborted, LineVerdict::ReloadPastReturn];
        let past = machine.marked().any(|(verdict, _)| past.contains(verdict));
        if error_seen.is_none() && machine.marked().any(|(verdict, _)| *verdict == LineVerdict::ConfigError) {
            error_seen = Some(Instant::now());
        }
        let now = pulse(machine, Some(next.rendered.port)).await;
        if now.is_some_and(|now| machine.fixed.kind.reloaded(before, &now)) {
            return Ok(());
        }
        // Where the log is too quiet to tell, an agent that goes on as before has not gone past it; one that answers
        // nothing may have.
        let over = !past && error_seen.is_some_and(|at| at.elapsed() > AFTERMATH);
        if over && stands(machine, before).await {
            return Err(failed(format!("the agent refused the config{}", said(machine)), After::Halted));
        }
        let waited = begun.elapsed();
        if waited > deadline {
            let what = format!(
                "the reload did not come to its end within {} s (an output that cannot deliver holds it up); \
                 collection stood still for that time",
                waited.as_secs()
            );
            return Err(failed(what, After::Hung));
        }
        if waited > REPEAT && !repeated && !past && stands(machine, before).await {
            repeated = true;
            send(machine);
        }
        machine.reloading(waited > OVERDUE);
        sleep(POLL).await;
    }
}

/// Whether the agent answers and has not reloaded since.
async fn stands(machine: &mut Machine, before: &Pulse) -> bool {
    let now = pulse(machine, None).await;
    now.is_some_and(|now| !machine.fixed.kind.reloaded(before, &now))
}

/// Waits until a new process answers on its port.
async fn come_up(machine: &mut Machine) -> Result<(), Failure> {
    let failed = |what: String, after| Failure { proof: Proof::Process, what, after };
    let begun = Instant::now();
    loop {
        if let Some(exit) = ended(machine).await {
            let how = machine.how_it_ended(exit);
            let what = format!("the process ended at its start: it {how}{}", said(machine));
            return Err(failed(what, After::Gone));
        }
        machine.read_log();
        if pulse(machine, None).await.is_some() {
            return Ok(());
        }
        if begun.elapsed() > START_DEADLINE {
            let what = format!("the agent did not answer within {} s of its start", START_DEADLINE.as_secs());
            return Err(failed(what, After::Hung));
        }
        sleep(POLL).await;
    }
}

/// Proof: what stands on disk is what was offered, the forced keys aside. What it includes is read once more for that,
/// beside everything else: its file system may have died since.
pub(super) async fn content(machine: &Machine, next: &Loaded) -> Result<(), Failure> {
    let failed = |what: String| Failure { proof: Proof::Equality, what, after: After::Running };
    let path = machine.run_file(&next.rendered);
    let text = match read_bounded(&path, 64 * 1024 * 1024) {
        Ok(Some(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        Ok(None) => return Err(failed(format!("{} is gone", path.display()))),
        Err(error) => return Err(failed(format!("cannot read {}: {error}", path.display()))),
    };
    // Where it stands as it should, what it carries beside the config is left out.
    let text = if text == next.rendered.text { next.rendered.bare().to_owned() } else { text };
    let (kind, source) = (Arc::clone(&machine.fixed.kind), next.source.clone());
    let comparing = move || kind.differences(&source, &Source { path, text });
    let differences = in_time(&machine.state.run(), comparing).await.ok_or_else(|| {
        // It says nothing of the config.
        let what = RenderError::Unreachable(IN_TIME).to_string();
        Failure { proof: Proof::Disk, what, after: After::Running }
    })?;
    if differences.is_empty() {
        return Ok(());
    }
    Err(failed(format!("the loaded file differs from the offered one: {}", differences.join("; "))))
}

/// Proofs: components, port, log, and health for the probation. The machine's config is the new one by now.
pub(super) async fn hold(
    machine: &mut Machine,
    before: &BTreeMap<String, ComponentState>,
    probation: Duration,
) -> Result<(), Failure> {
    let failed = |proof, what: String| Failure { proof, what, after: After::Running };
    port(machine)?;
    machine.look_anew();
    let mut clock = Probation::new(probation, Instant::now());
    loop {
        machine.look().await;
        if let Some(exit) = ended(machine).await {
            let how = machine.how_it_ended(exit);
            let what = format!("the process ended during the probation: it {how}{}", said(machine));
            return Err(Failure { proof: Proof::Health, what, after: After::Gone });
        }
        if let Some((_, line)) = machine.marked().find(|(verdict, _)| is_fatal(*verdict)) {
            return Err(failed(Proof::Log, format!("the agent logged: {line}")));
        }
        let misses = machine.running.as_ref().map_or(0, |running| running.misses);
        if misses >= 3 {
            return Err(Failure {
                proof: Proof::Health,
                what: "the agent stopped answering".to_owned(),
                after: After::Hung,
            });
        }
        let gap = gap(machine);
        if gap.is_none()
            && let Some((name, state)) = worsened(machine, before)
        {
            return Err(failed(Proof::Health, format!("{name} {}", state.error)));
        }
        // One look without an answer is no gap, and no proof either.
        let wait = match clock.step(Instant::now(), gap.is_none(), misses == 0) {
            Step::Held => return Ok(()),
            Step::Wait(wait) => wait,
            Step::Missing => {
                let (proof, what) =
                    gap.unwrap_or((Proof::Components, "the agent was not seen at work".into()));
                return Err(failed(proof, what));
            }
            Step::Overdue => {
                let what = "the agent did not stay seen at work for the probation; its parts came and went";
                return Err(failed(Proof::Health, what.to_owned()));
            }
        };
        sleep(wait).await;
    }
}

/// Why the agent is not seen at work with all that its config names, if it is not.
fn gap(machine: &Machine) -> Option<(Proof, String)> {
    if machine.has_foreign_port() {
        return Some((Proof::Port, machine.trouble().to_owned()));
    }
    let missing = missing(machine);
    if !missing.is_empty() {
        return Some((Proof::Components, format!("not in the agent's metrics: {}", missing.join(", "))));
    }
    if let Some(unknown) = machine.components().get(METRICS) {
        return Some((Proof::Health, format!("the agent's metrics {}", unknown.error)));
    }
    let unseen = || (Proof::Components, "the agent does not answer with its metrics".to_owned());
    (machine.phase != Phase::Running).then(unseen)
}

fn port(machine: &Machine) -> Result<(), Failure> {
    let Some(running) = &machine.running else { return Ok(()) };
    match port_owner(running.child.pid(), running.port) {
        Ok(PortOwner::Ours) => Ok(()),
        // Tables that cannot be read (another user's process) leave the answer itself as the only witness.
        Err(error) => {
            tracing::warn!(port = running.port, %error, "the port proof is passed over: it cannot be told whose port it is");
            Ok(())
        }
        Ok(_) => Err(Failure {
            proof: Proof::Port,
            what: format!("port {} is not held by the agent's process", running.port),
            after: After::Running,
        }),
    }
}

fn missing(machine: &Machine) -> Vec<String> {
    let components = machine.components();
    let expected = machine.loaded.rendered.expected.iter();
    expected
        .filter(|name| components.get(*name).is_none_or(|state| state.status == "missing"))
        .take(20)
        .cloned()
        .collect()
}

/// A component that does not work now and was not already failing before: what was broken before the apply is not
/// the new config's fault.
fn worsened<'a>(
    machine: &'a Machine,
    before: &BTreeMap<String, ComponentState>,
) -> Option<(&'a String, &'a ComponentState)> {
    machine
        .components()
        .iter()
        .find(|(name, state)| !state.healthy && before.get(*name).is_none_or(|before| before.healthy))
}

fn is_fatal(verdict: LineVerdict) -> bool {
    matches!(verdict, LineVerdict::ConfigError | LineVerdict::ReloadHalted | LineVerdict::ReloadAborted)
}

/// What the agent has said of the config since the mark, for a report.
fn said(machine: &Machine) -> String {
    let lines: Vec<&str> =
        machine.marked().filter(|(verdict, _)| is_fatal(*verdict)).map(|(_, line)| line.as_str()).collect();
    if lines.is_empty() { String::new() } else { format!(": {}", crate::text::head(&lines.join("; "), 1500)) }
}

/// How the process ended, if it has. Never waits.
async fn ended(machine: &mut Machine) -> Option<Exit> {
    let exit = timeout(Duration::ZERO, machine.exited()).await.ok()?;
    // What it said last is in its log by now.
    machine.read_log();
    Some(exit)
}

/// The agent's pulse on a port; by default the one that it was started with.
async fn pulse(machine: &mut Machine, port: Option<u16>) -> Option<Pulse> {
    let running = machine.running.as_mut()?;
    let port = port.unwrap_or(running.port);
    let pulse = machine.fixed.kind.pulse(port, PULSE).await.ok()?;
    running.pulse = Some(pulse);
    Some(pulse)
}
