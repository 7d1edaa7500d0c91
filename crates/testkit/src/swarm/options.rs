//! The command line of `tidegate-swarm`.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::agent::Behaviour;
use super::command::{duration, share};
use super::tls::Trust;

/// Thousands of simulated agents in one process, or the loop that a server is measured against.
#[derive(Debug, Parser)]
#[command(name = "tidegate-swarm")]
pub struct Flags {
    /// What to run.
    #[command(subcommand)]
    pub mode: Mode,
}

/// What to run.
#[derive(Debug, Subcommand)]
pub enum Mode {
    /// Simulated agents, driven by commands on stdin or in a script, one a line: `connect N [small|health|full]
    /// [mux K]`, `idle D`, `heartbeats RATE D`, `statuses RATE D`, `digests RATE D`, `storm P%`, `die P%`, `leave P%`,
    /// `wait-offers N [D]`, `wait-settled N [D]`, `mark`, `stats`, `quit`. Each is answered with one JSON object.
    Agents(AgentsFlags),
    /// A bare epoll loop that answers WebSocket frames with a constant reply; prints its address.
    BareLoop {
        /// Bytes of the reply's payload.
        #[arg(long, default_value_t = 19)]
        reply_bytes: usize,
    },
}

/// Flags of `agents`.
#[derive(Debug, Args)]
pub struct AgentsFlags {
    /// `ws://HOST:PORT/PATH` or `wss://…` for sockets, `http://…` or `https://…` for polls.
    #[arg(long)]
    endpoint: String,
    /// Bearer token that every connection shows.
    #[arg(long)]
    token: Option<String>,
    /// Authorities that vouch for the server's certificate (PEM).
    #[arg(long)]
    ca: Option<PathBuf>,
    /// Take any certificate.
    #[arg(long, conflicts_with = "ca")]
    insecure: bool,
    /// Commands from this file instead of stdin.
    #[arg(long)]
    pub script: Option<PathBuf>,
    /// Every agent's heartbeat or poll; 0s for none but what commands ask for.
    #[arg(long, default_value = "0s", value_parser = duration)]
    heartbeat: Duration,
    /// Handshakes under way at once.
    #[arg(long, default_value_t = 128)]
    in_flight: usize,
    /// Over how long agents come back after a storm; a second failure doubles it.
    #[arg(long, default_value = "1s", value_parser = duration)]
    spread: Duration,
    /// Least time from an offer to its outcome.
    #[arg(long, default_value = "500ms", value_parser = duration)]
    accept_least: Duration,
    /// Most time for that.
    #[arg(long, default_value = "2s", value_parser = duration)]
    accept_most: Duration,
    /// Share of offers and custom messages that fail.
    #[arg(long, default_value = "0%", value_parser = share)]
    failures: f64,
    /// Reconnects bring everything again.
    #[arg(long)]
    full_reconnect: bool,
    /// Longest that a command may wait for agents.
    #[arg(long, default_value = "5m", value_parser = duration)]
    patience: Duration,
    /// What makes this swarm's agents other than another swarm's.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// How agents speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// WebSocket.
    WebSocket,
    /// Polls, keep-alive.
    Http,
}

/// What a swarm is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// How agents speak.
    pub scheme: Scheme,
    /// Where the server is.
    pub address: SocketAddr,
    /// `Host`.
    pub authority: String,
    /// Whom to trust, for TLS.
    pub trust: Option<Trust>,
    /// Path of the endpoint.
    pub path: String,
    /// Bearer token.
    pub token: Option<String>,
    /// How agents behave.
    pub behaviour: Behaviour,
    /// Heartbeat or poll; zero for none.
    pub heartbeat: Duration,
    /// Handshakes under way at once.
    pub in_flight: usize,
    /// Over how long lost connections come back.
    pub spread: Duration,
    /// Longest that a command waits for agents.
    pub patience: Duration,
    /// Names the load.
    pub seed: u64,
}

impl Options {
    /// Options for an endpoint, else as the flags' defaults; by TLS, any certificate is taken.
    ///
    /// # Errors
    /// A sentence when the endpoint is not one.
    pub fn new(endpoint: &str) -> Result<Self, String> {
        let wrong = || format!("`{endpoint}` is no endpoint: write ws://HOST:PORT/PATH, wss, http or https");
        let (scheme, rest) = endpoint.split_once("://").ok_or_else(wrong)?;
        let (scheme, trust) = match scheme {
            "ws" => (Scheme::WebSocket, None),
            "wss" => (Scheme::WebSocket, Some(Trust::Anyone)),
            "http" => (Scheme::Http, None),
            "https" => (Scheme::Http, Some(Trust::Anyone)),
            _ => return Err(wrong()),
        };
        let (authority, path) = rest.split_once('/').ok_or_else(wrong)?;
        let found = authority.to_socket_addrs().map_err(|error| format!("{}: {error}", wrong()))?.next();
        Ok(Self {
            scheme,
            address: found.ok_or_else(wrong)?,
            authority: authority.to_owned(),
            trust,
            path: format!("/{path}"),
            token: None,
            behaviour: Behaviour::default(),
            heartbeat: Duration::ZERO,
            in_flight: 128,
            spread: Duration::from_secs(1),
            patience: Duration::from_secs(300),
            seed: 1,
        })
    }
}

impl TryFrom<&AgentsFlags> for Options {
    type Error = String;

    fn try_from(flags: &AgentsFlags) -> Result<Self, String> {
        if flags.accept_least > flags.accept_most {
            return Err("--accept-least is above --accept-most".to_owned());
        }
        let mut options = Self::new(&flags.endpoint)?;
        if options.trust.is_some() {
            options.trust = match (&flags.ca, flags.insecure) {
                (Some(ca), _) => Some(Trust::File(ca.clone())),
                (None, true) => Some(Trust::Anyone),
                (None, false) => return Err("TLS needs --ca FILE or --insecure".to_owned()),
            };
        }
        Ok(Self {
            token: flags.token.clone(),
            behaviour: Behaviour {
                accept_least: flags.accept_least,
                accept_most: flags.accept_most,
                failure_share: flags.failures,
                full_reconnect: flags.full_reconnect,
                ..Behaviour::default()
            },
            heartbeat: flags.heartbeat,
            in_flight: flags.in_flight.max(1),
            spread: flags.spread,
            patience: flags.patience,
            seed: flags.seed,
            ..options
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_endpoints_when_read_then_only_those_that_name_everything_pass() {
        let options = Options::new("ws://127.0.0.1:4320/v1/opamp").unwrap();
        assert_eq!((options.scheme, options.path.as_str()), (Scheme::WebSocket, "/v1/opamp"));
        assert_eq!(Options::new("http://127.0.0.1:1/").unwrap().scheme, Scheme::Http);
        for wrong in ["127.0.0.1:1/", "ftp://127.0.0.1:1/", "ws://127.0.0.1:1", "ws://127.0.0.1/x"] {
            assert!(Options::new(wrong).unwrap_err().contains("is no endpoint"), "{wrong}");
        }
    }
}
