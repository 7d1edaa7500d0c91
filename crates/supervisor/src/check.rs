//! `tidegate-supervisor check`: whether a supervisor with these settings would work on this host, in plain words.

use std::fmt;
use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tidegate_opamp::InstanceUid;

use crate::client;
use crate::settings::{Agent, Allowed, Settings};
use crate::state::{Standing, StateDir};
use crate::supervise::{self, AgentSettings};

/// How a matter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Fine,
    /// It works, but the host's owner should know.
    Doubtful,
    /// The supervisor would not work.
    Wrong,
}

/// One matter that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it stands.
    pub verdict: Verdict,
    /// What was looked at, such as `server`.
    pub matter: String,
    /// What was seen, and what to do about it.
    pub said: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.verdict {
            Verdict::Fine => "ok",
            Verdict::Doubtful => "warning",
            Verdict::Wrong => "FAILED",
        };
        write!(f, "{word:<8} {:<16} {}", self.matter, self.said)
    }
}

fn finding(verdict: Verdict, matter: impl Into<String>, said: impl Into<String>) -> Finding {
    Finding { verdict, matter: matter.into(), said: said.into() }
}

/// Looks at everything that a supervisor needs, for the user who asks. Nothing is started, and nothing is changed (the
/// agent's own check is made in a temporary folder): a supervisor that runs with these settings is not disturbed. `file` is the settings file, where there is one.
pub async fn check(settings: &Settings, file: Option<&Path>) -> Vec<Finding> {
    let mut all = vec![user()];
    all.extend(file.map(|file| secrets(settings, file)));
    all.extend(settings.token_file.as_deref().filter(|file| is_open(file)).map(|file| {
        let said = format!("{} can be read by others: chmod 600 it", file.display());
        finding(Verdict::Doubtful, "token", said)
    }));
    for agent in &settings.agents {
        all.push(state(agent));
        all.extend(self::agent(settings, agent).await);
        all.push(allowed(agent));
    }
    all.push(server(settings).await);
    all
}

fn user() -> Finding {
    if rustix::process::geteuid().is_root() {
        let said = "all is judged for root: check as the user that the supervisor runs as, which should be one of its \
                    own that may read what the agent collects";
        return finding(Verdict::Doubtful, "user", said);
    }
    let user = rustix::process::geteuid().as_raw();
    finding(Verdict::Fine, "user", format!("not root: all is judged for the user {user}"))
}

/// A settings file with secrets in it is for its owner alone.
fn secrets(settings: &Settings, file: &Path) -> Finding {
    let said = file.display();
    if !settings.server.headers.is_empty() && is_open(file) {
        let said =
            format!("{said} may hold secrets and can be read by others: chmod 600 it, or move them to files");
        return finding(Verdict::Doubtful, "settings", said);
    }
    finding(Verdict::Fine, "settings", said.to_string())
}

/// True for a file that others than its owner and its group may read.
fn is_open(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|meta| meta.permissions().mode() & 0o004 != 0)
}

/// The state folder, by whether it could be opened; it is neither opened nor made.
fn state(agent: &Agent) -> Finding {
    let matter = matter("state", agent);
    let folder = &agent.state_dir;
    let standing = match StateDir::look(folder) {
        Ok(standing) => standing,
        Err(error) => return finding(Verdict::Wrong, matter, error.to_string()),
    };
    if standing == Standing::Absent {
        let there = folder.ancestors().find(|parent| parent.exists()).unwrap_or(folder);
        let writable = rustix::fs::access(there, rustix::fs::Access::WRITE_OK).is_ok();
        let verdict = if writable { Verdict::Fine } else { Verdict::Wrong };
        let may = if writable { "will be made" } else { "cannot be made by this user" };
        return finding(verdict, matter, format!("{} {may}", folder.display()));
    }
    let owner = fs::metadata(folder).map(|meta| meta.uid()).unwrap_or_default();
    if owner != rustix::process::geteuid().as_raw() {
        let said = format!(
            "{} belongs to the user {owner}, and this was judged for another one: check as the user that the \
             supervisor runs as",
            folder.display()
        );
        return finding(Verdict::Doubtful, matter, said);
    }
    let runs = if standing == Standing::InUse { " is in use: a supervisor runs" } else { "" };
    finding(Verdict::Fine, matter, format!("{}{runs}", folder.display()))
}

async fn agent(settings: &Settings, agent: &Agent) -> Vec<Finding> {
    let name = matter("agent", agent);
    let scratch = match Scratch::new() {
        Ok(scratch) => scratch,
        Err(error) => {
            let said = format!("it cannot be tried, for there is no room for temporary files: {error}");
            return vec![finding(Verdict::Wrong, name, said)];
        }
    };
    let process = AgentSettings {
        kind: agent.kind,
        binary: agent.binary.clone(),
        config: agent.config.clone(),
        state_dir: scratch.0.clone(),
        probation: settings.probation,
        allow_remote_config: false,
        own_telemetry: None,
        attributes: agent.attributes.clone(),
        instance_uid: InstanceUid::v7(0, [0; 10]),
        redact: false,
        metrics_interval: None,
        limits: settings.config_limits(),
        patience: settings.patience,
        confirm: None,
    };
    match supervise::rehearse(&process).await {
        Ok(rehearsal) => {
            let (binary, config) = (agent.binary.display(), agent.config.display());
            let said = format!("{binary} {}, which accepts {config}", rehearsal.version);
            let warnings = rehearsal.warnings.into_iter();
            let warnings = warnings.map(|warning| finding(Verdict::Doubtful, name.clone(), warning));
            [finding(Verdict::Fine, name.clone(), said)].into_iter().chain(warnings).collect()
        }
        Err(error) => vec![finding(Verdict::Wrong, name, error.to_string())],
    }
}

fn allowed(agent: &Agent) -> Finding {
    let words: Vec<_> = agent.allow.iter().copied().map(Allowed::word).collect();
    let said = if words.is_empty() {
        "the server may look, and change nothing".to_owned()
    } else {
        format!("the server may: {}", words.join(", "))
    };
    finding(Verdict::Fine, matter("allowed", agent), said)
}

async fn server(settings: &Settings) -> Finding {
    let target = &settings.server;
    let endpoint = &target.endpoint;
    let by = target.proxy.as_ref().map(|proxy| format!(" by the proxy {proxy}")).unwrap_or_default();
    match client::reach(target, InstanceUid::v7(0, [0; 10])).await {
        Ok(()) if endpoint.secure => {
            finding(Verdict::Fine, "server", format!("{endpoint} answers{by}, and is verified"))
        }
        Ok(()) => {
            let said = format!(
                "{endpoint} answers{by}; nothing protects what is said there: wss:// or https:// would"
            );
            let near = matches!(endpoint.host.as_str(), "127.0.0.1" | "::1" | "localhost");
            finding(if near { Verdict::Fine } else { Verdict::Doubtful }, "server", said)
        }
        Err(why) => finding(Verdict::Wrong, "server", why),
    }
}

fn matter(what: &str, agent: &Agent) -> String {
    if agent.name.is_empty() { what.to_owned() } else { format!("{what} {}", agent.name) }
}

/// A folder for temporary files, gone with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> std::io::Result<Self> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|_| std::io::Error::other("no random bytes are to be had"))?;
        let path = std::env::temp_dir().join(format!("tidegate-check-{}", crate::hex::hex(&random)));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind is a few kilobytes in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}
