//! What the agent's binary can run: asked of it once, kept, and told only while that binary is the one that runs.

use std::{sync::Arc, time::Duration};

use super::Machine;
use crate::{
    child::{CommandLine, Exit, run_to_end},
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
    }

    async fn ask_components(&self) -> Option<Known> {
        let fixed = &self.fixed;
        let args = fixed.kind.components_args()?;
        let stamp = BinaryStamp::of(&fixed.binary).ok()?;
        if let Some(asked) = self.state.inventory(&stamp) {
            return asked.known;
        }
        let line = CommandLine { program: fixed.binary.clone(), args, cwd: self.state.run() };
        let said = match run_to_end(&line, DEADLINE).await {
            Ok(finished) if finished.exit == Exit::Code(0) => fixed.kind.read_components(&finished.output),
            Ok(finished) => Err(format!("it {}", finished.exit)),
            Err(error) => {
                // It may do better another time.
                tracing::warn!(%error, "the agent's components are not reported");
                return None;
            }
        };
        let known = match said {
            Ok(inventory) => Some(self.known(&inventory)),
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

    fn known(&self, inventory: &Inventory) -> Known {
        let components = available_components(self.fixed.kind.service_name(), inventory);
        Known { version: inventory.version.clone(), components }
    }
}
