//! What keeps the plane within its bounds: who is let in, how much is in work, how fast anyone may speak.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::budget::{Budget, PATIENCE};
use super::reload::Reloaded;
use super::throttle::Throttle;
use super::tokens::Tokens;
use super::vigil::Waits;
use crate::rate::Allowance;
use crate::settings::Settings;

/// Clients that can be told at once that there is no room for them; it takes a descriptor and a moment each.
const REFUSALS: usize = 64;

/// Descriptors that are not for agents: the store, the planes, operators, refusals, the log.
const OWN_DESCRIPTORS: u64 = 256;

/// Sockets that are closed a second by a server that stops, unless that would take longer than it may.
const CLOSES_PER_SECOND: u64 = 200;

/// The bounds of the agents' plane.
pub(crate) struct Guard {
    connections: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    handshakes: Arc<Semaphore>,
    pub(crate) budget: Budget,
    pub(crate) throttle: Throttle,
    pub(crate) times: Times,
    pub(crate) max_frame_bytes: Option<usize>,
    retry_after: Duration,
    pub(crate) tokens: Option<Arc<Reloaded<Tokens>>>,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// A TLS handshake, and then the head of the first request.
    pub(crate) handshake: Duration,
    /// The body of a request.
    pub(crate) body: Duration,
    /// What sockets wait for.
    pub(crate) waits: Waits,
    /// The end of all sockets.
    drain: Duration,
}

/// How a client is received; held as long as it is there.
#[derive(Debug)]
pub(crate) struct Entrance {
    _place: OwnedSemaphorePermit,
    /// It is told that there is no room, and no more.
    pub(crate) refused: bool,
}

impl Guard {
    pub(crate) fn new(settings: &Settings, tokens: Option<Arc<Reloaded<Tokens>>>) -> Self {
        let (agents, limits) = (&settings.agents, &settings.limits);
        let semaphore = |permits: usize| Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)));
        Self {
            connections: semaphore(within_descriptors(limits.max_connections)),
            refusals: semaphore(REFUSALS),
            handshakes: semaphore(limits.max_handshakes),
            budget: Budget::new(limits.max_bytes_in_flight),
            throttle: Throttle::new(Allowance::new(limits.messages_per_second, limits.message_burst)),
            times: Times {
                handshake: agents.handshake_timeout,
                body: agents.message_timeout,
                waits: Waits {
                    first_message: milliseconds(agents.first_message_timeout),
                    message: milliseconds(agents.message_timeout),
                    ping: milliseconds(agents.ping_interval),
                },
                drain: agents.drain,
            },
            max_frame_bytes: agents.max_frame_bytes,
            retry_after: limits.retry_after,
            tokens,
        }
    }

    /// Receives a client. Where it can be neither served nor refused, it waits until it can.
    pub(crate) async fn receive(&self) -> Option<Entrance> {
        if let Ok(permit) = Arc::clone(&self.connections).try_acquire_owned() {
            return Some(Entrance { _place: permit, refused: false });
        }
        let place = Arc::clone(&self.refusals).acquire_owned().await.ok()?;
        Some(Entrance { _place: place, refused: true })
    }

    /// Takes a place among the handshakes and requests in progress, in order of arrival; `None` when none is free in
    /// time.
    pub(crate) async fn begin(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&self.handshakes).try_acquire_owned() {
            return Some(permit);
        }
        let waiting = Box::pin(Arc::clone(&self.handshakes).acquire_owned());
        tokio::time::timeout(PATIENCE, waiting).await.ok().and_then(Result::ok)
    }

    /// How long a client that is refused now should wait: its own time, so that not all come back at once.
    pub(crate) fn retry_after(&self) -> Duration {
        spread(self.retry_after, chance())
    }

    /// After how long one of so many sockets is closed when the server stops, in milliseconds.
    pub(crate) fn leave_after(&self, sockets: u64) -> u64 {
        leave_after(self.times.drain, sockets, chance())
    }
}

/// A number that nobody foresees.
fn chance() -> u32 {
    let mut random = [0; 4];
    // Without randomness all wait equally long: worse, not wrong.
    let _ = getrandom::fill(&mut random);
    u32::from_le_bytes(random)
}

/// A duration and up to as much again, in whole seconds (OpAMP S175, S176).
fn spread(least: Duration, chance: u32) -> Duration {
    let least = least.as_secs().max(1);
    Duration::from_secs(least + least * u64::from(chance) / u64::from(u32::MAX))
}

/// Few sockets are closed at once, many over the whole time (OpAMP S177).
fn leave_after(drain: Duration, sockets: u64, chance: u32) -> u64 {
    let most = milliseconds(drain).min(sockets.saturating_mul(1000) / CLOSES_PER_SECOND);
    most * u64::from(chance) / u64::from(u32::MAX)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX >> 8)
}

/// A bound on connections that leaves descriptors to say no with.
fn within_descriptors(max_connections: usize) -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let room = limit.map_or(u64::MAX, |limit| limit.saturating_sub(OWN_DESCRIPTORS).max(limit / 2));
    let room = usize::try_from(room).unwrap_or(usize::MAX).max(1);
    if room < max_connections {
        tracing::info!(
            "at most {room} connections of agents are taken: the limit of open files allows no more"
        );
    }
    max_connections.min(room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_hundred_refusals_when_each_is_told_to_wait_then_the_times_spread_above_the_least() {
        let least = Duration::from_secs(30);
        assert_eq!(spread(least, 0), least);
        assert_eq!(spread(least, u32::MAX), 2 * least);
        assert_eq!(spread(Duration::ZERO, 0), Duration::from_secs(1));
        let steps: std::collections::BTreeSet<_> =
            (0..100).map(|step| spread(least, u32::MAX / 100 * step)).collect();
        assert!(steps.len() >= 30, "{steps:?}");
    }

    #[test]
    fn given_sockets_when_the_server_stops_then_few_leave_at_once_and_many_over_the_whole_time() {
        let drain = Duration::from_secs(5);
        assert_eq!(leave_after(drain, 2, u32::MAX), 10);
        assert_eq!(leave_after(drain, 200, u32::MAX), 1_000);
        assert_eq!(leave_after(drain, 1_000_000, u32::MAX), 5_000);
        assert_eq!(leave_after(drain, 1_000_000, 0), 0);
        assert_eq!(leave_after(Duration::ZERO, 1_000_000, u32::MAX), 0);
    }
}
