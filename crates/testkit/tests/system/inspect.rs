//! Looking at an agent from afar: its log, what it would say to a config, and the bundle for whoever is to help.

use serde_json::{Value, json};
use tidegate_api::{Command, CommandRequest};
use tidegate_testkit::fleet::{SOON, Server, Stage, Supervisor, Wish, ended, healthy, on_each, yaml};

async fn asked(server: &Server, uid: &str, capability: &str, data: Value) -> Command {
    let request = CommandRequest::Custom {
        capability: format!("io.tidegate.{capability}"),
        message_type: "request".to_owned(),
        data,
        deadline_seconds: None,
    };
    let command = server.api.send_command(uid, &request).await.unwrap();
    ended(&server.api, &command.id, SOON).await
}

fn found(command: &Command) -> &Value {
    assert_eq!(command.state, "succeeded", "{command:?}");
    &command.answer.as_ref().unwrap().data
}

fn config(body: &str) -> Value {
    json!({"files": [{"name": "fluent-bit.yaml", "body": body}]})
}

#[tokio::test]
async fn given_an_agent_when_looked_at_then_its_log_its_verdicts_and_its_facts_come_and_nothing_changes() {
    on_each("inspect", async |stage: Stage| {
        let server = Server::start(stage.scene.path()).await;
        let wish = Wish {
            allow: "logs,dry-run,diagnostics".to_owned(),
            settings: "server:\n  headers:\n    X-Key: header-s3cret\n".to_owned(),
            config: format!("env:\n  API_TOKEN: config-s3cret\n{}", yaml("own", "")),
            ..Wish::new("a", server.endpoint("ws"))
        };
        let supervisor = Supervisor::start(&stage, wish);
        let before = healthy(&server.api, "a", SOON).await;
        let (uid, pid) = (&before.agent.uid, supervisor.agent_pid());
        let rendered = || std::fs::read(supervisor.folder().join("state/run/fluent-bit.yaml")).unwrap();
        let file = rendered();

        let logs = asked(&server, uid, "logs", json!({"lines": 5})).await;
        let lines = found(&logs)["lines"].as_array().unwrap();
        assert!((1..=5).contains(&lines.len()), "{lines:?}");

        let good = asked(&server, uid, "dryrun", config(&yaml("other", ""))).await;
        assert_eq!((&found(&good)["accepted"], &found(&good)["errors"]), (&json!(true), &json!([])));
        let broken = asked(&server, uid, "dryrun", config("pipeline:\n  inputs:\n    - name: [\n")).await;
        assert_eq!(
            (&found(&broken)["accepted"], &found(&broken)["proof"]),
            (&json!(false), &json!("readable"))
        );
        let said = found(&broken)["errors"][0].as_str().unwrap();
        assert!(said.contains("fluent-bit.yaml:") && !said.contains("dry-run/"), "{said}");
        let wrong = yaml("other", "    - name: dummy\n      no_such_property: 1\n");
        let wrong = asked(&server, uid, "dryrun", config(&wrong)).await;
        assert_eq!(found(&wrong)["proof"], "dry-run", "{wrong:?}");
        assert!(found(&wrong)["errors"][0].as_str().unwrap().contains("no_such_property"), "{wrong:?}");

        let bundle = asked(&server, uid, "diagnostics", json!({})).await;
        let facts = &found(&bundle)["diagnostics"];
        assert_eq!((&facts["process"]["pid"], &facts["agent"]["phase"]), (&json!(pid), &json!("running")));
        for part in ["supervisor", "settings", "host", "config", "disk", "log", "connection"] {
            assert!(!facts[part].is_null(), "{part} is missing in {facts}");
        }
        assert!(facts["disk"]["state"]["free_bytes"].as_u64() > Some(0), "{facts}");
        assert!(facts["agent"]["components"]["input:own"]["healthy"] == true, "{facts}");
        assert!(facts["settings"].as_str().unwrap().contains("x-key"), "{facts}");
        for secret in ["header-s3cret", "config-s3cret"] {
            assert!(!facts.to_string().contains(secret), "{facts}");
        }

        // Nothing of it touched the agent, or was left behind.
        assert_eq!((supervisor.agent_pid(), rendered() == file), (pid, true));
        assert!(!supervisor.folder().join("state/configs/dry-run").exists());
        let after = healthy(&server.api, "a", SOON).await;
        assert_eq!(after.agent.started_at, before.agent.started_at);
        assert_eq!(facts["process"]["reloads"].as_u64().unwrap_or_default(), 0, "{facts}");
    })
    .await;
}

#[tokio::test]
async fn given_a_host_that_allows_nothing_when_looked_at_then_it_is_not_even_asked() {
    on_each("nothing allowed", async |stage: Stage| {
        let server = Server::start(stage.scene.path()).await;
        let wish = Wish { allow: String::new(), ..Wish::new("a", server.endpoint("ws")) };
        let _supervisor = Supervisor::start(&stage, wish);
        let uid = healthy(&server.api, "a", SOON).await.agent.uid;
        for capability in ["logs", "dryrun", "diagnostics"] {
            let request = CommandRequest::Custom {
                capability: format!("io.tidegate.{capability}"),
                message_type: "request".to_owned(),
                data: if capability == "dryrun" { config("x") } else { json!({}) },
                deadline_seconds: None,
            };
            let refused = server.api.send_command(&uid, &request).await.unwrap_err().to_string();
            assert!(refused.contains("does not list the capability"), "{refused}");
        }
    })
    .await;
}
