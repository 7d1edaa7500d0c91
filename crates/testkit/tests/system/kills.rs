//! A server that is killed at random moments under load: nothing that it acknowledged is lost, nothing that it sent is
//! sent twice, and its store is sound.
//!
//! `TIDEGATE_KILL_ROUNDS` sets how often it is killed, `TIDEGATE_KILL_SEED` how; a failure prints its seed.

#[path = "kills/ledger.rs"]
mod ledger;
#[path = "kills/operator.rs"]
mod operator;
#[path = "kills/peer.rs"]
mod peer;
#[path = "kills/verdict.rs"]
mod verdict;
#[path = "kills/wire.rs"]
mod wire;

use std::sync::Arc;
use std::time::Duration;

use tidegate_testkit::fleet::{Scene, ServerProcess, eventually, program};
use tokio::sync::watch;

use ledger::Ledger;
use operator::Habit;
use peer::Peer;

/// Kills of a run that is not told otherwise.
const ROUNDS: u64 = 6;

/// Agents; every second one holds a WebSocket.
const PEERS: u8 = 8;

/// The longest that a server lives once load is on, in milliseconds.
const LONGEST_MS: u64 = 900;

/// Numbers that look random and are the same for one seed.
#[derive(Clone, Debug)]
struct Dice(u64);

impl Dice {
    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// S161, ruling A16, decision D1.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn given_load_when_the_server_is_killed_at_random_then_nothing_acknowledged_is_lost_or_done_twice() {
    let rounds = number("TIDEGATE_KILL_ROUNDS").unwrap_or(ROUNDS);
    let of_clock = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos().into();
    let seed = number("TIDEGATE_KILL_SEED").unwrap_or(of_clock);
    println!("TIDEGATE_KILL_SEED={seed} TIDEGATE_KILL_ROUNDS={rounds}");
    let mut dice = Dice(seed);
    let scene = Scene::new("kills");
    let data_dir = scene.path().join("server");
    let ledger = Arc::new(Ledger::default());
    let mut peers: Vec<_> = (0..PEERS).map(|number| Peer::new(number, Arc::clone(&ledger))).collect();
    let mut server = ServerProcess::start(&data_dir).await;
    for round in 0..rounds {
        let (stop, stopped) = watch::channel(false);
        let running: Vec<_> = peers
            .drain(..)
            .map(|peer| tokio::spawn(peer.live(server.agents, Dice(dice.below(u64::MAX)), stopped.clone())))
            .collect();
        eventually("agents of the server", Duration::from_secs(40), async || {
            let known = server.api.all_agents("").await.map_err(|error| error.to_string())?.len();
            if known == usize::from(PEERS) { Ok(()) } else { Err(format!("{known} are known")) }
        })
        .await;
        let acts: Vec<_> = [Habit::Push, Habit::Command, Habit::Command]
            .into_iter()
            .map(|habit| {
                let (ledger, api) = (Arc::clone(&ledger), server.api.clone());
                tokio::spawn(operator::act(habit, api, ledger, Dice(dice.below(u64::MAX)), stopped.clone()))
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(20 + dice.below(LONGEST_MS))).await;
        server.kill();
        stop.send(true).unwrap();
        for task in running {
            peers.push(task.await.unwrap());
        }
        for task in acts {
            task.await.unwrap();
        }
        // What the kill left behind, before any server has looked at it.
        let check = std::process::Command::new(program("tidegate-server"))
            .args(["check", "--data-dir"])
            .arg(&data_dir)
            .output()
            .unwrap();
        assert!(check.status.success(), "seed {seed}, round {round}: {check:?}");
        server.start_again().await;
        verdict::holds(&server.api, &ledger, &format!("seed {seed}, round {round}")).await;
    }
    let told = ledger.told();
    println!("{rounds} kills: {told}; lost 0, sent twice 0");
    // A load that acknowledges nothing would prove nothing.
    assert!(ledger.is_worth_something(), "{told}");
}
