//! What the tools share: what each is given, and what each gives back.

use serde_json::Value;
use tidegate_fleet::Actor;

use super::Shared;
use super::detail::Detail;
use super::problem::Problem;
use super::view::Links;
use crate::control::Control;

/// What a tool found out, and how much of it may be told.
pub(super) type Told = Result<(Value, Detail), Problem>;

/// What every tool is given beside its arguments.
pub(super) struct Caller<'a> {
    pub(super) shared: &'a Shared,
    pub(super) actor: Actor,
    pub(super) links: Links,
}

impl Caller<'_> {
    pub(super) const fn control(&self) -> &Control {
        &self.shared.mcp.control
    }
}
