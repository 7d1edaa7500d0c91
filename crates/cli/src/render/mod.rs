//! From values to text: pure, with the time as an argument. Every text that is not ours is made safe here.

pub(crate) mod age;
pub(crate) mod agents;
pub(crate) mod attention;
pub(crate) mod commands;
mod components;
pub(crate) mod describe;
pub(crate) mod events;
#[cfg(test)]
pub(crate) mod examples;
pub(crate) mod facets;
mod hint;
pub(crate) mod metrics;
pub(crate) mod plans;
pub(crate) mod push;
pub(crate) mod repush;
pub(crate) mod schemas;
pub(crate) mod settings;
pub(crate) mod structured;
pub(crate) mod table;
