//! One simulated agent: what it says and how it answers, as values in and values out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use tidegate_custom::chatops::{Execution, Failure, Success};
use tidegate_opamp::{
    AgentCapabilities, AgentDisconnect, AgentRemoteConfig, AgentToServer, CommandType,
    ConnectionSettingsOffers, ConnectionSettingsStatus, ConnectionSettingsStatuses, CustomCapabilities,
    CustomMessage, EffectiveConfig, InstanceUid, RemoteConfigStatus, RemoteConfigStatuses,
    ServerErrorResponse, ServerErrorResponseType, ServerToAgent, server_to_agent_flags,
};

use super::load::{self, Load};
use super::outcome::{Act, Due, Note, Outcome};
use super::random::Random;

/// The name under which a supervisor of ours reports what really runs.
const RENDERED: &str = "tidegate/rendered";

/// What stands before an offered config in the rendered one.
const FORCED: &[u8] = b"# rendered: http_server on\n";

/// How long an agent waits when a server that is unavailable does not say.
const UNAVAILABLE_WAIT: Duration = Duration::from_secs(30);

/// What a first report holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// The description.
    Small,
    /// That and the health tree.
    Health,
    /// That and a config of 32 KB.
    Full,
}

/// How agents behave.
#[derive(Clone, Copy, Debug)]
pub struct Behaviour {
    /// Least time from an offer to its outcome.
    pub accept_least: Duration,
    /// Most time for that.
    pub accept_most: Duration,
    /// Share of offers that fail, from 0 to 1.
    pub failure_share: f64,
    /// Most time from a restart command to the new process.
    pub restart_most: Duration,
    /// Whether a reconnect brings everything again, as some clients do; a supervisor of ours brings what changed.
    pub full_reconnect: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            accept_least: Duration::from_millis(500),
            accept_most: Duration::from_secs(2),
            failure_share: 0.0,
            restart_most: Duration::from_millis(500),
            full_reconnect: false,
        }
    }
}

/// What the agents of a swarm share.
#[derive(Debug)]
pub struct World {
    /// What they report.
    pub load: Load,
    /// How they behave.
    pub behaviour: Behaviour,
    /// Offers by hash: an offer to thousands is kept once.
    pub offers: HashMap<Bytes, Arc<AgentRemoteConfig>>,
}

/// One agent.
#[derive(Debug)]
pub struct Agent {
    /// Its number in the swarm.
    pub index: u32,
    /// Its uid, which the server may change.
    pub uid: InstanceUid,
    profile: Profile,
    sequence: u64,
    /// When its process started, nanoseconds since 1970.
    started: u64,
    /// The component that does not work.
    sick: Option<u64>,
    random: Random,
    /// The offer at hand or the last one, with its number.
    offer: Option<(u32, Arc<AgentRemoteConfig>)>,
    status: Option<RemoteConfigStatuses>,
    /// The offer that runs.
    runs: Option<Arc<AgentRemoteConfig>>,
    introduced: bool,
}

/// What every agent here can do.
#[must_use]
pub const fn capabilities() -> AgentCapabilities {
    AgentCapabilities::REPORTS_STATUS
        .with(AgentCapabilities::ACCEPTS_REMOTE_CONFIG)
        .with(AgentCapabilities::REPORTS_REMOTE_CONFIG)
        .with(AgentCapabilities::REPORTS_EFFECTIVE_CONFIG)
        .with(AgentCapabilities::REPORTS_HEALTH)
        .with(AgentCapabilities::REPORTS_HEARTBEAT)
        .with(AgentCapabilities::ACCEPTS_RESTART_COMMAND)
        .with(AgentCapabilities::ACCEPTS_OPAMP_CONNECTION_SETTINGS)
        .with(AgentCapabilities::REPORTS_CONNECTION_SETTINGS_STATUS)
}

impl Agent {
    /// The agent of this number; `now` is in nanoseconds since 1970.
    #[must_use]
    pub fn new(index: u32, profile: Profile, world: &World, now: u64) -> Self {
        let uid = world.load.uid(index);
        let mut random = Random::new(u64::from(index) + 1, 77);
        // Processes are between a minute and ten days old.
        let age = random.between(Duration::from_secs(60), Duration::from_secs(864_000));
        Self {
            index,
            uid,
            profile,
            sequence: 0,
            started: now.saturating_sub(u64::try_from(age.as_nanos()).unwrap_or(0)),
            sick: None,
            random,
            offer: None,
            status: None,
            runs: None,
            introduced: false,
        }
    }

    /// The first message on a connection.
    pub fn greet(&mut self, world: &World, now: u64) -> AgentToServer {
        if self.introduced && !world.behaviour.full_reconnect {
            return self.heartbeat();
        }
        self.introduced = true;
        self.full(world, now)
    }

    /// Something was said that may not have been heard: the next greeting says everything.
    pub const fn forget(&mut self) {
        self.introduced = false;
    }

    /// A message that says only that it is there.
    pub fn heartbeat(&mut self) -> AgentToServer {
        self.sequence += 1;
        AgentToServer {
            instance_uid: self.uid.to_wire(),
            sequence_num: self.sequence,
            capabilities: capabilities().0,
            ..AgentToServer::default()
        }
    }

    /// A component fails, or recovers.
    pub fn change_health(&mut self, now: u64) -> AgentToServer {
        self.sick = match self.sick {
            Some(_) => None,
            None => Some(self.random.below(load::COMPONENTS)),
        };
        self.say(|message, agent| message.health = Some(agent.health(now)))
    }

    /// What its components have counted.
    pub fn digest(&mut self, now: u64) -> AgentToServer {
        let message = load::digest(self.index, self.started, now).to_message().ok();
        self.say(|say, _| say.custom_message = message)
    }

    /// The last message.
    pub fn farewell(&mut self) -> AgentToServer {
        self.say(|message, _| message.agent_disconnect = Some(AgentDisconnect::default()))
    }

    /// Takes the server's message.
    pub fn receive(&mut self, message: ServerToAgent, world: &mut World, now: u64) -> Outcome {
        let mut outcome = Outcome::default();
        if let Some(error) = &message.error_response {
            refused(error, &mut outcome);
            return outcome;
        }
        if let Some(identification) = &message.agent_identification
            && let Ok(uid) = InstanceUid::from_bytes(&identification.new_instance_uid)
        {
            self.uid = uid;
        }
        if message.command.as_ref().is_some_and(|command| command.kind == CommandType::Restart) {
            outcome.notes.push(Note::Restart);
            let delay = self.random.between(Duration::from_millis(50), world.behaviour.restart_most);
            outcome.acts.push(Act::Later(delay, Due::Restarted));
        }
        if let Some(config) = message.remote_config {
            self.offered(config, world, &mut outcome);
        }
        if let Some(settings) = message.connection_settings {
            self.set(&settings, &mut outcome);
        }
        if let Some(custom) = message.custom_message {
            outcome.notes.push(Note::Custom);
            if let Some(answer) = self.answer(&custom, world.behaviour.failure_share) {
                outcome.acts.push(send(self.say(|message, _| message.custom_message = Some(answer))));
            }
        }
        if message.flags & server_to_agent_flags::REPORT_FULL_STATE != 0 {
            outcome.notes.push(Note::FullState);
            outcome.acts.push(send(self.full(world, now)));
        }
        outcome
    }

    /// What it asked to be reminded of is due.
    pub fn due(&mut self, due: Due, world: &World, now: u64) -> Outcome {
        match due {
            Due::Restarted => {
                self.started = now;
                let message = self.say(|message, agent| message.health = Some(agent.health(now)));
                Outcome { acts: vec![send(message)], notes: Vec::new() }
            }
            Due::Settle(number) => self.settle(number, world),
        }
    }

    fn settle(&mut self, number: u32, world: &World) -> Outcome {
        let Some((_, offer)) = self.offer.as_ref().filter(|(current, _)| *current == number) else {
            // A newer offer came meanwhile, and it alone counts.
            return Outcome::default();
        };
        let offer = Arc::clone(offer);
        let fails = self.random.chance(world.behaviour.failure_share);
        let note = if fails {
            self.status = Some(RemoteConfigStatuses::Failed);
            Note::Failed
        } else {
            self.status = Some(RemoteConfigStatuses::Applied);
            self.runs = Some(offer);
            Note::Applied
        };
        let message = self.say(|message, agent| {
            message.remote_config_status = agent.config_status();
            if !fails {
                message.effective_config = agent.runs.as_ref().map(|runs| running(runs));
            }
        });
        Outcome { acts: vec![send(message)], notes: vec![note] }
    }

    fn offered(&mut self, config: AgentRemoteConfig, world: &mut World, outcome: &mut Outcome) {
        if self.offer.as_ref().is_some_and(|(_, offer)| offer.config_hash == config.config_hash) {
            outcome.notes.push(Note::OfferRepeated);
            return;
        }
        outcome.notes.push(Note::Offer);
        let hash = config.config_hash.clone();
        let shared = world.offers.entry(hash).or_insert_with(|| Arc::new(config));
        let number = self.offer.as_ref().map_or(0, |(number, _)| number + 1);
        self.offer = Some((number, Arc::clone(shared)));
        self.status = Some(RemoteConfigStatuses::Applying);
        outcome
            .acts
            .push(send(self.say(|message, agent| message.remote_config_status = agent.config_status())));
        let Behaviour { accept_least, accept_most, .. } = world.behaviour;
        outcome.acts.push(Act::Later(self.random.between(accept_least, accept_most), Due::Settle(number)));
    }

    fn set(&mut self, settings: &ConnectionSettingsOffers, outcome: &mut Outcome) {
        outcome.notes.push(Note::Settings);
        if let Some(opamp) = &settings.opamp {
            outcome.acts.push(Act::Heartbeat(Duration::from_secs(opamp.heartbeat_interval_seconds)));
        }
        let status = ConnectionSettingsStatus {
            last_connection_settings_hash: settings.hash.clone(),
            status: ConnectionSettingsStatuses::Applied,
            ..ConnectionSettingsStatus::default()
        };
        outcome.acts.push(send(self.say(|message, _| message.connection_settings_status = Some(status))));
    }

    fn answer(&mut self, custom: &CustomMessage, failure_share: f64) -> Option<CustomMessage> {
        let Ok(tidegate_custom::Message::ChatOpsRequest(request)) = tidegate_custom::parse(custom) else {
            return None;
        };
        let execution = request.id.map(|id| Execution::new(id, "{}", false, self.random.below(50)));
        if self.random.chance(failure_share) {
            let err_msg = "the local input answered with HTTP status 500".to_owned();
            return Failure { http_code: 500, err_msg, unknown: false, execution }
                .to_message(&custom.capability)
                .ok();
        }
        Success { http_code: 201, execution: execution? }.to_message(&custom.capability).ok()
    }

    fn full(&mut self, world: &World, now: u64) -> AgentToServer {
        self.say(|message, agent| {
            message.agent_description = Some(load::description(agent.index, &agent.uid));
            message.custom_capabilities = Some(CustomCapabilities {
                capabilities: [tidegate_custom::CHATOPS, tidegate_custom::METRICS].map(str::to_owned).into(),
                ..CustomCapabilities::default()
            });
            message.remote_config_status = agent.config_status();
            if agent.profile != Profile::Small {
                message.health = Some(agent.health(now));
            }
            if agent.profile == Profile::Full || agent.runs.is_some() {
                let own = || world.load.effective_config(agent.index);
                message.effective_config = Some(agent.runs.as_ref().map_or_else(own, |runs| running(runs)));
            }
        })
    }

    fn say(&mut self, fill: impl FnOnce(&mut AgentToServer, &Self)) -> AgentToServer {
        let mut message = self.heartbeat();
        fill(&mut message, self);
        message
    }

    fn health(&self, now: u64) -> tidegate_opamp::ComponentHealth {
        load::health(self.index, self.started, now, self.sick)
    }

    fn config_status(&self) -> Option<RemoteConfigStatus> {
        let (status, (_, offer)) = (self.status?, self.offer.as_ref()?);
        let error_message = if status == RemoteConfigStatuses::Failed {
            "the dry run refused it: [config] tail: unknown configuration property 'nosuch'".to_owned()
        } else {
            String::new()
        };
        let last_remote_config_hash = offer.config_hash.clone();
        Some(RemoteConfigStatus { last_remote_config_hash, status, error_message, ..Default::default() })
    }
}

fn send(message: AgentToServer) -> Act {
    Act::Send(Box::new(message))
}

fn refused(error: &ServerErrorResponse, outcome: &mut Outcome) {
    if error.kind != ServerErrorResponseType::Unavailable {
        outcome.notes.push(Note::BadRequest);
        return;
    }
    outcome.notes.push(Note::Unavailable);
    let nanos = error.retry_info.as_ref().map(|info| info.retry_after_nanoseconds);
    outcome.acts.push(Act::Hush(nanos.map_or(UNAVAILABLE_WAIT, Duration::from_nanos)));
}

/// The report of an offer that runs: its files and the rendered one.
fn running(offer: &AgentRemoteConfig) -> EffectiveConfig {
    let files = offer.config.as_ref().map(|config| config.config_map.clone()).unwrap_or_default();
    let main = files.values().next().map(|file| file.body.clone()).unwrap_or_default();
    let mut rendered = BytesMut::with_capacity(FORCED.len() + main.len());
    rendered.put_slice(FORCED);
    rendered.put_slice(&main);
    load::effective(files.into_iter().chain([(RENDERED.to_owned(), load::file(rendered.freeze(), ""))]))
}

#[cfg(test)]
#[path = "agent_tests.rs"]
mod tests;
