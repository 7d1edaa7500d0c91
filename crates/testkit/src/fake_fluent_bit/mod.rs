//! A fake Fluent Bit: the command line, HTTP dialect, signals, logs and exit codes of 5.1.1, and
//! misbehaviour on demand.
//!
//! It serves faults that the real one cannot be asked to show, and machines without a real one. What
//! it does is what the real one was seen to do: [`behaviour`] lists each thing with its source, and
//! the test over that table checks the fake always and a real binary when one is present.

pub mod behaviour;
pub mod catalogue;
pub mod config;
pub mod config_cases;
pub mod control;
pub mod flags;
pub mod glob;
pub mod http;
pub mod judge;
pub mod log;
pub mod pipeline;
pub mod settings;
pub mod snapshot;

mod chaos;
mod context;
mod dump;
mod engine;
mod faults;
mod listeners;
mod process;
mod reload;
mod signals;
mod start;

pub use start::main;
