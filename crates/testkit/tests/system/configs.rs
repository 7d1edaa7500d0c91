//! Configs that are pushed: good ones, bad ones, and to an agent that is away.

use std::time::Duration;

use tidegate_testkit::fleet::{
    SOON, Stage, alive, bad_regex, classic, eventually, on_each, push_settled, the_agent, unknown_property,
    yaml,
};

use crate::steps::{one_agent, push, pushed, runs, says};

/// C082, C084: the offered file as offered, and what is loaded.
#[tokio::test]
async fn given_good_configs_in_both_formats_when_pushed_then_they_are_proven_and_shown() {
    on_each("good configs", async |stage: Stage| {
        let (server, _supervisor, _) = one_agent(&stage).await;
        for (name, body) in [("fluent-bit.yaml", yaml("yaml", "")), ("main.conf", classic("classic"))] {
            assert_eq!(
                pushed(&server.api, name, &body).await,
                ("proven".to_owned(), String::new()),
                "{name}"
            );
            let alias = if name == "main.conf" { "classic" } else { "yaml" };
            let detail = runs(&server.api, &format!("input:{alias}")).await;
            let names: Vec<_> = detail.effective_config.iter().map(|file| file.name.as_str()).collect();
            assert_eq!(names, [name, "tidegate/rendered"]);
            assert_eq!(detail.effective_config[0].body, body, "the offered file as it was offered");
            says(&detail.effective_config[1].body, &[alias, "127.0.0.1"]);
            assert_eq!(detail.agent.config.axis.value, "in-sync");
            assert_eq!(detail.agent.config.proof.as_deref(), Some("proven"));
        }
    })
    .await;
}

/// C090, C093: A10, FAILED stays while the former config runs.
#[tokio::test]
async fn given_a_config_that_kills_its_agent_when_pushed_then_it_failed_and_the_former_one_runs() {
    on_each("bad regex", async |stage: Stage| {
        let (server, supervisor, _) = one_agent(&stage).await;
        assert_eq!(pushed(&server.api, "a.yaml", &yaml("good", "")).await.0, "proven");
        let before = runs(&server.api, "input:good").await;
        let begun = std::time::Instant::now();
        let (state, reason) = pushed(&server.api, "a.yaml", &bad_regex("bad")).await;
        assert_eq!(state, "failed", "{reason}");
        says(&reason, &["reload proof failed", "could not compile regex"]);
        let after = eventually("former config", SOON, async || {
            let detail = the_agent(&server.api, "a").await?;
            let is_new = detail.agent.started_at > before.agent.started_at;
            let is_well = detail.components.get("input:good").is_some_and(|input| input.healthy);
            if is_new && is_well { Ok(detail) } else { Err(format!("{:?}", detail.agent)) }
        })
        .await;
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
        assert!(!after.components.contains_key("input:bad"));
        assert_eq!(after.agent.config.axis.value, "failed");
        let health = &after.agent.health;
        assert_eq!(health.value, "degraded", "it works, and its config is not the wanted one: {health:?}");
        assert!(health.reason.starts_with("config: failed: reload proof failed"), "{health:?}");
        assert!(alive(supervisor.agent_pid()));
    })
    .await;
}

/// C092: checked before the swap.
#[tokio::test]
async fn given_a_config_that_the_check_refuses_when_pushed_then_the_agent_never_hears_of_it() {
    on_each("refused by the check", async |stage: Stage| {
        let (server, supervisor, before) = one_agent(&stage).await;
        let pid = supervisor.agent_pid();
        let (state, reason) = pushed(&server.api, "a.yaml", &unknown_property("bad")).await;
        assert_eq!(state, "failed");
        says(&reason, &["dry-run proof failed"]);
        assert!(alive(pid));
        assert_eq!(supervisor.agent_pid(), pid);
        let after = eventually("config fault", SOON, async || {
            let detail = the_agent(&server.api, "a").await?;
            let is_told = detail.components.get("config").is_some_and(|config| !config.healthy);
            if is_told { Ok(detail) } else { Err(format!("{:?}", detail.components)) }
        })
        .await;
        assert_eq!(after.agent.started_at, before.agent.started_at);
        assert!(after.components.contains_key("input:own"));
    })
    .await;
}

#[tokio::test]
async fn given_an_agent_that_is_away_when_a_config_is_pushed_then_it_runs_when_it_is_back() {
    on_each("pushed while away", async |stage: Stage| {
        let (server, mut supervisor, _) = one_agent(&stage).await;
        assert!(supervisor.stop().await.success());
        eventually("farewell", SOON, async || {
            let connection = the_agent(&server.api, "a").await?.agent.connection;
            if connection.value == "departed" { Ok(()) } else { Err(format!("{connection:?}")) }
        })
        .await;
        let push = push(&server.api, "name:a", "a.yaml", &yaml("late", "")).await;
        assert_eq!((push.summary.total, push.summary.pending), (1, 1));
        supervisor.start_again();
        let push = push_settled(&server.api, &push.id, SOON).await;
        assert_eq!(push.summary.proven, 1, "{:?}", push.agents);
        runs(&server.api, "input:late").await;
    })
    .await;
}
