//! One agent from the start of its supervision to its end: what ends it, and in which order.

use tidegate_opamp::InstanceUid;
use tokio::sync::{oneshot, watch};

use super::{RunError, STOP_DEADLINE, Told};
use crate::agent::{AgentCommand, AgentHandle};
use crate::client::Leave;
use crate::settings::Agent;

/// An agent that is supervised.
pub(super) struct Escort {
    pub(super) agent: Agent,
    pub(super) handle: AgentHandle,
    /// True once the server has ordered this agent to end.
    pub(super) shutdown: watch::Receiver<bool>,
    pub(super) told: watch::Receiver<Told>,
    /// To the client.
    pub(super) leave: watch::Sender<Leave>,
    /// From the client, once it has left off.
    pub(super) left: oneshot::Receiver<(InstanceUid, u64)>,
}

/// What is known of an agent's conversation when it ends; `None` when the client is gone.
pub(super) type Spoken = Option<(InstanceUid, u64)>;

impl Escort {
    /// Waits for what ends the supervision, then ends it: the server hears of it first, then the process is stopped or
    /// released.
    pub(super) async fn run(mut self) -> (Spoken, Result<(), RunError>) {
        let stays = tokio::select! {
            biased;
            () = self.handle.commands.closed() => {
                let spoken = leave(self.leave, self.left, Leave::Farewell).await;
                return (spoken, Err(RunError::Ended));
            }
            () = ordered(&mut self.shutdown) => false,
            stays = stays(&mut self.told, &self.agent) => stays,
        };
        let how = if stays { Leave::Silently } else { Leave::Farewell };
        let spoken = leave(self.leave, self.left, how).await;
        let command = if stays { AgentCommand::Release } else { AgentCommand::Stop };
        let (done, ended) = oneshot::channel();
        let ending = async {
            // An error of either says that there is nothing left to end.
            let _ = self.handle.commands.send(command(done)).await;
            let _ = ended.await;
        };
        let ended = tokio::time::timeout(STOP_DEADLINE, ending).await.map_err(|_| RunError::StopDeadline);
        (spoken, ended)
    }
}

/// Waits for the server's order to end; for ever where no handler takes one.
async fn ordered(shutdown: &mut watch::Receiver<bool>) {
    if shutdown.wait_for(|shutdown| *shutdown).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits for a word of the host; true when the agent goes on running. Nobody being left to say a word means the end.
async fn stays(told: &mut watch::Receiver<Told>, agent: &Agent) -> bool {
    match told.wait_for(|told| !matches!(told, Told::Go)).await.as_deref() {
        Ok(Told::Leave) => true,
        // One that the new settings do not name any more ends.
        Ok(Told::Reload(next)) => next.agents.iter().any(|next| next.state_dir == agent.state_dir),
        Ok(Told::Go | Told::Stop) | Err(_) => false,
    }
}

async fn leave(
    leave: watch::Sender<Leave>,
    left: oneshot::Receiver<(InstanceUid, u64)>,
    how: Leave,
) -> Spoken {
    leave.send_replace(how);
    left.await.ok()
}
