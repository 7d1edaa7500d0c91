//! What tests look at, through the API.

use std::net::SocketAddr;
use std::time::Duration;

use tidegate_api::client::Client;
use tidegate_api::{AgentDetail, Command, Push};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::patience::eventually;

/// Most bytes of an answer that [`get`] reads.
const MAX_ANSWER: u64 = 1024 * 1024;

/// All that is known of the agent of this name; the name must be one agent's.
///
/// # Errors
/// A sentence when there is none, or none yet.
pub async fn the_agent(api: &Client, name: &str) -> Result<AgentDetail, String> {
    let agents = api.all_agents(&format!("name:{name}")).await.map_err(|error| error.to_string())?;
    match agents.as_slice() {
        [agent] => api.agent(&agent.uid).await.map_err(|error| error.to_string()),
        others => Err(format!("{} agents are called {name}", others.len())),
    }
}

/// Waits until the agent of this name is connected and healthy.
///
/// # Panics
/// When that does not come.
pub async fn healthy(api: &Client, name: &str, deadline: Duration) -> AgentDetail {
    eventually(&format!("healthy {name}"), deadline, async || {
        let detail = the_agent(api, name).await?;
        let agent = &detail.agent;
        let is_well = agent.connection.value == "connected" && agent.health.value == "healthy";
        let instead = format!("{:?}, {:?}", agent.connection, agent.health);
        if is_well { Ok(detail) } else { Err(instead) }
    })
    .await
}

/// Waits until no agent of a push will move any more.
///
/// # Panics
/// When some still do.
pub async fn push_settled(api: &Client, id: &str, deadline: Duration) -> Push {
    eventually("settled push", deadline, async || {
        let push = api.push_state(id).await.map_err(|error| error.to_string())?;
        if push.summary.is_settled() { Ok(push) } else { Err(format!("{:?}", push.agents)) }
    })
    .await
}

/// Waits until a command has ended.
///
/// # Panics
/// When it does not.
pub async fn ended(api: &Client, id: &str, deadline: Duration) -> Command {
    eventually("ended command", deadline, async || {
        let command = api.command(id).await.map_err(|error| error.to_string())?;
        if command.ended { Ok(command) } else { Err(format!("{command:?}")) }
    })
    .await
}

/// The body of a `GET` that is answered with 200.
///
/// # Errors
/// A sentence when it is not.
pub async fn get(address: SocketAddr, path: &str, token: &str) -> Result<String, String> {
    let call = async {
        let mut stream = TcpStream::connect(address).await?;
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(MAX_ANSWER).read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&answer).into_owned())
    };
    let called = tokio::time::timeout(Duration::from_secs(5), call).await;
    let answer = called.map_err(|_| "no answer within 5 s".to_owned())?.map_err(|error| error.to_string())?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.starts_with("HTTP/1.1 200 ") { Ok(body.to_owned()) } else { Err(answer) }
}
