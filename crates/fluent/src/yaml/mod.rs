//! The YAML format.

mod edit;
mod insert;
mod key;
mod lower;
mod node;
mod pipeline;
mod scalar;

pub(crate) use edit::{list_item, set_value};
pub(crate) use insert::{candidates, service_candidates};
pub(crate) use node::Node;
pub(crate) use scalar::written;

use crate::diagnostic::Report;
use crate::position::LineIndex;
use crate::section::Item;

/// Reads the text into its documents' root nodes, and these into items.
pub(crate) fn parse(text: &str, report: &mut Report) -> (Vec<Item>, Vec<Node>) {
    let index = LineIndex::new(text);
    let documents = node::documents(text, &index, report);
    let items = lower::items(&documents, &index, report);
    (items, documents)
}
