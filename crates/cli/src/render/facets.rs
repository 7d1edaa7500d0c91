//! Counts of values.

use std::collections::BTreeMap;

use tidegate_api::Facet;

use super::table::{Look, Table, Tone};

/// A row for each value, its key before it; what has no value and what is not listed come last.
pub(crate) fn table(facets: &BTreeMap<String, Facet>, look: Look) -> String {
    let mut table = Table::new(&["KEY", "AGENTS", "VALUE"], look);
    for (key, facet) in facets {
        for value in &facet.values {
            table.row(&[key.clone(), value.count.to_string(), value.value.clone()], Tone::Plain);
        }
        for (count, word) in [(facet.other, "(other values)"), (facet.missing, "(none)")] {
            if count > 0 {
                table.row(&[key.clone(), count.to_string(), word.into()], Tone::Faint);
            }
        }
    }
    table.finish(look)
}

#[cfg(test)]
mod tests {
    use tidegate_api::FacetValue;

    use super::*;

    #[test]
    fn given_facets_when_shown_then_values_come_with_their_counts_and_the_rest_last() {
        let value = |value: &str, count| FacetValue { value: value.into(), count };
        let facet = Facet { values: vec![value("healthy", 12), value("ev\x1bil", 3)], other: 0, missing: 4 };
        let expected = "\
KEY      AGENTS   VALUE
health   12       healthy
health   3        ev\\u{1b}il
health   4        (none)
";
        assert_eq!(table(&BTreeMap::from([("health".into(), facet)]), Look::default()), expected);
    }
}
