//! Handlers that the host's owner defines.

use super::*;

const HANDLERS: &str = "\
handlers:
  - capability: com.example.cache
    type: flush
    http: {port: 9000, path: '/flush?all=1', method: PUT}
    idempotent: true
    timeout: 2s
  - capability: com.example.cache
    type: warm
    program: /opt/fb
    args: [--now, '1']
    max_output_bytes: 100
    concurrency: 2
agents:
  - {name: a, config: /a.conf}
  - {name: b, config: /b.conf, handlers: []}
";

#[test]
fn given_handlers_in_the_file_then_each_agent_has_those_of_its_own_or_all() {
    let read = settings(&["--endpoint", "ws://h", "--config", "s.yaml"], &HOME, HANDLERS).unwrap();
    let [a, b] = &read.agents[..] else { panic!("two agents were expected") };
    let [flush, warm] = &a.handlers[..] else { panic!("two handlers were expected") };
    assert!(b.handlers.is_empty());
    assert_eq!((flush.capability.as_str(), flush.kind.as_str()), ("com.example.cache", "flush"));
    assert_eq!((flush.idempotent, flush.timeout.as_secs(), flush.max_output_bytes), (true, 2, 8192));
    assert_eq!(
        (warm.idempotent, warm.timeout.as_secs(), warm.max_output_bytes, warm.concurrency),
        (false, 10, 100, 2)
    );
    let printed = print(&read).unwrap();
    assert_eq!(settings(&["--config", "s.yaml"], &HOME, &printed).unwrap().agents, read.agents, "{printed}");
}

#[test]
fn given_wrong_handlers_then_the_sentence_names_file_line_and_field() {
    let entry = |lines: &str| format!("handlers:\n  - capability: com.example.x\n    type: t\n{lines}");
    let cases = [
        (
            entry("    http: {port: 0}\n"),
            "s.yaml:4: handlers[0].http.port: 0 is not a number from 1 to 65535",
        ),
        (
            entry("    http: {socket: run/s}\n"),
            "s.yaml:4: handlers[0].http.socket: \"run/s\" is not an absolute path",
        ),
        (entry("    http: {}\n"), "s.yaml:2: handlers[0].http: say where the service listens"),
        (entry("    http: {port: 1, socket: /s}\n"), "s.yaml:4: handlers[0].http.port: give either"),
        (
            entry("    http: {port: 1, method: TRACE}\n"),
            "s.yaml:4: handlers[0].http.method: \"TRACE\" is none of POST",
        ),
        (entry("    http: {port: 1, path: x}\n"), "s.yaml:4: handlers[0].http.path: \"x\" is not a path"),
        (entry("    http: {port: 1, host: h}\n"), "s.yaml:4: "),
        (
            entry("    http: {port: 1}\n    program: /opt/fb\n"),
            "s.yaml:5: handlers[0].program: a handler has either",
        ),
        (
            entry("    http: {port: 1}\n    args: [x]\n"),
            "s.yaml:5: handlers[0].args: they belong to a program",
        ),
        (entry(""), "s.yaml:2: handlers[0].http: say what is done"),
        (
            entry("    program: sh -c x\n"),
            "s.yaml:4: handlers[0].program: \"sh -c x\" is not an absolute path",
        ),
        (entry("    program: /nowhere\n"), "s.yaml:4: handlers[0].program: there is no program at /nowhere"),
        (
            entry("    program: /opt/fb\n    timeout: 2m\n"),
            "s.yaml:5: handlers[0].timeout: \"2m\" is not a duration from 100ms to 50s",
        ),
        (
            entry("    program: /opt/fb\n    concurrency: 9\n"),
            "s.yaml:5: handlers[0].concurrency: 9 is not a number from 1 to 4",
        ),
        (
            entry("    program: /opt/fb\n  - {capability: com.example.x, type: t, http: {port: 1}}\n"),
            "s.yaml:5: handlers[1].type: another handler takes \"t\"",
        ),
        ("handlers:\n  - type: t\n".to_owned(), "s.yaml:2: handlers[0].capability: name the capability"),
        (
            "handlers:\n  - capability: io.tidegate.logs\n".to_owned(),
            "s.yaml:2: handlers[0].capability: names that begin with io.tidegate. are reserved",
        ),
        (
            "handlers:\n  - capability: org.mp3monster.x\n".to_owned(),
            "s.yaml:2: handlers[0].capability: names that begin with org.mp3monster. are reserved",
        ),
        (
            "handlers:\n  - capability: com.example.x\n".to_owned(),
            "s.yaml:2: handlers[0].type: name the type",
        ),
    ];
    for (file, start) in cases {
        let sentence = sentence(&[&["--config", "s.yaml"], &FLAGS[..]].concat(), &HOME, &file);
        assert!(sentence.starts_with(start), "{file}: {sentence}");
    }
}

/// C187: what offered configs may name, from the file alone.
#[test]
fn given_limits_in_the_file_then_they_hold_with_the_supervisors_own_files_and_wrong_ones_are_refused() {
    let file = "limits:\n  config:\n    paths: [/var/log, /var/lib/fb]\n    run: [lua]\n";
    let args = [&["--config", "s.yaml"], &FLAGS[..]].concat();
    let read = settings(&args, &HOME, file).unwrap();
    let limits = read.config_limits();
    assert_eq!(limits.paths, Some(vec!["/var/log".into(), "/var/lib/fb".into()]));
    assert_eq!(limits.run, ["lua".to_owned()].into());
    assert!(limits.never.contains(&read.state_dir));
    assert!(limits.never.iter().any(|own| own.ends_with("s.yaml")), "{limits:?}");
    let printed = print(&read).unwrap();
    assert_eq!(settings(&args, &HOME, &printed).unwrap().limits, read.limits, "{printed}");
    let none = settings(&FLAGS, &HOME, "").unwrap().config_limits();
    assert_eq!((none.paths, none.run.len()), (None, 0), "any path, and nothing that runs code");
    let cases = [
        (
            "limits:\n  config:\n    paths:\n      - logs\n",
            "s.yaml:4: limits.config.paths: \"logs\" is not an absolute path",
        ),
        (
            "limits:\n  config:\n    run: [sh]\n",
            "s.yaml:3: limits.config.run: \"sh\" is none of exec, exec_wasi, lua",
        ),
        ("limits:\n  config:\n    deny: [sh]\n", "s.yaml:3: "),
    ];
    for (file, start) in cases {
        let sentence = sentence(&args, &HOME, file);
        assert!(sentence.starts_with(start), "{file}: {sentence}");
    }
}
