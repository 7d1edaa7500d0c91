//! The monitoring server.

use std::time::{Duration, Instant};

use super::Outcome;
use super::checks_cli::that;
use super::shape::{capture, head, parts, series, skeleton};
use super::subject::{Child, GEN, Setup, Subject, free_port};
use super::wire::{End, Reply, Wire, ask};

/// The instances of the captured session.
fn captured_session(setup: Setup) -> Setup {
    let dead = free_port();
    let pipeline = format!(
        "  inputs:\n    - name: dummy\n      alias: gen\n      rate: 5\n    - name: cpu\n  filters:\n    - name: grep\n      \
         alias: keep_info\n      match: nothing\n      exclude: a ^x\n  outputs:\n    - name: 'null'\n      alias: sink\n      match: dummy*\n    \
         - name: http\n      alias: deadhttp\n      match: cpu*\n      host: 127.0.0.1\n      port: {dead}\n      retry_limit: no_limits\n"
    );
    let service = "  storage.path: store\n  health_check: on\n  hc_errors_count: 2\n  hc_retry_failure_count: 2\n  hc_period: 10\n";
    setup.service(service, &pipeline)
}

/// A child as in the captured session, and its answer, whose head must be the captured one.
fn like_captured(reply: &Reply, name: &str) -> Result<String, String> {
    let (captured_head, body) = parts(&capture(name));
    that(head(&reply.head) == head(&captured_head), (&reply.head, &captured_head))?;
    Ok(body)
}

pub(crate) fn get(subject: &Subject, path: &str, captures: &[&str]) -> Outcome {
    let child = captured_session(Setup::new()).up(subject)?;
    for name in captures {
        let reply = child.answers(path)?;
        let body = like_captured(&reply, name)?;
        that(skeleton(&reply.body) == skeleton(&body), (&reply.body, &body))?;
    }
    Ok(())
}

pub(crate) fn families(subject: &Subject, path: &str, captures: &[&str]) -> Outcome {
    let child = captured_session(Setup::new()).up(subject)?;
    for name in captures {
        let first = child.answers(path)?;
        let wanted = series(&like_captured(&first, name)?);
        let mut apart = Vec::new();
        // Some series appear with the first second only.
        let settled = child.eventually("the captured series", || {
            let found = series(&child.get(path).ok()?.body);
            apart = wanted.symmetric_difference(&found).cloned().collect();
            apart.is_empty().then_some(())
        });
        settled.map_err(|error| format!("{error}; apart: {apart:#?}"))?;
    }
    Ok(())
}

/// The real one pushes metrics once a second, by a timer that may be due at once: out of several
/// children one at least is seen without them.
pub(crate) fn metrics_late(subject: &Subject) -> Outcome {
    let tries = if subject.is_fake { 1 } else { 5 };
    let mut seen = 0;
    for _ in 0..tries {
        let child = Setup::new().service("", GEN).up(subject)?;
        for path in
            ["/api/v1/metrics", "/api/v1/metrics/prometheus", "/api/v2/metrics", "/api/v2/metrics/prometheus"]
        {
            let early = child.get(path)?;
            seen += usize::from(early.status() == 404 && early.body.is_empty());
            child.answers(path)?;
        }
    }
    that(seen > 0, seen)
}

pub(crate) fn storage(subject: &Subject, captures: &[&str]) -> Outcome {
    let setup = captured_session(Setup::new());
    setup.control("storage_after_ms=1000");
    let child = setup.up(subject)?;
    let early = child.get("/api/v1/storage")?;
    that(early.status() == 404 && early.body.is_empty(), &early)?;
    let reply =
        child.eventually("storage", || child.get("/api/v1/storage").ok().filter(|r| r.status() == 200))?;
    for name in captures {
        let body = like_captured(&reply, name)?;
        that(skeleton(&reply.body) == skeleton(&body), (&reply.body, &body))?;
    }
    let off = Setup::new().service("  storage.metrics: off\n", GEN).up(subject)?;
    that(off.get("/api/v1/storage")?.status() == 404, "storage.metrics off")
}

pub(crate) fn health_on(subject: &Subject, captures: &[&str]) -> Outcome {
    let child = captured_session(Setup::new()).up(subject)?;
    let reply = child.get("/api/v1/health")?;
    for name in captures {
        that(like_captured(&reply, name)? == reply.body, &reply)?;
    }
    let off = Setup::new().service("", GEN).up(subject)?;
    that(off.get("/api/v1/health")?.status() == 404, "health_check off")
}

pub(crate) fn health_red(subject: &Subject, captures: &[&str]) -> Outcome {
    let dead = free_port();
    let pipeline = format!(
        "  inputs:\n    - name: dummy\n      rate: 5\n  outputs:\n    - name: http\n      match: '*'\n      host: 127.0.0.1\n      \
         port: {dead}\n      retry_limit: 1\n"
    );
    let limits = "  hc_errors_count: 1\n  hc_retry_failure_count: 1\n  hc_period: 60\n";
    let on = Setup::new().service(&format!("  health_check: on\n{limits}"), &pipeline).up(subject)?;
    let off = Setup::new().service(limits, &pipeline).up(subject)?;
    let red = |child: &Child| child.get("/api/v1/health").ok().filter(|reply| reply.status() == 500);
    let v1 = on.eventually("a red health", || red(&on))?;
    let v2 = on.get("/api/v2/health")?;
    for (reply, name) in [&v1, &v2].into_iter().zip(captures) {
        like_captured(reply, name)?;
    }
    that(v1.body == "error\n", &v1)?;
    that(v2.json()["status"] == "error" && v2.json()["retries_failed"].as_u64() > Some(1), &v2)?;
    let green = off.get("/api/v2/health")?;
    that(green.status() == 200 && green.json()["retries_failed"] == 0, &green)
}

pub(crate) fn not_found(subject: &Subject, path: &str, captures: &[&str]) -> Outcome {
    let child = Setup::new().service("", GEN).up(subject)?;
    let reply = child.get(path)?;
    for name in captures {
        that(like_captured(&reply, name)?.is_empty(), name)?;
    }
    that(reply.body.is_empty(), &reply)
}

pub(crate) fn head_has_body(subject: &Subject) -> Outcome {
    let child = Setup::new().service("", GEN).up(subject)?;
    let reply = ask(child.port, "HEAD /api/v1/uptime HTTP/1.1\r\nHost: a\r\n\r\n")?;
    that(reply.status() == 200 && reply.end == End::Whole && reply.body.contains("uptime_sec"), &reply)
}

pub(crate) fn http10_closes(subject: &Subject) -> Outcome {
    let child = Setup::new().service("", GEN).up(subject)?;
    let mut wire = Wire::to(child.port)?;
    let reply = wire.exchange("GET /api/v1/uptime HTTP/1.0\r\n\r\n", Duration::from_secs(5))?;
    that(reply.head.starts_with("HTTP/1.1 200\r\n"), &reply)?;
    let after = wire.receive(Duration::from_secs(5));
    that(after.end == End::Closed, &after)
}

pub(crate) fn post_without_length(subject: &Subject) -> Outcome {
    let child = Setup::new().service("", GEN).up(subject)?;
    for method in ["POST", "PUT"] {
        let reply = ask(child.port, &format!("{method} /api/v2/reload HTTP/1.1\r\nHost: a\r\n\r\n"))?;
        that(reply.head.is_empty() && reply.end == End::Closed, &reply)?;
    }
    Ok(())
}

pub(crate) fn not_http(subject: &Subject) -> Outcome {
    let child = Setup::new().service("", GEN).up(subject)?;
    let reply = Wire::to(child.port)?.exchange("GARBAGE\r\n\r\n", Duration::from_millis(700))?;
    that(reply.head.is_empty() && reply.end == End::Silent, &reply)
}

pub(crate) fn keep_alive(subject: &Subject) -> Outcome {
    let child = Setup::new().service("", GEN).up(subject)?;
    let mut wire = Wire::to(child.port)?;
    let began = Instant::now();
    for _ in 0..3 {
        let request = "GET /api/v1/uptime HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let reply = wire.exchange(request, Duration::from_secs(5))?;
        that(reply.status() == 200 && reply.end == End::Whole, &reply)?;
    }
    let after = wire.receive(Duration::from_secs(14));
    that(after.end == End::Closed && began.elapsed() > Duration::from_secs(8), (&after, began.elapsed()))
}
