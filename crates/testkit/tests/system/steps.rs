//! Steps that several stories share.

use tidegate_api::client::{Client, ClientError};
use tidegate_api::{AgentDetail, CommandRequest, Problem, Push, PushFile, PushRequest};
use tidegate_testkit::fleet::{SOON, Server, Stage, Supervisor, Wish, eventually, healthy, push_settled};

/// An agent that is called `a`, healthy under an in-process server.
pub(crate) async fn one_agent(stage: &Stage) -> (Server, Supervisor, AgentDetail) {
    let server = Server::start(stage.scene.path()).await;
    let supervisor = Supervisor::start(stage, Wish::new("a", server.endpoint("ws")));
    let agent = healthy(&server.api, "a", SOON).await;
    (server, supervisor, agent)
}

/// Pushes one file to the agents that match.
pub(crate) async fn push(api: &Client, q: &str, name: &str, body: &str) -> Push {
    let file = PushFile {
        name: name.to_owned(),
        content_type: String::new(),
        role: String::new(),
        body: body.to_owned(),
    };
    let request = PushRequest { q: q.to_owned(), files: vec![file], expected_count: None };
    api.push(&request).await.unwrap()
}

/// Pushes one file and waits for the end; gives the state and the reason of its only agent.
pub(crate) async fn pushed(api: &Client, name: &str, body: &str) -> (String, String) {
    let push = push(api, "name:a", name, body).await;
    let settled = push_settled(api, &push.id, SOON).await;
    let [agent] = settled.agents.as_slice() else { unreachable!("{settled:?}") };
    (agent.state.clone(), agent.reason.clone())
}

/// Waits until the agent `a` is healthy and has a component of this name.
pub(crate) async fn runs(api: &Client, component: &str) -> AgentDetail {
    eventually(&format!("component {component}"), SOON, async || {
        let detail = tidegate_testkit::fleet::the_agent(api, "a").await?;
        let is_there = detail.components.contains_key(component);
        let names = format!("{:?} {:?}", detail.agent.health, detail.components.keys());
        if is_there && detail.agent.health.value == "healthy" { Ok(detail) } else { Err(names) }
    })
    .await
}

pub(crate) const RESTART: CommandRequest = CommandRequest::Restart { deadline_seconds: None };

/// What the server has against a call.
pub(crate) fn problem<T: std::fmt::Debug>(result: Result<T, ClientError>) -> Problem {
    match result {
        Err(ClientError::Refused(problem)) => *problem,
        other => unreachable!("not refused: {other:?}"),
    }
}

/// Asserts that a text has all of these parts.
pub(crate) fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in {text:?}");
    }
}
