//! Plugins that really act.

use std::time::Duration;

use super::Outcome;
use super::checks_cli::that;
use super::subject::{GEN, Setup, Stdout, Subject, free_port};
use super::wire::{End, ask};

const QUICK: &str = "  flush: 0.2\n";

fn http_pipeline(port: u16, rest: &str) -> String {
    format!(
        "  inputs:\n    - name: http\n      listen: 127.0.0.1\n      port: {port}\n{rest}  outputs:\n    - name: stdout\n      match: '*'\n      format: json_lines\n"
    )
}

fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

pub(crate) fn http_input(subject: &Subject) -> Outcome {
    let port = free_port();
    let child = Setup::new().service(QUICK, &http_pipeline(port, "")).up(subject)?;
    let created =
        "HTTP/1.1 201 Created\r\nserver: Fluent Bit\r\nx-http-engine: Monkey heritage\r\ncontent-length: 0";
    for body in [r#"{"a":"1"}"#, r#"[{"a":2},{"b":"x"}]"#] {
        let reply = ask(port, &post("/app.log", body))?;
        that(reply.head == created && reply.end == End::Whole, &reply)?;
    }
    child.eventually("delivery", || {
        child.metric("output", "stdout.0", "proc_records").filter(|count| *count == 3)
    })?;
    let out = child.out();
    let lines: Vec<&str> = out.lines().collect();
    that(lines.len() == 3 && lines.iter().all(|line| line.starts_with("{\"date\":1")), &lines)?;
    that(lines.first().is_some_and(|line| line.ends_with(",\"a\":\"1\"}")), &lines)?;
    let sizes = (child.metric("input", "http.0", "records"), child.metric("input", "http.0", "bytes"));
    that(sizes == (Some(3), Some(22 + 21 + 22)), sizes)
}

pub(crate) fn http_input_refuses(subject: &Subject) -> Outcome {
    let port = free_port();
    let child = Setup::new().service(QUICK, &http_pipeline(port, "")).up(subject)?;
    let cases = [
        (post("/", "{\"a"), "error: unable to process records\n"),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), "error: invalid HTTP method\n"),
    ];
    for (request, said) in cases {
        let reply = ask(port, &request)?;
        that(reply.head.starts_with("HTTP/1.1 400 Bad Request\r\n") && reply.body == said, &reply)?;
    }
    let reply = ask(port, "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\r\n")?;
    that(reply.head.is_empty() && reply.end == End::Closed, &reply)?;
    let records = child.eventually("metrics", || child.metric("input", "http.0", "records"))?;
    that(records == 0, records)
}

pub(crate) fn grep(subject: &Subject) -> Outcome {
    let port = free_port();
    let filter = "  filters:\n    - name: grep\n      match: '*'\n      regex: a ^y\n";
    let child = Setup::new().service(QUICK, &http_pipeline(port, filter)).up(subject)?;
    ask(port, &post("/t", r#"[{"a":"yes"},{"a":"no"},{"a":7},{"b":"y"}]"#))?;
    child.eventually("delivery", || {
        child.metric("output", "stdout.0", "proc_records").filter(|count| *count == 1)
    })?;
    let seen =
        (child.metric("filter", "grep.0", "records"), child.metric("filter", "grep.0", "drop_records"));
    that(seen == (Some(4), Some(3)) && child.metric("input", "http.0", "records") == Some(4), seen)
}

pub(crate) fn file_output(subject: &Subject) -> Outcome {
    let pipeline = "  inputs:\n    - name: dummy\n      tag: t\n      rate: 20\n  outputs:\n    - name: file\n      match: '*'\n      path: .\n      file: o.txt\n";
    let child = Setup::new().service(QUICK, pipeline).up(subject)?;
    child.eventually("a line", || {
        let text = child.file("o.txt");
        let line = text.lines().next()?;
        let good = line.starts_with("t: [1") && line.ends_with(", {\"message\":\"dummy\"}]");
        good.then_some(())
    })
}

pub(crate) fn stdout_blocks(subject: &Subject) -> Outcome {
    let text = "x".repeat(2000);
    let pipeline = format!(
        "  inputs:\n    - name: dummy\n      rate: 200\n      dummy: '{{\"m\":\"{text}\"}}'\n  outputs:\n    - name: stdout\n      match: '*'\n      format: json_lines\n"
    );
    let mut setup = Setup::new().service("  flush: 0.2\n", &pipeline);
    setup.stdout = Stdout::UnreadPipe;
    let mut child = setup.up(subject)?;
    // A pipe holds 64 KiB, which is far less than a second's records.
    let mut last = 0;
    child.eventually("the end of delivery", || {
        let (made, done) = (
            child.metric("input", "dummy.0", "records")?,
            child.metric("output", "stdout.0", "proc_records")?,
        );
        let still = done == last && made > done + 300;
        last = done;
        still.then_some(())
    })?;
    that(child.get("/api/v2/health")?.status() == 200, "health")?;
    child.signal(15);
    let status = child.status_within(Duration::from_secs(4));
    that(status.is_none(), status)
}

pub(crate) fn counters(subject: &Subject) -> Outcome {
    let child = Setup::new().service(QUICK, GEN).up(subject)?;
    let read = || {
        let json = child.get("/api/v1/metrics").ok()?.json();
        Some((json["input"]["gen"]["records"].as_u64()?, json["input"]["gen"]["bytes"].as_u64()?))
    };
    let (records, bytes) =
        child.eventually("ten records", || read().filter(|(records, _)| *records >= 10))?;
    that(bytes == records * 28, (records, bytes))?;
    let uptime = child.get("/api/v1/uptime")?.json()["uptime_sec"].as_u64().unwrap_or(0);
    that((1..=3).contains(&uptime), uptime)?;
    let proc = child.eventually("deliveries", || {
        child.metric("output", "null.0", "proc_records").filter(|count| *count > 0)
    });
    proc.map(drop)
}
