//! Messages to agents that are larger than one may be (OpAMP S024, S025, S042, S043).

use tidegate_fleet::{Event, EventKind};
use tidegate_opamp::{InstanceUid, Message as _, ServerToAgent};

use super::Core;

impl Core {
    /// What leaves in place of a message that may be too large: the same one, or without its config, or the least. A
    /// config that is too large by itself is not offered again; agent, event and metric say so.
    pub(super) fn within_limit(&self, uid: InstanceUid, mut reply: ServerToAgent) -> ServerToAgent {
        let (size, limit) = (reply.encoded_len(), self.options.max_message_bytes);
        if size <= limit {
            return reply;
        }
        tracing::error!(agent = %uid, size, limit, "an offer is larger than a message may be and was not sent");
        self.metrics.discarded_offers.inc();
        let least = ServerToAgent { instance_uid: reply.instance_uid.clone(), ..ServerToAgent::default() };
        // A config is what is large; a command beside it is marked as sent and must leave.
        if let Some(config) = reply.remote_config.take() {
            let hash = config.config_hash.clone();
            let alone = ServerToAgent {
                capabilities: reply.capabilities,
                custom_capabilities: reply.custom_capabilities.clone(),
                remote_config: Some(config),
                ..least.clone()
            };
            let bytes = alone.encoded_len();
            if bytes <= limit {
                self.registry.with(&uid, |entry| entry.agent.offered(None));
            } else if self.registry.with(&uid, |entry| entry.agent.unsendable(&hash, bytes)) == Some(true) {
                let text =
                    format!("the config was not sent: its message has {bytes} bytes, more than {limit}");
                let event = Event { at: self.now(), kind: EventKind::Config, agent: uid, text };
                self.stream.publish(vec![event]);
                self.changed(uid);
            }
        }
        if reply.encoded_len() > limit { least } else { reply }
    }
}
