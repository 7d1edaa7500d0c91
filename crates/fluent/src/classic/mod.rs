//! The classic format: `[SECTION]` headers and indented `Key Value` lines.

mod edit;
mod parse;

pub(crate) use edit::{append_section, check_value};
pub(crate) use parse::{Layout, parse};
