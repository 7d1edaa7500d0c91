//! Settings from the command line, as they were typed.

use std::path::PathBuf;

use super::written::{Key, Layer};

/// The flags as they were typed; all are optional.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct LowArgs {
    /// Settings file (YAML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// OpAMP server, as wss://HOST:PORT/v1/opamp or https://HOST:PORT/v1/opamp; ws:// or http:// without TLS
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// Certificates (PEM) of the authorities that the server is verified by, instead of the host's own
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<String>,
    /// File of a token that is sent to the server as `Authorization: Bearer TOKEN`
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<String>,
    /// Proxy on the way to the server: http://HOST:PORT, https://… or socks5://…
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
    /// What is supervised: fluent-bit (the default)
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// Program of the agent; looked for on PATH and in the usual places unless given
    #[arg(long, value_name = "PATH")]
    pub binary: Option<String>,
    /// Config file of the agent; it is read, never written
    #[arg(long, value_name = "FILE")]
    pub agent_config: Option<String>,
    /// Folder for state; by default tidegate-supervisor below $XDG_STATE_HOME or ~/.local/state
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<String>,
    /// How long a new config must hold before it counts as applied, 0 to 1h (default 10s)
    #[arg(long, value_name = "DURATION")]
    pub probation: Option<String>,
    /// How long the server may be silent after a new config before the old one is put back, 5s to 24h, or off
    /// (default 10m)
    #[arg(long, value_name = "DURATION|off")]
    pub confirm: Option<String>,
    /// Time without any message after which a heartbeat goes, 1s to 24h (default 30s)
    #[arg(long, value_name = "DURATION")]
    pub heartbeat: Option<String>,
    /// How often the agent's metrics are sent to a server that wants them, 10s to 1h, or off (default 1m)
    #[arg(long, value_name = "DURATION|off")]
    pub metrics_interval: Option<String>,
    /// What the server may do, separated by commas: remote-config, restart, chatops,
    /// shutdown, connection-settings, logs, dry-run, diagnostics (default: nothing)
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub allow: Vec<String>,
    /// Port of the agent's HTTP input that ChatOps requests call (default 8888)
    #[arg(long, value_name = "PORT")]
    pub chatops_port: Option<String>,
    /// A tag that ChatOps requests may call; may be repeated; without any, every tag may be called
    #[arg(long, value_name = "TAG")]
    pub chatops_tag: Vec<String>,
    /// An attribute that describes the agent; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub attribute: Vec<String>,
    /// Print the settings in force, without secrets, and end
    #[arg(long)]
    pub print_config: bool,
}

impl LowArgs {
    /// What the command line says.
    pub(super) fn layer(&self) -> Layer {
        let one = |value: &Option<String>| value.iter().cloned().collect::<Vec<_>>();
        let values = [
            (Key::Endpoint, one(&self.endpoint)),
            (Key::CaFile, one(&self.ca_file)),
            (Key::TokenFile, one(&self.token_file)),
            (Key::Proxy, one(&self.proxy)),
            (Key::Kind, one(&self.kind)),
            (Key::Binary, one(&self.binary)),
            (Key::AgentConfig, one(&self.agent_config)),
            (Key::StateDir, one(&self.state_dir)),
            (Key::Probation, one(&self.probation)),
            (Key::Confirm, one(&self.confirm)),
            (Key::Heartbeat, one(&self.heartbeat)),
            (Key::MetricsInterval, one(&self.metrics_interval)),
            (Key::Allow, self.allow.clone()),
            (Key::ChatOpsPort, one(&self.chatops_port)),
            (Key::ChatOpsTag, self.chatops_tag.clone()),
            (Key::Attribute, self.attribute.clone()),
        ];
        let mut layer = Layer::default();
        for (key, texts) in values {
            let origin = format!("--{}", key.flag());
            for text in texts {
                layer.put_text(key, text.trim(), &origin);
            }
        }
        layer
    }
}
