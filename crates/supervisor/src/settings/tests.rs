use std::io;

use clap::Parser as _;

use super::*;

const FULL: &str = "\
server:
  endpoint: http://file.example:4320/v1/opamp
  headers:
    Authorization: Bearer s3cret
agent:
  kind: fluent-bit
  binary: /opt/fb
  config: /etc/fb.yaml
  attributes: {team: file, site: north}
state_dir: /var/lib/tg
probation: 5s
heartbeat: 15
allow: [remote-config, restart]
chatops:
  port: 9999
  tags: [cleanup]
limits:
  max_message_bytes: 1048576
";

/// Resolves a command line with variables, and a settings file that is read whatever its name.
fn settings(args: &[&str], variables: &[(&str, &str)], file: &str) -> Result<Settings, SettingsError> {
    let args = LowArgs::try_parse_from(["tidegate-supervisor"].iter().chain(args)).unwrap();
    let variable =
        |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
    let places = ["/opt/fb", "/bin/fluent-bit", "/usr/bin/fluent-bit"];
    let host = Host {
        variable: &variable,
        is_file: &|path| places.iter().any(|place| path == Path::new(place)),
        read: &|_| if file.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(file.to_owned()) },
    };
    resolve(&args, &host)
}

const FLAGS: [&str; 4] = ["--endpoint", "ws://flag.example", "--agent-config", "/a.conf"];
const HOME: [(&str, &str); 1] = [("HOME", "/home/me")];

fn sentence(args: &[&str], variables: &[(&str, &str)], file: &str) -> String {
    settings(args, variables, file).unwrap_err().to_string()
}

/// C020, C027, C068, C188: 64 MiB, 30 s, and no leave for anything.
#[test]
fn given_only_the_flags_that_suffice_then_the_rest_has_defaults() {
    let settings = settings(&FLAGS, &HOME, "").unwrap();
    assert_eq!(settings.server.endpoint.to_string(), "ws://flag.example/v1/opamp");
    assert_eq!(settings.binary, Path::new("/usr/bin/fluent-bit"));
    assert_eq!(settings.state_dir, Path::new("/home/me/.local/state/tidegate-supervisor"));
    assert_eq!((settings.probation.as_secs(), settings.heartbeat.as_secs()), (10, 30));
    assert_eq!(settings.chatops, ChatOpsSettings { port: 8888, tags: Vec::new() });
    assert!(
        settings.allow.is_empty() && settings.attributes.is_empty() && settings.server.headers.is_empty()
    );
    assert_eq!(settings.max_message_bytes, 64 * 1024 * 1024);
}

/// C020, C027: limits and intervals can be set.
#[test]
fn given_a_full_file_then_every_field_is_taken() {
    let settings = settings(&["--config", "s.yaml"], &HOME, FULL).unwrap();
    assert_eq!(settings.server.endpoint.to_string(), "http://file.example:4320/v1/opamp");
    assert_eq!(settings.server.headers[0].0, "authorization");
    assert_eq!(settings.server.headers[0].1, "Bearer s3cret");
    assert_eq!((settings.binary, settings.agent_config), ("/opt/fb".into(), "/etc/fb.yaml".into()));
    assert_eq!(settings.state_dir, Path::new("/var/lib/tg"));
    assert_eq!((settings.probation.as_secs(), settings.heartbeat.as_secs()), (5, 15));
    assert_eq!(settings.allow, [Allowed::RemoteConfig, Allowed::Restart].into());
    assert_eq!(settings.chatops, ChatOpsSettings { port: 9999, tags: vec!["cleanup".to_owned()] });
    assert_eq!(settings.attributes["site"], "north");
    assert_eq!(settings.max_message_bytes, 1_048_576);
}

#[test]
fn given_all_sources_then_a_flag_outranks_a_variable_and_a_variable_the_file() {
    let variables = [
        ("HOME", "/home/me"),
        ("TIDEGATE_SUPERVISOR_CONFIG", "s.yaml"),
        ("TIDEGATE_SUPERVISOR_ENDPOINT", "ws://variable.example"),
        ("TIDEGATE_SUPERVISOR_HEARTBEAT", "20s"),
        ("TIDEGATE_SUPERVISOR_ALLOW", "chatops, shutdown"),
        ("TIDEGATE_SUPERVISOR_ATTRIBUTE", "team=variable,rack=7"),
        ("TIDEGATE_SUPERVISOR_PROBATION", ""),
    ];
    let flags = ["--endpoint", "ws://flag.example", "--attribute", "team=a=b", "--chatops-tag", "x"];
    let settings = settings(&flags, &variables, FULL).unwrap();
    assert_eq!(settings.server.endpoint.host, "flag.example");
    assert_eq!((settings.heartbeat.as_secs(), settings.probation.as_secs()), (20, 5));
    assert_eq!(settings.allow, [Allowed::ChatOps, Allowed::Shutdown].into());
    assert_eq!(settings.chatops.tags, ["x"]);
    let attributes: Vec<_> = settings.attributes.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(attributes, [("rack", "7"), ("site", "north"), ("team", "a=b")]);
}

#[test]
fn given_wrong_flags_or_variables_then_one_sentence_says_which_and_what_to_do() {
    let flag = |name: &'static str, value: &'static str| [&FLAGS[..], &[name, value]].concat();
    let cases = [
        (
            flag("--endpoint", "ftp://h/"),
            "--endpoint: ftp://h/ cannot be used: the scheme ftp:// is not known: use wss:// or https://, or ws:// or http:// without TLS",
        ),
        (flag("--kind", "fluentd"), "--kind: unknown agent kind \"fluentd\"; known is fluent-bit"),
        (flag("--binary", "/nowhere"), "--binary: there is no program at /nowhere"),
        (flag("--binary", "nothing"), "--binary: no program \"nothing\" is on PATH"),
        (
            flag("--heartbeat", "0"),
            "--heartbeat: \"0\" is not a duration from 1s to 86400s, as in 30s or 1m30s",
        ),
        (
            flag("--probation", "soon"),
            "--probation: \"soon\" is not a duration from 0s to 3600s, as in 30s or 1m30s",
        ),
        (
            flag("--allow", "restart,everything"),
            "--allow: \"everything\" cannot be allowed: use remote-config, restart, chatops, shutdown, connection-settings",
        ),
        (flag("--chatops-port", "0"), "--chatops-port: \"0\" is not a number from 1 to 65535"),
        (flag("--chatops-tag", "../x"), "--chatops-tag: the tag has `..` in it"),
        (flag("--attribute", "team"), "--attribute: an attribute has the form NAME=VALUE"),
        (
            FLAGS[2..].to_vec(),
            "no server is named: give --endpoint wss://HOST:PORT/v1/opamp, or server.endpoint in the settings file",
        ),
        (
            FLAGS[..2].to_vec(),
            "the agent's own config is not named: give --agent-config FILE, or agent.config in the settings file",
        ),
    ];
    for (flags, expected) in cases {
        // `--endpoint` twice is one too many for clap, so the later one stands alone.
        let flags =
            if flags.iter().filter(|flag| **flag == "--endpoint").count() > 1 { &flags[2..] } else { &flags };
        assert_eq!(sentence(flags, &HOME, ""), expected);
    }
    let variables = [HOME[0], ("TIDEGATE_SUPERVISOR_HEARTBEAT", "never")];
    assert!(sentence(&FLAGS, &variables, "").starts_with("TIDEGATE_SUPERVISOR_HEARTBEAT: \"never\""));
    assert!(sentence(&FLAGS, &[], "").contains("give --state-dir"));
}

#[test]
fn given_a_wrong_file_then_the_sentence_names_file_line_and_field() {
    let cases = [
        ("server:\n  endpont: ws://h/\n", "s.yaml:2: ", "endpont"),
        ("probation: 5s\nserver:\n  endpoint: ftp://h/\n", "s.yaml:3: server.endpoint: ", "ftp://"),
        ("chatops:\n  port: high\n", "s.yaml:2: ", "u64"),
        ("chatops:\n  port: 70000\n", "s.yaml:2: chatops.port: ", "70000"),
        ("allow:\n  - restart\n  - all\n", "s.yaml:3: allow: ", "\"all\""),
        (
            "server:\n  headers:\n    Host: secret\n",
            "s.yaml:3: server.headers.Host: ",
            "the supervisor's own",
        ),
        ("server: [\n", "s.yaml:", ""),
        ("heartbeat: 1s\nheartbeat: 2s\n", "s.yaml:2: ", "heartbeat"),
    ];
    for (file, start, part) in cases {
        let extra = if file.contains("endpoint") { &FLAGS[2..] } else { &FLAGS[..] };
        let sentence = sentence(&[&["--config", "s.yaml"], extra].concat(), &HOME, file);
        assert!(sentence.starts_with(start) && sentence.contains(part), "{file}: {sentence}");
        assert!(!sentence.contains('\n') && !sentence.contains("secret"), "{sentence}");
    }
    let sentence = sentence(&["--config", "gone.yaml"], &HOME, "");
    assert!(sentence.starts_with("cannot read the settings file gone.yaml: "), "{sentence}");
}

#[test]
fn given_a_program_on_path_then_it_comes_before_the_usual_places() {
    let variables = [HOME[0], ("PATH", "relative:/nothing:/bin")];
    assert_eq!(settings(&FLAGS, &variables, "").unwrap().binary, Path::new("/bin/fluent-bit"));
    let flags = [&FLAGS[..], &["--binary", "fluent-bit"]].concat();
    assert_eq!(settings(&flags, &variables, "").unwrap().binary, Path::new("/bin/fluent-bit"));
}

/// C185: secrets are not printed.
#[test]
fn given_settings_when_printed_then_they_read_back_and_secrets_are_hidden() {
    let printed = print(&settings(&["--config", "s.yaml"], &HOME, FULL).unwrap()).unwrap();
    assert!(!printed.contains("s3cret") && printed.contains("authorization"), "{printed}");
    let again = settings(&["--config", "s.yaml"], &HOME, &printed).unwrap();
    assert_eq!(print(&again).unwrap(), printed);
}
