//! Measures the server's figures: starts the shipped server, drives it with swarms, reads what the kernel says of it,
//! and holds each figure against its goal. `scripts/bench.sh` builds and runs it; docs/benchmarks.md tells the method.

mod children;
mod figure;
mod phases;
mod plan;
mod process;
mod rest;
mod start;
mod subject;
mod swarm;

pub use start::main;
