//! Never shipped: in-process fleet, simulated agents, a fake Fluent Bit, whole-system tests, the conformance document.

pub mod bench;
pub mod conformance;
pub mod fake_fluent_bit;
pub mod fleet;
pub mod soak;
pub mod swarm;
