//! What follows from a push that failed, on supervisors as they are.

use tidegate_api::client::Client;
use tidegate_api::{AgentDetail, RetryRequest, RollBackRequest, Timestamp};
use tidegate_testkit::fleet::{SOON, Stage, bad_regex, eventually, on_each, push_settled, the_agent, yaml};

use crate::steps::{one_agent, push, pushed};

/// Waits until the agent runs the good config again, in a process that is younger than `then`; its health tells of the
/// config that failed.
async fn is_back(api: &Client, then: Option<Timestamp>) -> AgentDetail {
    eventually("the way back", SOON, async || {
        let detail = the_agent(api, "a").await?;
        let runs = detail.components.get("input:good").is_some_and(|input| input.healthy);
        let is_new = detail.agent.started_at > then;
        if runs && is_new { Ok(detail) } else { Err(format!("{:?}", detail.agent)) }
    })
    .await
}

/// C093: what was refused is remembered by its hash and content, so that a retry, which has another hash, is tried anew;
/// the way back leads to the config that was proven before.
#[tokio::test]
async fn given_a_refused_config_when_it_is_tried_again_and_then_rolled_back_then_the_former_one_is_proven() {
    on_each("a retry and a roll back", async |stage: Stage| {
        let (server, _supervisor, own) = one_agent(&stage).await;
        let good = yaml("good", "");
        assert_eq!(pushed(&server.api, "a.yaml", &good).await.0, "proven");
        let first = push(&server.api, "name:a", "a.yaml", &bad_regex("bad")).await;
        assert_eq!(push_settled(&server.api, &first.id, SOON).await.summary.failed, 1);
        let before = is_back(&server.api, own.agent.started_at).await;

        let retry =
            server.api.retry_push(&first.id, RetryRequest { expected_count: Some(1) }, false).await.unwrap();
        let settled = push_settled(&server.api, &retry.id, SOON).await;
        assert_eq!((settled.summary.failed, settled.summary.total), (1, 1), "{settled:?}");
        assert_ne!(settled.config, first.config);
        // Not answered from memory: the agent has tried it, and was started anew.
        is_back(&server.api, before.agent.started_at).await;

        let back = server.api.roll_back_push(&retry.id, RollBackRequest::default(), false).await.unwrap();
        let [way] = back.pushes.as_slice() else { unreachable!("{back:?}") };
        assert_eq!(push_settled(&server.api, &way.id, SOON).await.summary.proven, 1);
        let agent = the_agent(&server.api, "a").await.unwrap();
        assert_eq!((&*agent.agent.config.axis.value, &agent.effective_config[0].body), ("in-sync", &good));
    })
    .await;
}
