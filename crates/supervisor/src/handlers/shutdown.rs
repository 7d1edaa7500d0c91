//! The order to shut the agent down.

use tidegate_custom::{Message, SHUTDOWN, parse};
use tidegate_opamp::CustomMessage;
use tokio::sync::watch;

use super::{Handler, Handling, Refusal};

/// Ends the supervisor as a signal does: farewell to the server, then the agent's process is stopped.
#[derive(Clone, Debug)]
pub struct Shutdown {
    stop: watch::Sender<bool>,
}

impl Shutdown {
    /// `stop` becomes true when the order arrives.
    #[must_use]
    pub const fn new(stop: watch::Sender<bool>) -> Self {
        Self { stop }
    }
}

impl Handler for Shutdown {
    fn capability(&self) -> &str {
        SHUTDOWN
    }

    fn handle(&self, message: CustomMessage) -> Handling {
        match parse(&message) {
            Ok(Message::Shutdown(_)) => {
                tracing::warn!("the server ordered to shut the agent down");
                self.stop.send_replace(true);
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "an order to shut down is ignored"),
        }
        Box::pin(std::future::ready(None))
    }

    fn is_idempotent(&self, _message: &CustomMessage) -> bool {
        true
    }

    fn refuse(&self, _message: &CustomMessage, _refusal: Refusal<'_>) -> Option<CustomMessage> {
        None
    }
}
