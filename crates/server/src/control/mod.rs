//! The use cases: what an actor can see and do. Every face acts through these alone; every act writes its audit entry
//! in the transaction that makes it true.

mod able;
mod agent_config;
mod agents;
mod answers;
mod calls;
mod certificates;
mod commands;
mod completions;
mod difference;
mod error;
mod labels;
mod metrics;
mod operations;
mod plan_page;
mod plans;
mod push_files;
mod push_secrets;
mod pushes;
mod repush;
mod schema_check;
mod schemas;
mod sendable;
mod server;
mod settings;
mod timeline;
mod watch;

use std::sync::Arc;

use tidegate_fleet::query::{Query, QueryError};
use tidegate_fleet::{Action, Actor, authorize};

pub(crate) use crate::state::{Commanded, Operation, Outcome};
pub(crate) use agent_config::Version;
pub(crate) use agents::{AgentView, ListOrder};
pub(crate) use answers::Record;
pub(crate) use commands::{CommandFilter, CommandOrder, MAX_DEADLINE};
pub(crate) use completions::{Kind, Proposal};
pub use error::ControlError;
pub(crate) use labels::LabelOrder;
pub(crate) use metrics::{MetricsOrder, MetricsView, PastOrder};
pub(crate) use operations::BulkOrder;
pub(crate) use plan_page::{PlanPage, PlanState};
pub(crate) use plans::{Confirmation, PlanOrder, Standing};
pub(crate) use push_files::PushedFile;
pub(crate) use pushes::{PushOrder, PushState, PushView};
pub(crate) use repush::{Returning, RollBackOrder, RollBackView, Way};
pub(crate) use schema_check::PushWarning;
pub(crate) use settings::{Belief, RuleOrder, RuleView, TargetOrder};
pub(crate) use timeline::{Happening, Place};
pub(crate) use watch::Seen;

use crate::background::Tasks;
use crate::state::Core;
use plans::Plans;

/// The use cases.
#[derive(Clone)]
pub(crate) struct Control {
    core: Arc<Core>,
    tasks: Tasks,
    plans: Arc<Plans>,
}

impl Control {
    pub(crate) fn new(core: Arc<Core>, tasks: Tasks) -> Self {
        Self { core, tasks, plans: Arc::default() }
    }

    /// Carries an act through to its end, also when the caller has left: what is stored must come true in memory.
    async fn to_the_end<T: Send + 'static>(
        act: impl Future<Output = Result<T, ControlError>> + Send + 'static,
    ) -> Result<T, ControlError> {
        tokio::spawn(act)
            .await
            .unwrap_or_else(|error| Err(ControlError::Conflict(format!("the act broke off: {error}"))))
    }

    /// Reads a query for an actor who may look.
    fn query(actor: &Actor, action: Action, text: &str) -> Result<Query, ControlError> {
        authorize(actor, action)?;
        Query::parse(text).map_err(|error: QueryError| ControlError::Query(error))
    }
}
