//! What an agent's build can run, from its binary to the operator.

use std::time::Duration;

use tidegate_opamp::{
    AgentCapabilities, AgentToServer, AvailableComponents, ServerToAgent, server_to_agent_flags,
};
use tidegate_testkit::fleet::{
    SOON, Server, Stage, Supervisor, Wish, eventually, healthy, on_each, the_agent,
};

use crate::recorder::recorded;

fn flagged(flags: u64) -> ServerToAgent {
    ServerToAgent { flags, ..ServerToAgent::default() }
}

fn said(message: &AgentToServer) -> Option<&AvailableComponents> {
    message.available_components.as_ref()
}

/// C060, C162–C165: the first message has the hash alone, and so has a full report; the list comes once the server
/// asks, in groups, with metadata; another agent of the same build has the same hash.
#[tokio::test]
async fn given_a_build_when_its_agent_speaks_then_the_hash_comes_first_and_the_list_when_asked_for() {
    on_each("components", async |stage: Stage| {
        let (mut recorder, _supervisor) = recorded(&stage, |wish| wish).await;
        let first = recorder.said[0].clone();
        let hash = said(&first).unwrap().hash.clone();
        assert_eq!((hash.len(), said(&first).unwrap().components.len()), (32, 0));
        let lists = AgentCapabilities::REPORTS_AVAILABLE_COMPONENTS;
        assert!(AgentCapabilities(first.capabilities).contains(lists));
        recorder.runs("input:own").await;
        let from = recorder.said.len();

        recorder.connection.send(&flagged(server_to_agent_flags::REPORT_AVAILABLE_COMPONENTS)).await;
        while recorder.said[from..].iter().all(|message| said(message).is_none()) {
            recorder.next().await;
        }
        let list = said(recorder.said.last().unwrap()).unwrap().clone();
        assert_eq!(list.hash, hash);
        let inputs = &list.components["inputs"];
        let keys = inputs.metadata.iter().map(|pair| pair.key.as_str()).collect::<Vec<_>>();
        assert_eq!(keys, ["service.name", "service.version", "tidegate.schema"]);
        assert!(inputs.sub_component_map.contains_key("dummy"));
        assert!(list.components["outputs"].sub_component_map.contains_key("null"));

        recorder.connection.send(&flagged(server_to_agent_flags::REPORT_FULL_STATE)).await;
        while recorder.next().await.agent_description.is_none() {}
        let full = said(recorder.said.last().unwrap()).unwrap();
        assert_eq!((&full.hash, full.components.len()), (&hash, 0));
        recorder.heartbeats(2).await;
        let told = recorder.said.iter().filter(|message| said(message).is_some()).count();
        assert_eq!(told, 3, "hash, list, hash");

        let (other, _supervisor) = recorded(&stage, |wish| Wish { name: "b".to_owned(), ..wish }).await;
        assert_eq!(said(&other.said[0]).unwrap().hash, hash);
    })
    .await;
}

/// S167, S168: the operator sees the list of every agent of a build, which the server asked one of them for.
#[tokio::test]
async fn given_two_agents_of_one_build_when_described_then_both_show_what_it_can_run() {
    on_each("components shown", async |stage: Stage| {
        let server = Server::start(stage.scene.path()).await;
        let mut supervisors = Vec::new();
        for name in ["a", "b"] {
            supervisors.push(Supervisor::start(&stage, Wish::new(name, server.endpoint("ws"))));
            healthy(&server.api, name, Duration::from_secs(5)).await;
            eventually("components", SOON, async || {
                let shown = the_agent(&server.api, name).await?.available_components;
                let inputs = shown.as_ref().and_then(|shown| shown.components.get("inputs"));
                let dummy = inputs.and_then(|inputs| inputs.components.get("dummy"));
                dummy.map(|_| ()).ok_or_else(|| format!("{shown:?}"))
            })
            .await;
        }
    })
    .await;
}
