//! Schemas of plugins.

use tidegate_api::{PluginSchema, Timestamp};
use tidegate_fluent::schema::{Part, Plugin, Schema};

use super::age;
use super::table::{Look, Table, Tone};
use crate::sanitise;

/// Digits of a hash in a table.
const SHORT: usize = 12;

/// Schemas in a table.
pub(crate) fn table(schemas: &[PluginSchema], look: Look, now: Timestamp) -> String {
    let mut table = Table::new(&["HASH", "KIND", "VERSION", "PLUGINS", "BYTES", "AGE"], look);
    for schema in schemas {
        let cells = [
            schema.hash.chars().take(SHORT).collect(),
            schema.kind.clone(),
            schema.version.clone(),
            schema.plugins.to_string(),
            schema.bytes.to_string(),
            age::short(now, schema.since),
        ];
        table.row(&cells, Tone::Plain);
    }
    table.finish(look)
}

/// A hash a line.
pub(crate) fn names(schemas: &[PluginSchema]) -> String {
    schemas.iter().map(|schema| format!("{}\n", sanitise::line(&schema.hash))).collect()
}

/// The plugins of a schema in a table.
pub(crate) fn plugins(schema: &Schema, look: Look) -> String {
    let mut table = Table::new(&["GROUP", "PLUGIN", "PROPERTIES", "DESCRIPTION"], look);
    for (group, plugins) in &schema.groups {
        for (name, plugin) in plugins {
            let own = plugin.properties.iter().filter(|property| property.part == Part::Options).count();
            let cells = [(*group).to_owned(), name.clone(), own.to_string(), plugin.description.clone()];
            table.row(&cells, Tone::Plain);
        }
    }
    table.finish(look)
}

/// The plugins of a name with their properties: their own first, then what others of the kind have as well.
pub(crate) fn plugin(schema: &Schema, name: &str, look: Look) -> String {
    let pages: Vec<_> =
        schema.named(name).map(|(group, name, plugin)| page(group, name, plugin, look)).collect();
    pages.join("\n")
}

fn page(group: &str, name: &str, plugin: &Plugin, look: Look) -> String {
    let mut heading = format!("{group} {name}");
    if !plugin.description.is_empty() {
        heading.push_str(": ");
        heading.push_str(&plugin.description);
    }
    let mut table = Table::new(&["PROPERTY", "TYPE", "DEFAULT", "PART", "DESCRIPTION"], look);
    for property in &plugin.properties {
        let cells = [
            property.name.clone(),
            property.kind.clone(),
            property.default.clone().unwrap_or_else(|| "-".to_owned()),
            property.part.as_str().to_owned(),
            property.description.clone(),
        ];
        table.row(&cells, Tone::Plain);
    }
    format!("{}\n{}", sanitise::cell(&heading, 512), table.finish(look))
}
