//! Configs: what is offered, what runs, how far it has come.

use crate::wire::{message, open_enum};

message! {
    /// The config that an agent runs.
    pub struct EffectiveConfig {
        /// Its files.
        1 config_map: option(AgentConfigMap),
    }
}

message! {
    /// A config that the server offers.
    pub struct AgentRemoteConfig {
        /// Its files.
        1 config: option(AgentConfigMap),
        /// Identifies the content; the agent echoes it, never computes it.
        2 config_hash: bytes,
    }
}

message! {
    /// Named config objects; names are file names, `""` included (ruling A18).
    pub struct AgentConfigMap {
        /// The objects by name.
        1 config_map: map(AgentConfigObject),
    }
}

message! {
    /// One config file or section.
    pub struct AgentConfigObject {
        /// Its content.
        1 body: bytes,
        /// MIME type of the content, empty when not said.
        2 content_type: string,
        /// What the object is for, in the agent's own words (v0.20).
        3 role: string,
    }
}

message! {
    /// How far the last offered config has come.
    pub struct RemoteConfigStatus {
        /// The hash of the offer, as it was received.
        1 last_remote_config_hash: bytes,
        /// How far it has come.
        2 status: open(RemoteConfigStatuses),
        /// Why it failed, for a person to read.
        3 error_message: string,
    }
}

open_enum! {
    /// States of a remote config.
    pub enum RemoteConfigStatuses {
        /// Nothing was offered yet.
        0 Unset = "unset",
        /// The offer runs.
        1 Applied = "applied",
        /// The offer is being applied.
        2 Applying = "applying",
        /// The offer could not be applied.
        3 Failed = "failed",
    }
}
