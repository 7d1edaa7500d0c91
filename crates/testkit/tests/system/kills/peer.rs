//! An agent that applies every config and answers every command at once, and outlives the server.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tidegate_opamp::server_to_agent_flags::REPORT_FULL_STATE;
use tidegate_opamp::{
    AgentDescription, AgentToServer, CustomCapabilities, CustomMessage, InstanceUid, KeyValue,
    RemoteConfigStatus, RemoteConfigStatuses, ServerToAgent,
};
use tokio::sync::watch;

use super::Dice;
use super::ledger::Ledger;
use super::wire::{Gone, Wire};

/// A capability that answers.
pub(super) const CHATOPS: &str = "org.mp3monster.opamp_provider.chatopcommand";

/// Reports status, takes configs, reports effective config, restarts and health.
const CAPABILITIES: u64 = 0x1 | 0x2 | 0x4;

/// Something that the server must not lose once it has acknowledged it.
#[derive(Clone, Debug)]
enum News {
    Applied(Vec<u8>),
    Answered(String),
}

#[derive(Debug)]
pub(super) struct Peer {
    uid: InstanceUid,
    socket: bool,
    number: u64,
    news: VecDeque<News>,
    ledger: Arc<Ledger>,
}

/// The uid of the agent of a number.
pub(super) fn uid(number: u8) -> InstanceUid {
    InstanceUid::from_bytes(&[0x40 + number; 16]).unwrap()
}

impl Peer {
    pub(super) fn new(number: u8, ledger: Arc<Ledger>) -> Self {
        Self { uid: uid(number), socket: number.is_multiple_of(2), number: 0, news: VecDeque::new(), ledger }
    }

    /// Speaks until the server is gone; comes back as what is left to be said.
    pub(super) async fn live(
        mut self,
        server: SocketAddr,
        mut dice: Dice,
        stopped: watch::Receiver<bool>,
    ) -> Self {
        while !*stopped.borrow() {
            if let Ok(mut wire) = Wire::connect(server, self.socket).await {
                // What ends it is the end of the server, and there is nothing else to be told.
                let _: Result<(), Gone> = self.speak(&mut wire, &mut dice, &stopped).await;
                // What had left the server before its end counts as received.
                while self.socket
                    && let Ok(message) = wire.hear().await
                {
                    self.take(&message);
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self
    }

    async fn speak(
        &mut self,
        wire: &mut Wire,
        dice: &mut Dice,
        stopped: &watch::Receiver<bool>,
    ) -> Result<(), Gone> {
        let mut full = true;
        while !*stopped.borrow() {
            let news = self.news.front().cloned();
            let message = self.message(full, news.as_ref());
            let reply = wire.exchange(&message).await?;
            assert_eq!(reply.error_response, None);
            // On a socket a message that carries something may have been on its way before ours came in.
            let is_answer = wire.answers_only() || says_nothing(&reply);
            if let Some(news) = news
                && is_answer
            {
                self.news.pop_front();
                self.acknowledged(news);
            }
            full = reply.flags & REPORT_FULL_STATE != 0;
            self.take(&reply);
            tokio::time::sleep(Duration::from_millis(15 + dice.below(30))).await;
        }
        Ok(())
    }

    fn message(&mut self, full: bool, news: Option<&News>) -> AgentToServer {
        self.number += 1;
        let mut message = AgentToServer {
            instance_uid: self.uid.to_wire(),
            sequence_num: self.number,
            ..AgentToServer::default()
        };
        if full {
            message.capabilities = CAPABILITIES;
            message.agent_description = Some(AgentDescription {
                identifying_attributes: vec![KeyValue::text("service.name", "fluent-bit")],
                non_identifying_attributes: vec![KeyValue::text("host.name", self.uid.to_string())],
                ..AgentDescription::default()
            });
            message.custom_capabilities = Some(CustomCapabilities {
                capabilities: vec![CHATOPS.into()],
                ..CustomCapabilities::default()
            });
        }
        match news {
            Some(News::Applied(hash)) => {
                self.ledger.status_sent(&self.uid.to_string(), &hex(hash));
                message.remote_config_status = Some(RemoteConfigStatus {
                    last_remote_config_hash: hash.clone().into(),
                    status: RemoteConfigStatuses::Applied,
                    ..RemoteConfigStatus::default()
                });
            }
            Some(News::Answered(id)) => {
                message.custom_message = Some(CustomMessage {
                    capability: CHATOPS.into(),
                    kind: "result".into(),
                    data: json!({"id": id, "answer_to": id}).to_string().into(),
                    ..CustomMessage::default()
                });
            }
            None => {}
        }
        message
    }

    fn acknowledged(&self, news: News) {
        match news {
            News::Applied(hash) => self.ledger.status_acknowledged(&self.uid.to_string(), hex(&hash)),
            News::Answered(id) => self.ledger.answered(id),
        }
    }

    fn take(&mut self, reply: &ServerToAgent) {
        if let Some(offer) = &reply.remote_config {
            self.news.push_back(News::Applied(offer.config_hash.to_vec()));
        }
        if let Some(message) = &reply.custom_message {
            let data: Value = serde_json::from_slice(&message.data).unwrap();
            let id = data["id"].as_str().unwrap().to_owned();
            self.ledger.received(&id);
            self.news.push_back(News::Answered(id));
        }
    }
}

fn says_nothing(reply: &ServerToAgent) -> bool {
    reply.remote_config.is_none() && reply.custom_message.is_none() && reply.command.is_none()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
