//! The two languages in which Fluent Bit reads a config.

/// The language of a config file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Sections in brackets with indented `Key Value` lines (`.conf`).
    Classic,
    /// YAML (`.yaml`, `.yml`).
    Yaml,
}

impl Format {
    /// The format that Fluent Bit picks for a main file of this name: YAML for the extensions `.yaml`
    /// and `.yml`, classic for all others (fluent-bit.md, "Classic").
    pub fn of_name(name: &str) -> Self {
        let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
        match file.rsplit_once('.') {
            Some((_, "yaml" | "yml")) => Self::Yaml,
            _ => Self::Classic,
        }
    }

    /// The format's name as it is used in messages: `classic` or `YAML`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Yaml => "YAML",
        }
    }
}
