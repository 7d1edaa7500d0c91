use std::io;

use clap::Parser as _;

use super::*;
use crate::apply::OnHang;
use crate::supervise::OnSilence;

/// A command line with nothing but flags.
#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    args: LowArgs,
}

const FULL: &str = "\
server:
  endpoint: http://file.example:4320/v1/opamp
  headers:
    Authorization: Bearer s3cret
  proxy: socks5://me:s3cret@proxy.example
agent:
  kind: fluent-bit
  binary: /opt/fb
  config: /etc/fb.yaml
  attributes: {team: file, site: north}
state_dir: /var/lib/tg
probation: 5s
heartbeat: 15
metrics: {interval: 20s}
redact: false
on_hang: old
on_silence: restart-stopped
silence: 1m
allow: [remote-config, restart]
chatops:
  port: 9999
  tags: [cleanup]
limits:
  max_message_bytes: 1048576
";

/// Resolves a command line with variables, and a settings file that is read whatever its name.
fn settings(args: &[&str], variables: &[(&str, &str)], file: &str) -> Result<Settings, SettingsError> {
    let args = Line::try_parse_from(["tidegate-supervisor"].iter().chain(args)).unwrap().args;
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
    let [agent] = &settings.agents[..] else { panic!("one agent was expected") };
    assert_eq!(agent.binary, Path::new("/usr/bin/fluent-bit"));
    assert_eq!((agent.name.as_str(), &agent.state_dir), ("", &settings.state_dir));
    assert_eq!(settings.state_dir, Path::new("/home/me/.local/state/tidegate-supervisor"));
    assert_eq!((settings.probation.as_secs(), settings.heartbeat.as_secs()), (10, 30));
    assert_eq!(agent.chatops, ChatOpsSettings { port: 8888, tags: Vec::new() });
    assert!(agent.allow.is_empty() && agent.attributes.is_empty() && settings.server.headers.is_empty());
    assert!(!settings.allow_connection_settings);
    assert_eq!(settings.max_message_bytes, 64 * 1024 * 1024);
    assert!(settings.redact);
}

#[test]
fn given_intervals_of_metrics_then_they_have_bounds_and_can_be_off() {
    let interval = |text| {
        let settings = settings(&[&FLAGS[..], &["--metrics-interval", text]].concat(), &HOME, "");
        settings.map(|settings| settings.metrics_interval).map_err(|error| error.to_string())
    };
    for (text, expected) in [("off", None), ("10s", Some(10)), ("1h", Some(3600))] {
        assert_eq!(interval(text), Ok(expected.map(Duration::from_secs)), "{text}");
    }
    for text in ["9s", "61m", "0s", "never"] {
        assert!(interval(text).unwrap_err().contains("--metrics-interval"), "{text}");
    }
    assert_eq!(settings(&FLAGS, &HOME, "").unwrap().metrics_interval, Some(Duration::from_secs(60)));
}

#[test]
fn given_times_for_the_confirmation_then_they_have_bounds_and_it_can_be_off() {
    let confirm = |text| {
        let settings = settings(&[&FLAGS[..], &["--confirm", text]].concat(), &HOME, "");
        settings.map(|settings| settings.confirm).map_err(|error| error.to_string())
    };
    for (text, expected) in [("off", None), ("5s", Some(5)), ("24h", Some(86400))] {
        assert_eq!(confirm(text), Ok(expected.map(Duration::from_secs)), "{text}");
    }
    for text in ["4s", "25h", "0s", "never"] {
        assert!(confirm(text).unwrap_err().contains("--confirm"), "{text}");
    }
    assert_eq!(settings(&FLAGS, &HOME, "").unwrap().confirm, Some(Duration::from_secs(600)));
    let args = [&FLAGS[..], &["--config", "s.yaml"]].concat();
    assert_eq!(settings(&args, &HOME, "confirm: 90s\n").unwrap().confirm, Some(Duration::from_secs(90)));
}

/// C020, C027: limits and intervals can be set.
#[test]
fn given_a_full_file_then_every_field_is_taken() {
    let settings = settings(&["--config", "s.yaml"], &HOME, FULL).unwrap();
    assert_eq!(settings.server.endpoint.to_string(), "http://file.example:4320/v1/opamp");
    assert_eq!(settings.server.headers[0].0, "authorization");
    assert_eq!(settings.server.headers[0].1, "Bearer s3cret");
    assert_eq!(settings.server.proxy.unwrap().to_string(), "socks5://proxy.example:1080");
    let agent = &settings.agents[0];
    assert_eq!((&*agent.binary, &*agent.config), (Path::new("/opt/fb"), Path::new("/etc/fb.yaml")));
    assert_eq!(settings.state_dir, Path::new("/var/lib/tg"));
    assert_eq!((settings.probation.as_secs(), settings.heartbeat.as_secs()), (5, 15));
    let patience = settings.patience;
    assert_eq!((patience.on_hang, patience.on_silence), (OnHang::Old, OnSilence::RestartStopped));
    assert_eq!(patience.silence.as_secs(), 60);
    assert_eq!(agent.allow, [Allowed::RemoteConfig, Allowed::Restart].into());
    assert_eq!(agent.chatops, ChatOpsSettings { port: 9999, tags: vec!["cleanup".to_owned()] });
    assert_eq!(agent.attributes["site"], "north");
    assert_eq!(settings.max_message_bytes, 1_048_576);
    assert_eq!(settings.metrics_interval, Some(Duration::from_secs(20)));
    assert!(!settings.redact);
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
    let agent = &settings.agents[0];
    assert_eq!(agent.allow, [Allowed::ChatOps, Allowed::Shutdown].into());
    assert_eq!(agent.chatops.tags, ["x"]);
    let attributes: Vec<_> = agent.attributes.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(attributes, [("rack", "7"), ("site", "north"), ("team", "a=b")]);
}

/// C121: offers of own telemetry are taken only where the host says so, in the clear to others only with a word of its own.
#[test]
fn given_words_about_own_telemetry_then_the_stronger_counts() {
    use crate::own::Cleartext;
    for (words, expected) in [
        ("remote-config", None),
        ("own-telemetry", Some(Cleartext::Loopback)),
        ("own-telemetry-http", Some(Cleartext::Anywhere)),
        ("own-telemetry,own-telemetry-http", Some(Cleartext::Anywhere)),
    ] {
        let settings =
            settings(&[&FLAGS[..], &["--state-dir", "/s", "--allow", words]].concat(), &[], "").unwrap();
        assert_eq!(settings.agents[0].own_telemetry(), expected, "{words}");
    }
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
            flag("--proxy", "ftp://me:s3cret@p"),
            "--proxy: the proxy cannot be used: proxies of the scheme ftp:// are not known: use http, https or socks5",
        ),
        (
            flag("--probation", "soon"),
            "--probation: \"soon\" is not a duration from 0s to 3600s, as in 30s or 1m30s",
        ),
        (
            flag("--allow", "restart,everything"),
            "--allow: \"everything\" cannot be allowed: use remote-config, restart, chatops, shutdown, connection-settings, logs, dry-run, diagnostics, own-telemetry, own-telemetry-http",
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
        ("on_hang: both\n", "s.yaml:1: on_hang: ", "\"both\" is not known: use new, old"),
        ("silence: 1s\n", "s.yaml:1: silence: ", "not a duration from 5s to 3600s"),
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
    assert_eq!(settings(&FLAGS, &variables, "").unwrap().agents[0].binary, Path::new("/bin/fluent-bit"));
    let flags = [&FLAGS[..], &["--binary", "fluent-bit"]].concat();
    assert_eq!(settings(&flags, &variables, "").unwrap().agents[0].binary, Path::new("/bin/fluent-bit"));
}

/// C185: secrets are not printed.
#[test]
fn given_settings_when_printed_then_they_read_back_and_secrets_are_hidden() {
    let printed = print(&settings(&["--config", "s.yaml"], &HOME, FULL).unwrap()).unwrap();
    assert!(!printed.contains("s3cret") && printed.contains("authorization"), "{printed}");
    let again = settings(&["--config", "s.yaml"], &HOME, &printed).unwrap();
    assert_eq!(print(&again).unwrap(), printed);
}

const LIST: &str = "\
server:
  endpoint: ws://h
  headers:
    X-Site: {env: SITE}
  token_file: /run/token
agent:
  attributes: {team: all}
allow: [restart, connection-settings]
chatops:
  port: 9000
agents:
  - name: edge
    config: /etc/edge.yaml
    attributes: {role: edge}
    allow: [remote-config]
  - name: audit
    config: /etc/audit.yaml
    binary: /opt/fb
    state_dir: /srv/audit
    chatops: {port: 9001}
state_dir: /s
";

/// Resolves a settings file on a host with a variable and a token.
fn on_host(file: &str) -> Result<Settings, SettingsError> {
    let args = Line::try_parse_from(["tidegate-supervisor", "--config", "s.yaml"]).unwrap().args;
    let host = Host {
        variable: &|name| (name == "SITE").then(|| "north".to_owned()),
        is_file: &|path| path == Path::new("/opt/fb") || path == Path::new("/usr/bin/fluent-bit"),
        read: &|path| match path.to_str() {
            Some("/run/token") => Ok("t0p\n".to_owned()),
            Some("/run/proxy") => Ok("http://u:p@proxy:3128\n".to_owned()),
            Some("s.yaml") => Ok(file.to_owned()),
            _ => Err(io::ErrorKind::NotFound.into()),
        },
    };
    resolve(&args, &host)
}

/// C181: each has its own.
#[test]
fn given_a_list_of_agents_then_each_has_its_own_and_takes_the_rest_from_what_holds_for_all() {
    let settings = on_host(LIST).unwrap();
    assert!(settings.allow_connection_settings);
    let [edge, audit] = &settings.agents[..] else { panic!("two agents were expected") };
    assert_eq!((edge.name.as_str(), audit.name.as_str()), ("edge", "audit"));
    assert_eq!((&*edge.config, &*audit.config), (Path::new("/etc/edge.yaml"), Path::new("/etc/audit.yaml")));
    assert_eq!((&*edge.binary, &*audit.binary), (Path::new("/usr/bin/fluent-bit"), Path::new("/opt/fb")));
    assert_eq!((&*edge.state_dir, &*audit.state_dir), (Path::new("/s/agents/edge"), Path::new("/srv/audit")));
    assert_eq!(edge.allow, [Allowed::RemoteConfig].into());
    assert!(audit.allows(Allowed::Restart) && !audit.allows(Allowed::RemoteConfig));
    assert_eq!((edge.chatops.port, audit.chatops.port), (9000, 9001));
    assert_eq!(
        (edge.attributes.len(), edge.attributes["team"].as_str(), audit.attributes.len()),
        (3, "all", 2)
    );
    assert_eq!(edge.attributes["tidegate.agent.name"], "edge");
    let printed = print(&settings).unwrap();
    assert_eq!(on_host(&printed).unwrap().agents, settings.agents, "{printed}");
}

/// C185: secrets come from files and the environment.
#[test]
fn given_secrets_elsewhere_then_they_are_fetched_and_never_shown() {
    let settings = on_host(LIST).unwrap();
    let headers: Vec<_> = settings
        .server
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    assert_eq!(headers, [("x-site", "north"), ("authorization", "Bearer t0p")]);
    let shown = format!("{settings:?} {}", print(&settings).unwrap());
    assert!(!shown.contains("t0p"), "{shown}");
    // Their files are no offered config's (C187).
    assert!(settings.config_limits().never.contains(&"/run/token".into()));
    let elsewhere = "X-Site: {file: /run/token}\n  proxy: {file: /run/proxy}";
    let settings = on_host(&LIST.replace("X-Site: {env: SITE}", elsewhere)).unwrap();
    for file in ["/run/token", "/run/proxy"] {
        assert!(settings.limits.never.contains(&file.into()), "{file}");
    }
    for (from, to, part) in [
        ("SITE", "PLACE", "s.yaml:4: server.headers.X-Site: the environment has no variable PLACE"),
        ("{env: SITE}", "{file: /nowhere}", "server.headers.X-Site: cannot read /nowhere"),
        ("/run/token", "/nowhere", "s.yaml:5: server.token_file: cannot read /nowhere"),
        (
            "X-Site: {env: SITE}",
            "Authorization: x",
            "server.token_file: the headers have an Authorization already",
        ),
    ] {
        let sentence = on_host(&LIST.replace(from, to)).unwrap_err().to_string();
        assert!(sentence.contains(part), "{sentence}");
    }
}

#[test]
fn given_a_list_that_cannot_be_used_then_the_sentence_names_the_entry() {
    for (from, to, part) in [
        ("- name: edge\n    config", "- config", "agents[0] has no name"),
        ("name: edge", "name: ../edge", "agents[0].name: \"../edge\" is not a name of 1 to 64 small letters"),
        ("name: audit", "name: edge", "agents[1].name: two agents are named edge"),
        ("    config: /etc/edge.yaml\n", "", "agents[0].name: the agent edge has no config"),
        ("/srv/audit", "/s/agents/edge/x", "the state folders of edge and audit are not apart"),
        ("allow: [remote-config]", "allow: [connection-settings]", "agents[0].allow: it concerns the whole"),
        ("attributes: {team: all}", "config: /c", "agent.config: the agents are listed"),
        (
            "    binary: /opt/fb",
            "    binary: /opt/none",
            "agents[1].binary: there is no program at /opt/none",
        ),
    ] {
        let sentence = on_host(&LIST.replace(from, to)).unwrap_err().to_string();
        assert!(sentence.contains(part), "{from}: {sentence}");
    }
}

mod handlers;
