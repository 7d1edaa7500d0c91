//! Configs that an agent has yet to answer when another takes their place.

use tidegate_opamp::RemoteConfigStatuses;

/// Most of them; a supervisor of ours answers as many that were replaced while it was busy.
const LIMIT: usize = 16;

/// Configs that were offered before the present one and that the agent has not ended. It tells of each that it applies
/// it and what became of it, both of which may come after the present one was offered: its word for those is no word
/// about this one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Behind(Vec<Earlier>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Earlier {
    hash: [u8; 32],
    /// The agent said that it applies it.
    is_applying: bool,
}

impl Behind {
    /// One more that was offered and has not ended; the oldest is forgotten where there are too many.
    pub(super) fn add(&mut self, hash: [u8; 32], is_applying: bool) {
        self.0.retain(|earlier| earlier.hash != hash);
        if self.0.len() >= LIMIT {
            self.0.remove(0);
        }
        self.0.push(Earlier { hash, is_applying });
    }

    /// Whether a status is the next that is due of an earlier config: that it is applied, once, and its end, once. An
    /// agent that says either again says something about the present one.
    pub(super) fn answers(&mut self, hash: &[u8; 32], status: RemoteConfigStatuses) -> bool {
        let Some(at) = self.0.iter().position(|earlier| earlier.hash == *hash) else {
            return false;
        };
        match status {
            RemoteConfigStatuses::Applying => !std::mem::replace(&mut self.0[at].is_applying, true),
            RemoteConfigStatuses::Applied | RemoteConfigStatuses::Failed => {
                self.0.remove(at);
                true
            }
            _ => false,
        }
    }

    /// The agent has come to the present one.
    pub(super) fn clear(&mut self) {
        self.0 = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_earlier_configs_when_an_agent_tells_of_them_then_each_start_and_end_counts_once() {
        let (one, two) = ([1; 32], [2; 32]);
        let mut behind = Behind::default();
        behind.add(one, true);
        behind.add(two, false);
        let told = [
            (one, RemoteConfigStatuses::Applying, false),
            (one, RemoteConfigStatuses::Failed, true),
            (one, RemoteConfigStatuses::Failed, false),
            (two, RemoteConfigStatuses::Unset, false),
            (two, RemoteConfigStatuses::Applying, true),
            (two, RemoteConfigStatuses::Applying, false),
            (two, RemoteConfigStatuses::Applied, true),
            (two, RemoteConfigStatuses::Applying, false),
            ([3; 32], RemoteConfigStatuses::Applied, false),
        ];
        for (step, (hash, status, expect)) in told.into_iter().enumerate() {
            assert_eq!(behind.answers(&hash, status), expect, "{step}");
        }
    }

    #[test]
    fn given_more_configs_than_are_remembered_when_added_then_the_oldest_are_forgotten() {
        let mut behind = Behind::default();
        for byte in 0..=u8::try_from(LIMIT).unwrap() {
            behind.add([byte; 32], false);
            behind.add([byte; 32], false);
        }
        assert!(!behind.answers(&[0; 32], RemoteConfigStatuses::Failed));
        assert!(behind.answers(&[1; 32], RemoteConfigStatuses::Failed));
    }
}
