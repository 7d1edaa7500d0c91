//! tidegate-server: one view of a fleet's state and of what operators want.
//!
//! Agents come in through `agents`, operators through `rest`; both act on `state`, operators only by way of the
//! use cases in [`control`]. [`run::start`] puts the whole together and is what tests use too.

mod agents;
mod background;
mod console;
pub mod control;
mod data_dir;
mod listen;
pub mod maintenance;
mod mcp;
mod rate;
mod rest;
pub mod run;
mod session;
pub mod settings;
mod state;
mod telemetry;
mod token;
