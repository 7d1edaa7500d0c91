//! The stream of changes, as server-sent events.

use std::collections::VecDeque;

use serde_json::{Value, json};
use tidegate_api::sse::{Frame, Reader};
use tidegate_opamp::agent_to_server_flags::REQUEST_INSTANCE_UID;
use tidegate_opamp::{AgentToServer, InstanceUid, KeyValue};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::report::Reporter;
use crate::world::{PATIENCE, World};

pub(crate) struct Watch {
    stream: TcpStream,
    reader: Reader,
    ready: VecDeque<Frame>,
}

impl Watch {
    /// Opens a stream; HTTP/1.0 keeps the body free of chunks. The small receive buffer makes it slow to fill.
    pub(crate) async fn open(world: &World, parameters: &str, last: Option<&str>) -> Self {
        let last = last.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        let headers = format!("Authorization: Bearer {}\r\n{last}", world.token);
        Self::open_as(world, parameters, &headers).await
    }

    /// The same with these header lines.
    pub(crate) async fn open_as(world: &World, parameters: &str, headers: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(world.server.operators).await.unwrap();
        let address = world.server.operators;
        let request = format!("GET /api/v1/watch{parameters} HTTP/1.0\r\nHost: {address}\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        assert!(head.contains(" 200 ok") && head.contains("content-type: text/event-stream"), "{head}");
        assert!(head.contains("x-accel-buffering: no") && head.contains("cache-control: no-cache"), "{head}");
        Self { stream, reader: Reader::default(), ready: VecDeque::new() }
    }

    /// The next frame; `None` at the stream's end.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        while self.ready.is_empty() {
            let mut buffer = vec![0; 16 * 1024];
            let read = timeout(PATIENCE, self.stream.read(&mut buffer)).await.expect("the stream is silent");
            match read {
                Ok(0) | Err(_) => return None,
                Ok(length) => self.ready.extend(self.reader.push(&buffer[..length]).unwrap()),
            }
        }
        self.ready.pop_front()
    }

    /// The next frame, which must have this name; its payload.
    pub(crate) async fn expect(&mut self, name: &str) -> (Option<String>, Value) {
        let frame = self.next().await.expect("the stream ended");
        assert_eq!(frame.event, name, "{frame:?}");
        (frame.id, serde_json::from_str(&frame.data).unwrap())
    }
}

#[tokio::test]
async fn given_a_fleet_when_watched_then_its_state_comes_first_then_a_bookmark_then_what_happens() {
    let world = World::new().await;
    let (mut first, mut second) = (Reporter::new(1), Reporter::new(2));
    let mut socket = world.connected(&mut first).await;
    let mut watch = Watch::open(&world, "", None).await;
    let (_, added) = watch.expect("added").await;
    assert_eq!(added["uid"], first.uid.to_string());
    let (id, _) = watch.expect("bookmark").await;
    let bookmark: u64 = id.unwrap().parse().unwrap();
    socket.exchange(&first.health(false, 1, "broken")).await;
    let (id, happened) = watch.expect("happened").await;
    assert_eq!((&happened["kind"], &happened["name"]), (&json!("health"), &json!("host-1")));
    assert_eq!(id, Some((bookmark + 1).to_string()));
    let (_, modified) = watch.expect("modified").await;
    assert_eq!(modified["health"]["value"], "unhealthy");
    socket.exchange(&second.full()).await;
    assert_eq!(watch.expect("happened").await.1["kind"], "agent-added");
    assert_eq!(watch.expect("happened").await.1["kind"], "connection");
    assert_eq!(watch.expect("added").await.1["uid"], second.uid.to_string());
}

#[tokio::test]
async fn given_a_query_and_kinds_when_watched_then_nothing_else_comes() {
    only_the_second_is_told_of(|_| "q=name:host-2".to_owned()).await;
}

#[tokio::test]
async fn given_ids_when_watched_then_no_other_agent_is_told_of() {
    only_the_second_is_told_of(|second| format!("ids={}", second.uid)).await;
}

/// Watches the second of two agents, by what the caller says of it.
async fn only_the_second_is_told_of(filter: impl Fn(&Reporter) -> String) {
    let world = World::new().await;
    let (mut first, mut second) = (Reporter::new(1), Reporter::new(2));
    let mut socket = world.connected(&mut first).await;
    socket.exchange(&second.full()).await;
    let filter = filter(&second);
    let mut agents = Watch::open(&world, &format!("?{filter}&kinds=agents"), None).await;
    let mut events = Watch::open(&world, &format!("?{filter}&kinds=events"), None).await;
    assert_eq!(agents.expect("added").await.1["name"], "host-2");
    agents.expect("bookmark").await;
    events.expect("bookmark").await;
    socket.exchange(&first.health(false, 1, "not watched")).await;
    socket.exchange(&second.health(false, 1, "watched")).await;
    assert_eq!(agents.expect("modified").await.1["name"], "host-2");
    assert_eq!(events.expect("happened").await.1["text"], "unhealthy: watched");
}

/// One comes to match while the stream is open: it is added, not changed.
#[tokio::test]
async fn given_an_agent_that_comes_to_match_when_watched_then_it_is_added() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let mut watch = Watch::open(&world, "?q=health:unhealthy&kinds=agents", None).await;
    watch.expect("bookmark").await;
    socket.exchange(&agent.health(false, 1, "broken")).await;
    assert_eq!(watch.expect("added").await.1["health"]["value"], "unhealthy");
    socket.exchange(&agent.health(true, 1, "")).await;
    assert_eq!(watch.expect("removed").await.1, json!({"uid": agent.uid.to_string()}));
    socket.exchange(&agent.health(false, 1, "broken again")).await;
    assert_eq!(watch.expect("added").await.1["health"]["reason"], "broken again");
}

/// A new uid is another agent to who follows: the old one is gone.
#[tokio::test]
async fn given_an_agent_that_takes_another_uid_when_watched_then_the_old_one_is_removed_and_the_new_one_added()
 {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let asks = AgentToServer { flags: REQUEST_INSTANCE_UID, ..agent.heartbeat() };
    let given = socket.exchange(&asks).await.agent_identification.unwrap().new_instance_uid;
    let mut watch = Watch::open(&world, "?kinds=agents", None).await;
    watch.expect("added").await;
    watch.expect("bookmark").await;
    let old = std::mem::replace(&mut agent.uid, InstanceUid::from_bytes(&given).unwrap());
    socket.exchange(&agent.heartbeat()).await;
    let mut told = Vec::new();
    while told.len() < 2 {
        let frame = watch.next().await.unwrap();
        let data: Value = serde_json::from_str(&frame.data).unwrap();
        told.push((frame.event, data["uid"].as_str().unwrap().to_owned()));
    }
    told.sort();
    assert_eq!(told, [("added".to_owned(), agent.uid.to_string()), ("removed".to_owned(), old.to_string())]);
}

/// A watcher that reads slowly is told of the present state however much changes meanwhile, and then of each change once.
#[tokio::test]
async fn given_a_slow_watcher_when_much_changes_during_its_initial_state_then_it_need_not_start_anew() {
    let world = World::new().await;
    for number in 2..=400 {
        let mut agent = Reporter::new(number);
        let mut report = agent.full();
        // More than fits between the server and a watcher that does not read.
        let long = ["a", "b"].map(|name| KeyValue::text(name, "x".repeat(8000)));
        report.agent_description.as_mut().unwrap().non_identifying_attributes.extend(long);
        assert_eq!(world.poll(&report).await.error_response, None);
    }
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let mut watch = Watch::open(&world, "?kinds=agents", None).await;
    for turn in 0..90 {
        let reports: Vec<_> =
            (0..100).map(|n| agent.health(false, 1, &(turn * 100 + n).to_string())).collect();
        socket.send_all(&reports).await;
        for _ in &reports {
            socket.message().await;
        }
    }
    for _ in 0..400 {
        watch.expect("added").await;
    }
    watch.expect("bookmark").await;
    socket.exchange(&agent.health(true, 1, "")).await;
    loop {
        let (_, told) = watch.expect("modified").await;
        assert_eq!(told["uid"], agent.uid.to_string());
        if told["health"]["value"] == "healthy" {
            break;
        }
    }
}

/// Changes are told in their time also while others go on without a pause.
#[tokio::test]
async fn given_changes_without_a_pause_when_watched_then_they_are_told_meanwhile() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let mut watch = Watch::open(&world, "?kinds=agents", None).await;
    watch.expect("added").await;
    watch.expect("bookmark").await;
    let mut number = 0;
    let changes = async {
        loop {
            number += 1;
            socket.exchange(&agent.health(false, 1, &number.to_string())).await;
        }
    };
    tokio::select! {
        () = changes => {}
        (_, told) = watch.expect("modified") => assert_eq!(told["health"]["value"], "unhealthy"),
    }
}

/// Resumed by either way: the events missed, none twice.
#[tokio::test]
async fn given_a_broken_stream_when_resumed_after_the_last_id_then_the_missed_events_come_once() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let mut watch = Watch::open(&world, "?kinds=events", None).await;
    let (last, _) = watch.expect("bookmark").await;
    drop(watch);
    for error in ["one", "two", "three"] {
        socket.exchange(&agent.health(false, 1, error)).await;
    }
    let last = last.unwrap();
    for (parameters, header) in
        [("?kinds=events", Some(&*last)), (&*format!("?kinds=events&since={last}"), None)]
    {
        let mut watch = Watch::open(&world, parameters, header).await;
        for error in ["one", "two", "three"] {
            assert_eq!(watch.expect("happened").await.1["text"], format!("unhealthy: {error}"));
        }
        watch.expect("bookmark").await;
    }
    let mut resumed = Watch::open(&world, "?kinds=events&since=1", Some(&last)).await;
    assert_eq!(resumed.expect("happened").await.1["text"], "unhealthy: one", "the header is the newer one");
}

/// What is not kept any more cannot be resumed, and that is said.
#[tokio::test]
async fn given_ids_that_are_not_kept_when_resumed_then_the_watcher_is_told_to_start_anew() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    for turn in 0..101 {
        let reports: Vec<_> =
            (0..100).map(|n| agent.health(false, 1, &(turn * 100 + n).to_string())).collect();
        socket.send_all(&reports).await;
        for _ in &reports {
            socket.message().await;
        }
    }
    let mut watch = Watch::open(&world, "?kinds=events&since=1", None).await;
    watch.expect("resync").await;
    watch.expect("bookmark").await;
}

#[tokio::test]
async fn given_a_watcher_that_does_not_read_when_it_lags_too_far_then_it_is_told_and_the_stream_ends() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let mut watch = Watch::open(&world, "?kinds=events", None).await;
    watch.expect("bookmark").await;
    let long = "x".repeat(230);
    for turn in 0..200 {
        let reports: Vec<_> =
            (0..100).map(|n| agent.health(false, 1, &format!("{}{long}", turn * 100 + n))).collect();
        socket.send_all(&reports).await;
        for _ in &reports {
            socket.message().await;
        }
    }
    let mut told = 0;
    let last = loop {
        match watch.next().await {
            Some(frame) if frame.event == "happened" => told += 1,
            other => break other,
        }
    };
    assert_eq!(last.expect("the stream ended without a word").event, "resync");
    assert!(told < 20_000);
    assert_eq!(watch.next().await, None);
}

/// A server that stops does not wait for watchers.
#[tokio::test]
async fn given_a_watcher_when_the_server_stops_then_the_stream_ends() {
    let world = World::new().await;
    let mut watch = Watch::open(&world, "", None).await;
    watch.expect("bookmark").await;
    let World { server, folder, .. } = world;
    let begun = std::time::Instant::now();
    server.stop().await;
    assert!(begun.elapsed() < std::time::Duration::from_secs(2));
    assert_eq!(watch.next().await, None);
    drop(folder);
}
