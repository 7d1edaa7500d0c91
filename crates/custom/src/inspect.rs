//! Looking at an agent from afar: its log, what it would say to a config, and what a person who is to help needs to
//! know. Nothing of it changes the agent.

use serde_json::{Map, Value};
use tidegate_opamp::CustomMessage;

use crate::chatops::RESULT;
use crate::payload::{Fields, MAX_TEXT_BYTES, PayloadError, encode};

/// [`CustomMessage::kind`] of every request.
pub const REQUEST: &str = "request";

/// Most lines of a log that are answered, and how many are unless the request says it.
pub const MAX_LINES: u64 = 500;
/// See [`MAX_LINES`].
pub const DEFAULT_LINES: u64 = 100;

/// Most files of a config that is only checked.
pub const MAX_CHECKED_FILES: usize = 64;

/// Asks for the last lines of the agent's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logs {
    /// Correlates the answer.
    pub id: Option<String>,
    /// How many lines; 1 to [`MAX_LINES`].
    pub lines: u64,
}

impl Logs {
    /// Reads [`CustomMessage::data`]; no bytes at all are a request too.
    ///
    /// # Errors
    /// [`PayloadError`], which names the field.
    pub fn parse(data: &[u8]) -> Result<Self, PayloadError> {
        let mut fields = Fields::read_or_empty(data)?;
        let lines = fields.number("lines")?.unwrap_or(DEFAULT_LINES);
        if !(1..=MAX_LINES).contains(&lines) {
            return Err(PayloadError::WrongForm { field: "lines", expected: "a number from 1 to 500" });
        }
        Ok(Self { id: fields.id()?, lines })
    }
}

/// A file of a config that is only checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedFile {
    /// Its name, as in an offer.
    pub name: String,
    /// Its text.
    pub body: String,
    /// Its media type; empty to go by the name.
    pub content_type: String,
    /// Its role, as in an offer.
    pub role: String,
}

/// Asks what the agent would say to a config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryRun {
    /// Correlates the answer.
    pub id: Option<String>,
    /// The config; 1 to [`MAX_CHECKED_FILES`] files.
    pub files: Vec<CheckedFile>,
}

impl DryRun {
    /// Reads [`CustomMessage::data`].
    ///
    /// # Errors
    /// [`PayloadError`], which names the field.
    pub fn parse(data: &[u8]) -> Result<Self, PayloadError> {
        const WRONG: PayloadError = PayloadError::WrongForm {
            field: "files",
            expected: "a list of 1 to 64 objects with `name` and `body`",
        };
        let mut fields = Fields::read(data)?;
        let files = match fields.take("files").ok_or(PayloadError::Missing("files"))? {
            Value::Array(files) if (1..=MAX_CHECKED_FILES).contains(&files.len()) => files,
            _ => return Err(WRONG),
        };
        let file = |file: Value| {
            let Value::Object(map) = file else { return Err(WRONG) };
            let mut fields = Fields::of(map);
            Ok(CheckedFile {
                name: fields.text("name", MAX_TEXT_BYTES)?.unwrap_or_default(),
                body: fields.text("body", usize::MAX)?.ok_or(WRONG)?,
                content_type: fields.text("content_type", MAX_TEXT_BYTES)?.unwrap_or_default(),
                role: fields.text("role", MAX_TEXT_BYTES)?.unwrap_or_default(),
            })
        };
        Ok(Self { id: fields.id()?, files: files.into_iter().map(file).collect::<Result<_, _>>()? })
    }
}

/// What was found, as a message; `found` is the payload beside the id.
///
/// # Errors
/// [`PayloadError::TooLarge`].
pub fn result(
    capability: &str,
    id: Option<String>,
    mut found: Map<String, Value>,
) -> Result<CustomMessage, PayloadError> {
    if let Some(id) = id {
        found.insert("id".to_owned(), id.into());
    }
    Ok(CustomMessage {
        capability: capability.to_owned(),
        kind: RESULT.to_owned(),
        data: encode(&found)?,
        ..CustomMessage::default()
    })
}

/// Reads a result: any JSON object.
///
/// # Errors
/// [`PayloadError`].
pub fn parse_result(data: &[u8]) -> Result<Map<String, Value>, PayloadError> {
    Fields::read(data).map(Fields::rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_requests_for_logs_when_parsed_then_the_number_is_bounded() {
        let lines = |data: &str| {
            Logs::parse(data.as_bytes()).map(|logs| logs.lines).map_err(|error| error.to_string())
        };
        assert_eq!(lines(""), Ok(100));
        assert_eq!(lines(r#"{"lines": 500}"#), Ok(500));
        for wrong in [r#"{"lines": 0}"#, r#"{"lines": 501}"#] {
            assert_eq!(lines(wrong), Err("field `lines` must be a number from 1 to 500".to_owned()));
        }
        assert!(lines(r#"{"lines": "many"}"#).unwrap_err().contains("`lines`"));
    }

    #[test]
    fn given_configs_to_check_when_parsed_then_each_file_has_a_body() {
        let read =
            DryRun::parse(br#"{"id": 3, "files": [{"name": "a.yaml", "body": "x"}, {"body": ""}]}"#).unwrap();
        assert_eq!((read.id.as_deref(), read.files.len()), (Some("3"), 2));
        assert_eq!((read.files[0].name.as_str(), read.files[0].body.as_str()), ("a.yaml", "x"));
        for wrong in ["{}", r#"{"files": []}"#, r#"{"files": [{"name": "a"}]}"#, r#"{"files": [1]}"#, "[]"] {
            assert!(DryRun::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
