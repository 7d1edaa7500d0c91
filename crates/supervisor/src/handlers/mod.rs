//! Who carries out the messages of custom capabilities.

mod ask;
mod chatops;
mod inspect;
mod local;
mod null;
mod own;
mod schema;
mod shutdown;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tidegate_custom::bare;
use tidegate_opamp::CustomMessage;

pub use chatops::{ChatOps, ChatOpsSettings};
pub use inspect::{About, Inspect, Sight};
pub use local::Place;
pub use null::NullCommand;
pub use own::{Act, HandlerSettings, Own};
pub use schema::Schema;
pub use shutdown::Shutdown;

/// What a handler promises: an answer, or that there is none.
pub type Handling = Pin<Box<dyn Future<Output = Option<CustomMessage>> + Send>>;

/// What is said of a message that is not carried out now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal<'a> {
    /// It was not carried out, for this reason.
    NotDone(&'a str),
    /// It was begun before, and nobody knows what came of it.
    Unknown(&'a str),
}

/// Carries out the messages of one custom capability.
pub trait Handler: Send + Sync {
    /// The capability's bare name.
    fn capability(&self) -> &str;

    /// Carries a message out. Bounded in time by the handler itself; an unknown type is ignored (OpAMP C160).
    fn handle(&self, message: CustomMessage) -> Handling;

    /// Whether carrying a message out twice does no more than once. One that is not is written down before it begins,
    /// where it has an id.
    fn is_idempotent(&self, message: &CustomMessage) -> bool;

    /// The answer to a message that is not carried out, if the capability has one.
    fn refuse(&self, message: &CustomMessage, refusal: Refusal<'_>) -> Option<CustomMessage>;
}

/// The handlers that this supervisor has.
#[derive(Clone, Default)]
pub struct Registry(Vec<Arc<dyn Handler>>);

impl Registry {
    /// Adds a handler.
    #[must_use]
    pub fn with(mut self, handler: impl Handler + 'static) -> Self {
        self.0.push(Arc::new(handler));
        self
    }

    /// The bare names of all capabilities.
    #[must_use]
    pub fn capabilities(&self) -> Vec<String> {
        self.0.iter().map(|handler| handler.capability().to_owned()).collect()
    }

    /// The handler of a capability in either form of name.
    #[must_use]
    pub fn find(&self, capability: &str) -> Option<Arc<dyn Handler>> {
        self.0.iter().find(|handler| handler.capability() == bare(capability)).cloned()
    }
}
