//! What can be set: flags over environment over file over defaults, resolved once.

mod duration;
mod file;
mod flags;
mod limits;
mod metrics;
mod operators;
mod plane;
mod resolve;

use std::path::PathBuf;

use serde::Serialize;

pub(crate) use duration::parse as read_duration;
pub use flags::{Flags, Task};
pub use limits::LimitSettings;
pub use metrics::MetricsSettings;
pub use operators::OperatorsSettings;
pub use plane::{AgentsSettings, TlsSettings, TlsVersion};
pub use resolve::{InvalidSettings, resolve};

/// Everything that a server needs to know.
#[derive(Clone, Debug, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where state is kept.
    pub data_dir: PathBuf,
    /// The agents' plane.
    pub agents: AgentsSettings,
    /// The operators' plane.
    pub operators: OperatorsSettings,
    /// Bounds.
    pub limits: LimitSettings,
    /// The history of agents' metrics.
    pub metrics: MetricsSettings,
}
