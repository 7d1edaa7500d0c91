//! Text for classic files.

use crate::edit::EditError;
use crate::splice::Splice;

/// Refuses a value that a classic line cannot carry unchanged.
pub(crate) fn check_value(key: &str, value: &str) -> Result<(), EditError> {
    let carried =
        !value.is_empty() && crate::value::trim(value) == value && !value.contains(['\n', '\r', '\0']);
    if carried { Ok(()) } else { Err(EditError::Value { key: key.to_owned() }) }
}

/// Appends a section to the end of the file: there its keys win over all others (fluent-bit.md,
/// "Injecting settings"). Uses the file's own indentation and line ends.
pub(crate) fn append_section(text: &str, indent: Option<&str>, name: &str, keys: &[(&str, &str)]) -> Splice {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let indent = indent.unwrap_or("    ");
    let mut block = String::new();
    if !text.is_empty() && !text.ends_with('\n') {
        block.push_str(newline);
    }
    block.push_str(&format!("[{name}]{newline}"));
    for (key, value) in keys {
        block.push_str(&format!("{indent}{key} {value}{newline}"));
    }
    Splice { span: text.len()..text.len(), text: block }
}
