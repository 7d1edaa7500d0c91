//! A config that is pushed, against what the builds of its agents say of their plugins.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_fleet::Config;
use tidegate_fleet::schemas::{Schema, SchemaHash};
use tidegate_fluent::{Diagnostic, schema};
use tidegate_opamp::{AgentConfigMap, InstanceUid};

use super::Control;
use crate::state::Entry;

/// Most schemas that one push is checked against: those of most of its agents.
const MAX_SCHEMAS: usize = 8;

/// Most warnings of one push.
const MAX_WARNINGS: usize = 200;

/// Something that a build will not understand.
#[derive(Clone, Debug)]
pub(crate) struct PushWarning {
    pub(crate) schema: SchemaHash,
    /// Agents of the push that have this build.
    pub(crate) agents: u64,
    pub(crate) finding: Diagnostic,
}

impl Control {
    /// What the builds of these agents will not understand of a config; nothing of builds whose schema is not here.
    pub(super) async fn check_against_schemas(
        &self,
        targets: &[InstanceUid],
        config: &Config,
    ) -> Vec<PushWarning> {
        let mut counts: BTreeMap<SchemaHash, u64> = BTreeMap::new();
        let hash = |entry: &Entry| self.core.schema_hash(&entry.agent);
        for uid in targets {
            if let Some(hash) = self.core.registry.look(uid, hash).flatten() {
                *counts.entry(hash).or_default() += 1;
            }
        }
        let held =
            counts.into_iter().filter_map(|(hash, agents)| Some((agents, self.core.schemas.get(&hash)?)));
        let mut held: Vec<(u64, Arc<Schema>)> = held.collect();
        held.sort_by_key(|(agents, schema)| (std::cmp::Reverse(*agents), schema.hash));
        held.truncate(MAX_SCHEMAS);
        if held.is_empty() {
            return Vec::new();
        }
        let files = Arc::clone(&config.files);
        // Unpacking and reading a schema takes some milliseconds.
        let checked = tokio::task::spawn_blocking(move || {
            let all = held.iter().flat_map(|(agents, schema)| warnings(&files, *agents, schema));
            all.take(MAX_WARNINGS).collect()
        });
        checked.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a config was not checked against the schemas of its agents");
            Vec::new()
        })
    }
}

fn warnings(map: &AgentConfigMap, agents: u64, held: &Schema) -> Vec<PushWarning> {
    let document = held.document().ok();
    let Some(read) = document.and_then(|document| schema::Schema::read(&document).ok()) else {
        tracing::error!(hash = %held.hash, "a schema that is held cannot be read");
        return Vec::new();
    };
    let warning = |finding| PushWarning { schema: held.hash, agents, finding };
    schema::check_files(&files(map), &read).into_iter().map(warning).collect()
}

/// The files by name, the one first that an agent will take for the main one; none where that cannot be told.
fn files(map: &AgentConfigMap) -> Vec<(&str, &str)> {
    let is_main = |name: &str, role: &str| {
        role == "main" || matches!(name, "fluent-bit.yaml" | "fluent-bit.yml" | "fluent-bit.conf")
    };
    let named = map.config_map.iter().find(|(name, file)| is_main(name, &file.role));
    let main = named.or_else(|| map.config_map.iter().next().filter(|_| map.config_map.len() == 1));
    let Some((main, _)) = main else { return Vec::new() };
    let mut files: Vec<(&str, &str)> = map
        .config_map
        .iter()
        .filter_map(|(name, file)| Some((name.as_str(), std::str::from_utf8(&file.body).ok()?)))
        .collect();
    files.sort_by_key(|(name, _)| name != main);
    files
}
