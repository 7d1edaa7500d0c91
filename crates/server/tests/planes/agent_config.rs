//! The configs of one agent side by side.

use serde_json::{Value, json};
use tidegate_opamp::{AgentToServer, RemoteConfigStatuses};

use crate::report::{Reporter, effective};
use crate::world::World;

const ONE: &str = "[OUTPUT]\n    Name http\n    HTTP_Passwd hunter2\n    Port 80\n";

/// Says that a config is applied, and that this text runs.
async fn apply(world: &World, agent: &mut Reporter, text: &str) {
    let offer = world.poll(&agent.heartbeat()).await.remote_config.expect("nothing was offered");
    let running = effective([("fluent-bit.yaml", text.as_bytes()), ("tidegate/rendered", b"r")]);
    let applied = agent.status(&offer.config_hash, RemoteConfigStatuses::Applied);
    world.poll(&AgentToServer { effective_config: Some(running), ..applied }).await;
}

fn change(told: &Value) -> (&Value, &Value) {
    (&told["differences"][0]["name"], &told["differences"][0]["change"])
}

/// C085: nothing but marks of secrets is told, also where the agent reported its own.
#[tokio::test]
async fn given_an_agent_when_its_configs_are_looked_at_then_each_difference_and_the_former_one_are_told() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let path = format!("/agents/{}/config", agent.uid);
    let told = world.get(&path).await.expect(200);
    assert_eq!((&told["compared"], &told["reason"]), (&json!(false), &json!("no config is assigned")));
    assert!(told.get("desired").is_none() && told.get("former").is_none(), "{told}");

    let push = world.push("name:*", ONE).await;
    apply(&world, &mut agent, ONE).await;
    let told = world.get(&path).await.expect(200);
    assert_eq!((&told["in_sync"], &told["config"]["proof"]), (&json!(true), &json!("proven")));
    assert_eq!(
        (change(&told), &told["desired"]["push"]),
        ((&json!("fluent-bit.yaml"), &json!("same")), &push["id"])
    );
    assert_eq!(
        told["effective"]["files"].as_array().unwrap().len(),
        2,
        "what was rendered is there to be read"
    );

    let two = ONE.replace("80", "443");
    world.push("name:*", &two).await;
    apply(&world, &mut agent, ONE).await;
    let answer = world.get(&path).await;
    assert!(!String::from_utf8_lossy(&answer.body).contains("hunter2"));
    let told = answer.expect(200);
    assert_eq!((&told["in_sync"], &told["config"]["value"]), (&json!(false), &json!("drifted")));
    assert_eq!(change(&told).1, "changed");
    let hunk = &told["differences"][0]["hunks"][0];
    assert_eq!((&hunk["desired_start"], &hunk["effective_start"]), (&json!(1), &json!(1)));
    let lines = hunk["lines"].as_array().unwrap();
    let on = |side: &str| {
        lines
            .iter()
            .filter(|line| line["side"] == side)
            .map(|line| line["text"].as_str().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!((on("desired"), on("effective")), (vec!["    Port 443"], vec!["    Port 80"]), "{hunk}");
    assert_eq!((&told["former"]["push"], &told["former"]["hash"]), (&push["id"], &push["config"]));
    // The same secret has the same mark before and after.
    let secret = |version: &Value| {
        let text = version["files"][0]["body"].as_str().unwrap().to_owned();
        text.lines().find(|line| line.contains("HTTP_Passwd")).unwrap().to_owned()
    };
    assert_eq!(secret(&told["former"]), secret(&told["desired"]));

    let spaced = two.replace("http\n", "http  \r\n");
    let report = effective([("fluent-bit.yaml", spaced.as_bytes()), ("tidegate/rendered", b"r")]);
    world.poll(&AgentToServer { effective_config: Some(report), ..agent.heartbeat() }).await;
    let told = world.get(&path).await.expect(200);
    assert_eq!((change(&told).1, &told["config"]["value"]), (&json!("same"), &json!("drifted")));
    assert!(told["reason"].as_str().unwrap().contains("nothing but spaces"), "{told}");
    world.get("/agents/x/config").await.problem(422, "invalid");
}

/// What is read here can be changed and pushed by somebody who has seen no secret of it.
#[tokio::test]
async fn given_marks_of_secrets_in_a_push_then_those_that_the_server_knows_are_secrets_again_and_others_are_refused()
 {
    let world = World::new().await;
    let (mut agent, mut other) = (Reporter::new(1), Reporter::new(2));
    world.poll(&agent.full()).await;
    world.poll(&other.full()).await;
    world.push("name:host-1", ONE).await;
    apply(&world, &mut agent, ONE).await;
    let answer = world.get(&format!("/agents/{}", agent.uid)).await;
    let told = answer.expect(200);
    let shown = told["desired_config"][0]["body"].as_str().unwrap();
    assert!(shown.contains("HTTP_Passwd redacted-") && !shown.contains("hunter2"), "{shown}");

    // To agents that never had it as well.
    let edited = shown.replace("80", "8080");
    world.push("name:host-*", &edited).await;
    for reporter in [&mut agent, &mut other] {
        let offer = world.poll(&reporter.heartbeat()).await.remote_config.expect("nothing was offered");
        let body = &offer.config.unwrap().config_map["fluent-bit.yaml"].body;
        assert_eq!(body[..], *ONE.replace("80", "8080").as_bytes());
    }

    let unknown = shown
        .replace("redacted-", "redacted-0123456789abcdef # ")
        .replace("    Port", "    Host h\n    Port");
    let unknown =
        unknown.lines().map(|line| line.split(" # ").next().unwrap()).collect::<Vec<_>>().join("\n");
    let files = json!([{"name": "good", "body": "x: 1"}, {"name": "a.conf", "body": unknown}]);
    for path in ["/pushes", "/pushes?dry_run=all"] {
        let refused = world.post(path, json!({"q": "name:*", "files": files})).await.problem(422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], "/files/1/body", "{refused}");
        assert!(refused["detail"].as_str().unwrap().contains("line 3 of a.conf has the mark"), "{refused}");
    }
}

/// An agent of another kind may report its secrets plain; they are shown as marks side by side, and known from there.
#[tokio::test]
async fn given_an_agent_that_shows_its_secrets_when_what_it_runs_is_pushed_to_it_then_they_are_put_back() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let running = effective([("fluent-bit.yaml", ONE.as_bytes())]);
    world.poll(&AgentToServer { effective_config: Some(running), ..agent.heartbeat() }).await;
    let told = world.get(&format!("/agents/{}/config", agent.uid)).await.expect(200);
    let shown = told["effective"]["files"][0]["body"].as_str().unwrap();
    assert!(!shown.contains("hunter2"), "{shown}");
    world.push("name:*", shown).await;
    let offer = world.poll(&agent.heartbeat()).await.remote_config.expect("nothing was offered");
    assert_eq!(offer.config.unwrap().config_map["fluent-bit.yaml"].body[..], *ONE.as_bytes());
}
