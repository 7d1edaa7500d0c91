//! What is wrong with a config, where, and what to do about it.

use std::fmt;

use crate::limits::MAX_DIAGNOSTICS;
use crate::position::Position;

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// Fluent Bit refuses the config, or would read something other than what stands there.
    Error,
    /// Fluent Bit loads the config, but this part has no effect or is likely a mistake.
    Warning,
}

/// One finding. `Display` gives `file:line:column: error: message (fix)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the config can be loaded in spite of it.
    pub severity: Severity,
    /// The name of the file, as it was given to the parser or by the include callback.
    pub file: String,
    /// Where it stands; `None` when it concerns the file as a whole.
    pub position: Option<Position>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do about it, when that is known.
    pub fix: Option<String>,
}

impl Diagnostic {
    /// Whether this is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", OneLine(&self.file))?;
        if let Some(position) = self.position {
            write!(f, "{}:{}:", position.line, position.column)?;
        }
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, " {severity}: {}", OneLine(&self.message))?;
        self.fix.as_ref().map_or(Ok(()), |fix| write!(f, " ({})", OneLine(fix)))
    }
}

/// Text from configs with its control characters escaped, so that it stays on its line and cannot steer a
/// terminal.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if c.is_control() {
                write!(f, "{}", c.escape_default())?;
            } else {
                write!(f, "{c}")?;
            }
        }
        Ok(())
    }
}

/// Collects the diagnostics of one file, up to [`MAX_DIAGNOSTICS`].
pub(crate) struct Report {
    file: String,
    list: Vec<Diagnostic>,
}

impl Report {
    pub(crate) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), list: Vec::new() }
    }

    pub(crate) fn error(&mut self, at: Option<Position>, message: impl Into<String>, fix: Option<&str>) {
        self.add(Severity::Error, at, message.into(), fix);
    }

    pub(crate) fn warning(&mut self, at: Option<Position>, message: impl Into<String>, fix: Option<&str>) {
        self.add(Severity::Warning, at, message.into(), fix);
    }

    fn add(&mut self, severity: Severity, position: Option<Position>, message: String, fix: Option<&str>) {
        let full = self.list.len() >= MAX_DIAGNOSTICS;
        if full && self.list.len() > MAX_DIAGNOSTICS {
            // The closing entry must not hide that one of the findings left out is an error.
            if let Some(last) = self.list.last_mut()
                && severity == Severity::Error
            {
                last.severity = Severity::Error;
            }
            return;
        }
        let (message, fix) =
            if full { ("there are more findings in this file".to_owned(), None) } else { (message, fix) };
        self.list.push(Diagnostic {
            severity,
            file: self.file.clone(),
            position,
            message,
            fix: fix.map(str::to_owned),
        });
    }

    pub(crate) fn into_list(self) -> Vec<Diagnostic> {
        self.list
    }
}
