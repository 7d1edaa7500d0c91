//! One config before its three judges.

use std::net::TcpListener;
use std::time::Duration;

use tidegate_testkit::fake_fluent_bit::config_cases::{ConfigCase, Verdict};

use super::Outcome;
use super::checks_cli::that;
use super::subject::{Child, GEN, Setup, Subject, reachable};

/// How long a config must live to count as running: failed starts end within 1.2 s.
const RUNS: Duration = Duration::from_millis(1800);

pub(crate) fn case(subject: &Subject, case: &ConfigCase) -> Outcome {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let taken_port = taken.local_addr().unwrap().port().to_string();
    let text = |port: u16| case.text.replace("{service}", &reachable(port)).replace("{taken}", &taken_port);
    dry_run(subject, case, &text).map_err(|found| format!("dry run: {found}"))?;
    cold_start(subject, case, &text).map_err(|found| format!("cold start: {found}"))?;
    reload(subject, case, &text).map_err(|found| format!("reload: {found}"))
}

fn dry_run(subject: &Subject, case: &ConfigCase, text: &dyn Fn(u16) -> String) -> Outcome {
    let setup = Setup::new();
    std::fs::write(setup.folder.path().join(case.file), text(setup.port)).unwrap();
    let ended = subject.run(setup.folder.path(), &["-q", "--dry-run", "-c", case.file])?;
    that(ended.status.code() == Some(case.dry_run) && ended.err.contains(case.says), &ended)
}

fn cold_start(subject: &Subject, case: &ConfigCase, text: &dyn Fn(u16) -> String) -> Outcome {
    let setup = Setup::new();
    std::fs::write(setup.folder.path().join(case.file), text(setup.port)).unwrap();
    let mut child = setup.args(&["-c", case.file]).start(subject);
    let status = match case.cold_start {
        Some(_) => child.code()?,
        None => child.status_within(RUNS).and_then(|status| status.code()),
    };
    that(status == case.cold_start, (status, child.err()))
}

fn reload(subject: &Subject, case: &ConfigCase, text: &dyn Fn(u16) -> String) -> Outcome {
    if case.reload == Verdict::Unchecked {
        return Ok(());
    }
    let mut child = Setup::new().service("", GEN).up(subject)?;
    child.write("c.yaml", &text(child.port));
    child.signal(1);
    match case.reload {
        Verdict::Halted(said) => {
            child.logs(said)?;
            keeps_running(&child)
        }
        Verdict::Aborted => {
            let code = child.code()?;
            let said = child.err().ends_with(
                "[reload] loaded configuration contains error(s). Reloading is aborted\nreloading is aborted and exit\n",
            );
            that(code == Some(255) && said, child.err())
        }
        Verdict::Accepted => child.counts_to(1),
        Verdict::Lost => {
            child.logs("[reload] successful reload done.")?;
            let alive = child.status_within(Duration::ZERO).is_none();
            that(alive && child.get("/").is_err(), child.err())
        }
        Verdict::Unchecked => Ok(()),
    }
}

/// After a halted reload the old pipeline answers, under the old count.
fn keeps_running(child: &Child) -> Outcome {
    let before = child.metric("input", "gen", "records").unwrap_or(0);
    child.eventually("more records of the old pipeline", || {
        (child.metric("input", "gen", "records")? > before).then_some(())
    })?;
    that(child.count() == Some(0), child.count())
}
