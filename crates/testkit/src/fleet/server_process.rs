//! The server as the program that is shipped.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use tidegate_api::client::Client;

use super::looks::get;
use super::patience::{SOON, eventually};
use super::ports::free_port;
use super::process::Process;
use super::programs::program;
use super::server::client;

/// A running `tidegate-server`, always on the same ports.
#[derive(Debug)]
pub struct ServerProcess {
    /// Where agents connect.
    pub agents: SocketAddr,
    /// Where operators connect.
    pub operators: SocketAddr,
    /// A client that shows the admin token.
    pub api: Client,
    process: Process,
    data_dir: PathBuf,
}

impl ServerProcess {
    /// Starts one with its state in `data_dir` and its log beside that, and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready.
    pub async fn start(data_dir: &Path) -> Self {
        let address = || SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        Self::start_on(data_dir, address(), address()).await
    }

    async fn start_on(data_dir: &Path, agents: SocketAddr, operators: SocketAddr) -> Self {
        let mut command = Self::command(data_dir, agents, operators);
        let mut process = Process::start(&mut command, &data_dir.with_extension("log"));
        eventually("ready server", SOON, async || {
            assert!(
                !process.has_ended(),
                "the server ended; see {}",
                data_dir.with_extension("log").display()
            );
            get(operators, "/readyz", "").await
        })
        .await;
        Self { agents, operators, api: client(data_dir, operators), process, data_dir: data_dir.to_owned() }
    }

    /// The command that starts one.
    #[must_use]
    pub fn command(data_dir: &Path, agents: SocketAddr, operators: SocketAddr) -> Command {
        let mut command = Command::new(program("tidegate-server"));
        command.arg("--data-dir").arg(data_dir);
        command.args(["--agents", &agents.to_string(), "--operators", &operators.to_string()]);
        command
    }

    /// The endpoint for agents that speak WebSocket (`ws`) or plain HTTP (`http`).
    #[must_use]
    pub fn endpoint(&self, scheme: &str) -> String {
        format!("{scheme}://{}/v1/opamp", self.agents)
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Ends it in order.
    ///
    /// # Panics
    /// When it does not end, or does not say that all went well.
    pub async fn stop(&mut self) {
        let status = self.process.stop().await;
        assert!(status.success(), "the server ended with {status}");
    }

    /// Starts one in the place of this, which has ended.
    pub async fn start_again(&mut self) {
        *self = Self::start_on(&self.data_dir.clone(), self.agents, self.operators).await;
    }
}
