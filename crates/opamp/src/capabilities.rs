//! Capability sets. Bits that this version does not name are kept and shown as numbers (OpAMP S011).

macro_rules! capability_set {
    (
        $(#[$meta:meta])*
        pub struct $name:ident { $( $(#[$bmeta:meta])* $bit:literal $constant:ident = $label:literal, )* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
        pub struct $name(pub u64);

        impl $name {
            $( $(#[$bmeta])* pub const $constant: Self = Self($bit); )*

            /// Every bit that the specification names, with its name.
            pub const KNOWN: &'static [(Self, &'static str)] = &[ $( (Self::$constant, $label), )* ];

            /// True when every bit of `other` is set.
            #[must_use]
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Both sets together.
            #[must_use]
            pub const fn with(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// This set, with `other` added when `condition` holds.
            #[must_use]
            pub const fn with_if(self, other: Self, condition: bool) -> Self {
                if condition { self.with(other) } else { self }
            }

            /// The names of the bits that are set; unknown ones as `0x…`.
            pub fn names(self) -> impl Iterator<Item = std::borrow::Cow<'static, str>> {
                let known = Self::KNOWN
                    .iter()
                    .filter(move |(bit, _)| self.contains(*bit))
                    .map(|(_, name)| std::borrow::Cow::Borrowed(*name));
                let mask = Self::KNOWN.iter().fold(0, |mask, (bit, _)| mask | bit.0);
                let unknown = (0..64)
                    .map(|shift| 1u64 << shift)
                    .filter(move |bit| self.0 & !mask & bit != 0)
                    .map(|bit| std::borrow::Cow::Owned(format!("{bit:#x}")));
                known.chain(unknown)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_set().entries(self.names()).finish()
            }
        }
    };
}

capability_set! {
    /// What an agent can do, as it says in every message.
    pub struct AgentCapabilities {
        /// Set by every agent.
        0x1 REPORTS_STATUS = "ReportsStatus",
        /// Takes configs from the server.
        0x2 ACCEPTS_REMOTE_CONFIG = "AcceptsRemoteConfig",
        /// Says what it runs.
        0x4 REPORTS_EFFECTIVE_CONFIG = "ReportsEffectiveConfig",
        /// Takes packages from the server.
        0x8 ACCEPTS_PACKAGES = "AcceptsPackages",
        /// Says which packages it has.
        0x10 REPORTS_PACKAGE_STATUSES = "ReportsPackageStatuses",
        /// Sends its own traces where it is told.
        0x20 REPORTS_OWN_TRACES = "ReportsOwnTraces",
        /// Sends its own metrics where it is told.
        0x40 REPORTS_OWN_METRICS = "ReportsOwnMetrics",
        /// Sends its own logs where it is told.
        0x80 REPORTS_OWN_LOGS = "ReportsOwnLogs",
        /// Takes settings of its OpAMP connection.
        0x100 ACCEPTS_OPAMP_CONNECTION_SETTINGS = "AcceptsOpAMPConnectionSettings",
        /// Takes settings of its other connections.
        0x200 ACCEPTS_OTHER_CONNECTION_SETTINGS = "AcceptsOtherConnectionSettings",
        /// Restarts when told.
        0x400 ACCEPTS_RESTART_COMMAND = "AcceptsRestartCommand",
        /// Says how it fares.
        0x800 REPORTS_HEALTH = "ReportsHealth",
        /// Says how far an offered config has come.
        0x1000 REPORTS_REMOTE_CONFIG = "ReportsRemoteConfig",
        /// Sends heartbeats.
        0x2000 REPORTS_HEARTBEAT = "ReportsHeartbeat",
        /// Says what its build can run.
        0x4000 REPORTS_AVAILABLE_COMPONENTS = "ReportsAvailableComponents",
        /// Says how far offered connection settings have come.
        0x8000 REPORTS_CONNECTION_SETTINGS_STATUS = "ReportsConnectionSettingsStatus",
    }
}

capability_set! {
    /// What a server can do, as it says in its first message to an agent.
    pub struct ServerCapabilities {
        /// Set by every server (OpAMP S004).
        0x1 ACCEPTS_STATUS = "AcceptsStatus",
        /// Offers configs.
        0x2 OFFERS_REMOTE_CONFIG = "OffersRemoteConfig",
        /// Stores what agents run.
        0x4 ACCEPTS_EFFECTIVE_CONFIG = "AcceptsEffectiveConfig",
        /// Offers packages.
        0x8 OFFERS_PACKAGES = "OffersPackages",
        /// Stores which packages agents have.
        0x10 ACCEPTS_PACKAGES_STATUS = "AcceptsPackagesStatus",
        /// Offers connection settings.
        0x20 OFFERS_CONNECTION_SETTINGS = "OffersConnectionSettings",
        /// Answers requests for credentials.
        0x40 ACCEPTS_CONNECTION_SETTINGS_REQUEST = "AcceptsConnectionSettingsRequest",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_bits_from_a_newer_peer_when_named_then_they_are_shown_as_numbers() {
        let set = AgentCapabilities(0x1 | 0x400 | 0x8000_0000);
        let names: Vec<_> = set.names().collect();
        assert_eq!(names, ["ReportsStatus", "AcceptsRestartCommand", "0x80000000"]);
    }

    #[test]
    fn the_named_bits_are_the_specifications_masks() {
        let agent = AgentCapabilities::KNOWN.iter().fold(0, |mask, (bit, _)| mask | bit.0);
        let server = ServerCapabilities::KNOWN.iter().fold(0, |mask, (bit, _)| mask | bit.0);
        assert_eq!((agent, server), (0xFFFF, 0x7F));
    }
}
