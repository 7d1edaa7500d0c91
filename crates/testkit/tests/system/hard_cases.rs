//! Cases that a supervisor must survive, of docs/hard-cases.md, those that no other story tells.

#[path = "hard_cases/faulty.rs"]
mod faulty;
#[path = "hard_cases/host.rs"]
mod host;
#[path = "hard_cases/list.rs"]
mod list;
