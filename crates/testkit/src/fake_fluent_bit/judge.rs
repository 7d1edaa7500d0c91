//! What `--dry-run`, a reload and a cold start think of a config (fluent-bit.md, "Validation").

use super::catalogue::{self, Kind};
use super::config::{Instance, Loaded};

/// A fault in the plugins' properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The kind of the plugin.
    pub kind: Kind,
    /// The complaint of a dry run and a reload, without its prefix.
    pub said: String,
    /// The plugin whose help is recommended, for an unknown property.
    pub help: Option<String>,
    /// The complaint of a cold start.
    pub said_at_start: String,
}

impl Flaw {
    /// The line with which a dry run and a reload end the check.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        match self.kind {
            Kind::Input => "[reload] check properties for input plugins is failed",
            // The spelling is the real one's.
            Kind::Filter => {
                "[reload] check properties and additonal vaildations for filter plugins is failed"
            }
            Kind::Output => "[reload] check properties for output plugins is failed",
        }
    }
}

/// The first flaw of a loaded config. Bad values, bad patterns and taken ports are none: they show
/// only when the engine starts.
#[must_use]
pub fn flaw(loaded: &Loaded) -> Option<Flaw> {
    let kinds =
        [(Kind::Input, &loaded.inputs), (Kind::Filter, &loaded.filters), (Kind::Output, &loaded.outputs)];
    kinds.into_iter().find_map(|(kind, instances)| instances.iter().find_map(|one| instance_flaw(kind, one)))
}

fn instance_flaw(kind: Kind, instance: &Instance) -> Option<Flaw> {
    let known = catalogue::find(kind, &instance.plugin)?;
    let unknown = instance.properties.iter().find(|(key, _)| key != "name" && !known.takes(key));
    if let Some((key, _)) = unknown {
        let plugin = &instance.plugin;
        let said = format!(
            "[config] {plugin}: unknown configuration property '{key}'. The following properties are allowed: {}.",
            known.sentence()
        );
        return Some(Flaw { kind, said_at_start: said.clone(), said, help: Some(plugin.clone()) });
    }
    let matches = instance.get("match").is_some() || instance.get("match_regex").is_some();
    (kind == Kind::Filter && !matches).then(|| Flaw {
        kind,
        said: format!("[filter] NO match rule for {} filter instance, halting to reload.", instance.name),
        said_at_start: format!("[filter] NO match rule for {} filter instance, unloading.", instance.name),
        help: None,
    })
}
