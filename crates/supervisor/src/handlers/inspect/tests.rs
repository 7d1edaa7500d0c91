use std::time::Duration;

use super::*;

struct World {
    handler: Inspect,
    commands: mpsc::Receiver<AgentCommand>,
}

fn world(sight: Sight) -> World {
    let (sender, commands) = mpsc::channel(4);
    let history = History::default();
    history.note("cannot connect with s3cret");
    let about = About {
        settings: "server:\n  headers:\n    authorization: s3cret\n".to_owned(),
        secrets: vec!["s3cret".to_owned()],
        history,
        since: Instant::now(),
    };
    World { handler: Inspect::new(sight, sender, Arc::new(about)), commands }
}

impl World {
    /// Asks with this payload, and answers the question as told.
    async fn handled(mut self, data: &str, answer: impl FnOnce(Question)) -> (String, Value) {
        let message = CustomMessage {
            capability: self.handler.capability().to_owned(),
            kind: "request".to_owned(),
            data: data.to_owned().into(),
            ..CustomMessage::default()
        };
        let handling = tokio::spawn(self.handler.handle(message));
        if let Ok(Some(AgentCommand::Ask(question))) =
            tokio::time::timeout(Duration::from_millis(500), self.commands.recv()).await
        {
            answer(question);
        }
        let answer = handling.await.unwrap().unwrap();
        assert!(answer.data.len() <= MAX_DATA_BYTES);
        (answer.kind, serde_json::from_slice(&answer.data).unwrap())
    }
}

#[tokio::test]
async fn given_lines_of_the_log_when_asked_for_then_the_newest_that_fit_are_told() {
    let answer = |question| match question {
        Question::Logs(2, reply) => drop(reply.send(Ok(vec!["one".into(), "two".into()]))),
        other => panic!("{other:?}"),
    };
    let (kind, data) = world(Sight::Logs).handled(r#"{"lines": 2, "id": "q"}"#, answer).await;
    assert_eq!(
        (kind.as_str(), data),
        ("result", json!({"lines": ["one", "two"], "truncated": false, "id": "q"}))
    );
    let long = |question| match question {
        Question::Logs(100, reply) => {
            let line = |number: usize| format!("{number:03}{}", "\"".repeat(1000));
            drop(reply.send(Ok((0..100).map(line).collect())));
        }
        other => panic!("{other:?}"),
    };
    let (_, data) = world(Sight::Logs).handled("", long).await;
    let lines = data["lines"].as_array().unwrap();
    assert!(data["truncated"] == true && (25..35).contains(&lines.len()), "{}", lines.len());
    assert!(lines.last().unwrap().as_str().unwrap().starts_with("099"));
}

#[tokio::test]
async fn given_a_config_to_check_when_judged_then_the_verdict_is_the_result() {
    let answer = |question| match question {
        Question::DryRun(map, reply) => {
            assert_eq!(&map.config_map["m.yaml"].body[..], b"x");
            let verdict = Verdict {
                proof: Some("dry-run"),
                errors: vec!["m.yaml:3: no".into()],
                warnings: vec!["w".into()],
            };
            reply.send(verdict).unwrap();
        }
        other => panic!("{other:?}"),
    };
    let (kind, data) =
        world(Sight::DryRun).handled(r#"{"files": [{"name": "m.yaml", "body": "x"}]}"#, answer).await;
    let expected =
        json!({"accepted": false, "proof": "dry-run", "errors": ["m.yaml:3: no"], "warnings": ["w"]});
    assert_eq!((kind.as_str(), data), ("result", expected));
    let (kind, data) =
        world(Sight::DryRun).handled(r#"{"files": [], "id": 4}"#, |_| panic!("nothing to ask")).await;
    assert_eq!((kind.as_str(), &data["id"]), ("failure", &json!("4")));
    assert!(data["err_msg"].as_str().unwrap().contains("`files`"), "{data}");
}

#[tokio::test]
async fn given_diagnostics_when_asked_for_then_all_parts_are_there_and_no_secret_is() {
    let answer = |question| match question {
        Question::Facts(reply) => {
            reply.send(json!({"agent": {"phase": "running"}, "log": ["it said s3cret"]})).unwrap();
        }
        other => panic!("{other:?}"),
    };
    let (kind, data) = world(Sight::Diagnostics).handled("{}", answer).await;
    assert_eq!(kind, "result");
    let parts = &data["diagnostics"];
    assert_eq!((&parts["agent"]["phase"], &parts["log"][0]), (&json!("running"), &json!("it said (hidden)")));
    assert_eq!(parts["supervisor"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(!data.to_string().contains("s3cret"), "{data}");
    assert!(
        parts["connection"]["troubles"][0]["what"].as_str().unwrap().contains("cannot connect with (hidden)")
    );
    let huge = |question| match question {
        Question::Facts(reply) => reply.send(json!({"log": ["x".repeat(90_000)], "disk": 7})).unwrap(),
        other => panic!("{other:?}"),
    };
    let (_, data) = world(Sight::Diagnostics).handled("{}", huge).await;
    assert_eq!(data["diagnostics"]["log"], "left out: it is too long");
    assert_eq!(data["diagnostics"]["disk"], 7);
}

#[tokio::test]
async fn given_a_process_side_that_is_busy_when_asked_then_the_answer_says_so_in_time() {
    for sight in [Sight::Logs, Sight::Diagnostics] {
        let mut world = world(sight);
        world.handler.asker = world.handler.asker.clone().within(Duration::from_millis(50));
        let mut held = None;
        let (kind, data) = world.handled("{}", |question| held = Some(question)).await;
        let told = data.to_string();
        assert!(told.contains("is busy, as with an apply or a restart"), "{told}");
        // A bundle tells at least what the supervisor itself knows.
        let expected = if sight == Sight::Logs { "failure" } else { "result" };
        assert_eq!(kind, expected);
    }
}
