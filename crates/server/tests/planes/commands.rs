//! Commands and custom messages (OpAMP S.M, S.N).

use serde_json::{Value, json};
use tidegate_opamp::{AgentToServer, CommandType, CustomMessage, ServerToAgent, ServerToAgentCommand};

use crate::report::{NULL, Reporter, assert_ack};
use crate::world::World;

fn restart() -> Value {
    json!({"kind": "restart"})
}

fn null(data: &str) -> Value {
    json!({"kind": "custom", "capability": NULL, "type": "Null Command", "data": data})
}

/// Asserts that a message is a restart and nothing else but an introduction (OpAMP S158).
fn assert_restart(message: &ServerToAgent, agent: &Reporter) {
    let command = ServerToAgentCommand { kind: CommandType::Restart, ..ServerToAgentCommand::default() };
    let alone = ServerToAgent {
        instance_uid: agent.uid.to_wire(),
        capabilities: message.capabilities,
        command: Some(command),
        ..ServerToAgent::default()
    };
    assert_eq!(*message, alone);
}

async fn gone(world: &World, agent: &Reporter) {
    world.eventually(&format!("/agents/{}", agent.uid), |a| a["connection"]["value"] == "disconnected").await;
}

/// S158, S028: a restart stands alone; what waited with it follows unasked.
#[tokio::test]
async fn given_a_restart_and_a_config_when_both_wait_then_two_messages_arrive_and_the_command_stands_alone() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    drop(world.connected(&mut agent).await);
    gone(&world, &agent).await;
    world.push("name:host-1", "a").await;
    world.command(&agent, restart()).await;
    let mut socket = world.socket().await;
    let first = socket.exchange(&agent.heartbeat()).await;
    assert_restart(&first, &agent);
    assert_ne!(first.capabilities, 0, "S005");
    let second = socket.message().await;
    assert!(second.remote_config.is_some() && second.command.is_none());
    assert!(second.custom_capabilities.is_some(), "S162: the introduction is not lost to the command");
    let third = socket.exchange(&agent.heartbeat()).await;
    assert_eq!((third.command, third.custom_capabilities), (None, None));
}

/// S161: by HTTP a command is in one answer; a retry of the poll does not get it again.
#[tokio::test]
async fn given_a_restart_when_a_poll_is_repeated_then_it_is_delivered_once() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let id = world.command(&agent, restart()).await["id"].clone();
    let poll = agent.heartbeat();
    assert_restart(&world.poll(&poll).await, &agent);
    assert_eq!(world.get(&format!("/commands/{}", id.as_str().unwrap())).await.expect(200)["state"], "sent");
    assert_eq!(world.poll(&poll).await.command, None);
    assert_eq!(world.poll(&agent.heartbeat()).await.command, None);
}

/// S160: a new start time is the proof of a restart.
#[tokio::test]
async fn given_a_restart_when_the_agent_reports_a_later_start_then_it_succeeded() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    socket.exchange(&agent.health(true, 1000, "")).await;
    let command = world.command(&agent, restart()).await;
    let path = format!("/commands/{}", command["id"].as_str().unwrap());
    assert_restart(&socket.message().await, &agent);
    let state = async || world.get(&path).await.expect(200)["state"].clone();
    assert_eq!(state().await, "sent");
    for (start, expected) in [(1000, "acknowledged"), (0, "acknowledged"), (2000, "succeeded")] {
        socket.exchange(&agent.health(true, start, "")).await;
        assert_eq!(state().await, expected, "start time {start}");
    }
}

/// S166: one custom message a message, in order, by either transport, without waiting for a heartbeat.
#[tokio::test]
async fn given_twenty_messages_when_the_agent_comes_then_twenty_arrive_in_order() {
    let world = World::new().await;
    let (mut by_socket, mut by_http) = (Reporter::new(1), Reporter::new(2));
    drop(world.connected(&mut by_socket).await);
    gone(&world, &by_socket).await;
    world.poll(&by_http.full()).await;
    for number in 0..20 {
        world.command(&by_socket, null(&number.to_string())).await;
        world.command(&by_http, null(&number.to_string())).await;
    }
    let mut socket = world.socket().await;
    socket.send(&by_socket.heartbeat()).await;
    for number in 0..20 {
        let text = number.to_string();
        for message in [socket.message().await, world.poll(&by_http.heartbeat()).await] {
            let custom = message.custom_message.unwrap_or_else(|| panic!("{number}: no message"));
            assert_eq!((&*custom.capability, &custom.data[..]), (NULL, text.as_bytes()));
        }
    }
    assert_eq!(world.poll(&by_http.heartbeat()).await.custom_message, None);
    socket.quiet().await;
}

/// S164: what is received under a name that nobody knows is acknowledged and shown, not refused.
#[tokio::test]
async fn given_a_message_of_an_unknown_capability_when_it_arrives_then_it_is_acknowledged() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let custom = CustomMessage {
        capability: "com.example.new".into(),
        kind: "hello".into(),
        ..CustomMessage::default()
    };
    let reply = socket.exchange(&AgentToServer { custom_message: Some(custom), ..agent.heartbeat() }).await;
    assert_ack(&reply, &agent);
    let events = world.get("/events").await.expect(200);
    let last = events["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["kind"], &last["text"]), (&json!("message"), &json!("com.example.new hello")));
}

/// S162, S164: a capability that only operators know is listed with the message that uses it.
#[tokio::test]
async fn given_a_capability_of_the_agents_own_when_a_message_uses_it_then_both_sides_list_it() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let own = "com.example.own";
    let mut report = agent.full();
    report.custom_capabilities.as_mut().unwrap().capabilities = vec![own.to_owned()];
    let mut socket = world.socket().await;
    let before = socket.exchange(&report).await.custom_capabilities.unwrap().capabilities;
    assert!(!before.iter().any(|name| name == own));
    world.command(&agent, json!({"kind": "custom", "capability": own, "type": "t"})).await;
    let sent = socket.message().await;
    assert_eq!(sent.custom_message.unwrap().capability, own);
    let listed = sent.custom_capabilities.expect("S164: not listed").capabilities;
    assert!(before.iter().chain([&own.to_owned()]).all(|name| listed.contains(name)), "{listed:?}");
}

/// What answers is given an id by which the answer is found, where there is none; what the agent says it does not know
/// is not called a failure.
#[tokio::test]
async fn given_messages_that_are_answered_when_sent_then_each_has_an_id_unless_it_brought_one() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let own = "com.example.own";
    let mut report = agent.full();
    report.custom_capabilities.as_mut().unwrap().capabilities =
        vec![own.to_owned(), tidegate_custom::LOGS.to_owned()];
    let mut socket = world.socket().await;
    socket.exchange(&report).await;
    let order = |capability: &str, data: Value| json!({"kind": "custom", "capability": capability, "type": "request", "data": data});
    let cases = [
        (order(own, json!({"a": 1})), Some("c"), json!({"a": 1})),
        (order(own, json!({"id": "mine"})), Some("mine"), json!({})),
        (order(own, json!([1])), None, json!([1])),
        (order(tidegate_custom::LOGS, Value::Null), Some("c"), json!({})),
    ];
    for (order, id, rest) in cases {
        let command = world.command(&agent, order).await;
        let sent = socket.message().await.custom_message.unwrap();
        let mut data: Value = serde_json::from_slice(&sent.data).unwrap();
        let found = data.as_object_mut().and_then(|object| object.remove("id"));
        let expected = id.map(|id| if id == "c" { command["id"].clone() } else { id.into() });
        assert_eq!((found.clone(), data), (expected, rest));
        let answer = json!({"id": found, "err_msg": "lost", "outcome": "unknown"}).to_string();
        let message = CustomMessage { kind: "failure".to_owned(), data: answer.into(), ..sent };
        socket.exchange(&AgentToServer { custom_message: Some(message), ..agent.heartbeat() }).await;
        let path = format!("/commands/{}", command["id"].as_str().unwrap());
        assert_eq!(world.get(&path).await.expect(200)["state"], "unknown");
    }
}

/// S164: a message waits while its agent no longer lists the capability.
#[tokio::test]
async fn given_a_capability_that_is_withdrawn_when_a_message_waits_then_it_is_sent_once_listed_again() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    world.command(&agent, null("x")).await;
    let none = Some(tidegate_opamp::CustomCapabilities::default());
    let reply = world.poll(&AgentToServer { custom_capabilities: none, ..agent.heartbeat() }).await;
    assert_eq!(reply.custom_message, None);
    assert!(world.poll(&agent.full()).await.custom_message.is_some());
}

/// Queue, deadlines, arguments: bounded, each with its reason.
#[tokio::test]
async fn given_wrong_orders_when_made_then_each_is_refused_with_its_reason() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let path = format!("/agents/{}/commands", agent.uid);
    let month = 30 * 24 * 60 * 60;
    let named =
        |capability: &str, kind: &str| json!({"kind": "custom", "capability": capability, "type": kind});
    let cases = [
        (json!({"kind": "restart", "deadline_seconds": 0}), 422, "invalid", "/deadline_seconds"),
        (json!({"kind": "restart", "deadline_seconds": month + 1}), 422, "invalid", "/deadline_seconds"),
        (json!({"kind": "restart", "deadline_seconds": u64::MAX}), 422, "invalid", "/deadline_seconds"),
        (json!({"kind": "restart", "deadline_seconds": -1}), 400, "json", ""),
        (json!({"kind": "reboot"}), 400, "json", ""),
        (json!({"kind": "restart", "force": true}), 400, "json", ""),
        (json!({"kind": "custom", "type": "t"}), 400, "json", ""),
        (json!({}), 400, "json", ""),
        (named("", "t"), 422, "invalid", "/capability"),
        (named("request:", "t"), 422, "invalid", "/capability"),
        (named(&"c".repeat(257), "t"), 422, "invalid", "/capability"),
        (named(NULL, &"t".repeat(257)), 422, "invalid", "/type"),
        (null(&"x".repeat(64 * 1024 + 1)), 422, "invalid", "/data"),
        (
            json!({"kind": "custom", "capability": tidegate_custom::LOGS, "type": "request", "data": {"lines": 501}}),
            422,
            "invalid",
            "/data",
        ),
        (named(tidegate_custom::DRY_RUN, "request"), 422, "invalid", "/data"),
        (named("com.example.unlisted", "t"), 409, "unsupported", ""),
    ];
    for (order, status, code, pointer) in cases {
        let problem = world.post(&path, order.clone()).await.problem(status, code);
        if !pointer.is_empty() {
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{order:.200}");
        }
    }
    let unknown = format!("/agents/{}/commands", Reporter::new(2).uid);
    world.post(&unknown, restart()).await.problem(404, "not-found");
    world.post("/agents/nonsense/commands", restart()).await.problem(422, "invalid");
    assert_eq!(world.get("/commands").await.expect(200)["total"]["value"], 0);
    assert_eq!(world.poll(&agent.heartbeat()).await.command, None);
    for order in [
        json!({"kind": "restart", "deadline_seconds": 1}),
        json!({"kind": "restart", "deadline_seconds": month}),
    ] {
        world.command(&agent, order).await;
    }
}

#[tokio::test]
async fn given_a_full_queue_when_one_more_is_asked_then_it_is_refused_until_one_is_cancelled() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let path = format!("/agents/{}/commands", agent.uid);
    let first = world.command(&agent, restart()).await;
    for _ in 1..100 {
        world.command(&agent, restart()).await;
    }
    world.post(&path, restart()).await.problem(429, "too-many");
    let cancel = format!("/commands/{}/actions/cancel", first["id"].as_str().unwrap());
    world.call("POST", &cancel, None).await.expect(200);
    world.post(&path, restart()).await.expect(202);
    world.post(&path, restart()).await.problem(429, "too-many");
}

#[tokio::test]
async fn given_a_queued_command_when_it_is_cancelled_then_it_is_never_sent() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let id = world.command(&agent, restart()).await["id"].as_str().unwrap().to_owned();
    let cancel = format!("/commands/{id}/actions/cancel");
    let cancelled = world.call("POST", &cancel, None).await.expect(200);
    assert_eq!((&cancelled["state"], &cancelled["ended"]), (&json!("cancelled"), &json!(true)));
    assert_eq!(world.poll(&agent.heartbeat()).await.command, None);
    let problem = world.call("POST", &cancel, None).await.problem(409, "conflict");
    assert!(problem["detail"].as_str().unwrap().contains("cancelled already"));
    let listed = world.get("/commands?state=cancelled").await.expect(200);
    assert_eq!((&listed["total"]["value"], &listed["items"][0]["id"]), (&json!(1), &json!(id)));
    world.call("POST", "/commands/nonsense/actions/cancel", None).await.problem(404, "not-found");
}

#[tokio::test]
async fn given_a_sent_command_when_it_is_cancelled_then_that_is_too_late() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let id = world.command(&agent, restart()).await["id"].as_str().unwrap().to_owned();
    assert_restart(&socket.message().await, &agent);
    let answer = world.call("POST", &format!("/commands/{id}/actions/cancel"), None).await;
    assert!(answer.problem(409, "conflict")["detail"].as_str().unwrap().contains("sent already"));
    assert_eq!(world.get(&format!("/commands/{id}")).await.expect(200)["state"], "sent");
}

#[tokio::test]
async fn given_a_deadline_when_the_agent_stays_away_then_the_command_expires_and_is_never_sent() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let command = world.command(&agent, json!({"kind": "restart", "deadline_seconds": 1})).await;
    let path = format!("/commands/{}", command["id"].as_str().unwrap());
    world.eventually(&path, |command| command["state"] == "expired").await;
    assert_eq!(world.poll(&agent.heartbeat()).await.command, None);
}

/// A ChatOps request is given an id and asked to answer; the answer with that id ends it.
#[tokio::test]
async fn given_a_request_when_the_agent_answers_then_the_command_shows_the_answer() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let chatops = tidegate_custom::CHATOPS.to_owned();
    let mut report = agent.full();
    report.custom_capabilities.as_mut().unwrap().capabilities = vec![format!("request:{chatops}")];
    let mut socket = world.socket().await;
    socket.exchange(&report).await;
    let kind = tidegate_custom::chatops::REQUEST;
    let order = json!({"kind": "custom", "capability": chatops, "type": kind, "data": {"tag": "run", "attributes": {"a": 1}}});
    let command = world.command(&agent, order).await;
    let sent = socket.message().await.custom_message.unwrap();
    let data: Value = serde_json::from_slice(&sent.data).unwrap();
    assert_eq!((&data["id"], &data["reply"]), (&command["id"], &json!("always")));
    let answer = |id: &Value| CustomMessage {
        capability: chatops.clone(),
        kind: tidegate_custom::chatops::FAILURE.to_owned(),
        data: json!({"http_code": "500", "err_msg": "no", "id": id}).to_string().into(),
        ..CustomMessage::default()
    };
    let path = format!("/commands/{}", command["id"].as_str().unwrap());
    let other = AgentToServer { custom_message: Some(answer(&json!("another"))), ..agent.heartbeat() };
    socket.exchange(&other).await;
    assert_eq!(world.get(&path).await.expect(200)["state"], "acknowledged");
    let own = AgentToServer { custom_message: Some(answer(&command["id"])), ..agent.heartbeat() };
    assert_ack(&socket.exchange(&own).await, &agent);
    let ended = world.get(&path).await.expect(200);
    assert_eq!((&ended["state"], &ended["answer"]["data"]["http_code"]), (&json!("failed"), &json!("500")));
}

/// A type that a known capability does not have would be dropped by the agent without a word: it is refused.
#[tokio::test]
async fn given_a_type_that_the_capability_does_not_have_when_queued_then_it_is_refused() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let order = json!({"kind": "custom", "capability": NULL, "type": "do nothing"});
    let path = format!("/agents/{}/commands", agent.uid);
    let problem = world.post(&path, order).await.expect(422);
    assert_eq!(problem["errors"][0]["pointer"], "/type");
    assert!(problem["detail"].as_str().unwrap().contains("Null Command"), "{problem}");
}
