//! The order to do nothing.

use tidegate_custom::{Message, NULL_COMMAND, parse};
use tidegate_opamp::CustomMessage;

use super::{Handler, Handling, Refusal};

/// Logs the order; shows an operator that custom messages arrive.
#[derive(Clone, Copy, Debug, Default)]
pub struct NullCommand;

impl Handler for NullCommand {
    fn capability(&self) -> &str {
        NULL_COMMAND
    }

    fn handle(&self, message: CustomMessage) -> Handling {
        match parse(&message) {
            Ok(Message::Null(order)) => {
                let value = order.dummy_value.unwrap_or_default();
                tracing::info!(value = %value.escape_debug(), "a null command arrived");
            }
            Ok(_) => tracing::warn!("a message of the null command's capability is none of its orders"),
            Err(error) => tracing::warn!(%error, "a null command is ignored"),
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
