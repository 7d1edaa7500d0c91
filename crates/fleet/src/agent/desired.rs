//! What an agent should run, and what it made of being told.

use std::num::NonZeroU32;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tidegate_opamp::RemoteConfigStatuses;

use super::behind::Behind;
use crate::{Config, PushId, Timestamp};

/// Offers of one config to one agent that goes back from it, all together (OpAMP S108).
const MAX_OFFERS: u8 = 5;

/// Offers that follow at once when an agent names another config (OpAMP S098): one stale report is no refusal.
const AT_ONCE: u8 = 2;

/// Time from an offer that an agent went back from again to the next one; doubles with each.
const FIRST_RETRY: Duration = Duration::from_secs(60);

/// A config given to agents: one value for all that it was given to at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The config.
    pub config: Config,
    /// The push it came from.
    pub push: PushId,
    /// Since when.
    pub since: Timestamp,
}

/// The config an agent should run.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    assignment: Arc<Assignment>,
    /// The last config before it that the agent is known to have run.
    former: Option<Arc<Assignment>>,
    /// When it was last put into a message to the agent.
    pub offered_at: Option<Timestamp>,
    /// The agent named it as its config once.
    taken: bool,
    /// The agent named another one after that.
    went_back: bool,
    /// How often the agent answered it with another config, or went back to one (ruling A10).
    declined: u8,
    /// Those before it that the agent has yet to answer.
    behind: Behind,
    /// Bytes of the message that carries it, where that is more than a message may have.
    oversize: Option<NonZeroU32>,
}

impl Desired {
    /// An assignment that was not offered yet.
    #[must_use]
    pub fn new(assignment: Arc<Assignment>) -> Self {
        Self {
            assignment,
            former: None,
            offered_at: None,
            taken: false,
            went_back: false,
            declined: 0,
            behind: Behind::default(),
            oversize: None,
        }
    }

    /// The same, and what the agent would go back to (see [`Agent::former_for`](super::Agent::former_for)).
    #[must_use]
    pub fn with_former(self, former: Option<Arc<Assignment>>) -> Self {
        Self { former, ..self }
    }

    /// The last config before it that the agent said it applied, which a supervisor of ours says of what it has proven
    /// alone.
    #[must_use]
    pub const fn former(&self) -> Option<&Arc<Assignment>> {
        self.former.as_ref()
    }

    /// The assignment.
    #[must_use]
    pub const fn assignment(&self) -> &Arc<Assignment> {
        &self.assignment
    }

    /// Takes the place of an earlier one, of which the agent's last word is `status`, where it said any.
    pub(super) fn follow(&mut self, earlier: Self, status: Option<RemoteConfigStatuses>) {
        let hash = earlier.config.hash.0;
        let is_offered = earlier.offered_at.is_some();
        self.behind = earlier.behind;
        match status {
            Some(RemoteConfigStatuses::Applied | RemoteConfigStatuses::Failed) => {}
            _ if hash == self.config.hash.0 => {}
            _ if is_offered => self.behind.add(hash, status == Some(RemoteConfigStatuses::Applying)),
            _ => {}
        }
    }

    /// The agent named this config as its last one.
    pub(super) fn taken(&mut self) {
        self.taken = true;
        self.behind.clear();
    }

    /// The agent named another config as its last one: a refusal, where it was offered this one or had it, and does not
    /// tell of one that it was offered before this.
    pub(super) fn other_named(&mut self, hash: Option<&[u8; 32]>, status: RemoteConfigStatuses) {
        if hash.is_some_and(|hash| self.behind.answers(hash, status)) {
            return;
        }
        if self.taken || self.offered_at.is_some() {
            self.went_back |= self.taken;
            self.taken = false;
            self.declined = self.declined.saturating_add(1);
        }
    }

    /// It does not fit into a message, which would have so many bytes.
    pub(super) fn unsendable(&mut self, bytes: usize) {
        self.offered_at = None;
        self.oversize = NonZeroU32::new(u32::try_from(bytes).unwrap_or(u32::MAX));
    }

    /// Bytes of the message that carries it, where that is more than a message may have.
    #[must_use]
    pub const fn oversize(&self) -> Option<NonZeroU32> {
        self.oversize
    }

    /// True when the agent went back from it, or answers it with others again and again.
    #[must_use]
    pub const fn is_declined(&self) -> bool {
        self.went_back || self.declined > AT_ONCE
    }

    /// True when the agent had taken it before it named another.
    #[must_use]
    pub const fn went_back(&self) -> bool {
        self.went_back
    }

    /// When it may be offered again to an agent that went back from it; `None` when it will not be by itself.
    #[must_use]
    pub fn retry_at(&self) -> Option<Timestamp> {
        let offered = self.offered_at.filter(|_| self.declined < MAX_OFFERS)?;
        Some(
            offered.plus(
                FIRST_RETRY * 2_u32.saturating_pow(u32::from(self.declined.saturating_sub(AT_ONCE + 1))),
            ),
        )
    }

    /// True when it may be offered now: an agent that keeps going back from it is left alone for longer and longer, and
    /// in the end for good.
    pub(crate) fn may_offer(&self, now: Timestamp) -> bool {
        self.oversize.is_none() && (self.declined <= AT_ONCE || self.retry_at().is_some_and(|at| now >= at))
    }
}

impl Deref for Desired {
    type Target = Assignment;

    fn deref(&self) -> &Assignment {
        &self.assignment
    }
}
