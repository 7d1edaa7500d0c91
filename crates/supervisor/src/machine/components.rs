//! What the agent's binary can run: asked of it once, kept, and told only while that binary is the one that runs.

use std::{ffi::OsString, sync::Arc, time::Duration};

use tidegate_custom::schema::SchemaHash;

use super::Machine;
use crate::{
    child::{CommandLine, Exit, Finished, RunError, run_to_end},
    kind::Inventory,
    report::available_components,
    state::{Asked, BinaryStamp, Known},
};

/// How long the binary may take to say what it can run; it takes 10 ms.
const DEADLINE: Duration = Duration::from_secs(5);

impl Machine {
    /// Finds out what the agent's build can run, where that is not known yet. May be dropped and called again.
    pub async fn learn_components(&mut self) {
        if self.components_of == self.version {
            return;
        }
        let known = self.ask_components().await;
        // A file that was exchanged under a running process says nothing of that process.
        let known = known.filter(|known| known.version.is_empty() || known.version == self.version);
        self.publisher.available_components(known.map(|known| Arc::new(known.components)));
        self.components_of.clone_from(&self.version);
        self.publish_own();
    }

    async fn ask_components(&self) -> Option<Known> {
        let fixed = &self.fixed;
        let args = fixed.kind.components_args()?;
        let stamp = BinaryStamp::of(&fixed.binary).ok()?;
        if let Some(asked) = self.state.inventory(&stamp) {
            return asked.known;
        }
        let finished = match self.run_for_components(args).await {
            Ok(finished) => finished,
            Err(error) => {
                // It may do better another time.
                tracing::warn!(%error, "the agent's components are not reported");
                return None;
            }
        };
        let known = match self.read(&finished) {
            Ok((inventory, document)) => Some(self.known(&inventory, document)),
            Err(reason) => {
                tracing::warn!(
                    reason,
                    "the agent's components are not reported: its binary does not list them"
                );
                None
            }
        };
        let asked = Asked { stamp, known };
        if let Err(error) = self.state.save_inventory(&asked) {
            tracing::warn!(%error, "the agent's binary will be asked for its components again");
        }
        asked.known
    }

    async fn run_for_components(&self, args: Vec<OsString>) -> Result<Finished, RunError> {
        let line = CommandLine { program: self.fixed.binary.clone(), args, cwd: self.state.run() };
        run_to_end(&line, DEADLINE).await
    }

    /// What the binary can run, and the document that says all of it.
    fn read<'a>(&self, finished: &'a Finished) -> Result<(Inventory, &'a str), String> {
        if finished.exit != Exit::Code(0) {
            return Err(format!("it {}", finished.exit));
        }
        let inventory = self.fixed.kind.read_components(&finished.output)?;
        let document = finished.output.get(inventory.schema.clone()).unwrap_or_default();
        Ok((inventory, document))
    }

    fn known(&self, inventory: &Inventory, document: &str) -> Known {
        let schema = SchemaHash::of(document.as_bytes());
        let components = available_components(self.fixed.kind.service_name(), inventory, schema);
        Known { version: inventory.version.clone(), components }
    }

    /// What the binary says now of its plugins and their properties; none of it is kept.
    ///
    /// # Errors
    /// Why it says nothing.
    pub async fn schema(&self) -> Result<String, String> {
        let args = self.fixed.kind.components_args().ok_or("agents of this kind have no schema")?;
        let finished = self.run_for_components(args).await.map_err(|error| error.to_string())?;
        match self.read(&finished) {
            Ok((_, document)) => Ok(document.to_owned()),
            Err(reason) => Err(format!("the agent's binary does not tell its schema: {reason}")),
        }
    }
}
