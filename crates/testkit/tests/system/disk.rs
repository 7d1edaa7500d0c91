//! Full disks: small file systems in memory, filled to the last byte.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tidegate_api::{PushFile, PushRequest};
use tidegate_testkit::fleet::{
    Agent, SOON, Scene, Server, Stage, Supervisor, Wish, alive, healthy, on_each, push_settled, skipped, yaml,
};

use crate::steps::{problem, pushed, runs, says};

/// A file system of its own, gone with the value.
struct Disk(PathBuf);

impl Disk {
    /// Mounts one; `None`, and a line that says so, where that is not allowed.
    fn mount(folder: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        let options = format!("size={size},mode=700");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tidegate-test"])
            .arg(folder)
            .stderr(Stdio::null())
            .status();
        if mount.is_ok_and(|status| status.success()) {
            return Some(Self(folder.to_owned()));
        }
        skipped("no file system can be mounted, so no disk is full");
        None
    }

    fn fill(&self) {
        let mut file = File::create(self.0.join("filler")).unwrap();
        for size in [4096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let status = Command::new("umount").arg("--lazy").arg(&self.0).status();
        assert!(std::thread::panicking() || status.is_ok_and(|status| status.success()), "cannot unmount");
    }
}

#[tokio::test]
async fn given_a_full_disk_under_a_supervisor_when_a_config_is_pushed_then_it_fails_and_the_agent_runs_on() {
    on_each("supervisor's disk", async |stage: Stage| {
        let Some(disk) = Disk::mount(&stage.scene.path().join("a/state"), "1M") else { return };
        let server = Server::start(stage.scene.path()).await;
        let supervisor = Supervisor::start(&stage, Wish::new("a", server.endpoint("ws")));
        healthy(&server.api, "a", SOON).await;
        let pid = supervisor.agent_pid();
        disk.fill();
        let (state, reason) = pushed(&server.api, "a.yaml", &yaml("full", "")).await;
        assert_eq!(state, "failed", "{reason}");
        says(&reason, &["disk proof failed", "no space left on the disk"]);
        assert!(alive(pid));
        disk.free();
        let (state, reason) = pushed(&server.api, "a.yaml", &yaml("room", "")).await;
        assert_eq!(state, "proven", "{reason}");
        assert_eq!(supervisor.agent_pid(), pid);
        runs(&server.api, "input:room").await;
    })
    .await;
}

#[tokio::test]
async fn given_a_full_disk_under_the_server_when_a_config_is_pushed_then_it_refuses_and_goes_on_later() {
    let stage = Stage { scene: Scene::new("server's disk"), agent: Agent::fake() };
    let Some(disk) = Disk::mount(&stage.scene.path().join("server"), "8M") else { return };
    let server = Server::start(stage.scene.path()).await;
    let _supervisor = Supervisor::start(&stage, Wish::new("a", server.endpoint("ws")));
    healthy(&server.api, "a", SOON).await;
    // Larger than what the store's files hold in reserve.
    let body = format!("{}{}", yaml("large", ""), "# padding\n".repeat(60_000));
    let file = PushFile { name: "a.yaml".into(), content_type: String::new(), role: String::new(), body };
    let request = PushRequest { q: "name:a".into(), files: vec![file], expected_count: None };
    disk.fill();
    let refused = problem(server.api.push(&request).await);
    assert_eq!((refused.status, refused.code.as_str()), (503, "store"));
    says(&refused.detail, &["nothing was done", "the disk of the store is full", "free some space"]);
    assert_eq!(healthy(&server.api, "a", SOON).await.agent.config.axis.value, "unmanaged");
    disk.free();
    let push = server.api.push(&request).await.unwrap();
    let push = push_settled(&server.api, &push.id, SOON).await;
    assert_eq!(push.summary.proven, 1, "{:?}", push.agents);
    server.stop().await;
}
