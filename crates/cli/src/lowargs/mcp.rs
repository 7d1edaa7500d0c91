//! What was typed of assistants.

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum McpVerb {
    /// Speak MCP on stdin and stdout for an assistant that starts this program.
    Serve(McpServeArgs),
    /// Write the server into an assistant's settings; the old file is kept beside.
    Install(McpInstallArgs),
    /// Check the chain from an assistant's settings to an answer of the server.
    Doctor,
}

/// What an assistant may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum McpMode {
    /// Look.
    #[default]
    Readonly,
    /// Look, and act once a person has confirmed it.
    Write,
}

impl McpMode {
    /// The word that is typed for it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Readonly => "readonly",
            Self::Write => "write",
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct McpServeArgs {
    /// By stdin and stdout, the one way there is.
    #[arg(long, required = true)]
    pub(crate) stdio: bool,
    /// What the assistant may do.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) mode: McpMode,
}

/// An assistant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum McpClient {
    Codex,
    ClaudeDesktop,
    ClaudeCode,
    Vscode,
    Cursor,
}

#[derive(Args, Debug)]
pub(crate) struct McpInstallArgs {
    /// The assistant.
    #[arg(long, value_enum)]
    pub(crate) client: McpClient,
    /// What the assistant may do.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) mode: McpMode,
    /// Have the assistant start this program; the default.
    #[arg(long, conflicts_with = "http")]
    pub(crate) stdio: bool,
    /// Have the assistant call the server itself, with the token in its TIDEGATE_TOKEN.
    #[arg(long)]
    pub(crate) http: bool,
    /// Print what would be written, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Take the server out again.
    #[arg(long)]
    pub(crate) uninstall: bool,
}
