//! Fluent Bit configs as lossless trees: parse, read, edit, render, compare.
//!
//! A [`Tree`] is one file: its whole text, and nodes that hold byte spans and positions into it.
//! An edit is a list of replacements on the text, so each byte that is not meant to change stays.
//! A [`Config`] is a main file with everything it includes, merged the way Fluent Bit merges it.
//! Parsing always gives a tree and a list of [`Diagnostic`]s, never an error.
//!
//! The crate does no IO: included files come through a callback (see [`load`]).
//! YAML is read with `granit-parser`, because its events carry exact byte ranges and the collection
//! style, its nesting is bounded, and it has libyaml's reading of YAML as an option; a tree library
//! would hide the spans that an edit by replacement needs.
//!
//! What Fluent Bit accepts and refuses follows version 5.1.1, measured with `--dry-run`.

mod classic;
mod compare;
mod config;
mod diagnostic;
mod edit;
mod effective;
mod environment;
mod format;
mod include;
mod limits;
pub mod lint;
mod paths;
mod pipeline;
mod position;
mod reach;
pub mod redact;
pub mod schema;
mod section;
mod service;
mod splice;
mod tree;
mod value;
mod verify;
mod yaml;

pub use compare::{Difference, compare};
pub use config::{Config, IncludeEdge};
pub use diagnostic::{Diagnostic, Severity};
pub use edit::{EditError, Rendered, set_service};
pub use effective::{RenderRequest, RenderedFile, render_effective};
pub use environment::expand;
pub use format::Format;
pub use include::{IncludeRequest, IncludedFile, load};
pub use limits::{
    MAX_DIAGNOSTICS, MAX_FILE_BYTES, MAX_FILES, MAX_INCLUDE_DEPTH, MAX_NODES, MAX_TOTAL_BYTES,
    MAX_YAML_NESTING,
};
pub use paths::absolute_paths;
pub use pipeline::{Plugin, PluginKind};
pub use position::Position;
pub use reach::{Reach, Reached, reaches};
pub use section::{Entry, Include, Item, Section, SectionKind, Variable};
pub use service::{Service, ServiceEntry};
pub use tree::{Tree, parse};
pub use value::Value;
