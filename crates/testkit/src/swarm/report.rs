//! What a swarm says of itself: counts since the last mark, one JSON object a line.

use serde::{Deserialize, Serialize};

use super::histogram::{Histogram, Percentiles};

/// The answer to one command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Done {
    /// The command as it was read.
    pub command: String,
    /// Whether it did what it says.
    pub ok: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Seconds that it took.
    pub seconds: f64,
    /// What was counted since the last `mark`.
    pub report: Report,
}

/// What was counted since the last `mark`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Agents that speak, or try to: their sockets are open, or will be again.
    pub agents: u64,
    /// Of them, those that the server has answered on their present connection.
    pub answered: u64,
    /// Counts.
    #[serde(flatten)]
    pub counts: Counts,
    /// From dialling to the end of the handshake.
    pub connect_latency: Percentiles,
    /// From a message to the answer to it.
    pub reply_latency: Percentiles,
    /// From the first offer after the mark to each; the last is the slowest.
    pub offer_spread: Percentiles,
    /// When the last offer arrived, microseconds since 1970; 0 for none.
    pub last_offer_unix_micros: u64,
    /// The last trouble, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub trouble: String,
}

/// What happened, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Handshakes that succeeded.
    pub connects: u64,
    /// Connections that could not be made, or were refused with another status than the next ones.
    pub connects_failed: u64,
    /// Refused with 429 or 503: tried again after the time that the server names.
    pub rejected: u64,
    /// Connections that the server or the network ended.
    pub lost: u64,
    /// Messages to the server.
    pub messages: u64,
    /// Answers to them.
    pub replies: u64,
    /// Turns of a rate that found the agent's last message still unanswered.
    pub skipped: u64,
    /// Answers that are errors of the agent's.
    pub bad_requests: u64,
    /// Answers that ask to wait.
    pub unavailable: u64,
    /// Answers that cannot be read.
    pub malformed: u64,
    /// Configs offered, each agent's first time.
    pub offers: u64,
    /// Offers of what the agent has answered to before.
    pub offers_repeated: u64,
    /// Configs that agents said to have applied.
    pub applied: u64,
    /// Configs that agents said to have failed.
    pub failed: u64,
    /// Restarts told.
    pub restarts: u64,
    /// Custom messages received.
    pub custom_messages: u64,
    /// Connection settings received and acknowledged.
    pub settings: u64,
    /// Full states asked for.
    pub full_states: u64,
    /// Pings answered.
    pub pings: u64,
}

/// The counters behind a [`Report`].
#[derive(Debug, Default)]
pub struct Tally {
    /// Counts.
    pub counts: Counts,
    /// Handshakes, in microseconds.
    pub connect: Histogram,
    /// Answers, in microseconds.
    pub reply: Histogram,
    /// Offers after the first, in microseconds.
    pub offer: Histogram,
    /// When the first offer came, on the swarm's own clock.
    pub first_offer: Option<u64>,
    /// When the last one came, microseconds since 1970.
    pub last_offer_unix_micros: u64,
    /// The last trouble.
    pub trouble: String,
}

impl Tally {
    /// What it says.
    #[must_use]
    pub fn report(&self, agents: u64, answered: u64) -> Report {
        Report {
            agents,
            answered,
            counts: self.counts,
            connect_latency: self.connect.percentiles(),
            reply_latency: self.reply.percentiles(),
            offer_spread: self.offer.percentiles(),
            last_offer_unix_micros: self.last_offer_unix_micros,
            trouble: self.trouble.clone(),
        }
    }
}
