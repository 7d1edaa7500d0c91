//! `match` rules.

use regex_lite::Regex;

/// Which tags a filter or an output takes.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// `match` with `*` wildcards.
    Glob(String),
    /// `match_regex`.
    Regex(Regex),
    /// Neither is set: nothing is taken.
    Nothing,
}

impl Pattern {
    /// The pattern of an instance's `match` and `match_regex`; the former wins.
    #[must_use]
    pub fn of(glob: Option<&str>, regex: Option<&str>) -> Self {
        if let Some(glob) = glob {
            return Self::Glob(glob.to_owned());
        }
        regex.and_then(|text| Regex::new(text).ok()).map_or(Self::Nothing, Self::Regex)
    }

    /// Whether a tag matches.
    #[must_use]
    pub fn takes(&self, tag: &str) -> bool {
        match self {
            Self::Glob(glob) => glob_takes(glob, tag),
            Self::Regex(regex) => regex.is_match(tag),
            Self::Nothing => false,
        }
    }
}

/// Whether a text matches; `*` stands for any text.
#[must_use]
pub fn glob_takes(glob: &str, tag: &str) -> bool {
    let Some((head, rest)) = glob.split_once('*') else {
        return glob == tag;
    };
    let Some(tail) = tag.strip_prefix(head) else {
        return false;
    };
    let mut starts = tail.char_indices().map(|(index, _)| index).chain([tail.len()]);
    starts.any(|start| tail.get(start..).is_some_and(|tail| glob_takes(rest, tail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_globs_when_matched_then_a_star_stands_for_any_text() {
        for (glob, tag, takes) in [
            ("*", "", true),
            ("app.*", "app.log", true),
            ("app.*", "ap", false),
            ("*.log", "a.log", true),
            ("a", "a", true),
            ("a", "ab", false),
        ] {
            assert_eq!(glob_takes(glob, tag), takes, "{glob} {tag}");
        }
    }
}
