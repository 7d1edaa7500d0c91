//! Writing YAML scalars.

/// The value as YAML: plain where every reader takes it for the same text in block and flow style,
/// otherwise in double quotes.
pub(crate) fn written(value: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-' | '+' | '*');
    let plain = value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/' || c == '_')
        && value.chars().all(safe)
        && !["null", "Null", "NULL"].contains(&value);
    if plain {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                out.push_str(&format!("\\U{:08x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
