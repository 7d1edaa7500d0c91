//! Fluent Bit configs for tests.

/// A YAML config with one `dummy` input of this alias; `more` are further inputs.
#[must_use]
pub fn yaml(alias: &str, more: &str) -> String {
    format!(
        "service:\n  flush: 1\n  grace: 1\npipeline:\n  inputs:\n    - name: dummy\n      alias: {alias}\n{more}  \
         outputs:\n    - name: \"null\"\n      alias: sink\n      match: \"*\"\n"
    )
}

/// The same in the classic format.
#[must_use]
pub fn classic(alias: &str) -> String {
    format!(
        "[SERVICE]\n    flush 1\n    grace 1\n[INPUT]\n    name dummy\n    alias {alias}\n[OUTPUT]\n    name null\n    \
         alias sink\n    match *\n"
    )
}

/// A config that passes Fluent Bit's own check and ends the process that loads it.
#[must_use]
pub fn bad_regex(alias: &str) -> String {
    yaml(alias, "  filters:\n    - name: grep\n      match: \"*\"\n      regex: log (\n")
}

/// A config that Fluent Bit's own check refuses.
#[must_use]
pub fn unknown_property(alias: &str) -> String {
    yaml(alias, "      nosuch: 1\n")
}
