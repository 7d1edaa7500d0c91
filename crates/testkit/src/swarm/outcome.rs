//! What follows from what an agent hears: things to do and things to count.

use std::time::Duration;

use tidegate_opamp::AgentToServer;

/// Something to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Send this now.
    Send(Box<AgentToServer>),
    /// Come back with this after a while.
    Later(Duration, Due),
    /// Send heartbeats in this interval from now on; zero for none.
    Heartbeat(Duration),
    /// Say nothing for so long.
    Hush(Duration),
}

/// What an agent asked to be reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// The offer of this number is applied, or fails.
    Settle(u32),
    /// The process is back.
    Restarted,
}

/// Something to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A config was offered.
    Offer,
    /// The same again.
    OfferRepeated,
    /// A restart was told.
    Restart,
    /// A custom message came.
    Custom,
    /// Connection settings came.
    Settings,
    /// Everything is wanted.
    FullState,
    /// The last message was wrong.
    BadRequest,
    /// The server cannot.
    Unavailable,
    /// A config was applied.
    Applied,
    /// A config failed.
    Failed,
}

/// What follows from a message or a reminder.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// In order.
    pub acts: Vec<Act>,
    /// What to count.
    pub notes: Vec<Note>,
}
