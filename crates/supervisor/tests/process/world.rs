//! A folder with a config, a supervised agent in it, and ways to look at both.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tidegate_opamp::{
    AgentConfigMap, AgentConfigObject, AgentRemoteConfig, ComponentHealth, RemoteConfigStatus,
    RemoteConfigStatuses, Value,
};
use tidegate_supervisor::{
    agent::{AgentCommand, AgentHandle, AgentReport},
    child::Identity,
    supervise::{AgentSettings, ConfigLimits, Kind, Patience, StartError, start},
};
use tokio::{sync::oneshot, time::timeout};

/// Longer than anything takes on a busy machine; a test that reaches it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The binary to test on; says so when there is none.
pub(crate) fn binary() -> Option<PathBuf> {
    let named = std::env::var_os("FLUENT_BIT_BIN").map(PathBuf::from);
    let on_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join("fluent-bit")).find(|file| file.is_file())
    };
    let found = named.or_else(on_path);
    if found.is_none() {
        println!("skipped: no fluent-bit");
    }
    found
}

/// A YAML config with one `dummy` input of this alias, and more.
pub(crate) fn yaml(alias: &str, more: &str) -> String {
    format!(
        "service:\n  flush: 1\n  grace: 1\npipeline:\n  inputs:\n    - name: dummy\n      alias: {alias}\n{more}  \
         outputs:\n    - name: \"null\"\n      alias: sink\n      match: \"*\"\n"
    )
}

/// An offer of files.
pub(crate) fn offer(hash: &str, files: &[(&str, &str)]) -> AgentRemoteConfig {
    let object = |(name, body): &(&str, &str)| {
        let body = bytes::Bytes::copy_from_slice(body.as_bytes());
        ((*name).to_owned(), AgentConfigObject { body, ..AgentConfigObject::default() })
    };
    AgentRemoteConfig {
        config: Some(AgentConfigMap {
            config_map: files.iter().map(object).collect(),
            ..AgentConfigMap::default()
        }),
        config_hash: bytes::Bytes::copy_from_slice(hash.as_bytes()),
        ..AgentRemoteConfig::default()
    }
}

pub(crate) struct World {
    _folder: tempfile::TempDir,
    pub(crate) settings: AgentSettings,
}

impl World {
    pub(crate) fn new(config: &str) -> Option<Self> {
        let binary = binary()?;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.yaml");
        fs::write(&path, config).unwrap();
        let settings = AgentSettings {
            kind: Kind::FluentBit,
            binary,
            config: path,
            state_dir: folder.path().join("state"),
            probation: Duration::ZERO,
            allow_remote_config: true,
            own_telemetry: Some(tidegate_supervisor::own::Cleartext::Loopback),
            limits: ConfigLimits::default(),
            attributes: BTreeMap::from([("env".to_owned(), "test".to_owned())]),
            redact: true,
            metrics_interval: None,
            instance_uid: "01902d3c-7a5e-7000-8000-00000000abcd".parse().unwrap(),
            patience: Patience::default(),
            confirm: None,
        };
        Some(Self { settings, _folder: folder })
    }

    pub(crate) async fn start(&self) -> Agent {
        Agent { handle: self.try_start().await.unwrap() }
    }

    pub(crate) async fn try_start(&self) -> Result<AgentHandle, StartError> {
        timeout(PATIENCE, start(self.settings.clone())).await.unwrap()
    }

    /// The port on which the agent was told to answer.
    pub(crate) fn port(&self) -> u16 {
        let text = fs::read_to_string(self.settings.state_dir.join("child.json")).unwrap();
        let record: serde_json::Value = serde_json::from_str(&text).unwrap();
        record["port"].as_u64().unwrap().try_into().unwrap()
    }
}

/// A test that fails leaves no agent behind.
impl Drop for World {
    fn drop(&mut self) {
        let text = read(&self.settings.state_dir.join("child.json"));
        let Ok(record) = serde_json::from_str::<serde_json::Value>(&text) else { return };
        let identity = serde_json::from_value::<Identity>(record["identity"].clone()).unwrap();
        if Identity::of(identity.pid).unwrap().as_ref() == Some(&identity) {
            signal(identity.pid.into(), rustix::process::Signal::KILL);
        }
    }
}

pub(crate) struct Agent {
    pub(crate) handle: AgentHandle,
}

impl Agent {
    /// Waits for a report that fulfils a wish; fails with the last report otherwise.
    pub(crate) async fn until(&mut self, what: &str, wish: impl Fn(&AgentReport) -> bool) -> AgentReport {
        let seen = {
            let waited = timeout(PATIENCE, self.handle.reports.wait_for(|report| wish(report))).await;
            waited.ok().map(|waited| waited.map(|report| report.clone()))
        };
        let report = match seen {
            Some(Ok(report)) => Some(report),
            Some(Err(_)) => panic!("the agent's task ended while {what} was awaited"),
            None => None,
        };
        let last = self.handle.reports.borrow().clone();
        report.unwrap_or_else(|| panic!("{what}: not seen; the last report is {last:#?}"))
    }

    pub(crate) async fn healthy(&mut self) -> AgentReport {
        self.until("health", |report| report.health.healthy).await
    }

    pub(crate) async fn send(&self, command: AgentCommand) {
        self.handle.commands.send(command).await.unwrap();
    }

    /// Offers a config and waits for its final status.
    pub(crate) async fn apply(&mut self, offer: AgentRemoteConfig) -> RemoteConfigStatus {
        let hash = offer.config_hash.clone();
        // An equal status from an earlier offer is not the answer to this one.
        let earlier = self.handle.reports.borrow().remote_config_status.clone();
        let is_earlier = |status: &Arc<RemoteConfigStatus>| {
            earlier.as_ref().is_some_and(|earlier| Arc::ptr_eq(earlier, status))
        };
        self.send(AgentCommand::Apply(offer)).await;
        let report = self
            .until("a final status", |report| {
                report.remote_config_status.as_ref().is_some_and(|status| {
                    !is_earlier(status)
                        && status.last_remote_config_hash == hash
                        && status.status != RemoteConfigStatuses::Applying
                })
            })
            .await;
        (**report.remote_config_status.as_ref().unwrap()).clone()
    }

    /// Leaves the process running for the next supervision.
    pub(crate) async fn release(self) {
        let (reply, answer) = oneshot::channel();
        self.send(AgentCommand::Release(reply)).await;
        timeout(PATIENCE, answer).await.unwrap().unwrap();
    }

    pub(crate) async fn stop(self) {
        let (reply, answer) = oneshot::channel();
        self.send(AgentCommand::Stop(reply)).await;
        timeout(PATIENCE, answer).await.unwrap().unwrap();
    }
}

/// The number of the agent's process, as the health tells it.
pub(crate) fn pid(report: &AgentReport) -> i64 {
    let attribute = report.health.attributes.iter().find(|pair| pair.key == "process.pid");
    match attribute.and_then(|pair| pair.value.as_ref()).and_then(|value| value.value.as_ref()) {
        Some(Value::Int(pid)) => *pid,
        _ => panic!("no process in {:?}", report.health),
    }
}

pub(crate) fn names(health: &ComponentHealth) -> Vec<&str> {
    health.component_health_map.keys().map(String::as_str).collect()
}

/// True while a process of this number runs.
pub(crate) fn alive(pid: i64) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

pub(crate) fn signal(pid: i64, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// The answer of the agent's API to a path.
pub(crate) async fn ask(port: u16, path: &'static str) -> String {
    use tidegate_supervisor::kind::{Client, HttpError};
    let asked: Result<_, HttpError> =
        Client::within(port, PATIENCE, async |client: &mut Client| client.get(path).await).await;
    String::from_utf8_lossy(&asked.unwrap().body).into_owned()
}

pub(crate) fn file_names(report: &AgentReport) -> Vec<String> {
    let map = report.effective_config.config_map.as_ref().unwrap();
    map.config_map.keys().cloned().collect()
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
