//! What stands beside the agents' records.

use std::collections::BTreeMap;

use bytes::Bytes;
use tidegate_fleet::Timestamp;
use tidegate_opamp::InstanceUid;

/// What operators say of an agent: values by key.
pub type Labels = BTreeMap<String, String>;

/// A uid that an agent had before (ruling A7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The uid it had.
    pub old: InstanceUid,
    /// The uid it has.
    pub new: InstanceUid,
    /// Since when.
    pub since: Timestamp,
}

/// What a build can run, under the hash that agents report for it (OpAMP S168).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownComponents {
    /// The hash as it was reported.
    pub hash: Bytes,
    /// `AvailableComponents` as protobuf.
    pub components: Bytes,
    /// When it was first heard.
    pub since: Timestamp,
}

/// The first answer to a request with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Who asked; each actor has keys of their own.
    pub actor: String,
    /// The key as it came.
    pub key: String,
    /// A digest of what was asked, so that the same key with another request is noticed.
    pub fingerprint: Bytes,
    /// The HTTP status.
    pub status: u16,
    /// The `Location` header, where there was one.
    pub location: Option<String>,
    /// The body.
    pub body: Bytes,
    /// When it was given.
    pub created_at: Timestamp,
}

impl Answered {
    /// How long an answer is kept, in milliseconds: a day.
    pub const KEPT_MS: u64 = 24 * 60 * 60 * 1000;

    /// True when it may still be given again.
    #[must_use]
    pub const fn holds_at(&self, now: Timestamp) -> bool {
        now.0 < self.created_at.0.saturating_add(Self::KEPT_MS)
    }
}
