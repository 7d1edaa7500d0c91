//! Checks beyond what Fluent Bit refuses.

use crate::config::Config;
use crate::diagnostic::{Diagnostic, Severity};
use crate::pipeline::PluginKind;

/// An error if the config has no input or no output. Fluent Bit accepts such a config, and for an empty
/// one even its HTTP server and hot reload are gone (fluent-bit.md, validation table), so a supervisor
/// must refuse it itself.
pub fn no_pipeline(config: &Config) -> Option<Diagnostic> {
    let has = |kind| config.plugins_of(kind).next().is_some();
    let (message, fix) = match (has(PluginKind::Input), has(PluginKind::Output)) {
        (true, true) => return None,
        (false, false) => ("the config has no pipeline", "add at least one input and one output"),
        (false, true) => ("the config has no inputs", "add at least one input"),
        (true, false) => ("the config has no outputs", "add at least one output"),
    };
    Some(Diagnostic {
        severity: Severity::Error,
        file: config.name().to_owned(),
        position: None,
        message: message.to_owned(),
        fix: Some(fix.to_owned()),
    })
}
