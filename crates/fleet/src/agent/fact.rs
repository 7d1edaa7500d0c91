//! What an agent reported, kept as it is encoded: a fleet's memory is mostly these bytes, and few of them are looked at.

use std::marker::PhantomData;
use std::sync::Arc;

use tidegate_opamp::{
    AgentDescription, AvailableComponents, ComponentHealth, ConnectionSettingsStatus, CustomCapabilities,
    EffectiveConfig, Message, PackageStatuses, RemoteConfigStatus,
};

use crate::Timestamp;

/// Something an agent reported, and when it did. Kept encoded in one canonical form (maps in order of their keys), so
/// that equal values are equal bytes and can be shared between agents (decision D5).
pub struct Fact<T> {
    encoded: Arc<[u8]>,
    /// When the server heard it.
    pub observed_at: Timestamp,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Fact<T> {
    fn clone(&self) -> Self {
        Self { encoded: Arc::clone(&self.encoded), observed_at: self.observed_at, of: PhantomData }
    }
}

impl<T> PartialEq for Fact<T> {
    fn eq(&self, other: &Self) -> bool {
        self.observed_at == other.observed_at && self.encoded == other.encoded
    }
}

impl<T: Message + Default + std::fmt::Debug> std::fmt::Debug for Fact<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fact").field("value", &self.get()).field("observed_at", &self.observed_at).finish()
    }
}

impl<T: Message + Default> Fact<T> {
    /// A fact heard at `observed_at`.
    pub fn new(value: &T, observed_at: Timestamp) -> Self {
        Self::from_encoded(value.encode_to_vec().into(), observed_at)
    }

    /// A fact from what [`Fact::encoded`] gave.
    #[must_use]
    pub const fn from_encoded(encoded: Arc<[u8]>, observed_at: Timestamp) -> Self {
        Self { encoded, observed_at, of: PhantomData }
    }

    /// What it said. Bytes that are no message, as a damaged store could give, read as one that says nothing.
    #[must_use]
    pub fn get(&self) -> T {
        T::decode(&*self.encoded).unwrap_or_default()
    }

    /// The canonical bytes.
    #[must_use]
    pub const fn encoded(&self) -> &Arc<[u8]> {
        &self.encoded
    }

    /// Puts the same bytes from elsewhere in their place, so that they are kept once.
    pub fn share(&mut self, same: Arc<[u8]>) {
        debug_assert_eq!(self.encoded, same, "only equal bytes are shared");
        self.encoded = same;
    }
}

/// The parts of a report that stay as they are until the agent sends them again (OpAMP S068).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reported {
    /// Who it is.
    pub description: Option<Fact<AgentDescription>>,
    /// How it fares.
    pub health: Option<Fact<ComponentHealth>>,
    /// What it runs.
    pub effective_config: Option<Fact<EffectiveConfig>>,
    /// How far the last offered config has come.
    pub remote_config_status: Option<Fact<RemoteConfigStatus>>,
    /// Which packages it has.
    pub package_statuses: Option<Fact<PackageStatuses>>,
    /// Its custom capabilities.
    pub custom_capabilities: Option<Fact<CustomCapabilities>>,
    /// What its build can run.
    pub available_components: Option<Fact<AvailableComponents>>,
    /// How far the last offered connection settings have come.
    pub connection_settings_status: Option<Fact<ConnectionSettingsStatus>>,
}
