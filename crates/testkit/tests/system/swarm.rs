//! The swarm against a server: what its agents say is what the server shows.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tidegate_server::settings::{TlsSettings, TlsVersion};
use tidegate_testkit::fleet::{SOON, Scene, Server, eventually, push_settled, settings, yaml};
use tidegate_testkit::swarm::Swarm;
use tidegate_testkit::swarm::agent::Behaviour;
use tidegate_testkit::swarm::options::Options;
use tidegate_testkit::swarm::report::{Done, Report};
use tidegate_testkit::swarm::tls::Trust;

use crate::steps::push;

/// A swarm in a thread of its own, which ends with its commands.
struct Driven {
    commands: SyncSender<String>,
    answers: Receiver<Done>,
}

impl Driven {
    fn start(server: &Server, scheme: &str) -> Self {
        Self::with(server, scheme, |options| options)
    }

    fn with(server: &Server, scheme: &str, change: impl FnOnce(Options) -> Options) -> Self {
        let (commands, lines) = sync_channel::<String>(4);
        let (say, answers) = sync_channel(4);
        let options = change(Options {
            behaviour: Behaviour {
                accept_least: Duration::from_millis(10),
                accept_most: Duration::from_millis(200),
                failure_share: 0.3,
                ..Behaviour::default()
            },
            // Polls bring offers; sockets do without.
            heartbeat: Duration::from_millis(if scheme == "http" { 300 } else { 0 }),
            spread: Duration::from_millis(200),
            patience: SOON,
            ..Options::new(&server.endpoint(scheme)).unwrap()
        });
        std::thread::spawn(move || {
            let swarm = Swarm::new(options).unwrap();
            swarm.run(&lines, |done| say.send(done.clone()).unwrap()).unwrap();
        });
        Self { commands, answers }
    }

    fn obey(&self, line: &str) -> Report {
        self.commands.send(line.to_owned()).unwrap();
        let done = self.answers.recv_timeout(SOON * 2).unwrap();
        assert!(done.ok, "{done:?}");
        done.report
    }
}

async fn connected(server: &Server, wanted: usize) {
    eventually(&format!("{wanted} connected agents"), SOON, async || {
        let found = server.api.all_agents("connection:connected").await.map_err(|e| e.to_string())?.len();
        if found == wanted { Ok(()) } else { Err(found.to_string()) }
    })
    .await;
}

#[tokio::test]
async fn given_fifty_agents_of_each_transport_when_a_config_is_pushed_and_a_storm_comes_then_all_is_as_they_say()
 {
    for scheme in ["ws", "http"] {
        let scene = Scene::new(&format!("swarm {scheme}"));
        let server = Server::start(scene.path()).await;
        let swarm = Driven::start(&server, scheme);
        assert_eq!(swarm.obey("connect 50").answered, 50);
        connected(&server, 50).await;
        assert_eq!(server.api.all_agents("health:healthy").await.unwrap().len(), 50);

        swarm.obey("mark");
        let pushed = push(&server.api, "name:*", "a.yaml", &yaml("remote", "")).await;
        let settled = swarm.obey("wait-settled 50 30s").counts;
        let summary = push_settled(&server.api, &pushed.id, SOON).await.summary;
        assert_eq!((summary.proven, summary.failed), (settled.applied, settled.failed));
        assert_eq!(summary.proven + summary.failed, 50, "{summary:?}");
        assert!(settled.applied > 0 && settled.failed > 0 && settled.offers == 50, "{settled:?}");

        swarm.obey("mark");
        let back = swarm.obey("storm 50%");
        assert_eq!(back.answered, 50);
        assert!((5..45).contains(&back.counts.connects), "{back:?}");
        assert_eq!(back.counts.full_states, 0, "numbers go on: {back:?}");
        connected(&server, 50).await;

        let steady = swarm.obey("heartbeats 200 1s").counts;
        assert!(steady.replies > 50 && steady.bad_requests == 0 && steady.malformed == 0, "{steady:?}");
    }
}

#[tokio::test]
async fn given_a_server_with_tls_when_agents_trust_it_then_they_are_taken_and_others_turn_away() {
    let scene = Scene::new("swarm tls");
    let names = ["127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let cert = scene.write("cert.pem", &made.cert.pem());
    let key = scene.write("key.pem", &made.signing_key.serialize_pem());
    let mut settings = settings(&scene.path().join("server"), 0, 0);
    settings.agents.tls = Some(TlsSettings { cert: cert.clone(), key, min_version: TlsVersion::V1_2 });
    let server = Server::start_with(settings).await;
    for (scheme, seed) in [("wss", 1), ("https", 2)] {
        let swarm = Driven::with(&server, scheme, |options| Options {
            trust: Some(Trust::File(cert.clone())),
            seed,
            ..options
        });
        assert_eq!(swarm.obey("connect 50").answered, 50);
        connected(&server, 50).await;
        assert_eq!(swarm.obey("storm 50%").answered, 50);
        let counts = swarm.obey("heartbeats 100 1s").counts;
        assert!(counts.replies > 50 && counts.malformed == 0, "{counts:?}");
        // They are gone before the next ones come.
        assert_eq!(swarm.obey("leave 100%").agents, 0);
    }
    let other = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let stranger = scene.write("stranger.pem", &other.cert.pem());
    let wary = Driven::with(&server, "wss", |options| Options {
        trust: Some(Trust::File(stranger)),
        patience: Duration::from_secs(1),
        ..options
    });
    wary.commands.send("connect 3 small".to_owned()).unwrap();
    let refused = wary.answers.recv_timeout(SOON).unwrap();
    assert!(!refused.ok && refused.why.contains("certificate"), "{refused:?}");
}

#[tokio::test]
async fn given_agents_on_few_sockets_when_they_connect_then_each_is_known_and_those_that_leave_are_departed()
{
    let scene = Scene::new("swarm mux");
    let server = Server::start(scene.path()).await;
    let swarm = Driven::start(&server, "ws");
    assert_eq!(swarm.obey("connect 60 small mux 20").counts.connects, 3);
    connected(&server, 60).await;
    swarm.obey("connect 10 health");
    connected(&server, 70).await;
    assert_eq!(swarm.obey("leave 100%").agents, 0);
    eventually("departed agents", SOON, async || {
        let found = server.api.all_agents("connection:departed").await.map_err(|e| e.to_string())?.len();
        if found == 70 { Ok(()) } else { Err(found.to_string()) }
    })
    .await;
}

#[tokio::test]
async fn given_agents_that_die_when_their_sockets_break_then_the_server_sees_them_disconnected() {
    let scene = Scene::new("swarm dies");
    let server = Server::start(scene.path()).await;
    let swarm = Driven::start(&server, "ws");
    swarm.obey("connect 20 small");
    let left = swarm.obey("die 50%").agents;
    assert!((2..18).contains(&left), "{left}");
    connected(&server, usize::try_from(left).unwrap()).await;
}
