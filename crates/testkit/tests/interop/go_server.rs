//! opamp-go's server library, which many servers are made of, against the supervisor and its agent.

use serde_json::{Value, json};
use tidegate_testkit::fleet::{
    SOON, Stage, Supervisor, Wish, bad_regex, eventually, free_port, on_each, yaml,
};

use crate::peer::Peer;
use crate::runtime;

const CHATOPS: &str = "org.mp3monster.opamp_provider.chatopcommand";
const APPLIED: &str = "RemoteConfigStatuses_APPLIED";
const FAILED: &str = "RemoteConfigStatuses_FAILED";

/// A server of theirs, and a supervisor of ours that is connected to it.
struct Tale {
    peer: Peer,
    supervisor: Supervisor,
    is_socket: bool,
    /// What the supervisor said first.
    first: Value,
}

impl Tale {
    async fn begin(words: &runtime::Words, stage: &Stage, scheme: &str, custom: &[&str]) -> Self {
        let mut peer = Peer::run(words, stage.scene.path());
        let address = listen(&mut peer, "one", custom).await;
        let wish = Wish {
            allow: "remote-config,restart,chatops,connection-settings".to_owned(),
            heartbeat: "1s".to_owned(),
            chatops_port: free_port(),
            ..Wish::new("a", format!("{scheme}://{address}/v1/opamp"))
        };
        let supervisor = Supervisor::start(stage, wish);
        let tale = Self { peer, supervisor, is_socket: scheme == "ws", first: Value::Null };
        tale.hears("the first message", |_| true).await;
        // More may have come by now.
        let first = tale.peer.said("message").swap_remove(0);
        tale.hears("health", |message| message["healthy"] == true).await;
        Self { first, ..tale }
    }

    /// Waits for a message; gives the last that fits.
    async fn hears(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.hears_after(0, what, fits).await
    }

    /// Waits for a message beyond the first `count`.
    async fn hears_after(&self, count: usize, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        eventually(what, SOON, async || {
            let said = self.peer.said("message");
            let found = said.iter().skip(count).rfind(|message| fits(message)).cloned();
            found.ok_or_else(|| format!("{:?}", said.last()))
        })
        .await
    }

    fn count(&self) -> usize {
        self.peer.said("message").len()
    }

    /// Offers a config and waits for its end.
    async fn applies(&mut self, hash: &str, body: &str) -> Value {
        self.peer.order(&json!({"do": "offer", "config": {"fluent-bit.yaml": body}, "hash": hash}));
        let ended = |message: &Value| {
            let status = &message["status"];
            status["hash"] == hash
                && [APPLIED, FAILED].contains(&status["state"].as_str().unwrap_or_default())
        };
        self.hears("an end of the config", ended).await["status"].clone()
    }

    /// Waits for heartbeats that are answered or not, and gives them.
    async fn heartbeats(&self) -> Vec<Value> {
        let before = self.count();
        eventually("three more messages", SOON, async || {
            let said = self.peer.said("message").split_off(before);
            if said.len() >= 3 { Ok(said) } else { Err(format!("{} came", said.len())) }
        })
        .await
    }
}

async fn listen(peer: &mut Peer, name: &str, custom: &[&str]) -> String {
    let before = peer.said("listening").len();
    peer.order(&json!({"do": "listen", "name": name, "capabilities": custom}));
    let said = peer.says("listening", before + 1).await;
    said[before]["address"].as_str().unwrap().to_owned()
}

fn are_bare(messages: &[Value]) -> bool {
    messages.iter().all(|message| {
        let quiet = ["status", "files", "settings", "custom", "custom_capabilities"];
        quiet.iter().all(|part| message[part].is_null()) && message["described"] == false
    })
}

/// The whole script.
async fn script(scheme: &'static str) {
    let Some(words) = runtime::go_server() else { return };
    on_each(&format!("opamp-go server, {scheme}"), async |stage: Stage| {
        let mut tale = Tale::begin(&words, &stage, scheme, &[CHATOPS]).await;
        let first = tale.first.clone();
        assert_eq!(first["described"], true, "{first}");
        tale.hears("the own config", |message| message["files"]["own.yaml"] == yaml("own", "")).await;
        let named = |message: &Value| message["custom_capabilities"].to_string().contains(CHATOPS);
        tale.hears("custom capabilities", named).await;

        // Full state on request, under the next number.
        let before = tale.count();
        tale.peer.order(&json!({"do": "offer", "full_state": true}));
        let is_full = |message: &Value| message["described"] == true && !message["files"].is_null();
        tale.hears_after(before, "full state", is_full).await;

        // A good config, a bad one.
        let status = tale.applies("good", &yaml("remote", "")).await;
        assert_eq!(status["state"], APPLIED, "{status}");
        let shown = |message: &Value| message["files"]["fluent-bit.yaml"] == yaml("remote", "");
        tale.hears("the effective config", shown).await;
        let status = tale.applies("bad", &bad_regex("bad")).await;
        assert_eq!(status["state"], FAILED, "{status}");
        assert!(status["error"].as_str().unwrap().contains("could not compile regex"), "{status}");

        // A restart: another start time.
        let well = tale.hears("health", |message| message["healthy"] == true).await;
        tale.peer.order(&json!({"do": "offer", "restart": true}));
        let started = well["started"].as_u64();
        tale.hears("a new start", |message| {
            message["healthy"] == true && message["started"].as_u64() > started
        })
        .await;

        // A custom message: nobody listens on the port that it is to call, and that is the answer.
        let data = json!({"classifier": "custom", "action": "chatopcommand", "tag": "deploy", "id": "7"});
        tale.peer.order(
            &json!({"do": "offer", "capability": CHATOPS, "type": "request", "data": data.to_string()}),
        );
        let answer = tale.hears("an answer", |message| !message["custom"].is_null()).await["custom"].clone();
        assert_eq!((&answer["capability"], &answer["type"]), (&json!(CHATOPS), &json!("failure")));
        assert!(answer["data"].as_str().unwrap().contains("\"id\":\"7\""), "{answer}");

        // Every answer of theirs names its custom capabilities anew: no reason to say anything anew.
        let beats = tale.heartbeats().await;
        assert!(are_bare(&beats), "{beats:?}");

        // To another place, for good.
        let address = listen(&mut tale.peer, "two", &[CHATOPS]).await;
        let endpoint = format!("{scheme}://{address}/v1/opamp");
        tale.peer.order(&json!({"do": "offer", "endpoint": endpoint, "hash": "move"}));
        let moved = tale
            .hears("the end of the move", |message| {
                message["server"] == "two" && message["settings"]["state"].to_string().contains("APPLIED")
            })
            .await;
        assert_eq!((&moved["settings"]["hash"], &moved["uid"]), (&json!("move"), &first["uid"]));
        let said = tale.peer.said("message");
        let farewell = said.iter().position(|message| message["farewell"] == true).unwrap();
        let there = said.iter().position(|message| message["server"] == "two").unwrap();
        assert!(farewell < there, "the old connection is closed first, with a farewell");
        assert!(said.iter().all(|message| message["capabilities"].as_u64() > Some(0)));
        let (from, beats) = (tale.count(), tale.heartbeats().await);
        assert!(beats.iter().all(|message| message["server"] == "two"), "{from}: {beats:?}");

        // And off.
        assert!(tale.supervisor.stop().await.success());
        tale.hears("farewell", |message| message["farewell"] == true && message["server"] == "two").await;
        assert_eq!(tale.peer.said("read-error"), [json!(null); 0], "they understood everything");
        let numbers: Vec<_> =
            tale.peer.said("message").iter().filter_map(|message| message["seq"].as_u64()).collect();
        assert!(numbers.windows(2).all(|two| two[1] == two[0] + 1), "{numbers:?}");
    })
    .await;
}

/// C001, C066, C082, C088, C090, C099, C106, C156: the whole script over WebSocket.
#[tokio::test]
async fn given_a_server_of_opamp_go_when_it_steers_over_websocket_then_the_supervisor_follows() {
    script("ws").await;
}

/// C001, C066, C082, C088, C090, C099, C106, C156: the whole script over plain HTTP.
#[tokio::test]
async fn given_a_server_of_opamp_go_when_it_steers_over_http_then_the_supervisor_follows() {
    script("http").await;
}

/// This library answers nothing where its user has nothing to say, and nothing to what it does not understand: the
/// supervisor neither waits for an answer nor begins anew for want of one.
#[tokio::test]
async fn given_a_server_of_opamp_go_that_answers_nothing_then_the_supervisor_goes_on_as_before() {
    let Some(words) = runtime::go_server() else { return };
    on_each("opamp-go server that is mute", async |stage: Stage| {
        for scheme in ["ws", "http"] {
            let mut tale = Tale::begin(&words, &stage, scheme, &[]).await;
            tale.peer.order(&json!({"do": "mute", "on": true}));
            tale.peer.says("muted", 1).await;
            let beats = tale.heartbeats().await;
            assert!(are_bare(&beats), "{scheme}: {beats:?}");
            assert_eq!(
                tale.peer.said("connected").len(),
                usize::from(tale.is_socket),
                "one socket all along"
            );
            tale.peer.order(&json!({"do": "mute", "on": false}));
            let status = tale.applies("good", &yaml("remote", "")).await;
            assert_eq!(status["state"], APPLIED, "{scheme}: {status}");
            assert!(tale.supervisor.stop().await.success());
            std::fs::remove_dir_all(tale.supervisor.folder()).unwrap();
        }
    })
    .await;
}

/// This library closes sockets without a Close frame: the supervisor comes back, under the next number.
#[tokio::test]
async fn given_a_server_of_opamp_go_that_drops_its_socket_then_the_supervisor_comes_back_as_the_same_agent() {
    let Some(words) = runtime::go_server() else { return };
    on_each("opamp-go server that drops", async |stage: Stage| {
        let mut tale = Tale::begin(&words, &stage, "ws", &[]).await;
        for times in 2..=3 {
            let before = tale.count();
            tale.peer.order(&json!({"do": "disconnect"}));
            tale.peer.says("connected", times).await;
            let again = tale.hears_after(before, "a message on the new socket", |_| true).await;
            assert_eq!(again["uid"], tale.first["uid"]);
        }
        tale.heartbeats().await;
        let numbers: Vec<_> =
            tale.peer.said("message").iter().filter_map(|message| message["seq"].as_u64()).collect();
        assert!(numbers.windows(2).all(|two| two[1] > two[0]), "{numbers:?}");
        let status = tale.applies("good", &yaml("remote", "")).await;
        assert_eq!(status["state"], APPLIED, "{status}");
        assert!(tale.supervisor.stop().await.success());
    })
    .await;
}
