//! Schemas of plugins.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What a build says of its plugins and their properties, but for the document itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PluginSchema {
    /// SHA-256 of the document, in hexadecimal; its name.
    pub hash: String,
    /// What it is of, such as `fluent-bit`.
    pub kind: String,
    /// The version that the build names; may be empty.
    pub version: String,
    /// How many plugins it has.
    pub plugins: u32,
    /// Bytes of the document.
    pub bytes: u32,
    /// When it came.
    pub since: Timestamp,
}
