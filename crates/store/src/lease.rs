//! Leases: what one node at a time may do.

use tidegate_fleet::Timestamp;

/// A lease that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What it is for.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// Rises with each new holder: a write under an older epoch comes from one that lost it.
    pub epoch: u64,
    /// When it runs out unless renewed.
    pub until: Timestamp,
}
