//! Faults on demand: the fake alone.

use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use super::Outcome;
use super::checks_cli::that;
use super::subject::{Child, GEN, SOON, Setup, Subject, config};
use super::wire::{End, Wire};

const SHORT: Duration = Duration::from_millis(400);

fn up(subject: &Subject) -> Result<Child, String> {
    Setup::new().service("", GEN).up(subject)
}

pub(crate) fn reload(subject: &Subject) -> Outcome {
    let child = up(subject)?;
    child.control("reload=halt");
    child.signal(1);
    child.logs("[error] [reload] reloaded config is invalid. Reloading is halted")?;
    that(child.count() == Some(0), child.count())?;
    // The deafness after a halt is over when a SIGHUP is taken again.
    child.control("reload_ms=60");
    child.eventually("a reload after the halt", || {
        child.signal(1);
        child.count().filter(|count| *count > 0)
    })?;

    let mut child = up(subject)?;
    child.control("reload=abort");
    child.signal(1);
    that(child.code()? == Some(255), "abort")?;

    let mut child = up(subject)?;
    child.control("reload=hang");
    child.signal(1);
    child.logs("[reload] stop everything of the old context")?;
    child.signal(15);
    let status = child.status_within(SHORT);
    that(status.is_none() && child.count() == Some(0), status)?;

    let child = up(subject)?;
    child.control("reload_ms=900");
    let began = Instant::now();
    child.signal(1);
    child.counts_to(1)?;
    that(began.elapsed() > Duration::from_millis(850), began.elapsed())
}

pub(crate) fn http(subject: &Subject) -> Outcome {
    let child = up(subject)?;
    let request = "GET /api/v1/uptime HTTP/1.1\r\nHost: a\r\n\r\n";
    let ask = |patience: Duration| Wire::to(child.port)?.exchange(request, patience);

    child.control("http=silent");
    let reply = ask(SHORT)?;
    that(reply.head.is_empty() && reply.end == End::Silent, &reply)?;

    child.control("http=slow_drip");
    let mut wire = Wire::to(child.port)?;
    let reply = wire.exchange(request, Duration::from_millis(300))?;
    that(reply.end == End::Silent && reply.head.len() < 40, &reply)?;

    child.control("http=malformed");
    let reply = ask(SHORT)?;
    that(reply.status() != 200 && reply.end == End::Closed, &reply)?;

    child.control("http=huge");
    let mut wire = Wire::to(child.port)?;
    let reply = wire.exchange_some(request, 200_000)?;
    that(reply.contains("content-length: 1073741824") && reply.len() >= 200_000, reply.len())?;
    drop(wire);

    child.control("http=huge_metrics");
    that(ask(SHORT)?.status() == 200, "the rest is answered")?;
    let mut wire = Wire::to(child.port)?;
    let metrics = "GET /api/v2/metrics/prometheus HTTP/1.1\r\nHost: a\r\n\r\n";
    let reply = wire.exchange_some(metrics, 200_000)?;
    that(reply.len() >= 200_000, reply.len())?;
    drop(wire);

    child.control("http=refuse");
    child.eventually("a refusal", || Wire::to(child.port).is_err().then_some(()))?;
    child.control("");
    child.eventually("an answer", || child.get("/").ok())?;

    let setup = Setup::new().service("", GEN);
    setup.control("http=late:700");
    let began = Instant::now();
    let child = setup.start(subject);
    child.logs("[engine] Shutdown Grace Period")?;
    that(child.get("/").is_err(), "listens at once")?;
    child.eventually("a late answer", || child.get("/").ok())?;
    that(began.elapsed() >= Duration::from_millis(700), began.elapsed())
}

pub(crate) fn process(subject: &Subject) -> Outcome {
    let mut child = up(subject)?;
    child.control("deaf_to_sigterm=true");
    child.signal(15);
    that(child.status_within(SHORT).is_none(), "deaf")?;
    child.control("exit_rc=7");
    child.signal(15);
    that(child.code()? == Some(7), "exit_rc")?;

    let mut child = up(subject)?;
    child.control("crash_after_ms=1");
    that(child.code()? == Some(255), "crash with 255")?;
    for (with, signal) in [("sig6", 6), ("sig9", 9)] {
        let mut child = up(subject)?;
        child.control(&format!("crash_after_ms=1\ncrash_with={with}"));
        let died = child.status_within(SOON).and_then(|status| status.signal());
        that(died == Some(signal), (with, died))?;
    }

    let child = up(subject)?;
    child.control("log_flood=20000");
    child.eventually("a flood", || (child.err().matches("[fake] flood").count() > 2000).then_some(()))?;

    let child = up(subject)?;
    child.control("freeze=true");
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.pid())).ok()?;
        stat.rsplit(')').next()?.trim().chars().next()
    };
    child.eventually("state T", || state().filter(|state| *state == 'T'))?;
    let reply = Wire::to(child.port)?.exchange("GET / HTTP/1.1\r\n\r\n", SHORT)?;
    that(reply.end == End::Silent && reply.head.is_empty(), &reply)?;
    child.signal(18);
    child.eventually("an answer", || child.get("/").ok())?;

    child.control("version=4.0.3");
    let root = child
        .eventually("the version", || child.get("/").ok().filter(|reply| reply.body.contains("4.0.3")))?;
    that(root.json()["fluent-bit"]["version"] == "4.0.3", root)?;
    child.control("relaod=halt");
    child.logs("the control file has no key `relaod`")
}

pub(crate) fn dry_run(subject: &Subject) -> Outcome {
    let broken = Setup::new().config("service:\n bad\n  x");
    for (fault, code) in [("pass", 0), ("fail", 1), ("normal", 1)] {
        broken.control(&format!("dry_run={fault}"));
        let ended = subject.run(broken.folder.path(), &["-q", "--dry-run", "-c", "c.yaml"])?;
        that(ended.status.code() == Some(code), (fault, &ended))?;
    }
    let good = Setup::new().service("", GEN);
    good.control("dry_run=hang");
    let mut child = good.args(&["--dry-run", "-c", "c.yaml"]).start(subject);
    that(child.status_within(SHORT).is_none(), "hang")
}

pub(crate) fn port_lie(subject: &Subject) -> Outcome {
    let other = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let setup = Setup::new().config(&config(other.local_addr().unwrap().port(), "", GEN));
    setup.control("port_lie=true");
    let mut child = setup.start(subject);
    child.logs("[http_server] listen iface=127.0.0.1")?;
    child.logs("[engine] Shutdown Grace Period")?;
    that(child.status_within(SHORT).is_none(), child.err())
}
