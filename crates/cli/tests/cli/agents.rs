//! `get agents` and `describe agent`, and how the server and its token are found.

use serde_json::{Value, json};

use super::canned::{Canned, Reply, Request, problem};
use super::program::{bare, file, ran, run};
use super::values::{DB, WEB, agent, list};

/// A fleet that understands the few queries that the program asks to find an agent.
fn fleet(request: &Request) -> Reply {
    let all = [agent(WEB, "web-1"), agent(DB, "db\u{1b}[2J\n1")];
    if let Some(uid) = request.path.strip_prefix("/agents/") {
        return match all.iter().find(|agent| agent["uid"] == uid) {
            Some(agent) => Reply::Json(200, agent.clone()),
            None => problem(404, "there is no such agent"),
        };
    }
    let found: Vec<Value> = match request.query.as_str() {
        query if query.starts_with("q=&") => all.to_vec(),
        query if query.contains("name%3D%22web-1%22") || query.contains("uid%3A0190aaaa*") => {
            vec![all[0].clone()]
        }
        query if query.contains("uid%3A0190*") => all.to_vec(),
        _ => vec![],
    };
    Reply::Json(200, list(&found))
}

#[test]
fn given_agents_when_listed_then_the_table_is_safe_and_the_token_is_shown_to_the_server() {
    let server = Canned::new(fleet);
    let ran = run(&server, &["get", "agents"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    let lines: Vec<_> = ran.out.lines().collect();
    assert_eq!(lines.len(), 3, "{}", ran.out);
    assert!(lines[0].starts_with("NAME"), "{}", ran.out);
    assert!(lines[1].starts_with("web-1") && lines[1].contains("0190aaaa   connected"), "{}", ran.out);
    assert!(lines[2].starts_with("db\\u{1b}[2J\\n1"), "{}", ran.out);
    let asked = server.asked();
    assert_eq!(asked[0].header("authorization"), Some("Bearer secret-token"));

    let ran = run(&server, &["get", "ag", "-o", "wide", "--no-headers"]);
    assert!(ran.out.starts_with("web-1") && ran.out.contains(WEB), "{}", ran.out);
}

#[test]
fn given_agents_when_listed_for_programs_then_the_keys_are_the_apis() {
    let server = Canned::new(fleet);
    let json: Value = serde_json::from_str(&run(&server, &["get", "agents", "-o", "json"]).out).unwrap();
    assert_eq!(json["total"], json!({"value": 2, "exact": true}));
    assert_eq!(json["items"][1]["name"], "db\u{1b}[2J\n1");
    assert_eq!(json["items"][0]["connection"]["value"], "connected");
    let yaml = run(&server, &["get", "agents", "-o", "yaml"]).out;
    let yaml: Value = serde_saphyr::from_str(&yaml).unwrap();
    assert_eq!(yaml, json);
    assert_eq!(run(&server, &["get", "agents", "-o", "name"]).out, format!("{WEB}\n{DB}\n"));
}

#[test]
fn given_pages_when_listed_then_all_are_shown() {
    let server = Canned::new(|request| {
        let second = request.query.contains("cursor=next");
        let mut page = list(&[agent(if second { DB } else { WEB }, "a")]);
        if !second {
            page["next_cursor"] = "next".into();
        }
        Reply::Json(200, page)
    });
    assert_eq!(run(&server, &["get", "agents", "-o", "name"]).out, format!("{WEB}\n{DB}\n"));
}

#[test]
fn given_no_agent_that_matches_when_listed_then_stdout_is_empty() {
    let server = Canned::new(fleet);
    let ran = run(&server, &["get", "agents", "-q", "name:none"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", "No agent matches.\n"));
}

#[test]
fn given_ways_to_name_an_agent_when_described_then_it_is_found() {
    let server = Canned::new(fleet);
    for name in [WEB, &WEB.to_uppercase(), &WEB.replace('-', ""), "0190aaaa", "web-1"] {
        let ran = run(&server, &["describe", "agent", name]);
        assert_eq!(ran.code, 0, "{name}: {ran:?}");
        assert!(ran.out.starts_with("web-1\n"), "{name}: {}", ran.out);
    }
    let json = run(&server, &["describe", "agent", "web-1", "-o", "json"]).out;
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["uid"], WEB);
}

#[test]
fn given_names_that_mean_no_agent_or_several_when_described_then_the_code_says_so() {
    let server = Canned::new(fleet);
    for (name, code, part) in [
        ("0190", 2, DB),
        ("web-2", 3, "there is no agent \"web-2\""),
        ("0190aaaa-0000-7000-8000-00000000ffff", 3, "there is no agent"),
        ("../commands", 3, "there is no agent"),
        ("", 3, "there is no agent"),
    ] {
        let ran = run(&server, &["describe", "agent", name]);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{name}: {ran:?}");
        assert!(ran.err.contains(part), "{name}: {}", ran.err);
    }
}

#[test]
fn given_refusals_when_asked_then_each_has_its_code() {
    for (status, code) in [(400, 6), (401, 4), (403, 4), (404, 3), (409, 5), (412, 5), (422, 6), (500, 20)] {
        let server = Canned::new(move |_| problem(status, "because of \u{1b}[2J"));
        let ran = run(&server, &["get", "agents"]);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{status}: {ran:?}");
        assert_eq!(ran.err, "error: because of \\u{1b}[2J\n");
    }
    let server = Canned::new(|_| Reply::Json(200, json!("no list")));
    assert_eq!(run(&server, &["get", "agents"]).code, 20);
}

#[test]
fn given_no_server_when_asked_then_the_address_and_the_cause_are_told() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let ran = ran(bare(&["get", "agents", "--server", &url]).env("TIDEGATE_TOKEN", "t").output().unwrap());
    assert_eq!(ran.code, 20, "{ran:?}");
    assert!(ran.err.contains(&url) && ran.err.contains("onnection refused"), "{}", ran.err);
}

#[test]
fn given_a_local_server_when_nothing_is_said_then_its_folder_names_address_and_token() {
    let server = Canned::new(fleet);
    let folder = tempfile::tempdir().unwrap();
    file(&folder, "operators-address", &format!("{}\n", server.address));
    file(&folder, "admin-token", "local-token\n");
    let path = folder.path().to_str().unwrap();
    for mut command in [
        bare(&["get", "agents", "--data-dir", path]),
        {
            let mut command = bare(&["get", "agents"]);
            command.env("TIDEGATE_SERVER_DATA_DIR", path);
            command
        },
        {
            let token = folder.path().join("admin-token").display().to_string();
            let mut command = bare(&["--token-file", &token, "get", "agents"]);
            command.env("TIDEGATE_SERVER", server.url());
            command
        },
    ] {
        let ran = ran(command.output().unwrap());
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(server.asked()[0].header("authorization"), Some("Bearer local-token"));
    }
    let ran = ran(bare(&["get", "agents"]).output().unwrap());
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains("TIDEGATE_TOKEN"), "{}", ran.err);
}

#[test]
fn given_wrong_or_helpful_flags_then_usage_has_its_code() {
    for (args, code) in [
        (&["--version"][..], 0),
        (&["--help"], 0),
        (&["push", "--help"], 0),
        (&[], 2),
        (&["get"], 2),
        (&["get", "agents", "--bogus"], 2),
        (&["--token", "x", "get", "agents"], 2),
    ] {
        let output = bare(args).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}");
        assert_eq!(output.stdout.is_empty(), code != 0, "{args:?}");
    }
    let ran =
        ran(bare(&["get", "agents", "--server", "ftp://x"]).env("TIDEGATE_TOKEN", "t").output().unwrap());
    assert_eq!(ran.code, 2, "{ran:?}");
}
