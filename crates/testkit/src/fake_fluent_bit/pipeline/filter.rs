//! Filters: `grep` judges, the others count.

use regex_lite::Regex;
use serde_json::Value;

use crate::fake_fluent_bit::config::Instance;
use crate::fake_fluent_bit::glob::Pattern;
use crate::fake_fluent_bit::snapshot::FilterStat;

/// What a filter does to a record.
#[derive(Debug, Clone)]
pub enum Rule {
    /// Lets everything pass.
    Pass,
    /// `grep`: keeps records in which every `regex` and no `exclude` matches its key.
    Grep {
        /// Key and pattern that must match.
        keep: Vec<(String, Regex)>,
        /// Key and pattern that must not.
        drop: Vec<(String, Regex)>,
    },
}

/// One running filter.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) stat: FilterStat,
    pub(super) pattern: Pattern,
    pub(super) rule: Rule,
}

impl Filter {
    /// Gives the pattern that does not compile, if there is one.
    pub(super) fn new(instance: &Instance) -> Result<Self, String> {
        Ok(Self {
            stat: FilterStat { name: instance.name.clone(), records: 0, drop_records: 0, drop_bytes: 0 },
            pattern: Pattern::of(instance.get("match"), instance.get("match_regex")),
            rule: Rule::of(instance)?,
        })
    }
}

impl Rule {
    /// The rule of a filter's properties.
    ///
    /// # Errors
    /// With the pattern that does not compile.
    pub fn of(instance: &Instance) -> Result<Self, String> {
        if instance.plugin != "grep" {
            return Ok(Self::Pass);
        }
        let (mut keep, mut drop) = (Vec::new(), Vec::new());
        for (key, value) in &instance.properties {
            let list = match key.as_str() {
                "regex" => &mut keep,
                "exclude" => &mut drop,
                _ => continue,
            };
            let (field, pattern) = value.trim().split_once(char::is_whitespace).unwrap_or((value, ""));
            let pattern = pattern.trim();
            match Regex::new(pattern) {
                Ok(regex) => list.push((field.trim_start_matches('$').to_owned(), regex)),
                // Onigmo's look-around is good there and unknown here: such a rule passes everything.
                Err(_) if pattern.contains("(?") => {}
                Err(_) => return Err(pattern.to_owned()),
            }
        }
        Ok(Self::Grep { keep, drop })
    }

    /// Whether the record goes on.
    #[must_use]
    pub fn keeps(&self, body: &Value) -> bool {
        let Self::Grep { keep, drop } = self else {
            return true;
        };
        // Only text matches: a number never does (measured).
        let matches = |(key, regex): &(String, Regex)| {
            body.get(key).and_then(Value::as_str).is_some_and(|text| regex.is_match(text))
        };
        keep.iter().all(matches) && !drop.iter().any(matches)
    }
}
