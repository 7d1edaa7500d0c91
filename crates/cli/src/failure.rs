//! Why a command did not do what it should.

use std::error::Error as _;
use std::io;

use tidegate_api::client::ClientError;

/// The end of a command that did not succeed. Texts are not sanitised here: the one that prints does it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A flag or a variable of the environment.
    #[error("cannot use {name}: {reason}")]
    Setting { name: String, reason: String },
    /// An argument of the command.
    #[error("{0}")]
    Argument(String),
    /// A local file.
    #[error("cannot read {path}")]
    Read { path: String, source: io::Error },
    /// A local file that is to be changed.
    #[error("cannot change {path}: {reason}")]
    Change { path: String, reason: String },
    /// Something in the chain between an assistant and the server does not hold.
    #[error("{0}")]
    Unsound(String),
    /// No token anywhere.
    #[error("there is no token for the server: set TIDEGATE_TOKEN or give --token-file ({place})")]
    NoToken { place: String },
    /// Several agents go by this name.
    #[error("{name:?} names more than one agent: {}; use the whole uid", list(.candidates, *.more))]
    Ambiguous { name: String, candidates: Vec<String>, more: usize },
    /// No agent goes by this name.
    #[error("there is no agent {name:?}; `tidegate get agents` lists them")]
    NoAgent { name: String },
    /// No agent matches.
    #[error("no agent matches {q:?}; `tidegate get agents -q QUERY` shows what a query finds")]
    NoMatch { q: String },
    /// The config has errors.
    #[error("the config has {errors} error{}; nothing was pushed (--force pushes it in spite of them)", plural(*.errors))]
    Config { errors: usize },
    /// The agent would not apply the config.
    #[error("the config would not be applied: {proof} proof failed")]
    NotAccepted { proof: String },
    /// The wait came to its deadline.
    #[error("timed out after {seconds} s; still missing: {missing}")]
    TimedOut { seconds: f64, missing: String },
    /// Nobody confirmed.
    #[error("{0}")]
    Unconfirmed(String),
    /// Some did not succeed.
    #[error("{failed} of {total} {what} did not succeed")]
    Partial { failed: u64, total: u64, what: &'static str },
    /// None succeeded.
    #[error("none of {total} {what} succeeded")]
    AllFailed { total: u64, what: &'static str },
    /// A call of the server's API.
    #[error("{0}")]
    Call(#[source] ClientError),
    /// Stdout.
    #[error("cannot write the output")]
    Write(#[source] io::Error),
    /// A value that a format cannot express.
    #[error("cannot write the output in this format: {0}")]
    Encode(String),
    /// The process's own machinery.
    #[error("cannot start")]
    Start(#[source] io::Error),
    /// Ctrl-C.
    #[error("interrupted; what the server was asked to do goes on there")]
    Interrupted,
}

impl Failure {
    /// True when the reader of stdout went away.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write(source) if source.kind() == io::ErrorKind::BrokenPipe)
    }

    /// What to tell the operator, a line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut first = self.to_string();
        if let Some(root) = self.root_cause() {
            first = format!("{first} ({root})");
        }
        let mut lines = vec![first];
        if let Self::Call(ClientError::Refused(problem)) = self {
            let untold = problem.errors.iter().filter(|detail| !problem.detail.contains(&detail.message));
            lines.extend(untold.map(|detail| {
                let column = detail.column.map(|column| format!(":{column}")).unwrap_or_default();
                format!("  {}{column}: {}", detail.pointer, detail.message)
            }));
        }
        lines
    }

    fn root_cause(&self) -> Option<String> {
        // `Call` shows its source's sentence already, so the chain starts below it.
        let mut cause = match self {
            Self::Call(error) => error.source()?,
            other => other.source()?,
        };
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        Some(cause.to_string())
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::Call(error)
    }
}

fn list(names: &[String], more: usize) -> String {
    let mut text = names.join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use tidegate_api::{Problem, ProblemDetail};

    use super::*;

    #[test]
    fn given_a_problem_with_places_when_told_then_each_place_has_its_line() {
        let detail = ProblemDetail {
            pointer: "q".into(),
            column: Some(4),
            message: "unknown key \"foo\"".into(),
            fix: None,
        };
        let problem =
            Problem { detail: "the query cannot be read".into(), errors: vec![detail], ..Problem::default() };
        let lines = Failure::Call(ClientError::Refused(Box::new(problem))).lines();
        assert_eq!(lines, ["the query cannot be read", "  q:4: unknown key \"foo\""]);
    }

    #[test]
    fn given_a_file_error_when_told_then_the_cause_is_named_once() {
        let source = io::Error::from(io::ErrorKind::PermissionDenied);
        let lines = Failure::Read { path: "a.yaml".into(), source }.lines();
        assert_eq!(lines, ["cannot read a.yaml (permission denied)"]);
    }
}
