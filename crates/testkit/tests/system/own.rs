//! An agent's own telemetry, from an operator's rule to whoever receives it.

use std::fs;
use std::time::Duration;

use serde_json::json;
use tidegate_api::{AgentSettings, SettingsRequest};
use tidegate_testkit::fleet::{
    SOON, Server, Stage, Supervisor, Wish, eventually, healthy, on_each, skipped, the_agent,
};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::time::timeout;

async fn settled(server: &Server, what: &str, wish: impl Fn(&AgentSettings) -> bool) -> AgentSettings {
    eventually(what, SOON, async || {
        let offered = the_agent(&server.api, "a").await?.connection_settings.ok_or("nothing was offered")?;
        if wish(&offered) { Ok(offered) } else { Err(format!("{offered:?}")) }
    })
    .await
}

/// C008, C119, C120, C123: an operator's rule makes the agent send, a refused one is told with the reason and changes
/// nothing, and a rule that is taken back ends it; none of it shows in what the agent reports of its config and components.
#[tokio::test]
async fn given_a_rule_for_own_metrics_when_it_comes_changes_and_goes_then_the_agent_follows_and_says_so() {
    on_each("own", async |stage: Stage| {
        let is_fake = stage.agent.is_fake;
        let sink = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = sink.local_addr().unwrap().port();
        let server = Server::start(stage.scene.path()).await;
        let wish = Wish { allow: "own-telemetry".to_owned(), ..Wish::new("a", server.endpoint("ws")) };
        let mut supervisor = Supervisor::start(&stage, wish);
        let before = healthy(&server.api, "a", SOON).await;
        let rule = async |endpoint: String, revision: Option<u64>| {
            let own = json!({"endpoint": endpoint, "headers": {"X-Token": "for the sink"}});
            let request = json!({"target": {"all": true}, "own_metrics": own});
            let request: SettingsRequest = serde_json::from_value(request).unwrap();
            server.api.put_settings("otlp", &request, revision).await.unwrap().revision
        };
        let revision = rule(format!("http://127.0.0.1:{port}/v1/metrics"), None).await;
        let offered = settled(&server, "an answer", |offered| {
            offered.withheld.contains(&"own_metrics".to_owned()) || offered.state == "acknowledged"
        })
        .await;
        if !is_fake && !offered.withheld.is_empty() {
            return skipped("this fluent-bit has not all plugins that own telemetry needs");
        }
        let run = supervisor.folder().join("state/run");
        let is_include = |path: &std::path::PathBuf| path.to_string_lossy().contains("/own-telemetry-");
        let mut files = fs::read_dir(run).unwrap().map(|entry| entry.unwrap().path());
        let include = files.find(is_include).unwrap();
        let text = fs::read_to_string(&include).unwrap();
        assert!(text.contains(&before.agent.uid) && text.contains("X-Token for the sink"), "{text}");
        if !is_fake {
            // The fake takes the config and has no metrics to send.
            let (mut stream, _) = timeout(SOON, sink.accept()).await.unwrap().unwrap();
            let mut head = [0; 22];
            timeout(SOON, stream.read_exact(&mut head)).await.unwrap().unwrap();
            assert_eq!(&head, b"POST /v1/metrics HTTP/");
        }

        // What this host does not allow is refused, and what was in force stays, across a restart as well.
        let revision = rule("http://otlp.example:4318/v1/metrics".to_owned(), Some(revision)).await;
        let refused = settled(&server, "a refusal", |offered| offered.state == "failed").await;
        assert!(refused.reason.contains("own-telemetry-http"), "{refused:?}");
        supervisor.stop().await;
        supervisor.start_again();
        let after = healthy(&server.api, "a", SOON + Duration::from_secs(10)).await;
        assert_eq!(fs::read_to_string(&include).unwrap(), text);
        assert_eq!(after.components.keys().collect::<Vec<_>>(), before.components.keys().collect::<Vec<_>>());

        server.api.delete_settings("otlp", revision).await.unwrap();
        eventually("the end of it", SOON, async || {
            if include.exists() { Err("it is still there".to_owned()) } else { Ok(()) }
        })
        .await;
        let run = fs::read_to_string(supervisor.folder().join("state/run/fluent-bit.yaml")).unwrap();
        assert!(!run.contains("own-telemetry"), "{run}");
    })
    .await;
}
