//! What the process side says of its agent: description, health tree, effective config, remote config status,
//! available components.

mod components;
mod description;
mod effective;
mod health;
mod publisher;
mod secrets;

pub use components::available_components;
pub use description::{Host, describe};
pub use effective::{RENDERED_NAME, ShownFile, effective_config};
pub use health::{AgentState, Phase, tree};
pub use publisher::Publisher;
pub use secrets::Secrets;
