//! Handlers that a host's owner defines, from an operator's command to the answer in its record.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use tidegate_api::CommandRequest;
use tidegate_testkit::fleet::{SOON, Server, Stage, Supervisor, Wish, ended, healthy, on_each};

fn order(kind: &str, data: serde_json::Value) -> CommandRequest {
    CommandRequest::Custom {
        capability: "com.example.cache".to_owned(),
        message_type: kind.to_owned(),
        data,
        deadline_seconds: None,
    }
}

#[tokio::test]
async fn given_a_program_of_the_host_when_commanded_then_its_result_or_failure_stands_in_the_record() {
    on_each("handlers", async |stage: Stage| {
        let server = Server::start(stage.scene.path()).await;
        let program = stage.scene.path().join("flush");
        // Says what it was given, and fails where it is told to.
        std::fs::write(&program, "#!/bin/sh\nread -r line\ncase $line in *boom*) echo no >&2; exit 4;; esac\necho \"{\\\"mode\\\": \\\"$1\\\", \\\"asked\\\": $line}\"\n").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        let settings = format!(
            "handlers:\n  - {{capability: com.example.cache, type: flush, program: {}, args: [all]}}\n",
            program.display()
        );
        let supervisor = Supervisor::start(&stage, Wish { settings, ..Wish::new("a", server.endpoint("ws")) });
        let agent = healthy(&server.api, "a", SOON).await;
        let uid = &agent.agent.uid;
        let run = async |data| {
            let command = server.api.send_command(uid, &order("flush", data)).await.unwrap();
            ended(&server.api, &command.id, SOON).await
        };
        let done = run(json!({"n": 1})).await;
        let answer = done.answer.unwrap();
        assert_eq!((done.state.as_str(), answer.message_type.as_str()), ("succeeded", "result"));
        let body: serde_json::Value = serde_json::from_str(answer.data["body"].as_str().unwrap()).unwrap();
        assert_eq!(body, json!({"mode": "all", "asked": {"n": 1, "id": done.id}}), "{}", supervisor.log());
        let failed = run(json!({"boom": true})).await;
        let answer = failed.answer.unwrap();
        assert_eq!((failed.state.as_str(), answer.message_type.as_str()), ("failed", "failure"));
        assert_eq!((&answer.data["exit_code"], &answer.data["err_msg"]), (&json!(4), &json!("it exited with code 4: no")));
        // An id of the operator's own is answered, and carried out once.
        let twice = [run(json!({"id": "mine", "n": 2})).await, run(json!({"id": "mine", "n": 3})).await];
        assert!(twice.iter().all(|command| command.state == "succeeded"), "{twice:?}");
        assert_eq!(twice[0].answer.as_ref().unwrap().data, twice[1].answer.as_ref().unwrap().data);
        let other = CommandRequest::Custom {
            capability: "com.example.other".to_owned(),
            message_type: "flush".to_owned(),
            data: json!({}),
            deadline_seconds: None,
        };
        let refused = server.api.send_command(uid, &other).await.unwrap_err().to_string();
        assert!(refused.contains("does not list the capability com.example.other"), "{refused}");
    })
    .await;
}
