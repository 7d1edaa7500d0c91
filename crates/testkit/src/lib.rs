//! Never shipped: in-process fleet, simulated agents, a fake Fluent Bit, whole-system tests.

pub mod bench;
pub mod fake_fluent_bit;
pub mod fleet;
pub mod swarm;
