//! Agents that halt, hang, freeze, flood or answer nonsense. What only the fake can be made to do is told on the fake.

use std::time::{Duration, Instant};

use tidegate_api::AgentDetail;
use tidegate_api::client::Client;
use tidegate_testkit::fleet::{
    Agent, SOON, Scene, Server, Stage, Supervisor, Wish, alive, bad_regex, eventually, free_port, healthy,
    on_each, the_agent, yaml,
};

use crate::steps::{one_agent, push, pushed, runs, says};

const FAST: &str = "on_silence: restart-stopped\nsilence: 5s\n";

fn fake(name: &str) -> Stage {
    Stage { scene: Scene::new(name), agent: Agent::fake() }
}

/// An own config with an output that nobody serves, whose first records wait already.
async fn with_a_dead_output(stage: &Stage) -> (Server, Supervisor) {
    let server = Server::start(stage.scene.path()).await;
    let config = format!(
        "{}    - name: http\n      alias: dead\n      match: \"*\"\n      host: 127.0.0.1\n      port: {}\n      retry_limit: no_limits\n",
        yaml("own", ""),
        free_port()
    );
    let supervisor = Supervisor::start(stage, Wish { config, ..Wish::new("a", server.endpoint("ws")) });
    healthy(&server.api, "a", SOON).await;
    eventually("a retry", SOON, async || {
        let detail = the_agent(&server.api, "a").await?;
        let status = detail.components.get("output:dead").map(|one| one.status.clone()).unwrap_or_default();
        if status == "retrying" { Ok(()) } else { Err(status) }
    })
    .await;
    (server, supervisor)
}

/// Hard case 5: cut at its deadline, the new config proven in a new process, the standstill told.
#[tokio::test]
async fn given_a_reload_that_hangs_when_its_deadline_is_over_then_the_new_config_runs_and_the_standstill_is_told()
 {
    on_each("hung reload", async |stage: Stage| {
        let (server, supervisor) = with_a_dead_output(&stage).await;
        let pid = supervisor.agent_pid();
        assert_eq!(
            pushed(&server.api, "a.yaml", &yaml("cure", "")).await,
            ("proven".to_owned(), String::new())
        );
        let detail = runs(&server.api, "input:cure").await;
        let config = &detail.components["config"];
        says(&config.last_error, &["the reload hung for", "collection stood still for"]);
        assert!(config.healthy && !alive(pid));
    })
    .await;
}

/// Hard case 4: the former config stays, and the process, whose grace time is poisoned, is killed soon when it is to stop.
#[tokio::test]
async fn given_a_reload_that_is_halted_after_a_good_check_then_the_agent_runs_on_and_can_still_be_stopped() {
    let stage = fake("halted reload");
    let (server, mut supervisor) = with_a_dead_output(&stage).await;
    supervisor.misbehave("reload=halt");
    let pid = supervisor.agent_pid();
    let (state, reason) = pushed(&server.api, "a.yaml", &yaml("halted", "")).await;
    assert_eq!(state, "failed");
    says(&reason, &["reload proof failed: the agent gave the reload up"]);
    assert_eq!(supervisor.agent_pid(), pid);
    let begun = Instant::now();
    assert!(supervisor.stop().await.success());
    assert!(!alive(pid) && begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

/// Hard case 18: a frozen agent is told, and where the host says so another one takes its place.
#[tokio::test]
async fn given_a_frozen_agent_when_the_host_allows_it_then_another_works_in_its_place() {
    on_each("frozen", async |stage: Stage| {
        let server = Server::start(stage.scene.path()).await;
        let wish = Wish { settings: FAST.to_owned(), ..Wish::new("a", server.endpoint("ws")) };
        let supervisor = Supervisor::start(&stage, wish);
        let before = healthy(&server.api, "a", SOON).await;
        let pid = supervisor.agent_pid();
        supervisor.stop_agent();
        eventually("another agent", SOON, async || {
            let agent = the_agent(&server.api, "a").await?.agent;
            let is_new = agent.health.value == "healthy" && agent.started_at > before.agent.started_at;
            if is_new { Ok(()) } else { Err(format!("{agent:?}")) }
        })
        .await;
        assert!(!alive(pid));
        let events = server.api.events("name:a", 500).await.unwrap().items;
        assert!(events.iter().any(|event| event.text.contains("is stopped (SIGSTOP")), "{events:?}");
    })
    .await;
}

/// Hard cases 18 and 24: an API that answers nothing, nonsense, slowly or without end is no API; the process is started
/// anew, and nothing grows or hangs.
#[tokio::test]
async fn given_an_api_that_does_not_answer_as_it_should_then_the_agent_is_degraded_and_started_anew() {
    for fault in ["http=silent", "http=malformed", "http=slow_drip", "http=huge"] {
        let stage = fake(fault);
        let server = Server::start(stage.scene.path()).await;
        let wish = Wish { settings: FAST.to_owned(), ..Wish::new("a", server.endpoint("ws")) };
        let supervisor = Supervisor::start(&stage, wish);
        healthy(&server.api, "a", SOON).await;
        let pid = supervisor.agent_pid();
        supervisor.misbehave(fault);
        eventually(fault, SOON, async || {
            let is_new = supervisor.agent_pid() != pid && !alive(pid);
            if is_new { Ok(()) } else { Err(supervisor.log()) }
        })
        .await;
        supervisor.misbehave("");
        healthy(&server.api, "a", SOON).await;
    }
}

/// Hard case 24: metrics that cannot be read are no sign that all is well, and prove no config.
#[tokio::test]
async fn given_metrics_that_are_too_many_then_the_agent_is_degraded_and_no_config_is_proven_until_they_can_be_read()
 {
    let stage = fake("no metrics");
    let server = Server::start(stage.scene.path()).await;
    let supervisor = Supervisor::start(&stage, Wish::new("a", server.endpoint("ws")));
    healthy(&server.api, "a", SOON).await;
    supervisor.misbehave("http=huge_metrics");
    eventually("the fault", SOON, async || {
        let health = the_agent(&server.api, "a").await?.agent.health;
        let is_told = health.value == "unhealthy" && health.reason.contains("metrics are not known");
        if is_told { Ok(()) } else { Err(format!("{health:?}")) }
    })
    .await;
    let (state, reason) = pushed(&server.api, "a.yaml", &yaml("next", "")).await;
    assert_eq!(state, "failed", "{reason}");
    crate::steps::says(&reason, &["health proof failed", "are not known", "larger than"]);
    supervisor.misbehave("");
    let (state, reason) = pushed(&server.api, "a.yaml", &yaml("readable", "")).await;
    assert_eq!(state, "proven", "{reason}");
    runs(&server.api, "input:readable").await;
}

/// Hard cases 1 and 2: an own config that passes the check and kills: tried ever less often, told, and cured by an offer.
#[tokio::test]
async fn given_an_agent_that_cannot_start_then_it_is_told_as_a_crash_loop_and_an_offer_cures_it() {
    on_each("crash loop", async |stage: Stage| {
        let server = Server::start(stage.scene.path()).await;
        let wish = Wish { config: bad_regex("own"), ..Wish::new("a", server.endpoint("ws")) };
        let _supervisor = Supervisor::start(&stage, wish);
        eventually("a crash loop", SOON, async || {
            let health = the_agent(&server.api, "a").await?.agent.health;
            let is_told = health.reason.starts_with("crash_loop") && health.reason.contains("code 255");
            if is_told { Ok(()) } else { Err(format!("{health:?}")) }
        })
        .await;
        assert_eq!(pushed(&server.api, "a.yaml", &yaml("cure", "")).await.0, "proven");
        runs(&server.api, "input:cure").await;
    })
    .await;
}

/// Hard case 6: a config that turns the API off cannot hide what it does.
#[tokio::test]
async fn given_a_config_that_turns_api_and_reload_off_when_pushed_then_both_stay_and_the_next_one_is_reloaded()
 {
    on_each("API off", async |stage: Stage| {
        let (server, supervisor, _) = one_agent(&stage).await;
        let pid = supervisor.agent_pid();
        let off = yaml("off", "").replacen(
            "flush: 1",
            "flush: 1\n  http_server: off\n  hot_reload: off\n  daemon: on",
            1,
        );
        for (text, alias) in [(off, "off"), (yaml("next", ""), "next")] {
            assert_eq!(pushed(&server.api, "a.yaml", &text).await, ("proven".to_owned(), String::new()));
            runs(&server.api, &format!("input:{alias}")).await;
        }
        assert_eq!(supervisor.agent_pid(), pid, "neither hidden nor sent to the background");
    })
    .await;
}

/// Hard cases 12 and 13: a flood of log lines costs the disk little and hides nothing.
#[tokio::test]
async fn given_a_flood_of_log_lines_when_a_bad_config_comes_then_it_still_fails_for_its_reason_and_the_log_is_short()
 {
    let stage = fake("flood");
    let (server, supervisor, _) = one_agent(&stage).await;
    supervisor.misbehave("log_flood=100000");
    let log = supervisor.folder().join("state/agent.log");
    eventually("a log that was cut", SOON, async || {
        let is_cut = supervisor.log().contains("faster than its log is read");
        if is_cut { Ok(()) } else { Err("it was not".to_owned()) }
    })
    .await;
    let (state, reason) = pushed(&server.api, "a.yaml", &bad_regex("bad")).await;
    assert_eq!(state, "failed");
    says(&reason, &["code 255"]);
    // It is emptied again and again while the flood goes on.
    let length = || std::fs::metadata(&log).unwrap().len();
    let mut longest = length();
    eventually("a log that became shorter", SOON, async || {
        let now = length();
        longest = longest.max(now);
        if now < longest { Ok(()) } else { Err(format!("{now} bytes")) }
    })
    .await;
    assert!(longest < 64 * 1024 * 1024, "{longest} bytes");
}

/// Hard case 14: SIGTERM, its grace time, SIGKILL.
#[tokio::test]
async fn given_an_agent_that_is_deaf_to_sigterm_when_stopped_then_it_is_killed_after_its_grace_time() {
    let stage = fake("deaf");
    let (_server, mut supervisor, _) = one_agent(&stage).await;
    supervisor.misbehave("deaf_to_sigterm=true");
    let pid = supervisor.agent_pid();
    let begun = Instant::now();
    assert!(supervisor.stop().await.success());
    assert!(!alive(pid));
    let took = begun.elapsed();
    assert!(
        took > Duration::from_secs(5) && took < Duration::from_secs(15),
        "grace 1 s and a margin: {took:?}"
    );
    assert!(supervisor.log().contains("had to be killed"));
}

/// Waits until a component works, whatever became of the last config.
async fn works(api: &Client, component: &str) -> AgentDetail {
    eventually(component, SOON, async || {
        let detail = the_agent(api, "a").await?;
        let is_well = detail.components.get(component).is_some_and(|one| one.healthy);
        if is_well { Ok(detail) } else { Err(format!("{:?}", detail.components.keys())) }
    })
    .await
}

/// Hard case 22: the same bad config again, after a reconnect, is answered from memory.
#[tokio::test]
async fn given_a_config_that_failed_when_pushed_again_to_another_supervisor_then_the_agent_is_not_touched() {
    on_each("again", async |stage: Stage| {
        let (server, mut supervisor, _) = one_agent(&stage).await;
        let (state, reason) = pushed(&server.api, "a.yaml", &bad_regex("bad")).await;
        assert_eq!(state, "failed", "{reason}");
        works(&server.api, "input:own").await;
        supervisor.kill();
        supervisor.start_again();
        let before = works(&server.api, "input:own").await;
        let pid = supervisor.agent_pid();
        push(&server.api, "name:a", "a.yaml", &yaml("between", "")).await;
        works(&server.api, "input:between").await;
        let (state, again) = pushed(&server.api, "a.yaml", &bad_regex("bad")).await;
        assert_eq!((state.as_str(), again), ("failed", reason));
        assert_eq!(supervisor.agent_pid(), pid);
        assert_eq!(works(&server.api, "input:between").await.agent.started_at, before.agent.started_at);
    })
    .await;
}
