//! Hot reloads.

use std::time::{Duration, Instant};

use super::Outcome;
use super::checks_cli::that;
use super::shape::{capture, log_lines};
use super::subject::{Child, GEN, SOON, Setup, Subject, config, dead_output, free_port};
use super::wire::ask;

fn with_dead_output(more: &str) -> Setup {
    Setup::new().service(more, &format!("{GEN}{}", dead_output()))
}

/// Waits until something cannot be delivered.
fn stuck(child: &Child) -> Outcome {
    child
        .eventually("a retry", || child.metric("output", "dead", "retries").filter(|count| *count > 0))
        .map(drop)
}

pub(crate) fn methods(subject: &Subject, captures: &[&str]) -> Outcome {
    let child = Setup::new().service("", GEN).up(subject)?;
    for name in captures {
        let reply = child.send("DELETE", "/api/v2/reload")?;
        that(reply.head.replace("\r\n", "\n") == capture(name).trim_end(), &reply)?;
    }
    let put = child.send("PUT", "/api/v2/reload")?;
    that(put.status() == 200 && put.body == r#"{"reload":"done","status":0}"#, &put)?;
    child.counts_to(1)?;
    let post = child.send("POST", "/api/v2/reload")?;
    that(post.status() == 200 && post.body == r#"{"reload":"done","status":0}"#, &post)?;
    child.counts_to(2)
}

pub(crate) fn not_enabled(subject: &Subject) -> Outcome {
    let setup = Setup::new();
    let text = config(setup.port, "", GEN).replace("hot_reload: on", "hot_reload: off");
    let child = setup.config(&text).up(subject)?;
    let refused = r#"{"reload":"not enabled","status":-1}"#;
    let post = child.send("POST", "/api/v2/reload")?;
    that(post.status() == 200 && post.body == refused, &post)?;
    child.signal(1);
    child.logs("[ warn] [reload] hot reloading is not enabled")?;
    child.signal(1);
    child.logs("[error] reloading in progress, aborting.")?;
    let post = child.send("POST", "/api/v2/reload")?;
    that(post.body == refused && child.count() == Some(0), &post)
}

pub(crate) fn reload(subject: &Subject, captures: &[&str]) -> Outcome {
    let plain = GEN.replace("      alias: gen\n", "");
    let child = Setup::new().service("", &plain).up(subject)?;
    child.eventually("three seconds", || {
        child.get("/api/v1/uptime").ok()?.json()["uptime_sec"].as_u64().filter(|seconds| *seconds >= 3)
    })?;
    let pid = child.pid();
    let before = child.metric("input", "dummy.0", "records").unwrap_or(0);
    child.signal(1);
    child.counts_to(1)?;
    let uptime = child.get("/api/v1/uptime")?.json()["uptime_sec"].as_u64();
    let after = child.eventually("metrics", || child.metric("input", "dummy.0", "records"))?;
    that(uptime < Some(2) && after < before && child.pid() == pid, (uptime, before, after))?;
    child.logs("[reload] successful reload done.")?;
    child.logs("[engine] Shutdown Grace Period")?;
    for name in captures {
        // The grace differs from the captured one; some lines come from threads, in any order.
        let of = |text: &str| {
            let from = text.split("caught signal (SIGHUP)").nth(1).unwrap_or_default();
            let end = from.find("t+  ").unwrap_or(from.len());
            let mut lines = log_lines(from.get(..end).unwrap_or_default());
            lines.retain(|line| !line.contains("Grace Period") && line != "[engine]");
            lines.sort();
            lines
        };
        let full = capture(name);
        let full = full.split("--- full log ---").nth(1).unwrap_or_default();
        child
            .eventually("the captured lines", || (of(full) == of(&child.err())).then_some(()))
            .map_err(|error| format!("{error}; captured: {:#?}; found: {:#?}", of(full), of(&child.err())))?;
    }
    in_order(&child.err(), &["[reload] stop everything", "service has stopped", "[reload] start everything"])
}

fn in_order(text: &str, parts: &[&str]) -> Outcome {
    let places: Vec<Option<usize>> = parts.iter().map(|part| text.find(part)).collect();
    that(places.iter().all(Option::is_some) && places.is_sorted(), places)
}

pub(crate) fn port(subject: &Subject) -> Outcome {
    let mut child = Setup::new().service("", GEN).up(subject)?;
    let (old, new) = (child.port, free_port());
    child.write("c.yaml", &config(new, "", GEN));
    child.signal(1);
    child.port = new;
    child.counts_to(1)?;
    let on_old = ask(old, "GET / HTTP/1.1\r\n\r\n");
    that(on_old.is_err(), on_old)
}

pub(crate) fn deaf(subject: &Subject) -> Outcome {
    let setup = Setup::new().service("", GEN);
    setup.control("reload_ms=800");
    let child = setup.up(subject)?;
    child.signal(1);
    child.logs("[reload] stop everything of the old context")?;
    let post = child.send("POST", "/api/v2/reload");
    child.signal(1);
    child.logs("[error] reloading in progress, aborting.")?;
    let post = post?;
    that(post.status() == 400 && post.body == r#"{"reload":"in progress","status":-2}"#, &post)?;
    child.logs("[reload] successful reload done.")?;
    child.counts_to(1)
}

pub(crate) fn flags(subject: &Subject) -> Outcome {
    let setup = Setup::new().config(&format!("pipeline:\n{GEN}"));
    let port = setup.port.to_string();
    let args = ["-H", "-L", "127.0.0.1", "-P", &port, "-Y", "-c", "c.yaml"];
    let child = setup.args(&args).up(subject)?;
    child.signal(1);
    child.counts_to(1)?;
    child.signal(1);
    child.counts_to(2)
}

pub(crate) fn hang(subject: &Subject) -> Outcome {
    let mut child = with_dead_output("").up(subject)?;
    stuck(&child)?;
    child.signal(1);
    child.logs("[ warn] [engine] service will shutdown when all remaining tasks are flushed")?;
    child.signal(15);
    // Longer than the grace of three seconds and the reaction of one.
    let status = child.status_within(Duration::from_secs(4));
    that(status.is_none(), status)?;
    let post = child.send("POST", "/api/v2/reload")?;
    that(child.count() == Some(0) && post.status() == 400, &post)?;
    let records = child.metric("input", "gen", "records");
    let later = child.metric("input", "gen", "records");
    that(records == later && !child.err().contains("caught signal (SIGTERM)"), child.err())
}

pub(crate) fn watchdog(subject: &Subject) -> Outcome {
    use std::os::unix::process::ExitStatusExt;
    let mut child = with_dead_output("  hot_reload.timeout: 1\n").up(subject)?;
    stuck(&child)?;
    child.signal(1);
    let signal = child.status_within(SOON).and_then(|status| status.signal());
    let said = "[error] [hot_reload_watchdog] Hot reload timeout exceeded (1 seconds), aborting to prevent indefinite hang";
    that(signal == Some(6) && child.err().contains(said), (signal, child.err()))
}

pub(crate) fn thread_safety_off(subject: &Subject) -> Outcome {
    let child = with_dead_output("").args(&["-W", "-c", "c.yaml"]).up(subject)?;
    stuck(&child)?;
    child.signal(1);
    child.logs("[ warn] [engine] service will shutdown in max 2 seconds")?;
    child.counts_to(1)
}

pub(crate) fn poisoned_grace(subject: &Subject) -> Outcome {
    let mut child = with_dead_output("").up(subject)?;
    stuck(&child)?;
    child.write("c.yaml", "service:\n  flush: 1\n bad");
    child.signal(1);
    child.logs("[error] [config] hint: check line")?;
    child.signal(15);
    child.logs("[engine] service will shutdown when all remaining tasks are flushed")?;
    let began = Instant::now();
    let status = child.status_within(Duration::from_secs(4));
    that(status.is_none(), (status, began.elapsed()))
}
