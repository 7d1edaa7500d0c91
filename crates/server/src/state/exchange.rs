//! One message in, one message out. The order is decision D1's: what must not be lost is on disk before the answer
//! leaves, what a later report would bring again is written behind.

use std::sync::Arc;

use tidegate_fleet::offer::{self, Occasion};
use tidegate_fleet::session::{self, Arrival, FullState};
use tidegate_fleet::{Agent, Command, CommandId, CommandState, Event};
use tidegate_opamp::{AgentToServer, InstanceUid, Message, ServerToAgent};
use tidegate_store::{Transaction, Write};

use super::registry::Full;
use super::{Connection, Core, Entry};

/// How long an agent should wait when the store cannot take what it reported.
const RETRY_AFTER: std::time::Duration = std::time::Duration::from_secs(30);

/// A message and how it came.
pub(crate) struct Inbound<'a> {
    pub(crate) message: AgentToServer,
    pub(crate) arrival: Arrival,
    /// The socket, for agents that have one.
    pub(crate) connection: Option<&'a Arc<Connection>>,
    pub(crate) occasion: Occasion,
}

/// What an exchange with one agent means for the store.
struct Effects {
    reply: ServerToAgent,
    durable: Vec<Write>,
    sent: Option<CommandId>,
    events: Vec<Event>,
    changed: bool,
}

impl Core {
    /// Takes an agent's message and returns the answer to it.
    pub(crate) async fn exchange(&self, inbound: Inbound<'_>) -> ServerToAgent {
        self.metrics.messages.inc();
        let wire_uid = inbound.message.instance_uid.clone();
        let uid = match session::identify(&inbound.message) {
            Ok(uid) => uid,
            Err(error) => return self.refuse(wire_uid, error.to_string()),
        };
        let now = inbound.arrival.now;
        let taken =
            self.registry.with_or_insert(&uid, || Agent::new(uid, now), |entry| self.take(entry, inbound));
        match taken {
            Ok(Ok(effects)) => self.settle(uid, effects).await,
            Ok(Err(error)) => {
                // A first message that is refused leaves no agent behind.
                self.registry.remove_if(&uid, |entry| entry.agent.capabilities.0 == 0 && !entry.dirty);
                self.refuse(wire_uid, error.to_string())
            }
            Err(Full) => {
                let reason = format!("this server keeps at most {} agents", self.options.max_agents);
                offer::unavailable(wire_uid, reason, RETRY_AFTER)
            }
        }
    }

    /// What an agent should be told unasked; `None` when there is nothing.
    pub(crate) async fn push(&self, uid: &InstanceUid, occasion: Occasion) -> Option<ServerToAgent> {
        let now = self.now();
        let effects = self.registry.with(uid, |entry| {
            let commands = entry.commands.make_contiguous();
            let offer = offer::build(&mut entry.agent, commands, &self.profile, occasion, false, now);
            (!offer.is_empty()).then(|| Effects {
                durable: sent_write(entry, offer.sent.as_ref()),
                reply: offer.message,
                sent: offer.sent,
                events: Vec::new(),
                changed: true,
            })
        })??;
        let reply = self.settle(*uid, effects).await;
        reply.error_response.is_none().then_some(reply)
    }

    fn refuse(&self, uid: bytes::Bytes, reason: String) -> ServerToAgent {
        self.metrics.bad_requests.inc();
        offer::bad_request(uid, reason)
    }

    /// Takes a message into an agent's state, and builds the answer.
    fn take(&self, entry: &mut Entry, inbound: Inbound<'_>) -> Result<Effects, session::Rejected> {
        let Inbound { message, arrival, connection, occasion } = inbound;
        let departs = message.agent_disconnect.is_some();
        let commands = entry.commands.make_contiguous();
        let received = session::receive(&mut entry.agent, commands, message, arrival, &self.limits)?;
        entry.connection = connection.filter(|_| !departs).cloned();
        entry.dirty |= received.changed.any();
        entry.unsaved_number = true;

        let ask = match received.full_state {
            FullState::Complete => false,
            FullState::Ask => true,
            FullState::AskPaced => self.full_state_pace.grant(arrival.now),
        };
        if ask && received.full_state == FullState::AskPaced {
            session::asked(&mut entry.agent, arrival.now);
        }
        let commands = entry.commands.make_contiguous();
        let offer = offer::build(&mut entry.agent, commands, &self.profile, occasion, ask, arrival.now);

        let mut durable = sent_write(entry, offer.sent.as_ref());
        for command in entry.commands.iter().filter(|command| received.commands.contains(&command.id)) {
            durable.push(Write::Command(Box::new(command.clone())));
        }
        if received.changed.config_status {
            durable.push(Write::Agent(Box::new(entry.agent.clone())));
        }
        entry.forget_ended();
        Ok(Effects {
            reply: offer.message,
            durable,
            sent: offer.sent,
            changed: received.changed.any() || !received.events.is_empty(),
            events: received.events,
        })
    }

    /// Writes what must be written, tells those who follow, and returns the message to send.
    async fn settle(&self, uid: InstanceUid, effects: Effects) -> ServerToAgent {
        let Effects { mut reply, durable, sent, events, changed } = effects;
        if !durable.is_empty()
            && let Err(error) = self.store.commit(Transaction::observed(durable)).await
        {
            tracing::error!(agent = %uid, %error, "a report could not be stored");
            self.registry.with(&uid, |entry| {
                entry.dirty = true;
                unsend(entry, sent.as_ref());
            });
            self.stream.publish(events);
            return offer::unavailable(reply.instance_uid, error.to_string(), RETRY_AFTER);
        }
        self.metrics.count_offer(&reply);
        if changed {
            self.stream.changed(uid);
        }
        self.stream.publish(events);
        let size = reply.encoded_len();
        if size > self.options.max_message_bytes {
            tracing::error!(agent = %uid, size, "an offer is larger than a message may be and was not sent");
            self.metrics.discarded_offers.inc();
            reply = ServerToAgent { instance_uid: reply.instance_uid, ..ServerToAgent::default() };
        }
        reply
    }
}

fn sent_write(entry: &Entry, sent: Option<&CommandId>) -> Vec<Write> {
    let command = sent.and_then(|id| entry.commands.iter().find(|command| command.id == *id));
    command.into_iter().map(|command: &Command| Write::Command(Box::new(command.clone()))).collect()
}

/// A command whose departure could not be stored does not leave.
fn unsend(entry: &mut Entry, sent: Option<&CommandId>) {
    if let Some(command) = entry.commands.iter_mut().find(|command| Some(&command.id) == sent) {
        command.state = CommandState::Queued;
        command.sent_at = None;
    }
}
