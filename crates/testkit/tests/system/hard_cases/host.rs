//! Hosts that run out of memory, descriptors or patience. What a host does not allow a test to do is skipped, and said.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tidegate_testkit::fleet::{
    Agent, Process, SOON, Scene, Server, Stage, Supervisor, Wish, eventually, healthy, on_each, skipped,
    the_agent, yaml,
};

use crate::steps::{one_agent, pushed, says};

/// A memory group of its own for one process, gone with the value.
struct Group(PathBuf);

impl Group {
    fn make(bytes: u64) -> Option<Self> {
        let place = Path::new("/sys/fs/cgroup/memory");
        let name = format!("tidegate-test-{}-{bytes}", std::process::id());
        let group = Self(place.join(name));
        let made = place.join("memory.limit_in_bytes").exists() && fs::create_dir(&group.0).is_ok();
        let limited = made && fs::write(group.0.join("memory.limit_in_bytes"), bytes.to_string()).is_ok();
        if !limited {
            skipped("no memory group can be made, so no agent runs out of memory");
        }
        limited.then_some(group)
    }

    /// A program that runs another in the group.
    fn wrapper(&self, folder: &Path, binary: &Path) -> PathBuf {
        let path = folder.join("wrapper");
        let text = format!(
            "#!/bin/sh\necho $$ > {}/cgroup.procs\nexec {} \"$@\"\n",
            self.0.display(),
            binary.display()
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // One that still holds a process stays.
        drop(fs::remove_dir(&self.0));
    }
}

/// Hard case 19: the kernel's own count tells an agent that ran out of memory from one that somebody killed.
#[tokio::test]
async fn given_an_agent_that_runs_out_of_memory_then_that_is_told_as_the_cause() {
    on_each("out of memory", async |stage: Stage| {
        let limit = if stage.agent.is_fake { 24 } else { 48 };
        let Some(group) = Group::make(limit * 1024 * 1024) else { return };
        let mut stage = stage;
        stage.agent.binary = group.wrapper(stage.scene.path(), &stage.agent.binary);
        let (server, supervisor, _) = one_agent(&stage).await;
        if stage.agent.is_fake {
            supervisor.misbehave("eat_mb=64");
        } else {
            let text = "x".repeat(4000);
            let more = format!("      rate: 5000\n      dummy: '{{\"m\": \"{text}\"}}'\n");
            let hungry = yaml("hungry", &more).replacen("name: \"null\"", "name: retry", 1);
            drop(crate::steps::push(&server.api, "name:a", "a.yaml", &hungry).await);
        }
        eventually("the cause", SOON, async || {
            let events = server.api.events("name:a", 500).await.map_err(|error| error.to_string())?.items;
            let is_told = events.iter().any(|event| event.text.contains("memory ran out"));
            if is_told { Ok(()) } else { Err(format!("{events:?}")) }
        })
        .await;
    })
    .await;
}

/// Too many open files: the agent cannot be started, which is told, and is tried until it can.
#[tokio::test]
async fn given_a_supervisor_without_descriptors_when_its_agent_ends_then_it_is_told_and_healed_when_there_are_some()
 {
    on_each("no descriptors", async |stage: Stage| {
        let (server, supervisor, _) = one_agent(&stage).await;
        let pid = Pid::from_raw(supervisor.pid());
        let open = fs::read_dir(format!("/proc/{}/fd", supervisor.pid())).unwrap().count() as u64;
        let limit = |current| Rlimit { current: Some(current), maximum: Some(20_000) };
        prlimit(pid, Resource::Nofile, limit(open)).unwrap();
        supervisor.kill_agent();
        eventually("the fault", SOON, async || {
            let log = supervisor.log();
            if log.contains("the limit of open files is reached") { Ok(()) } else { Err(log) }
        })
        .await;
        prlimit(pid, Resource::Nofile, limit(20_000)).unwrap();
        healthy(&server.api, "a", SOON).await;
    })
    .await;
}

/// A file system that never answers, gone with the value.
struct Dead {
    folder: PathBuf,
    /// Whoever holds the device keeps the requests unanswered.
    _holder: Process,
}

impl Dead {
    fn mount(folder: &Path) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let script = "exec 3<>/dev/fuse && mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 dead \"$0\" && \
                      exec sleep 120";
        let log = folder.with_extension("mount.log");
        let holder = Process::start(Command::new("sh").args(["-c", script]).arg(folder), &log);
        let is_there = || fs::read_to_string("/proc/mounts").unwrap().contains(&*folder.to_string_lossy());
        for _ in 0..100 {
            if is_there() {
                return Some(Self { folder: folder.to_owned(), _holder: holder });
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        skipped("no file system can be mounted, so none is dead");
        None
    }
}

impl Drop for Dead {
    fn drop(&mut self) {
        drop(Command::new("umount").args(["-f", "-l"]).arg(&self.folder).stderr(Stdio::null()).status());
    }
}

/// A start that reads from a dead network file system says so in time, and an agent that runs already is watched on.
#[tokio::test]
async fn given_an_include_on_a_file_system_that_never_answers_then_the_start_ends_with_a_sentence() {
    let stage = Stage { scene: Scene::new("dead file system"), agent: Agent::fake() };
    let Some(_dead) = Dead::mount(&stage.scene.path().join("dead")) else { return };
    let include = stage.scene.path().join("dead/inputs.yaml");
    let config = format!("includes:\n  - {}\n{}", include.display(), yaml("own", ""));
    let wish = Wish { config, ..Wish::new("a", "ws://127.0.0.1:1/v1/opamp".to_owned()) };
    let supervisor = Supervisor::start(&stage, wish);
    eventually("the sentence", SOON, async || {
        let log = supervisor.log();
        let is_told = log.contains("a file system that they lie on does not answer");
        if is_told { Ok(()) } else { Err(log) }
    })
    .await;
}

/// An offer that follows files on a dead network file system fails in time and is no reason to refuse the next one; one
/// that was applied before that died is what runs on, also under the next supervisor.
#[tokio::test]
async fn given_offers_that_name_a_file_system_that_never_answers_then_they_fail_in_time_and_what_runs_is_watched()
 {
    let stage = Stage { scene: Scene::new("dead file system offered"), agent: Agent::fake() };
    let folder = stage.scene.path().join("mount");
    fs::create_dir_all(&folder).unwrap();
    let (server, mut supervisor, _) = one_agent(&stage).await;
    let follows = |alias: &str, includes: &str| {
        let tail = format!("    - name: tail\n      path: {}/*.log\n", folder.join("app").display());
        format!("{includes}{}", yaml(alias, &tail))
    };
    let (state, reason) = pushed(&server.api, "a.yaml", &follows("before", "")).await;
    assert_eq!(state, "proven", "{reason}");
    let runs = supervisor.agent_pid();
    let Some(dead) = Dead::mount(&folder) else { return };
    let included = format!("includes:\n  - {}\n", folder.join("inputs.yaml").display());
    for config in [follows("after", ""), format!("{included}{}", yaml("after", ""))] {
        let (state, reason) = pushed(&server.api, "a.yaml", &config).await;
        assert_eq!(state, "failed", "{reason}");
        says(&reason, &["disk proof failed", "a file system that they lie on does not answer"]);
    }
    // The next supervisor finds the process, does not wait for the file system, and watches what runs.
    supervisor.kill();
    supervisor.start_again();
    eventually("the fault", SOON, async || {
        let log = supervisor.log();
        let is_told = log.contains("the agent that runs is watched on");
        if is_told { Ok(()) } else { Err(log) }
    })
    .await;
    eventually("the agent", SOON, async || {
        let detail = the_agent(&server.api, "a").await?;
        let told = &detail.agent.health.reason;
        let is_told = told.contains("does not answer") && detail.components.contains_key("input:before");
        if is_told { Ok(()) } else { Err(format!("{told} {:?}", detail.components.keys())) }
    })
    .await;
    assert_eq!(supervisor.agent_pid(), runs);
    // What names nothing there is taken.
    let (state, reason) = pushed(&server.api, "a.yaml", &yaml("next", "")).await;
    assert_eq!(state, "proven", "{reason}");
    drop(dead);
}

/// The host's own config is only read: its folder may be read-only.
#[tokio::test]
async fn given_a_config_folder_that_cannot_be_written_when_configs_come_then_it_makes_no_difference() {
    on_each("read-only config", async |stage: Stage| {
        let folder = stage.scene.path().join("etc");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("own.yaml"), yaml("own", "")).unwrap();
        let mounted = ["--bind", "-o remount,bind,ro"].iter().all(|how| {
            let mut mount = Command::new("mount");
            mount.args(how.split(' '));
            if *how == "--bind" {
                mount.arg(&folder);
            }
            mount.arg(&folder).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        });
        if !mounted {
            return skipped("no folder can be made read-only");
        }
        let server = Server::start(stage.scene.path()).await;
        let wish = Wish::new("a", server.endpoint("ws"));
        let place = stage.scene.path().join("a");
        fs::create_dir_all(&place).unwrap();
        let mut command = Supervisor::command(&place, &stage.agent, &wish);
        command.arg("--agent-config").arg(folder.join("own.yaml"));
        let log = stage.scene.path().join("supervisor.log");
        // Given twice, the flag is refused: the command is made anew without the first one.
        let arguments: Vec<_> = command.get_args().map(std::ffi::OsStr::to_owned).collect();
        let first = arguments.iter().position(|word| word == "--agent-config").unwrap();
        let mut again = Command::new(command.get_program());
        again.args(&arguments[..first]).args(&arguments[first + 2..]);
        let mut supervisor = Process::start(&mut again, &log);
        healthy(&server.api, "a", SOON).await;
        assert!(fs::write(folder.join("x"), "x").is_err(), "it can be written after all");
        let (state, reason) = pushed(&server.api, "a.yaml", &yaml("remote", "")).await;
        assert_eq!(state, "proven", "{reason}");
        let detail = the_agent(&server.api, "a").await.unwrap();
        says(&detail.effective_config[0].body, &["alias: remote"]);
        assert!(supervisor.stop().await.success());
        drop(Command::new("umount").arg(&folder).status());
    })
    .await;
}
