//! Errors of tools, made in this one place: problems as REST has them (RFC 9457), for a model to mend.

use serde_json::{Value, json};

use super::detail::Detail;
use super::fence;
use crate::control::ControlError;

/// Why a tool did not do what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    status: u16,
    code: &'static str,
    title: &'static str,
    detail: String,
    fix: Option<String>,
}

impl Problem {
    pub(super) fn new(
        status: u16,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self { status, code, title, detail: detail.into(), fix: None }
    }

    pub(super) fn invalid(pointer: &str, message: impl std::fmt::Display) -> Self {
        Self::new(422, "invalid", "Invalid argument", format!("{pointer}: {message}"))
    }

    pub(super) fn too_large(bytes: usize, detail: Detail) -> Self {
        let text = format!("the answer has {bytes} bytes, at most {} are told", detail.bytes());
        Self::new(413, "too-large", "Too large", text).fix("ask for less, or for detail: full")
    }

    /// With what to do about it.
    pub(super) fn fix(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }

    /// As an answer's object. What is told of may hold words of agents, and is cleaned as those are.
    pub(super) fn json(&self) -> Value {
        let mut problem = json!({
            "type": format!("urn:tidegate:problem:{}", self.code),
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": fence::line(&self.detail, fence::FULL),
        });
        if let (Some(fix), Some(object)) = (&self.fix, problem.as_object_mut()) {
            object.insert("fix".into(), fence::line(fix, fence::FULL).into());
        }
        json!({ "problem": problem })
    }
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        let text = error.to_string();
        match error {
            ControlError::Denied(_) => Self::new(403, "forbidden", "Not allowed", text),
            ControlError::NotFound { .. } => Self::new(404, "not-found", "Not found", text),
            ControlError::NoAgentMatches(_) => Self::new(404, "no-agent-matches", "No agent matches", text)
                .fix("explain_query tells how q is read"),
            ControlError::Unsupported(_) => Self::new(409, "unsupported", "The agent cannot do this", text),
            ControlError::Conflict(_) => Self::new(409, "conflict", "Not as expected", text),
            ControlError::Stale(_) => {
                Self::new(412, "stale", "Changed since", text).fix("plan again and show the new plan")
            }
            ControlError::TooMany(_) => Self::new(429, "too-many", "Too many", text),
            ControlError::Store(_) => Self::new(503, "store", "Not stored", text),
            ControlError::Invalid { pointer, message } => Self::invalid(&pointer, message),
            ControlError::Query(error) => {
                let problem = Self::new(422, "invalid-query", "The query cannot be read", text);
                match error.hint {
                    Some(hint) => problem.fix(format!("write {hint}")),
                    None => problem.fix("explain_query lists the keys"),
                }
            }
        }
    }
}
