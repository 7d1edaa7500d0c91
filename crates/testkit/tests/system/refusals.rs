//! Programs that cannot start say why, in a sentence, and end with the code of that.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use tidegate_testkit::fleet::{
    Agent, Process, SOON, Scene, Server, ServerProcess, Stage, Supervisor, Wish, free_port, healthy, program,
};

use crate::steps::says;

/// A supervisor's settings that lack nothing and have one fault.
const COMPLETE: &str = "\
server: {endpoint: 'ws://127.0.0.1:1/v1/opamp'}
agent: {binary: /bin/true, config: /nonexistent.yaml}
state_dir: /nonexistent
probation: soon
";

/// Runs a program that is to refuse; gives its exit code and what it said.
async fn refusal(command: &mut Command, folder: &Path) -> (Option<i32>, String) {
    let log = folder.join("refusal.txt");
    let status = Process::start(command, &log).ends(SOON).await;
    let said = std::fs::read_to_string(&log).unwrap();
    std::fs::remove_file(log).unwrap();
    (status.code(), said)
}

fn address() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()))
}

#[tokio::test]
async fn given_what_a_server_needs_is_taken_then_the_sentence_names_it() {
    let scene = Scene::new("server refusals");
    let running = Server::start(scene.path()).await;
    let other = scene.path().join("other");
    let mut taken_port = ServerProcess::command(&other, running.agents, address());
    let (code, said) = refusal(&mut taken_port, scene.path()).await;
    assert_eq!(code, Some(1), "{said}");
    says(&said, &["cannot listen for agents on", &running.agents.to_string(), "--agents"]);
    let mut taken_folder = ServerProcess::command(running.data_dir(), address(), address());
    let (code, said) = refusal(&mut taken_folder, scene.path()).await;
    assert_eq!(code, Some(1), "{said}");
    says(&said, &["another server uses the data directory", running.data_dir().to_str().unwrap()]);
}

#[tokio::test]
async fn given_what_a_supervisor_needs_is_missing_or_taken_then_the_sentence_names_it() {
    let stage = Stage { scene: Scene::new("supervisor refusals"), agent: Agent::fake() };
    let server = Server::start(stage.scene.path()).await;
    let wish = Wish::new("a", server.endpoint("ws"));
    let supervisor = Supervisor::start(&stage, wish.clone());
    healthy(&server.api, "a", SOON).await;
    let pid = supervisor.agent_pid();
    let mut second = Supervisor::command(supervisor.folder(), &stage.agent, &wish);
    let (code, said) = refusal(&mut second, stage.scene.path()).await;
    assert_eq!(code, Some(1), "{said}");
    says(&said, &["in use by another supervisor", supervisor.folder().join("state").to_str().unwrap()]);
    assert_eq!(supervisor.agent_pid(), pid, "the first one's agent is left alone");
    let missing = Agent { binary: "/nonexistent/fluent-bit".into(), is_fake: false };
    let folder = stage.scene.path().join("b");
    let (code, said) = refusal(&mut Supervisor::command(&folder, &missing, &wish), stage.scene.path()).await;
    assert_eq!(code, Some(2), "{said}");
    says(&said, &["there is no program at /nonexistent/fluent-bit"]);
}

#[tokio::test]
async fn given_bad_settings_files_then_file_line_and_field_are_named_and_the_code_is_2() {
    let scene = Scene::new("bad settings");
    for (binary, text, parts) in [
        ("tidegate-server", "agents:\n  listen: nowhere\n", &["line 2", "listen"][..]),
        ("tidegate-server", "data_dir: /a\nagnets: {}\n", &["line 2", "agnets"]),
        ("tidegate-server", "agents:\n  heartbeat_interval: soon\n", &["agents.heartbeat_interval", "soon"]),
        ("tidegate-supervisor", COMPLETE, &["bad.yaml:4: probation", "soon"]),
        ("tidegate-supervisor", "server:\n  endpiont: ws://x\n", &["2", "endpiont"]),
    ] {
        let path = scene.write("bad.yaml", text);
        let mut command = Command::new(program(binary));
        let (code, said) = refusal(command.arg("--config").arg(&path), scene.path()).await;
        assert_eq!(code, Some(2), "{binary} {text:?}: {said}");
        says(&said, &["bad.yaml"]);
        says(&said, parts);
    }
}
