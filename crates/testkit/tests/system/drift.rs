//! A day of one agent on a clock of the test's own: what its supervisor reports, beside what its server compares it with.
//! The machine that holds the config, the protocol's machine and the server's session are the real ones; only the
//! process is not there, and messages go from hand to hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tidegate_fleet::agent::axes::{ConfigState, Proof, config_value};
use tidegate_fleet::agent::{Assignment, Desired, Limits, Sequence, Transport};
use tidegate_fleet::offer::{self, Occasion, Profile};
use tidegate_fleet::session::{self, Arrival, FullState};
use tidegate_fleet::{Agent, Config, PushId, Timestamp};
use tidegate_fluent::redact::secrets;
use tidegate_opamp::{
    AgentConfigMap, AgentConfigObject, AgentRemoteConfig, AgentToServer, ComponentHealth, InstanceUid,
    Message as _, RemoteConfigStatus, RemoteConfigStatuses, ServerCapabilities, ServerToAgent, config_hash,
};
use tidegate_supervisor::agent::AgentReport;
use tidegate_supervisor::apply::{self, OfferedFile, OfferedFiles};
use tidegate_supervisor::child::LogTail;
use tidegate_supervisor::client::{Core, CoreSettings, Effect, Loss, capabilities};
use tidegate_supervisor::hex::hex;
use tidegate_supervisor::kind::fluent_bit::FluentBit;
use tidegate_supervisor::machine::{ConfigLimits, Fixed, Loaded, Machine, Origin, Ports};
use tidegate_supervisor::report::{Host, Publisher};
use tidegate_supervisor::state::{Entry, StateDir};
use tokio::sync::watch;

/// Forced keys that the config sets otherwise, includes, secrets of every kind, what only looks like a change.
const MAIN: &str = "\
service:
  flush: 1
  http_server: off
  http_listen: 0.0.0.0
  http_port: 2021
  hot_reload: off
  daemon: on
  log_file: /var/log/fb.log
  parsers_file: parsers.conf
env:
  DB_PASSWORD: s3cr3t-env
includes:
  - more.yaml
pipeline:
  inputs:
    - name: dummy
      alias: own
      dummy: '{\"a\": 1}'   # no secret
  outputs:
    - name: http
      alias: web
      match: '*'
      host: 127.0.0.1
      http_user: bob
      http_passwd: s3cr3t-passwd
      header: Authorization Bearer s3cr3t-bearer
      uri: /v1?api_key=s3cr3t-query
    # - shared_key: s3cr3t-comment
";
const MORE: &str = "pipeline:\n  outputs:\n    - name: 'null'\n      alias: sink\n      match: '*'\n";
const PARSERS: &str = "[PARSER]\n    Name token\n    Format json\n# token s3cr3t-parser\n";

/// The main file with another password.
fn rotated() -> String {
    MAIN.replace("s3cr3t-passwd", "s3cr3t-other")
}

fn files(main: &str) -> AgentConfigMap {
    let object = |(name, body): (&str, &str)| {
        let body = body.as_bytes().to_vec().into();
        (name.to_owned(), AgentConfigObject { body, ..AgentConfigObject::default() })
    };
    let files = [("main.yaml", main), ("more.yaml", MORE), ("parsers.conf", PARSERS)];
    AgentConfigMap { config_map: files.map(object).into(), ..AgentConfigMap::default() }
}

struct Day {
    folder: TempDir,
    start: Instant,
    minute: u64,
    /// Files are read beside everything else.
    runtime: tokio::runtime::Runtime,
    // The supervisor.
    machine: Option<Machine>,
    publisher: Publisher,
    reports: watch::Receiver<AgentReport>,
    core: Core,
    // The server.
    agent: Agent,
    occasion: Occasion,
    ask: bool,
    /// Everything that was said on the way.
    wire: Vec<Vec<u8>>,
}

fn uid() -> InstanceUid {
    "01902d3c-7a5e-7000-8000-00000000abcd".parse().unwrap()
}

fn core(report: AgentReport) -> Core {
    let settings = CoreSettings {
        capabilities: capabilities(true, true),
        custom_capabilities: Vec::new(),
        heartbeat: Duration::from_secs(30),
        max_message_bytes: 1 << 20,
    };
    Core::new(settings, uid(), 0, report)
}

impl Day {
    fn new() -> Self {
        let (publisher, reports) = Publisher::new(AgentReport::default());
        let core = core(AgentReport::default());
        let agent = Agent::new(uid(), Timestamp(0));
        let folder = tempfile::tempdir().unwrap();
        let (start, occasion) = (Instant::now(), Occasion::Introduction);
        let (minute, machine, ask, wire) = (0, None, false, Vec::new());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { folder, start, minute, runtime, machine, publisher, reports, core, agent, occasion, ask, wire }
    }

    fn time(&self) -> Timestamp {
        Timestamp(1_750_000_000_000 + self.minute * 60_000)
    }

    fn desire(&mut self, files: AgentConfigMap) {
        let config = Config::new(files, self.time());
        let assignment = Assignment { config, push: PushId("p".into()), since: self.time() };
        self.agent.assign(Some(Desired::new(Arc::new(assignment))));
    }

    /// The supervisor has a config rendered anew, as it does at each start and apply; on another port each time.
    fn run(&mut self, entry: &Entry, offered: Option<&OfferedFiles>) {
        self.machine = None;
        let state = StateDir::open(&self.folder.path().join("state")).unwrap();
        let stored = match offered {
            Some(offered) => {
                apply::store(&state, &entry.content, offered).unwrap();
                offered.clone()
            }
            // As the next supervisor finds it.
            None => apply::load(&state, &entry.content).unwrap(),
        };
        let (source, shown) = apply::shown(&state, &entry.content, &stored);
        let fixed = Fixed {
            kind: Arc::new(FluentBit),
            binary: "/nowhere".into(),
            uid: uid(),
            host: Host::of_this_machine(),
            attributes: BTreeMap::new(),
            redaction: Some(state.redaction_key().unwrap()),
            metrics_interval: None,
            own_telemetry: None,
            limits: ConfigLimits::default(),
            cwd: state.run(),
        };
        let log = LogTail::open(&state.log()).unwrap();
        let origin = Origin::Offered(entry.clone());
        let preparing = Loaded::prepare(&fixed, &state, origin, source, shown, Ports::default());
        let loaded = self.runtime.block_on(preparing).unwrap();
        let machine = Machine::new(fixed, state, log, "5.1.1".into(), loaded, self.publisher.clone());
        machine.report_config();
        self.machine = Some(machine);
    }

    fn entry(&self) -> Entry {
        let hash = self.agent.desired().unwrap().config.hash;
        Entry { hash: hex(&hash.0), content: hash.to_string() }
    }

    /// Applies an offer, as the process side does.
    fn apply(&mut self, offer: &AgentRemoteConfig) {
        let map = offer.config.clone().unwrap();
        let entry = Entry { hash: hex(&offer.config_hash), content: config_hash(&map).to_string() };
        let file = |(name, object): (&String, &AgentConfigObject)| OfferedFile {
            name: name.clone(),
            path: name.clone(),
            body: object.body.clone(),
            content_type: object.content_type.clone(),
            role: object.role.clone(),
        };
        let offered = OfferedFiles { files: map.config_map.iter().map(file).collect(), main: 0 };
        self.run(&entry, Some(&offered));
        self.publisher.remote_config_status(RemoteConfigStatus {
            last_remote_config_hash: offer.config_hash.clone(),
            status: RemoteConfigStatuses::Applied,
            ..RemoteConfigStatus::default()
        });
    }

    /// Messages to and fro until nothing is due.
    fn talk(&mut self) {
        let now = self.start + Duration::from_secs(60 * self.minute);
        for _ in 0..20 {
            self.core.report(self.reports.borrow().clone());
            let Some(message) = self.core.take(now) else { return };
            let bytes = message.encode_to_vec();
            let message = AgentToServer::decode(&*bytes).unwrap();
            self.wire.push(bytes);
            let reply = self.serve(message);
            for effect in self.core.received(reply) {
                if let Effect::Apply(offer) = effect {
                    self.apply(&offer);
                }
            }
        }
        unreachable!("the two do not come to rest");
    }

    /// The server's part.
    fn serve(&mut self, message: AgentToServer) -> ServerToAgent {
        let now = self.time();
        let arrival = Arrival { now, transport: Transport::WebSocket };
        let received =
            session::receive(&mut self.agent, &mut [], message, arrival, &Limits::default()).unwrap();
        let ask = std::mem::take(&mut self.ask) || received.full_state != FullState::Complete;
        if received.full_state == FullState::AskPaced {
            session::asked(&mut self.agent, now);
        }
        let profile = Profile {
            capabilities: ServerCapabilities::ACCEPTS_STATUS
                .with(ServerCapabilities::OFFERS_REMOTE_CONFIG)
                .with(ServerCapabilities::ACCEPTS_EFFECTIVE_CONFIG),
            custom_capabilities: Vec::new(),
        };
        let occasion = std::mem::replace(&mut self.occasion, Occasion::Reply);
        offer::build(&mut self.agent, &mut [], &profile, occasion, ask, now).message
    }

    fn stands(&self) -> (ConfigState, Option<Proof>) {
        config_value(&self.agent)
    }

    /// What a minute of a rough day brings.
    fn happens(&mut self) {
        let each = |minutes: u64| self.minute.is_multiple_of(minutes);
        let healthy = !each(7);
        let health = ComponentHealth { healthy, status: "running".to_owned(), ..ComponentHealth::default() };
        let (restart, upgrade, reconnect, full, crash) = (each(97), each(61), each(37), each(53), each(113));
        self.publisher.health(health);
        if restart {
            // The agent crashed, or was restarted; its port is another one.
            self.run(&self.entry(), None);
        }
        if upgrade {
            // Another supervisor takes over, and speaks for the agent from its first number on.
            let (publisher, reports) = Publisher::new(AgentReport::default());
            publisher.remote_config_status(
                (**self.reports.borrow().remote_config_status.as_ref().unwrap()).clone(),
            );
            (self.publisher, self.reports) = (publisher, reports);
            self.run(&self.entry(), None);
            self.core = core(self.reports.borrow().clone());
            self.occasion = Occasion::Introduction;
        }
        if reconnect {
            self.core.lost(Loss::Disconnected);
            self.core.connected();
            self.occasion = Occasion::Introduction;
        }
        if crash && let Sequence::Exact(number) = self.agent.sequence {
            // The server crashed: what it knows is what it has stored.
            self.agent.sequence = Sequence::AtLeast(number);
            let reported = self.agent.reported().clone();
            self.agent.restore(reported);
        }
        self.ask |= full;
    }
}

/// C085: over 24 hours of restarts, upgrades, reconnects and requests for everything a config with forced keys, secrets
/// and includes never shows drift; one that drifts does, and no secret was on the way.
#[test]
fn given_a_config_with_forced_keys_secrets_and_includes_when_a_day_passes_then_no_drift_shows_but_where_there_is_one()
 {
    let mut day = Day::new();
    day.desire(files(MAIN));
    day.talk();
    assert_eq!(day.stands(), (ConfigState::InSync, Some(Proof::Proven)), "{:?}", day.agent.reported());
    for minute in 1..=24 * 60 {
        day.minute = minute;
        day.happens();
        day.talk();
        assert_eq!(day.stands(), (ConfigState::InSync, Some(Proof::Proven)), "minute {minute}");
    }
    assert!(day.wire.len() > 24 * 60, "{} messages", day.wire.len());

    // Another secret is pushed, and taken; then the files on the host are changed back behind the supervisor's back.
    day.minute += 1;
    day.desire(files(&rotated()));
    day.talk();
    day.minute += 1;
    day.talk();
    assert_eq!(day.stands(), (ConfigState::InSync, Some(Proof::Proven)));
    let entry = day.entry();
    let path = day.folder.path().join("state/configs").join(&entry.content).join("files/main.yaml");
    std::fs::write(path, MAIN).unwrap();
    day.minute += 1;
    day.run(&entry, None);
    day.talk();
    assert_eq!(day.stands().0, ConfigState::Drifted, "one secret is another one");

    let all = [MAIN, &rotated(), MORE, PARSERS].concat();
    let found: Vec<_> = secrets(&all).filter(|secret| secret.contains("s3cr3t")).collect();
    assert!(found.len() >= 10, "{found:?}");
    assert!(!day.wire.iter().any(|bytes| contains(bytes, b"s3cr3t")), "a secret was on the way");
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
