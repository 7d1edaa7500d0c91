//! The schemas of agents' builds: fetched of one agent of each, whatever the others send.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};
use tidegate_custom::schema::{Chunk, Fetch, METADATA, SchemaHash, Unavailable, list_hash};
use tidegate_custom::{Message, SCHEMA, parse};
use tidegate_opamp::{
    AgentCapabilities, AgentToServer, AvailableComponents, ComponentDetails, CustomCapabilities,
    CustomMessage, KeyValue, ServerToAgent, body,
};

use crate::http::{self, Request};
use crate::report::{Reporter, assert_ack};
use crate::socket::Socket;
use crate::world::World;

/// A build of agents: what its binary prints.
#[derive(Clone)]
struct Build {
    document: String,
}

impl Build {
    fn new(version: &str, plugins: usize) -> Self {
        // Numbers that do not repeat: packed, many of them take more than one piece.
        let half = |number: usize, half| SchemaHash::of(format!("{version} {number} {half}").as_bytes());
        let name = |number| format!("{}{}", half(number, 1), half(number, 2));
        let plugin = |number| {
            let options = json!([{"name": "rate", "description": "", "default": "1", "type": "integer"}]);
            json!({"type": "input", "name": name(number), "properties": {"options": options}})
        };
        let inputs: Vec<_> = (0..plugins).map(plugin).collect();
        let document = json!({"fluent-bit": {"version": version}, "inputs": inputs});
        Self { document: document.to_string() }
    }

    fn hash(&self) -> SchemaHash {
        SchemaHash::of(self.document.as_bytes())
    }

    /// The agent of a number, which runs this build, as it reports first: the hash of the list, and the list.
    fn full(&self, agent: &mut Reporter) -> AgentToServer {
        let capabilities = vec![SCHEMA.to_owned()];
        AgentToServer {
            custom_capabilities: Some(CustomCapabilities { capabilities, ..CustomCapabilities::default() }),
            available_components: Some(self.components()),
            ..agent.full()
        }
    }

    fn components(&self) -> AvailableComponents {
        let metadata = vec![KeyValue::text(METADATA, self.hash().to_string())];
        let inputs = ComponentDetails { metadata, ..ComponentDetails::default() };
        let components = BTreeMap::from([("inputs".to_owned(), inputs)]);
        let hash = Bytes::copy_from_slice(&list_hash(&components));
        AvailableComponents { hash, components, ..AvailableComponents::default() }
    }

    /// The piece that is asked for.
    fn piece(&self, fetch: &Fetch) -> CustomMessage {
        Chunk::cut(&body::gzip(self.document.as_bytes()), fetch).unwrap().to_message().unwrap()
    }
}

fn reporter(index: u16) -> Reporter {
    let mut agent = Reporter::new(index);
    agent.capabilities |= AgentCapabilities::REPORTS_AVAILABLE_COMPONENTS.0;
    agent
}

fn with(message: AgentToServer, custom: CustomMessage) -> AgentToServer {
    AgentToServer { custom_message: Some(custom), ..message }
}

fn asked(message: &ServerToAgent) -> Option<Fetch> {
    match parse(message.custom_message.as_ref()?) {
        Ok(Message::SchemaFetch(fetch)) => Some(fetch),
        other => panic!("{other:?}"),
    }
}

/// An agent of the build on a socket, which was told nothing but the server's introduction.
async fn connected(world: &World, build: &Build, index: u16) -> (Reporter, Socket) {
    let (mut agent, mut socket) = (reporter(index), world.socket().await);
    let reply = socket.exchange(&build.full(&mut agent)).await;
    assert_eq!(asked(&reply), None);
    (agent, socket)
}

/// The number of a metric of the server.
async fn counted(world: &World, name: &str) -> u64 {
    let text = world.metrics().await;
    let line = text.lines().find(|line| line.starts_with(&format!("tidegate_{name}_total "))).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// Gives a schema to its end; gives the number of its pieces.
async fn give(build: &Build, agent: &mut Reporter, socket: &mut Socket) -> usize {
    let mut fetch = asked(&socket.message().await);
    let mut pieces = 0;
    while let Some(wanted) = fetch.take() {
        assert_eq!((wanted.hash, wanted.id.clone()), (build.hash(), None));
        let reply = socket.exchange(&with(agent.heartbeat(), build.piece(&wanted))).await;
        fetch = asked(&reply);
        pieces += 1;
    }
    pieces
}

/// S164: only an agent that lists the capability is asked, and only for what is not here.
#[tokio::test]
async fn given_a_build_that_is_new_when_its_first_agent_comes_then_its_schema_is_fetched_once_for_good() {
    let world = World::new().await;
    let build = Build::new("5.1.1", 900);
    let (mut agent, mut socket) = connected(&world, &build, 1).await;
    let pieces = give(&build, &mut agent, &mut socket).await;
    assert!(pieces > 1, "{pieces}");

    let hash = build.hash().to_string();
    let listed = world.eventually("/schemas", |list| list["total"]["value"] == 1).await;
    let since = listed["items"][0]["since"].clone();
    let expected = json!({
        "hash": hash, "kind": "fluent-bit", "version": "5.1.1", "plugins": 900, "bytes": build.document.len(),
        "since": since,
    });
    assert_eq!(listed["items"], json!([expected]));
    let path = format!("/schemas/{hash}");
    let answer = world.get(&path).await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, build.document.as_bytes()));
    assert_eq!(answer.header("ETag"), Some(format!("\"{hash}\"").as_str()));
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
    let again = Request::new("GET", &format!("/api/v1{path}"))
        .header("Authorization", &format!("Bearer {}", world.token))
        .header("If-None-Match", &format!("\"{hash}\""));
    let again = http::call(world.server.operators, &again).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(world.agent(&agent).await["schema"], json!(hash));
    let events = world.get("/events").await.expect(200);
    let told = events["items"].as_array().unwrap().iter().filter(|event| event["kind"] == "schema");
    let texts: Vec<_> = told.map(|event| event["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["it gave the schema of its build: fluent-bit 5.1.1, 900 plugins"]);
    assert_eq!((counted(&world, "schemas").await, counted(&world, "schemas_refused").await), (1, 0));

    let world = world.restart().await;
    assert_eq!(world.get(&path).await.body, build.document.as_bytes());
    let (_, mut other) = connected(&world, &build, 2).await;
    task_ran(&world).await;
    other.quiet().await;
}

/// Waits until who is asked next was thought over twice.
async fn task_ran(world: &World) {
    for _ in 0..2 {
        let task = |server: &Value| crate::world::task(server, "schemas")["last"]["at"].clone();
        let before = task(&world.get("/server").await.expect(200));
        world.eventually("/server", |server| task(server) != before).await;
    }
}

#[tokio::test]
async fn given_a_storm_of_agents_of_one_build_when_they_poll_then_one_of_them_is_asked() {
    let world = World::new().await;
    let build = Build::new("5.1.1", 3);
    let mut agents: Vec<_> = (0..100).map(reporter).collect();
    let mut fetches = Vec::new();
    for agent in &mut agents {
        fetches.extend(asked(&world.poll(&build.full(agent)).await));
    }
    task_ran(&world).await;
    let mut giver = None;
    for _ in 0..3 {
        for (index, agent) in agents.iter_mut().enumerate() {
            if let Some(fetch) = asked(&world.poll(&agent.heartbeat()).await) {
                giver = Some(index);
                fetches.push(fetch);
            }
        }
        task_ran(&world).await;
    }
    assert_eq!(fetches.len(), 1, "one agent, one piece");
    let giver = &mut agents[giver.unwrap()];
    let reply = world.poll(&with(giver.heartbeat(), build.piece(&fetches[0]))).await;
    assert_eq!(asked(&reply), None, "that was all of it");
    world.eventually("/schemas", |list| list["total"]["value"] == 1).await;
    for agent in &mut agents {
        assert_eq!(asked(&world.poll(&build.full(agent)).await), None);
    }
}

#[tokio::test]
async fn given_agents_that_fail_one_after_the_other_when_asked_then_the_next_is_asked_and_nothing_is_kept() {
    let world = World::new().await;
    let build = Build::new("5.1.1", 900);
    let other = Build::new("6", 3);
    type Wrong = fn(&Build, &Build, &Fetch) -> CustomMessage;
    let wrong: [Wrong; 5] = [
        |build, _, fetch| CustomMessage { data: Bytes::from_static(b"\xff"), ..build.piece(fetch) },
        |build, _, fetch| build.piece(&Fetch { offset: 7, ..fetch.clone() }),
        |_, _, fetch| {
            let (hash, reason) = (Some(fetch.hash), "busy \x1b[31m".repeat(100));
            Unavailable { hash, reason, id: None }.to_message().unwrap()
        },
        // A document of another hash, and one that is no schema.
        |_, other, fetch| other.piece(fetch),
        |_, _, fetch| {
            let bomb = Build { document: " ".repeat(5 * 1024 * 1024) };
            bomb.piece(fetch)
        },
    ];
    let mut others = Vec::new();
    for (index, answer) in wrong.iter().enumerate() {
        let (mut agent, mut socket) = connected(&world, &build, u16::try_from(index).unwrap()).await;
        let fetch = asked(&socket.message().await).unwrap();
        assert_eq!(fetch.offset, 0);
        let reply = socket.exchange(&with(agent.heartbeat(), answer(&build, &other, &fetch))).await;
        assert_ack(&reply, &agent);
        others.push((agent, socket));
    }
    // One that leaves in the midst of it.
    let (_, mut leaver) = connected(&world, &build, 90).await;
    assert!(asked(&leaver.message().await).is_some());
    drop(leaver);
    let (mut agent, mut socket) = connected(&world, &build, 91).await;
    give(&build, &mut agent, &mut socket).await;
    world.eventually("/schemas", |list| list["total"]["value"] == 1).await;
    assert_eq!((counted(&world, "schemas").await, counted(&world, "schemas_refused").await), (1, 5));
    let events = world.get("/events").await.expect(200).to_string();
    assert!(!events.contains("io.tidegate.schema"), "{events}");
}

#[tokio::test]
async fn given_pieces_that_nobody_asked_for_when_they_come_then_they_are_counted_and_gone() {
    let world = World::new().await;
    let build = Build::new("5.1.1", 3);
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let piece = build.piece(&Fetch { hash: build.hash(), offset: 0, id: None });
    for _ in 0..3 {
        assert_ack(&socket.exchange(&with(agent.heartbeat(), piece.clone())).await, &agent);
    }
    assert_eq!(counted(&world, "schemas_refused").await, 3);
    assert_eq!(world.get("/schemas").await.expect(200)["items"], json!([]));
}

/// A list whose hash is not its own says nothing: an agent cannot name the schema of another's build.
#[tokio::test]
async fn given_lists_that_are_not_believed_or_agents_without_the_capability_then_nothing_is_fetched() {
    let world = World::new().await;
    let build = Build::new("5.1.1", 3);
    let (mut forger, mut plain) = (reporter(1), reporter(2));
    let forged = AvailableComponents { hash: Bytes::from_static(b"another"), ..build.components() };
    let forged = AgentToServer { available_components: Some(forged), ..build.full(&mut forger) };
    let custom_capabilities = plain.full().custom_capabilities;
    let unlisted = AgentToServer { custom_capabilities, ..build.full(&mut plain) };
    let (mut first, mut second) = (world.socket().await, world.socket().await);
    first.exchange(&forged).await;
    second.exchange(&unlisted).await;
    task_ran(&world).await;
    first.quiet().await;
    second.quiet().await;
    assert_eq!(world.agent(&forger).await.get("schema"), None);
    assert_eq!(world.agent(&plain).await["schema"], json!(build.hash().to_string()));
}

/// What a person asks for goes its own way: the answer has the command's id and is the command's.
#[tokio::test]
async fn given_a_command_for_a_piece_when_it_is_answered_then_the_command_has_the_answer() {
    let world = World::new().await;
    let build = Build::new("5.1.1", 3);
    let (mut agent, mut socket) = connected(&world, &build, 1).await;
    give(&build, &mut agent, &mut socket).await;
    let data = json!({"hash": build.hash().to_string()});
    let order = json!({"kind": "custom", "capability": SCHEMA, "type": "fetch", "data": data});
    let command = world.command(&agent, order).await;
    let fetch = asked(&socket.message().await).unwrap();
    assert_eq!(fetch.id.as_deref(), command["id"].as_str());
    socket.exchange(&with(agent.heartbeat(), build.piece(&fetch))).await;
    let path = format!("/commands/{}", command["id"].as_str().unwrap());
    let done = world.eventually(&path, |command| command["state"] != "sent").await;
    assert_eq!((&done["state"], &done["answer"]["type"]), (&json!("succeeded"), &json!("chunk")), "{done}");
}

#[tokio::test]
async fn given_schemas_that_are_not_here_when_asked_for_then_the_problem_says_so() {
    let world = World::new().await;
    world.get(&format!("/schemas/{}", "ab".repeat(32))).await.problem(404, "not-found");
    let refused = world.get("/schemas/5.1.1").await.problem(422, "invalid");
    assert!(refused["detail"].as_str().unwrap().contains("64 hexadecimal digits"), "{refused}");
}

/// A push tells what the builds of its agents will not understand, and is made all the same.
#[tokio::test]
async fn given_a_config_with_what_a_build_does_not_know_when_pushed_then_the_answer_warns_of_it() {
    let world = World::new().await;
    let plugin = |name| {
        let path = json!({"name": "path", "description": "", "default": null, "type": "string"});
        json!({"name": name, "description": "", "properties": {"options": [path]}})
    };
    let document =
        json!({"fluent-bit": {"version": "5.1.1"}, "inputs": [plugin("tail")], "outputs": [plugin("file")]});
    let build = Build { document: document.to_string() };
    let (mut agent, mut socket) = connected(&world, &build, 1).await;
    give(&build, &mut agent, &mut socket).await;
    world.eventually("/schemas", |list| list["total"]["value"] == 1).await;
    world.poll(&build.full(&mut reporter(2))).await;
    world.poll(&Reporter::new(3).full()).await;

    let body = "pipeline:\n  inputs:\n    - name: tail\n      paht: /x\n  outputs:\n    - name: file\n      path: /y\n";
    let request = json!({"q": "name:*", "files": [{"name": "fluent-bit.yaml", "body": body}]});
    let expected = json!([{
        "schema": build.hash().to_string(), "agents": 2, "file": "fluent-bit.yaml", "line": 4, "column": 7,
        "message": "the input plugin `tail` of Fluent Bit 5.1.1 has no property `paht`", "fix": "is `path` meant?",
    }]);
    let planned = world.post("/pushes?dry_run=all", request.clone()).await.expect(200);
    assert_eq!(planned["warnings"], expected);
    let pushed = world.post("/pushes", request).await.expect(201);
    assert_eq!((&pushed["warnings"], &pushed["summary"]["total"]), (&expected, &json!(3)));
    let later = world.get(&format!("/pushes/{}", pushed["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(later.get("warnings"), None);
    let right = world.push("name:*", &body.replace("paht", "path")).await;
    assert_eq!(right.get("warnings"), None);
}
