//! Configs that cut the way to the server, and configs that are not to blame for its silence.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tidegate_testkit::fleet::{
    Relay, SOON, Server, Stage, Supervisor, Wish, eventually, healthy, on_each, push_settled, the_agent, yaml,
};

use crate::steps::{push, pushed, runs, says};

/// Longer than a supervisor waits between two tries to reach its server: up to a minute, after some that failed.
const RECONNECTED: Duration = Duration::from_secs(120);

/// An agent called `a` behind a relay, whose server must be heard within five seconds.
async fn behind_a_relay(stage: &Stage, probation: &str) -> (Server, Relay, Supervisor) {
    let server = Server::start(stage.scene.path()).await;
    let relay = Relay::to(server.agents).await.unwrap();
    let wish = Wish {
        probation: probation.to_owned(),
        settings: "confirm: 5s\n".to_owned(),
        ..Wish::new("a", relay.endpoint("ws"))
    };
    let supervisor = Supervisor::start(stage, wish);
    healthy(&server.api, "a", SOON).await;
    (server, relay, supervisor)
}

/// Whether the file that the agent loads has this word in it.
fn loads(folder: &Path, word: &str) -> bool {
    fs::read_to_string(folder.join("state/run/fluent-bit.yaml")).is_ok_and(|text| text.contains(word))
}

#[tokio::test]
async fn given_a_config_that_cuts_the_way_to_the_server_when_pushed_then_it_is_taken_back_and_failed() {
    on_each("cut by its config", async |stage: Stage| {
        let (server, relay, supervisor) = behind_a_relay(&stage, "0s").await;
        assert_eq!(pushed(&server.api, "a.yaml", &yaml("good", "")).await.0, "proven");
        let folder = supervisor.folder().to_owned();
        relay.shut_while(move || loads(&folder, "cutting"));
        let cutting = push(&server.api, "name:a", "a.yaml", &yaml("cutting", "")).await;
        let settled = push_settled(&server.api, &cutting.id, RECONNECTED).await;
        let [agent] = settled.agents.as_slice() else { unreachable!("{settled:?}") };
        let (state, reason) = (&agent.state, &agent.reason);
        assert_eq!(state, "failed", "{reason}");
        says(reason, &["confirm proof failed", "not heard for 5 s", "was put back"]);
        let detail = eventually("the former config", SOON, async || {
            let detail = the_agent(&server.api, "a").await?;
            let is_back = detail.components.contains_key("input:good");
            if is_back { Ok(detail) } else { Err(format!("{:?}", detail.components)) }
        })
        .await;
        assert!(!detail.components.contains_key("input:cutting"));
        assert_eq!(detail.agent.config.axis.value, "failed");
        let health = &detail.agent.health;
        assert_eq!(health.value, "degraded", "it works, and its config is not the wanted one: {health:?}");
        assert_eq!(pushed(&server.api, "a.yaml", &yaml("better", "")).await.0, "proven");
    })
    .await;
}

#[tokio::test]
async fn given_a_server_that_is_away_after_an_apply_then_the_config_is_cleared_of_it_and_runs_in_the_end() {
    on_each("cut by others", async |stage: Stage| {
        let (server, relay, supervisor) = behind_a_relay(&stage, "2s").await;
        let push = push(&server.api, "name:a", "a.yaml", &yaml("late", "")).await;
        let folder = supervisor.folder();
        eventually("the config on its probation", SOON, async || {
            if loads(folder, "late") { Ok(()) } else { Err("not yet".to_owned()) }
        })
        .await;
        relay.shut(true);
        let journal = || fs::read_to_string(folder.join("state/journal.json")).unwrap_or_default();
        eventually("the way back", SOON, async || {
            let is_back = journal().contains("taken_back") && !loads(folder, "late");
            if is_back { Ok(()) } else { Err(journal()) }
        })
        .await;
        eventually("the config again", SOON, async || {
            let is_there = journal().contains("\"unconfirmed\": null") && loads(folder, "late");
            if is_there { Ok(()) } else { Err(journal()) }
        })
        .await;
        relay.shut(false);
        let push = push_settled(&server.api, &push.id, RECONNECTED).await;
        assert_eq!(push.summary.proven, 1, "{:?}", push.agents);
        let detail = runs(&server.api, "input:late").await;
        says(&detail.components["config"].last_error, &["nor after it was taken back"]);
    })
    .await;
}
