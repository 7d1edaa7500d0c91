//! Attempts to log in that failed, by the address that they came from. Pure: the time is an argument.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Failures from one address within [`WINDOW`] after which nobody there is let in for the rest of it.
const MOST_OF_ONE: u32 = 30;

/// Failures from all addresses together after which only those are let in that nothing failed from.
const MOST_OF_ALL: u32 = 1000;

const WINDOW: Duration = Duration::from_secs(60);

/// Most addresses that are remembered; the one that failed first gives way.
const MOST_PEERS: usize = 1000;

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// No such code or token, or one that is used up or too old.
    Wrong,
    /// Too many wrong ones came; again after this time.
    TooMany(Duration),
}

/// Where somebody calls from: an address, or a network of IPv6, all of which one host can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Peer(IpAddr);

impl Peer {
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = u128::from(address) >> 64 << 64;
                Self(Ipv6Addr::from(network).into())
            }
            address @ IpAddr::V4(_) => Self(address),
        }
    }
}

/// Failures since a moment.
#[derive(Clone, Copy, Debug)]
struct Count {
    since: Instant,
    failures: u32,
}

impl Count {
    fn is_live(&self, now: Instant) -> bool {
        now.duration_since(self.since) < WINDOW
    }

    fn wait(&self, now: Instant) -> Refused {
        Refused::TooMany(WINDOW.saturating_sub(now.duration_since(self.since)))
    }
}

#[derive(Debug, Default)]
pub(super) struct Attempts {
    all: Option<Count>,
    peers: HashMap<Peer, Count>,
}

impl Attempts {
    /// Lets in who has shown what is right, unless too many have failed of late.
    pub(super) fn judge(&mut self, peer: Peer, is_right: bool, now: Instant) -> Result<(), Refused> {
        let all = self.all.filter(|all| all.is_live(now)).unwrap_or(Count { since: now, failures: 0 });
        let one = self.peers.get(&peer).filter(|one| one.is_live(now)).copied();
        if let Some(one) = one {
            if one.failures >= MOST_OF_ONE {
                return Err(one.wait(now));
            }
            if all.failures >= MOST_OF_ALL {
                return Err(all.wait(now));
            }
        }
        if is_right {
            return Ok(());
        }
        self.all = Some(Count { failures: all.failures.saturating_add(1), ..all });
        let one = one.unwrap_or(Count { since: now, failures: 0 });
        self.note(peer, Count { failures: one.failures + 1, ..one }, now);
        Err(Refused::Wrong)
    }

    fn note(&mut self, peer: Peer, count: Count, now: Instant) {
        if self.peers.len() >= MOST_PEERS && !self.peers.contains_key(&peer) {
            self.peers.retain(|_, count| count.is_live(now));
            if self.peers.len() >= MOST_PEERS
                && let Some(first) =
                    self.peers.iter().min_by_key(|(_, count)| count.since).map(|(peer, _)| *peer)
            {
                self.peers.remove(&first);
            }
        }
        self.peers.insert(peer, count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn peer(number: u32) -> Peer {
        Peer::of(IpAddr::V4(number.into()))
    }

    #[test]
    fn given_too_many_failures_then_nobody_there_is_let_in_until_their_minute_is_over_and_others_are() {
        let (mut attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..MOST_OF_ONE {
            assert_eq!(attempts.judge(peer(1), false, now), Err(Refused::Wrong));
        }
        let later = now + 20 * SECOND;
        for is_right in [true, false] {
            let wait = Err(Refused::TooMany(40 * SECOND));
            assert_eq!(attempts.judge(peer(1), is_right, later), wait);
        }
        assert_eq!(attempts.judge(peer(2), true, later), Ok(()));
        assert_eq!(attempts.judge(peer(2), false, later), Err(Refused::Wrong));
        assert_eq!(attempts.judge(peer(1), true, now + WINDOW), Ok(()));
    }

    #[test]
    fn given_failures_from_everywhere_then_who_failed_waits_who_did_not_is_let_in_and_memory_is_bounded() {
        let (mut attempts, now) = (Attempts::default(), Instant::now());
        for number in 0..MOST_OF_ALL * 3 {
            let moment = now + Duration::from_millis(number.into());
            assert_eq!(attempts.judge(peer(number), false, moment), Err(Refused::Wrong), "{number}");
        }
        assert_eq!(attempts.peers.len(), MOST_PEERS);
        let later = now + 10 * SECOND;
        let last = peer(MOST_OF_ALL * 3 - 1);
        assert_eq!(attempts.judge(last, true, later), Err(Refused::TooMany(50 * SECOND)));
        assert_eq!(attempts.judge(peer(u32::MAX), true, later), Ok(()));
        assert_eq!(attempts.judge(last, true, now + 64 * SECOND), Ok(()));
    }

    #[test]
    fn given_addresses_then_a_network_of_ipv6_and_an_address_in_two_forms_are_one() {
        let of = |text: &str| Peer::of(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:0:0:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }
}
