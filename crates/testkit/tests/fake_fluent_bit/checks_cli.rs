//! The command line, files and ports.

use std::net::TcpListener;

use super::Outcome;
use super::shape::{capture, log_lines};
use super::subject::{GEN, Setup, Subject, config, free_port, reachable};
use super::wire::ask;

/// Fails with what was found.
pub(crate) fn that(holds: bool, found: impl std::fmt::Debug) -> Outcome {
    if holds { Ok(()) } else { Err(format!("found {found:?}")) }
}

pub(crate) fn version(subject: &Subject) -> Outcome {
    let ended = subject.run(Setup::new().folder.path(), &["-V"])?;
    let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    that(ended.status.code() == Some(0) && first(&ended.out) == first(&capture("version.txt")), &ended)
}

pub(crate) fn unknown_flag(subject: &Subject) -> Outcome {
    for (flag, said) in [("--nosuch", "unrecognized option '--nosuch'"), ("-@", "invalid option -- '@'")] {
        let ended = subject.run(Setup::new().folder.path(), &[flag])?;
        let second = |text: &str| text.lines().nth(2).map(str::to_owned);
        let helped = ended.out.starts_with("Usage: ") && second(&ended.out) == second(&capture("help.txt"));
        that(ended.status.code() == Some(1) && helped && ended.err.contains(said), &ended.err)?;
    }
    Ok(())
}

pub(crate) fn schema(subject: &Subject) -> Outcome {
    let ended = subject.run(Setup::new().folder.path(), &["-J"])?;
    let schema: serde_json::Value = serde_json::from_str(&ended.out).map_err(|error| error.to_string())?;
    let inputs = schema["inputs"].as_array().map(Vec::len).unwrap_or_default();
    let dummy = ended.out.contains("\"name\":\"dummy\"");
    that(ended.status.code() == Some(0) && ended.err.is_empty() && inputs > 20 && dummy, inputs)
}

pub(crate) fn missing_config(subject: &Subject) -> Outcome {
    for args in [&["-q", "-c", "nope.conf"][..], &["-q", "--dry-run", "-c", "nope.conf"]] {
        let ended = subject.run(Setup::new().folder.path(), args)?;
        let said = ended.err.ends_with("[error] could not open configuration file, aborting.\n");
        that(ended.status.code() == Some(1) && said, &ended)?;
    }
    Ok(())
}

pub(crate) fn workdir(subject: &Subject) -> Outcome {
    let setup = Setup::new().service("", GEN);
    let inner = setup.folder.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    std::fs::rename(setup.folder.path().join("c.yaml"), inner.join("d.yaml")).unwrap();
    setup.args(&["-w", "inner", "-c", "d.yaml"]).up(subject).map(drop)
}

pub(crate) fn quiet(subject: &Subject) -> Outcome {
    let mut child = Setup::new().service("", GEN).args(&["-q", "-c", "c.yaml"]).up(subject)?;
    child.signal(15);
    let code = child.code()?;
    let lines = child.err();
    that(code == Some(0) && lines.trim_end().ends_with("[engine] caught signal (SIGTERM)"), &lines)?;
    that(lines.lines().filter(|line| !line.is_empty()).count() == 1, &lines)
}

pub(crate) fn log_file(subject: &Subject) -> Outcome {
    let mut child = Setup::new().service("  log_file: engine.log\n", GEN).up(subject)?;
    child.write("c.yaml", "service:\n  flush: 1\n bad");
    child.signal(1);
    child.logs("[error] [config] invalid YAML in file")?;
    child.eventually("the end of the deafness", || (!child.file("engine.log").is_empty()).then_some(()))?;
    child.signal(15);
    child.code()?;
    let (stderr, file) = (child.err(), child.file("engine.log"));
    that(
        file.contains("[engine] Shutdown Grace Period") && file.contains("[engine] pausing all inputs.."),
        &file,
    )?;
    that(!stderr.contains("[fluent bit] version") && stderr.contains("reloading instance"), &stderr)?;
    that(!file.contains("invalid YAML") && !file.contains("reloading instance"), &file)
}

pub(crate) fn port_zero(subject: &Subject) -> Outcome {
    let setup = Setup::new().config(&config(0, "", GEN));
    let ended = subject.run(setup.folder.path(), &["-c", "c.yaml"])?;
    that(ended.status.code() == Some(255), &ended)
}

pub(crate) fn port_taken(subject: &Subject) -> Outcome {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let setup = Setup::new().config(&config(port, "", GEN));
    let ended = subject.run(setup.folder.path(), &["-c", "c.yaml"])?;
    let captured: Vec<String> = log_lines(&capture("logs/abort_http_port_reload.txt"))
        .into_iter()
        .filter(|line| line.contains("could not bind") || line.contains("[engine] could not start"))
        .map(|line| line.replace("2999", &port.to_string()))
        .collect();
    let said = log_lines(&ended.err);
    that(captured.len() >= 2 && captured.iter().all(|line| said.contains(line)), (&captured, &said))?;
    that(ended.status.code() == Some(255), ended.status)
}

pub(crate) fn file_beats_flags(subject: &Subject) -> Outcome {
    let other = free_port().to_string();
    let child = Setup::new().service("", GEN).args(&["-H", "-P", &other, "-c", "c.yaml"]).up(subject)?;
    let on_flag = ask(other.parse().unwrap(), "GET / HTTP/1.1\r\n\r\n");
    that(on_flag.is_err(), &on_flag)?;
    drop(child);
    let setup = Setup::new();
    let off = reachable(setup.port).replace("http_server: on", "http_server: off");
    let port = setup.port.to_string();
    let setup = setup.config(&format!("service:\n{off}pipeline:\n{GEN}"));
    let child = setup.args(&["-H", "-P", &port, "-c", "c.yaml"]).start(subject);
    child.logs("[engine] Shutdown Grace Period")?;
    that(child.get("/").is_err(), child.err())
}
