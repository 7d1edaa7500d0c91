//! Answers to questions of the protocol side. They change nothing.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
    time::Instant,
};

use serde_json::{Value, json};

use crate::{
    agent::Question,
    apply,
    files::in_time,
    machine::{Machine, Origin, Running},
    state::{Entry, Journal},
    text,
};

/// How far back the log is read, in bytes.
const LOG_BYTES: u64 = 256 * 1024;
/// Longest line that is told, in bytes.
const LINE_BYTES: usize = 2000;
/// How many lines of the log stand among the facts.
const LOG_LINES: usize = 60;
/// Longest error that stands among the facts, in bytes.
const ERROR_BYTES: usize = 300;
/// Most components among the facts; the unhealthy ones come first.
const COMPONENTS: usize = 100;

/// Answers one question, unless nobody waits for it any more.
pub(super) async fn answer(machine: &mut Machine, journal: &Journal, question: Question) {
    // Whoever asked may have gone in the meantime as well.
    match question {
        Question::Logs(lines, reply) if !reply.is_closed() => {
            let secrets = machine.secrets();
            let clean = |line: String| secrets.clean(&line).into_owned();
            let told = last_lines(&machine.state.log(), lines);
            let _ = reply.send(told.map(|lines| lines.into_iter().map(clean).collect()));
        }
        Question::DryRun(map, reply) if !reply.is_closed() => {
            let _ = reply.send(apply::dry_run(machine, &map).await);
        }
        Question::Facts(reply) if !reply.is_closed() => {
            machine.read_log();
            let disk = disks(machine).await;
            let _ = reply.send(facts(machine, journal, &disk));
        }
        Question::Schema(reply) if !reply.is_closed() => {
            let _ = reply.send(machine.schema().await);
        }
        Question::Logs(..) | Question::DryRun(..) | Question::Facts(_) | Question::Schema(_) => {}
    }
}

/// The last whole lines of a log, the oldest first.
fn last_lines(path: &Path, lines: usize) -> io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(LOG_BYTES);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    #[expect(clippy::disallowed_methods, reason = "bounded by take")]
    file.take(LOG_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // The first line may have lost its beginning.
    let whole = if from == 0 { &text } else { text.split_once('\n').map_or("", |(_, rest)| rest) };
    let newest = whole.lines().rev().filter(|line| !line.is_empty()).take(lines);
    let mut last: Vec<String> = newest.map(|line| text::head(line, LINE_BYTES).to_owned()).collect();
    last.reverse();
    Ok(last)
}

/// All that is known of the agent; bodies of configs are not among it, and values of its config that are secret are
/// taken out of every text.
fn facts(machine: &Machine, journal: &Journal, disk: &Value) -> Value {
    let report = machine.publisher.newest();
    let mut components: Vec<_> = report.health.component_health_map.iter().collect();
    components.sort_by_key(|(_, health)| health.healthy);
    let component = |(name, health): (&String, &tidegate_opamp::ComponentHealth)| {
        let state = json!({
            "healthy": health.healthy, "status": health.status, "error": text::head(&health.last_error, ERROR_BYTES),
        });
        (name.clone(), state)
    };
    let entry = |entry: &Entry| json!({"hash": entry.hash, "content": entry.content});
    let refused = journal.refused.iter().map(|refused| {
        json!({"hash": refused.hash, "content": refused.content, "error": text::head(&refused.error, ERROR_BYTES)})
    });
    let origin = match &machine.loaded.origin {
        Origin::Local => json!("the host's own file"),
        Origin::Offered(offered) => entry(offered),
    };
    let status = journal.status.as_ref().map(|status| {
        json!({"hash": status.hash, "state": status.state, "error": text::head(&status.error, ERROR_BYTES)})
    });
    let host = &machine.fixed.host;
    let mut facts = json!({
        "host": {"name": host.name, "arch": host.arch, "os": host.os_version},
        "agent": {
            "kind": machine.fixed.kind.service_name(),
            "version": machine.version(),
            "binary": machine.fixed.binary.display().to_string(),
            "uid": machine.fixed.uid.to_string(),
            "phase": format!("{:?}", machine.phase).to_lowercase(),
            "trouble": text::head(machine.trouble(), ERROR_BYTES),
            "healthy": report.health.healthy,
            "status": report.health.status,
            "components": components.into_iter().take(COMPONENTS).map(component).collect::<serde_json::Map<_, _>>(),
        },
        "process": machine.running.as_ref().map(process),
        "config": {
            "loaded": origin,
            "file": machine.loaded.source.path.display().to_string(),
            "fingerprint": machine.loaded.fingerprint(),
            "warnings": machine.loaded.rendered.warnings,
            "candidate": journal.candidate.as_ref().map(entry),
            "current": journal.current.as_ref().map(entry),
            "refused": refused.collect::<Vec<_>>(),
            "status": status,
        },
        "disk": disk,
        "log": last_lines(&machine.state.log(), LOG_LINES).unwrap_or_default(),
    });
    text::scrub(&mut facts, machine.secrets().all());
    facts
}

fn process(running: &Running) -> Value {
    let ago = |at: Instant| at.elapsed().as_secs();
    let identity = running.child.identity();
    json!({
        "pid": identity.pid,
        "start_ticks": identity.start_ticks,
        "boot_id": identity.boot_id,
        "port": running.port,
        "started_unix_nano": running.started_unix_nano,
        "supervised_for_s": ago(running.since),
        "uptime_s": running.pulse.and_then(|pulse| pulse.uptime),
        "reloads": running.pulse.and_then(|pulse| pulse.generation),
        "answered_s_ago": running.answered.map(ago),
        "unanswered_in_a_row": running.misses,
    })
}

/// How much room there is for the supervisor's state and for the agent's buffers, whose file system may not answer.
async fn disks(machine: &Machine) -> Value {
    let storage = match machine.buffers() {
        None => None,
        Some(folder) => {
            let path = folder.display().to_string();
            let told = in_time(&machine.state.run(), move || disk(&folder)).await;
            Some(told.unwrap_or_else(|| json!({"path": path, "error": "its file system does not answer"})))
        }
    };
    json!({"state": disk(&machine.state.run()), "storage": storage})
}

/// How much room there is where a folder stands.
fn disk(folder: &Path) -> Value {
    let path = folder.display().to_string();
    match rustix::fs::statvfs(folder) {
        Ok(stat) => {
            let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
            json!({"path": path, "free_bytes": bytes(stat.f_bavail), "total_bytes": bytes(stat.f_blocks)})
        }
        Err(error) => json!({"path": path, "error": error.to_string()}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_long_log_when_its_end_is_asked_for_then_whole_lines_come_and_no_more_than_that() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let line = "x".repeat(99);
        let text: String = (0..5000).map(|number| format!("{number:04} {line}\n")).collect();
        std::fs::write(&path, text + "half").unwrap();
        let last = last_lines(&path, 3).unwrap();
        assert_eq!(last.iter().map(|line| &line[..4]).collect::<Vec<_>>(), ["4998", "4999", "half"]);
        let most = last_lines(&path, 10_000).unwrap();
        assert!(most.len() < 2600 && most.iter().all(|line| line.len() == 104 || line == "half"));
        std::fs::write(&path, "y".repeat(5000)).unwrap();
        assert_eq!(last_lines(&path, 1).unwrap()[0].len(), LINE_BYTES);
        assert!(last_lines(&folder.path().join("none"), 1).is_err());
    }
}
