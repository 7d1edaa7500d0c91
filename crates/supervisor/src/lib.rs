//! tidegate-supervisor: starts and supervises an agent on a host and speaks OpAMP for it.

pub mod agent;
pub mod apply;
pub mod check;
pub mod child;
pub mod client;
pub mod dispatch;
pub mod files;
pub mod handlers;
pub mod hex;
pub mod identity;
pub mod kind;
pub mod machine;
pub mod own;
pub mod report;
pub mod run;
pub mod settings;
pub mod state;
pub mod supervise;
pub mod text;
