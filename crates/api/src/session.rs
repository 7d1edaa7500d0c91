//! Logging in to the console.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What lets in: either of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    /// The code of a link; it is used up by this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The admin token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// Who is logged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Session {
    /// Their name.
    pub actor: String,
    /// When the session ends unless it is used before; null for a bearer token.
    pub expires_at: Option<Timestamp>,
}

/// A link that logs in once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LoginLink {
    /// Path and fragment, from the root of the server.
    pub path: String,
    /// When it is too old.
    pub expires_at: Timestamp,
}
