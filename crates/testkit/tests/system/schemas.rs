//! The schema of an agent's build, from its binary to the operator.

use std::process::Command;

use tidegate_fluent::schema::{Schema, check_files};
use tidegate_testkit::fleet::{
    Agent, SOON, Scene, Server, Stage, Supervisor, Wish, eventually, healthy, on_each, skipped, the_agent,
    tidegate,
};

/// C159, C160, C162: two agents of one build, and the document arrives once, byte by byte as the binary prints it.
#[tokio::test]
async fn given_two_agents_of_one_build_when_they_come_then_its_schema_is_held_once_and_shown() {
    on_each("schemas", async |stage: Stage| {
        let printed = Command::new(&stage.agent.binary).arg("-J").output().unwrap().stdout;
        let server = Server::start(stage.scene.path()).await;
        let mut supervisors = Vec::new();
        for name in ["a", "b"] {
            supervisors.push(Supervisor::start(&stage, Wish::new(name, server.endpoint("ws"))));
            healthy(&server.api, name, SOON).await;
        }
        let known = eventually("the schema", SOON, async || {
            let list = server.api.schemas().await.unwrap();
            list.items.first().cloned().ok_or_else(|| format!("{list:?}"))
        })
        .await;
        let document = server.api.schema(&known.hash).await.unwrap();
        assert_eq!(document.trim_ascii(), printed.trim_ascii(), "as it was printed");
        for name in ["a", "b"] {
            let shown = eventually("the hash", SOON, async || {
                the_agent(&server.api, name).await?.schema.ok_or_else(|| "none yet".to_owned())
            })
            .await;
            assert_eq!(shown, known.hash);
        }
        assert_eq!(server.api.schemas().await.unwrap().items, std::slice::from_ref(&known));

        let (server_url, token) =
            (format!("http://{}", server.operators), server.data_dir().join("admin-token"));
        let flags = ["--server", &server_url, "--token-file", token.to_str().unwrap()];
        let listed = tidegate(stage.scene.path(), &[&["get", "schemas"][..], &flags].concat()).await;
        assert!(listed.stdout.contains(&known.hash[..12]) && listed.code == Some(0), "{listed:?}");
        let arguments = [&["get", "schema", &known.version, "dummy"][..], &flags].concat();
        let shown = tidegate(stage.scene.path(), &arguments).await;
        assert!(shown.stdout.starts_with("inputs dummy") && shown.stdout.contains("samples"), "{shown:?}");
    })
    .await;
}

/// Lines of inputs, outputs and filters of a real build that it takes, though its schema tells of few of them.
const TAKEN: [(&str, &str, &[&str]); 3] = [
    (
        "INPUT",
        "dummy",
        &[
            "tag x",
            "alias a",
            "log_level debug",
            "log_suppress_interval 1",
            "routable on",
            "mem_buf_limit 1M",
            "listen 127.0.0.1",
            "host 127.0.0.1",
            "port 1",
            "ipv6 off",
            "tls off",
            "tls.verify off",
            "tls.ca_file /x",
            "storage.type memory",
            "storage.pause_on_chunks_overlimit off",
            "threaded on",
            "thread.ring_buffer.capacity 1024",
            "rate_window 1",
            "active on",
            "rate 5",
        ],
    ),
    (
        "OUTPUT",
        "null",
        &[
            "match *",
            "match_regex .*",
            "alias a",
            "host h",
            "port 1",
            "ipv6 off",
            "retry_limit false",
            "net.keepalive off",
            "oauth2.enable off",
            "tls off",
            "tls.min_version TLSv1.2",
            "storage.total_limit_size 5M",
            "workers 1",
            "active on",
        ],
    ),
    ("FILTER", "grep", &["match *", "match_regex .*", "alias a", "log_level info", "active on", "regex a b"]),
];

/// What a build refuses, and is to be found.
const REFUSED: [(&str, &str, &str); 4] = [
    ("INPUT", "dummy", "rat 5"),
    ("OUTPUT", "null", "made_up 1"),
    ("FILTER", "grep", "rgex a b"),
    ("INPUT", "dumy", "tag x"),
];

/// A finding that is false is worse than one that is missed: what a real build takes is never found.
#[test]
fn given_lines_that_a_real_build_takes_or_refuses_when_checked_then_only_those_it_refuses_are_found() {
    let Some(agent) = Agent::real() else { return skipped("no fluent-bit") };
    let scene = Scene::new("lines checked");
    let printed = Command::new(&agent.binary).arg("-J").output().unwrap().stdout;
    let schema = Schema::read(printed.trim_ascii()).unwrap();
    let judge = |section: &str, name: &str, line: &str| {
        // A filter without a match is refused for that alone.
        let more = if section == "FILTER" && !line.starts_with("match") { "  match *\n" } else { "" };
        let mut text = format!("[{section}]\n  name {name}\n  {line}\n{more}");
        for (other, plugin, _) in TAKEN.iter().filter(|(other, ..)| *other != section) {
            text.push_str(&format!("[{other}]\n  name {plugin}\n"));
            text.push_str(if *other == "INPUT" { "" } else { "  match *\n" });
        }
        let file = scene.write("line.conf", &text);
        let run = Command::new(&agent.binary).args(["--dry-run", "-c"]).arg(file).output().unwrap();
        (run.status.success(), check_files(&[("line.conf", &text)], &schema))
    };
    for (section, name, lines) in TAKEN {
        for line in lines {
            let (taken, found) = judge(section, name, line);
            assert!(taken, "{section} {name} {line}: it is not taken, so it shows nothing");
            assert!(found.is_empty(), "{section} {name} {line}: {found:?}");
        }
    }
    for (section, name, line) in REFUSED {
        let (taken, found) = judge(section, name, line);
        assert!(!taken && found.len() == 1, "{section} {name} {line}: {taken} {found:?}");
    }
}
