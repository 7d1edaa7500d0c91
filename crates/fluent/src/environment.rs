//! Variables in values.

use crate::config::Config;

/// Longest name (with default) that Fluent Bit looks up, in bytes.
const MAX_NAME: usize = 4095;

/// Replaces each `${NAME}` and `${NAME:-default}` by what `lookup` gives for the name. A name that is
/// unknown, or empty where there is a default, becomes the default, or nothing. What comes in is not
/// expanded again. Fluent Bit stops at a `${}` without a name and at a `}` that precedes the next `${`;
/// so does this.
pub fn expand(value: &str, lookup: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let (Some(start), Some(end)) = (rest.find("${"), rest.find('}')) {
        let name = rest.get(start + 2..end).unwrap_or_default();
        if name.is_empty() || name.len() > MAX_NAME {
            break;
        }
        out.push_str(rest.get(..start).unwrap_or_default());
        let (name, default) = match name.split_once(':') {
            Some((head, tail)) if tail.starts_with('-') => (head, tail.get(1..)),
            _ => (name, None),
        };
        match lookup(name) {
            Some(found) if !(found.is_empty() && default.is_some()) => out.push_str(&found),
            _ => out.push_str(default.unwrap_or_default()),
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

impl Config {
    /// Expands variables as Fluent Bit does for this config: `@SET` and `env` come before the process
    /// environment, for which `process` is asked; an empty variable there counts as not set. For a
    /// variable that stands for a file, `process` is asked for the URI (`file:///path`) itself.
    pub fn expand(&self, value: &str, process: &dyn Fn(&str) -> Option<String>) -> String {
        expand(value, &|name| match self.variables().iter().rev().find(|variable| variable.name == name) {
            Some(variable) if variable.value.starts_with("file://") => process(&variable.value),
            Some(variable) => Some(variable.value.clone()),
            None => process(name).filter(|found| !found.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn variables_are_expanded_as_fluent_bit_expands_them() {
        let cases = [
            ("plain", "plain"),
            ("${A}", "1"),
            ("x${A}y${B}z", "x1y22z"),
            ("${NONE}", ""),
            ("${NONE:-d}", "d"),
            ("${EMPTY:-d}", "d"),
            ("${EMPTY}", ""),
            ("${A:-d}", "1"),
            ("${}", "${}"),
            ("${A", "${A"),
            ("} ${A}", "} ${A}"),
            ("$A", "$A"),
            ("${A}${", "1${"),
        ];
        for (value, expected) in cases {
            let got = expand(value, &|name| match name {
                "A" => Some("1".to_owned()),
                "B" => Some("22".to_owned()),
                "EMPTY" => Some(String::new()),
                _ => None,
            });
            assert_eq!(got, expected, "{value}");
        }
    }
}
