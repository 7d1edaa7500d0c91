//! Orders: messages that say all by their type. Their payload is for the record.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};
use tidegate_opamp::CustomMessage;

use crate::name::{NULL_COMMAND, SHUTDOWN, bare};
use crate::payload::{Fields, MAX_TEXT_BYTES, PayloadError, encode};

/// [`CustomMessage::kind`] of the order to shut the agent down.
pub const SHUTDOWN_AGENT: &str = "Shutdown Agent";

/// [`CustomMessage::kind`] of the order to do nothing.
pub const DO_NOTHING: &str = "Null Command";

/// The payload of an order; no field is required, and no bytes at all are a payload too.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Order {
    /// What kind of order the sender takes it for.
    pub classifier: String,
    /// The sender's word for the action.
    pub action: String,
    /// Makes the order one that is carried out once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Only in the order to do nothing: some text.
    #[serde(rename = "dummyValue", skip_serializing_if = "Option::is_none")]
    pub dummy_value: Option<String>,
    /// Further pairs, kept as they came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Order {
    /// Reads [`CustomMessage::data`].
    ///
    /// # Errors
    /// [`PayloadError`], which names the field.
    pub fn parse(data: &[u8]) -> Result<Self, PayloadError> {
        let mut fields = Fields::read_or_empty(data)?;
        Ok(Self {
            classifier: fields.text("classifier", MAX_TEXT_BYTES)?.unwrap_or_default(),
            action: fields.text("action", MAX_TEXT_BYTES)?.unwrap_or_default(),
            id: fields.id()?,
            dummy_value: fields.text("dummyValue", MAX_TEXT_BYTES)?,
            extra: fields.rest(),
        })
    }

    /// Writes [`CustomMessage::data`].
    ///
    /// # Errors
    /// [`PayloadError::TooLarge`].
    pub fn to_data(&self) -> Result<Bytes, PayloadError> {
        encode(self)
    }

    /// The order as a message of [`SHUTDOWN`] or [`NULL_COMMAND`], under the name by which the peer knows the
    /// capability; `None` for another capability.
    ///
    /// # Errors
    /// [`PayloadError::TooLarge`].
    pub fn to_message(&self, capability: &str) -> Result<Option<CustomMessage>, PayloadError> {
        let kind = match bare(capability) {
            SHUTDOWN => SHUTDOWN_AGENT,
            NULL_COMMAND => DO_NOTHING,
            _ => return Ok(None),
        };
        Ok(Some(CustomMessage {
            capability: capability.to_owned(),
            kind: kind.to_owned(),
            data: self.to_data()?,
            ..CustomMessage::default()
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn given_a_peers_order_when_parsed_and_written_then_nothing_is_lost() {
        let payload =
            json!({"classifier": "custom", "action": "nullcommand", "dummyValue": "x", "more": [1]});
        let order = Order::parse(&serde_json::to_vec(&payload).unwrap()).unwrap();
        assert_eq!(order.dummy_value.as_deref(), Some("x"));
        let message = order.to_message(NULL_COMMAND).unwrap().unwrap();
        assert_eq!(message.kind, "Null Command");
        assert_eq!(serde_json::from_slice::<Value>(&message.data).unwrap(), payload);
        assert_eq!(order.to_message(SHUTDOWN).unwrap().unwrap().kind, "Shutdown Agent");
        assert_eq!(order.to_message("com.example.other").unwrap(), None);
    }

    #[test]
    fn given_no_payload_or_a_wrong_one_when_parsed_then_only_the_wrong_one_fails() {
        assert_eq!(Order::parse(b""), Ok(Order::default()));
        assert_eq!(Order::parse(b"{}"), Ok(Order::default()));
        let error = Order::parse(br#"{"action": 1}"#).unwrap_err();
        assert_eq!(error.to_string(), "field `action` must be text");
    }
}
