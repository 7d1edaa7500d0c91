//! What was typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;

/// The OpAMP server of Tidegate: one view of a fleet of Fluent Bits and of what operators want.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "tidegate-server", version, max_term_width = 100)]
pub struct Flags {
    /// Read settings from a YAML file; flags and environment win over it.
    #[arg(long, value_name = "FILE", env = "TIDEGATE_SERVER_CONFIG")]
    pub config: Option<PathBuf>,
    /// Keep state in this directory [default: $XDG_STATE_HOME/tidegate].
    #[arg(long, value_name = "DIR", env = "TIDEGATE_SERVER_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Listen for agents here [default: 127.0.0.1:4320].
    #[arg(long, value_name = "ADDR", env = "TIDEGATE_SERVER_AGENTS")]
    pub agents: Option<SocketAddr>,
    /// Speak TLS to agents with this certificate chain (PEM).
    #[arg(long, value_name = "FILE", env = "TIDEGATE_SERVER_AGENTS_CERT")]
    pub agents_cert: Option<PathBuf>,
    /// The certificate's key (PEM).
    #[arg(long, value_name = "FILE", env = "TIDEGATE_SERVER_AGENTS_KEY")]
    pub agents_key: Option<PathBuf>,
    /// Take only agents that show a bearer token of this file, one a line.
    #[arg(long, value_name = "FILE", env = "TIDEGATE_SERVER_AGENTS_TOKENS")]
    pub agents_tokens: Option<PathBuf>,
    /// Listen for operators here [default: 127.0.0.1:4321].
    #[arg(long, value_name = "ADDR", env = "TIDEGATE_SERVER_OPERATORS")]
    pub operators: Option<SocketAddr>,
    /// Print the settings that would hold, as a file for --config, and end.
    #[arg(long)]
    pub print_config: bool,
}
