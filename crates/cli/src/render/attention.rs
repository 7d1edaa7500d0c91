//! What calls for a person.

use tidegate_api::AttentionSentence;

use super::table::{Look, Table, Tone};
use crate::sanitise;

/// The sentences in a table, each with the query that finds its agents.
pub(crate) fn table(items: &[AttentionSentence], look: Look) -> String {
    let mut table = Table::new(&["LEVEL", "WHAT", "QUERY"], look);
    for item in items {
        let tone = if item.level == "act" { Tone::Act } else { Tone::Watch };
        table.row(&[item.level.clone(), item.sentence.clone(), item.query.clone()], tone);
    }
    table.finish(look)
}

/// A query a line, whole: another command is to take it.
pub(crate) fn queries(items: &[AttentionSentence]) -> String {
    items.iter().map(|item| format!("{}\n", sanitise::line(&item.query))).collect()
}
