//! What was typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// The OpAMP server of Tidegate: one view of a fleet of Fluent Bits and of what operators want.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "tidegate-server", version, max_term_width = 100)]
pub struct Flags {
    /// What to do instead of being a server.
    #[command(subcommand)]
    pub task: Option<Task>,
    /// Read settings from a YAML file; flags and environment win over it.
    #[arg(long, global = true, value_name = "FILE", env = "TIDEGATE_SERVER_CONFIG")]
    pub config: Option<PathBuf>,
    /// Keep state in this directory [default: $XDG_STATE_HOME/tidegate].
    #[arg(long, global = true, value_name = "DIR", env = "TIDEGATE_SERVER_DATA_DIR")]
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

/// What can be done to a store without being a server.
#[derive(Clone, Debug, Subcommand)]
pub enum Task {
    /// Copy the store into FILE as it is at this moment; the server may run on.
    Backup {
        /// Where to; readable by its owner alone.
        file: PathBuf,
        /// Replace FILE where it is there.
        #[arg(long)]
        force: bool,
    },
    /// Put a backup back in the place of the store; the server must be stopped, and the old store is kept.
    Restore {
        /// The backup.
        file: PathBuf,
    },
    /// Check the store, or a backup, from end to end; the server may run on.
    Check {
        /// A backup to check instead of the store.
        file: Option<PathBuf>,
    },
}
