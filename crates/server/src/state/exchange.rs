//! One message in, one message out. The order is decision D1's: what must not be lost is on disk before the answer
//! leaves, what a later report would bring again is written behind.

use std::sync::Arc;

use tidegate_fleet::agent::{Fact, Sequence, axes};
use tidegate_fleet::offer::{self, Occasion};
use tidegate_fleet::session::{self, Arrival, FullState};
use tidegate_fleet::{Agent, Command, CommandId, CommandState, Event, Timestamp};
use tidegate_opamp::{
    AgentToServer, InstanceUid, ServerToAgent, agent_to_server_flags, server_to_agent_flags,
};
use tidegate_store::{Transaction, Write};

use super::registry::Full;
use super::{Connection, Core, Entry};

/// How long an agent should wait when the store cannot take what it reported.
const RETRY_AFTER: std::time::Duration = std::time::Duration::from_secs(30);

/// What an agent is told when what it reported could not be stored; why is the operators' business (OpAMP S180, S184).
const NOT_STORED: &str = "this server cannot store the report at the moment; its log says why";

/// A message and how it came.
pub(crate) struct Inbound<'a> {
    pub(crate) message: AgentToServer,
    pub(crate) arrival: Arrival,
    /// The socket, for agents that have one.
    pub(crate) connection: Option<&'a Arc<Connection>>,
    pub(crate) occasion: Occasion,
    /// The URL by which it came, where it came without a socket of its own.
    pub(crate) reached: Option<Arc<str>>,
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
    pub(crate) async fn exchange(self: &Arc<Self>, inbound: Inbound<'_>) -> ServerToAgent {
        self.metrics.messages.inc();
        let wire_uid = inbound.message.instance_uid.clone();
        let uid = match session::identify(&inbound.message) {
            Ok(uid) => uid,
            Err(error) => return self.refuse(wire_uid, error.to_string()),
        };
        let now = inbound.arrival.now;
        let (wire, uid) = (uid, {
            let sequence_num = inbound.message.sequence_num;
            self.identify(uid, sequence_num, inbound.connection, inbound.occasion).await
        });
        let reply = self.exchange_as(uid, now, inbound, wire_uid).await;
        if uid == wire { reply } else { readdress(reply, wire, uid) }
    }

    async fn exchange_as(
        self: &Arc<Self>,
        uid: InstanceUid,
        now: Timestamp,
        mut inbound: Inbound<'_>,
        wire_uid: bytes::Bytes,
    ) -> ServerToAgent {
        let digest = self.take_digest(&mut inbound.message);
        self.take_piece(&mut inbound.message, uid);
        let taken = self.registry.with_or_insert(
            &uid,
            || Agent::new(uid, now),
            |entry| {
                let effects = self.take(entry, inbound)?;
                digest.iter().for_each(|digest| self.sample(entry, digest, now));
                Ok::<_, session::Rejected>(effects)
            },
        );
        match taken {
            Ok(Ok(effects)) => self.settle(uid, effects).await,
            Ok(Err(error)) => {
                // A first message that is refused leaves no agent behind; one that was taken set the number.
                let unheard = |entry: &Entry| {
                    entry.agent.sequence == Sequence::Unknown
                        && entry.agent.capabilities.0 == 0
                        && !entry.dirty
                };
                if self.registry.remove_if(&uid, unheard).is_some() {
                    self.index.remove(&uid);
                }
                self.refuse(wire_uid, error.to_string())
            }
            Err(Full) => {
                let reason = format!("this server keeps at most {} agents", self.options.max_agents);
                offer::unavailable(wire_uid, reason, RETRY_AFTER)
            }
        }
    }

    /// What an agent should be told unasked on a connection; `None` when there is nothing, or when the agent speaks
    /// through another connection by now.
    pub(crate) async fn push(
        self: &Arc<Self>,
        uid: &InstanceUid,
        occasion: Occasion,
        connection: &Connection,
    ) -> Option<ServerToAgent> {
        let now = self.now();
        if let Some(new) = connection.renamed(uid) {
            // Another speaks under this uid; this one is told its own. What waits for it comes with its reports.
            return Some(offer::rename(uid.to_wire(), &new));
        }
        let effects = self.registry.with(uid, |entry| {
            if entry.connection.as_ref().is_none_or(|current| current.id != connection.id) {
                return None;
            }
            if let Some(url) = &connection.peer.reached {
                entry.agent.reach(url);
            }
            let commands = entry.commands.make_contiguous();
            let mut offer = offer::build(&mut entry.agent, commands, &self.profile, occasion, false, now);
            entry.dirty |= offer.message.connection_settings.is_some();
            self.schedule(entry);
            self.ask_for_schema(uid, &mut offer.message);
            (!offer.is_empty()).then(|| Effects {
                durable: sent_write(entry, offer.sent.as_ref()),
                reply: offer.message,
                sent: offer.sent,
                events: Vec::new(),
                changed: true,
            })
        })??;
        let reply = self.settle(*uid, effects).await;
        // What was too large to be sent leaves nothing to say.
        (reply.error_response.is_none() && reply != bare(&reply)).then_some(reply)
    }

    fn refuse(&self, uid: bytes::Bytes, reason: String) -> ServerToAgent {
        self.metrics.bad_requests.inc();
        offer::bad_request(uid, reason)
    }

    /// Takes a message into an agent's state, and builds the answer.
    fn take(&self, entry: &mut Entry, inbound: Inbound<'_>) -> Result<Effects, session::Rejected> {
        let Inbound { message, arrival, connection, occasion, reached } = inbound;
        let departs = message.agent_disconnect.is_some();
        let held = held_bodies(entry, &message);
        let lists_components = message.available_components.is_some();
        if message.flags & agent_to_server_flags::REQUEST_INSTANCE_UID != 0 && !departs {
            self.assign_uid(entry);
        }
        let commands = entry.commands.make_contiguous();
        let received = session::receive(&mut entry.agent, commands, message, arrival, &self.limits)?;
        // A poll does not take a socket away that is still open.
        match connection {
            _ if departs => entry.connection = None,
            Some(connection) => entry.connection = Some(Arc::clone(connection)),
            None => {}
        }
        self.index.touch(&entry.agent.uid, arrival.now);
        entry.dirty |= received.changed.any();
        entry.unsaved_number = true;
        let changed = received.changed;
        if changed.effective_config || changed.other || changed.identity {
            entry.agent.share_bodies(|body| self.bodies.share(body));
            held.iter().for_each(|body| self.bodies.release(body));
        }
        if received.changed.identity {
            self.settings.settle(&mut entry.agent, arrival.now);
        }
        if let Some(url) =
            reached.as_ref().or(connection.and_then(|connection| connection.peer.reached.as_ref()))
        {
            entry.agent.reach(url);
        }

        let ask = match received.full_state {
            FullState::Complete => false,
            FullState::Ask => true,
            FullState::AskPaced => self.full_state_pace.grant(arrival.now),
        };
        if ask && received.full_state == FullState::AskPaced {
            session::asked(&mut entry.agent, arrival.now);
        }
        let commands = entry.commands.make_contiguous();
        // One that leaves gets no more than a receipt: what is queued waits until it is back.
        let mut offer = if departs {
            offer::receipt(&entry.agent)
        } else {
            offer::build(&mut entry.agent, commands, &self.profile, occasion, ask, arrival.now)
        };
        entry.dirty |= offer.message.connection_settings.is_some();

        let mut durable = sent_write(entry, offer.sent.as_ref());
        if lists_components && offer.message.command.is_none() && !departs {
            let heard = self.components.hear(&entry.agent, arrival.now);
            offer.message.flags |=
                if heard.ask { server_to_agent_flags::REPORT_AVAILABLE_COMPONENTS } else { 0 };
            durable.extend(heard.write);
            self.want_schema(&entry.agent);
        }
        if !departs {
            self.ask_for_schema(&entry.agent.uid, &mut offer.message);
        }
        for command in entry.commands.iter().filter(|command| received.commands.contains(&command.id)) {
            durable.push(Write::Command(Box::new(command.clone())));
        }
        if received.changed.config_status {
            durable.push(Write::Agent(Box::new(entry.agent.clone())));
        }
        entry.forget_ended();
        let mut events = received.events;
        events.extend(self.announce(entry, arrival.now));
        self.schedule(entry);
        entry.settled = !departs && is_settled(entry, &offer.message);
        Ok(Effects {
            reply: offer.message,
            durable,
            sent: offer.sent,
            changed: received.changed.any() || !events.is_empty(),
            events,
        })
    }

    /// Writes what must be written, tells those who follow, and returns the message to send.
    async fn settle(self: &Arc<Self>, uid: InstanceUid, mut effects: Effects) -> ServerToAgent {
        let durable = std::mem::take(&mut effects.durable);
        if durable.is_empty() {
            return self.finish(uid, effects);
        }
        // In a task of its own: a client that leaves meanwhile must not leave half of it done.
        let core = Arc::clone(self);
        let wire_uid = effects.reply.instance_uid.clone();
        let settled = tokio::spawn(async move { core.commit(uid, effects, durable).await });
        settled.await.unwrap_or_else(|error| {
            tracing::error!(agent = %uid, %error, "a report was not settled");
            offer::failed(wire_uid, NOT_STORED.to_owned())
        })
    }

    async fn commit(&self, uid: InstanceUid, effects: Effects, durable: Vec<Write>) -> ServerToAgent {
        let commands: Vec<Command> = durable.iter().filter_map(written_command).collect();
        if let Err(error) = self.store.commit(Transaction::observed(durable)).await {
            tracing::error!(agent = %uid, %error, "a report could not be stored");
            self.registry.with(&uid, |entry| {
                entry.dirty = true;
                entry.commands_dirty = true;
                unsend(entry, effects.sent.as_ref());
            });
            self.stream.publish(effects.events);
            return offer::failed(effects.reply.instance_uid, NOT_STORED.to_owned());
        }
        self.registry.with(&uid, |entry| {
            // Another connection may have moved a command on, and written that before this older record.
            let moved =
                |written: &Command| entry.commands.iter().any(|now| now.id == written.id && now != written);
            entry.commands_dirty |= commands.iter().any(moved);
        });
        self.finish(uid, effects)
    }

    /// Tells those who follow, and drops what is too large to be sent.
    fn finish(&self, uid: InstanceUid, effects: Effects) -> ServerToAgent {
        let Effects { reply, events, changed, .. } = effects;
        if changed {
            self.changed(uid);
        }
        self.stream.publish(events);
        let reply = self.within_limit(uid, reply);
        self.metrics.count_offer(&reply);
        reply
    }
}

/// An answer under the uid that the agent still uses, with the one that it has (OpAMP S052).
fn readdress(mut reply: ServerToAgent, wire: InstanceUid, uid: InstanceUid) -> ServerToAgent {
    reply.instance_uid = wire.to_wire();
    if reply.error_response.is_none() && reply.command.is_none() {
        reply.agent_identification = offer::rename(wire.to_wire(), &uid).agent_identification;
    }
    reply
}

/// The bodies that a message may take the place of, to be let go of.
fn held_bodies(entry: &Entry, message: &AgentToServer) -> Vec<Arc<[u8]>> {
    let reported = entry.agent.reported();
    let mut held = Vec::new();
    let mut hold = |replaced: bool, body: Option<&Arc<[u8]>>| held.extend(body.filter(|_| replaced).cloned());
    hold(message.effective_config.is_some(), reported.effective_config.as_ref().map(Fact::encoded));
    hold(message.custom_capabilities.is_some(), reported.custom_capabilities.as_ref().map(Fact::encoded));
    hold(message.available_components.is_some(), reported.available_components.as_ref().map(Fact::encoded));
    hold(message.package_statuses.is_some(), reported.package_statuses.as_ref().map(Fact::encoded));
    held
}

/// True when nothing waits for an agent and nothing is expected of it but heartbeats.
fn is_settled(entry: &Entry, reply: &ServerToAgent) -> bool {
    let says_more = reply.flags != 0
        || reply.remote_config.is_some()
        || reply.connection_settings.is_some()
        || reply.packages_available.is_some()
        || reply.agent_identification.is_some()
        || reply.command.is_some()
        || reply.custom_message.is_some();
    !says_more
        && entry.agent.full_state_asked_at.is_none()
        && matches!(entry.agent.sequence, Sequence::Exact(_))
        && axes::config_value(&entry.agent).0 != axes::ConfigState::Pending
        && entry.commands.iter().all(Command::has_ended)
}

fn written_command(write: &Write) -> Option<Command> {
    match write {
        Write::Command(command) => Some((**command).clone()),
        _ => None,
    }
}

/// A message that says nothing to the same agent.
fn bare(message: &ServerToAgent) -> ServerToAgent {
    ServerToAgent { instance_uid: message.instance_uid.clone(), ..ServerToAgent::default() }
}

fn sent_write(entry: &Entry, sent: Option<&CommandId>) -> Vec<Write> {
    let command = sent.and_then(|id| entry.commands.iter().find(|command| command.id == *id));
    command.into_iter().map(|command: &Command| Write::Command(Box::new(command.clone()))).collect()
}

/// A command whose departure could not be stored does not leave.
fn unsend(entry: &mut Entry, sent: Option<&CommandId>) {
    let still_sent =
        |command: &&mut Command| Some(&command.id) == sent && command.state == CommandState::Sent;
    if let Some(command) = entry.commands.iter_mut().find(still_sent) {
        command.state = CommandState::Queued;
        command.sent_at = None;
    }
}
