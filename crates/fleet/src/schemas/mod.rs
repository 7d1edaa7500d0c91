//! The schemas of agents' builds: what is held of them, and how they are gathered, one agent of a build at a time.

mod gathering;
mod library;

pub use tidegate_custom::schema::SchemaHash;

pub use gathering::{Gathering, Taken};
pub use library::{Library, Schema, Unusable};
