//! How Fluent Bit reads YAML keys.

/// The key as Fluent Bit compares it. Keys that begin with a small letter and have no underscore are
/// camelCase for it and become snake_case; later comparisons take no notice of case.
pub(crate) fn normalised(key: &str) -> String {
    let key = crate::value::trim(key);
    if !key.starts_with(|c: char| c.is_ascii_lowercase()) || key.contains('_') {
        return key.to_ascii_lowercase();
    }
    let mut out = String::with_capacity(key.len() + 4);
    for c in key.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::normalised;

    #[test]
    fn keys_are_read_as_fluent_bit_reads_them() {
        let cases = [
            ("http_server", "http_server"),
            ("HTTP_Server", "http_server"),
            ("httpServer", "http_server"),
            ("Http_Server", "http_server"),
            ("LogLevel", "loglevel"),
            ("logLevel", "log_level"),
            ("hot_reload.ensureThreadSafety", "hot_reload.ensurethreadsafety"),
            ("storage.path", "storage.path"),
            ("", ""),
        ];
        for (written, expected) in cases {
            assert_eq!(normalised(written), expected, "{written}");
        }
    }
}
