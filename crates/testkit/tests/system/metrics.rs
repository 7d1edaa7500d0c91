//! Metrics from an agent's components to whoever asks for them.

use std::time::Duration;

use tidegate_testkit::fleet::{SOON, Server, Stage, Supervisor, Wish, eventually, healthy, on_each, yaml};

use crate::steps::pushed;

/// C159: digests go to a server that lists the capability; rates come of two of them, and a reload begins anew.
#[tokio::test]
async fn given_an_agent_that_works_when_its_metrics_are_asked_for_then_rates_are_told_and_a_reload_does_not_disturb_them()
 {
    on_each("metrics", async |stage: Stage| {
        let server = Server::start(stage.scene.path()).await;
        let wish = Wish {
            settings: "metrics: {interval: 10s}\n".to_owned(),
            ..Wish::new("a", server.endpoint("ws"))
        };
        let supervisor = Supervisor::start(&stage, wish);
        let uid = healthy(&server.api, "a", SOON).await.agent.uid;
        let patience = SOON + Duration::from_secs(30);
        let told = async |what: &str, input: &str, reloads: u64| {
            eventually(what, patience, async || {
                let query = [("step", "60s".to_owned())];
                let told = server.api.metrics(&uid, &query).await.map_err(|error| error.to_string())?;
                let rate = told.components.get(input).and_then(|component| component.per_second);
                // The real one and the fake make a record a second, each in its own time.
                let is_there = told.reloads == Some(reloads)
                    && rate.is_some_and(|rate| (0.3..3.0).contains(&rate.records));
                if is_there { Ok(told) } else { Err(format!("{told:?}")) }
            })
            .await
        };
        let before = told("rates", "input:own", 0).await;
        assert_eq!(before.every_seconds, Some(10));
        assert!(before.components["output:sink"].total.records > 0, "{before:?}");
        assert!(before.history.unwrap().components.contains_key("input:own"));
        let (state, reason) = pushed(&server.api, "fluent-bit.yaml", &yaml("other", "")).await;
        assert_eq!(state, "proven", "{reason}");
        let after = told("rates after a reload", "input:other", 1).await;
        assert_eq!(after.pid, before.pid);
        assert!(!after.components.contains_key("input:own"));
        drop(supervisor);
    })
    .await;
}
