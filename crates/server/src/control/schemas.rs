//! Looking at what agents' builds say of their plugins. It is the builds' and not the agents': whoever may look sees it.

use std::sync::Arc;

use bytes::Bytes;
use tidegate_fleet::schemas::{Schema, SchemaHash};
use tidegate_fleet::{Action, Actor, authorize};

use super::{Control, ControlError};

impl Control {
    /// Every schema that is held, newest first.
    pub(crate) fn schemas(&self, actor: &Actor) -> Result<Vec<Arc<Schema>>, ControlError> {
        authorize(actor, Action::Read)?;
        Ok(self.core.schemas.all())
    }

    /// A schema by its hash.
    pub(crate) fn schema(&self, actor: &Actor, hash: &str) -> Result<Arc<Schema>, ControlError> {
        authorize(actor, Action::Read)?;
        let parsed: SchemaHash =
            hash.parse().map_err(|error| ControlError::invalid("hash", format!("{hash:?}: {error}")))?;
        let not_found = || ControlError::NotFound { kind: "schema", id: hash.to_owned() };
        self.core.schemas.get(&parsed).ok_or_else(not_found)
    }

    /// Its document, as the agent's binary printed it.
    pub(crate) fn schema_document(schema: &Schema) -> Result<Bytes, ControlError> {
        let damaged =
            |error| ControlError::Conflict(format!("the schema {} is damaged: {error}", schema.hash));
        schema.document().map_err(damaged)
    }
}
