//! The official Python SDK of the Model Context Protocol, over the command line's bridge, against a fleet with a
//! supervisor.

use std::process::Command;

use serde_json::{Value, json};
use tidegate_testkit::fleet::{
    Agent, SOON, Scene, Server, Stage, Supervisor, Wish, healthy, program, settings,
};

use crate::runtime;

/// Both revisions: with questions that a client comes back from, and with questions while a call waits.
#[tokio::test]
async fn given_the_python_sdk_when_it_restarts_an_agent_then_only_after_its_person_typed_the_confirmation() {
    let Some(words) = runtime::mcp() else { return };
    for (mode, newest) in [("auto", true), ("legacy", false)] {
        let stage = Stage { scene: Scene::new(&format!("mcp {mode}")), agent: Agent::fake() };
        let data_dir = stage.scene.path().join("server");
        let server = Server::start_with(settings(&data_dir, 0, 0)).await;
        let supervisor = Supervisor::start(&stage, Wish::new("a", server.endpoint("ws")));
        healthy(&server.api, "a", SOON).await;
        let before = supervisor.agent_pid();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg(mode).arg(program("tidegate"));
        command.args(["mcp", "serve", "--stdio", "--mode", "write", "--data-dir"]).arg(&data_dir);
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        assert!(output.status.success(), "{mode}: {}", String::from_utf8_lossy(&output.stderr));
        let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(seen["revision"] == "2026-07-28", newest, "{seen:#}");
        assert_eq!(seen["tools"].as_array().unwrap().len(), 10);
        assert_eq!(seen["summary"]["total"], 1);
        assert_eq!(seen["agents"]["items"][0]["untrusted_text"]["name"], "a");
        let codes: Vec<_> =
            seen["refused"].as_array().unwrap().iter().map(|one| &one["refusal"]["code"]).collect();
        assert_eq!(codes, ["declined", "not-confirmed"]);
        assert_eq!((&seen["plan"]["targets"], &seen["done"]["status"]), (&json!(1), &json!("started")));
        assert_eq!(seen["came_of_it"]["states"], json!({"succeeded": 1}), "{seen:#}");
        assert_eq!(seen["asked"].as_array().unwrap().len(), 3);
        assert_eq!(seen["mute"]["status"], "approval_required");
        assert_ne!(supervisor.agent_pid(), before, "one restart, and it was real");
    }
}
