//! What in a fleet calls for a person, in sentences that can be followed: each names how many agents, and the query that
//! finds them.

use crate::agent::axes::Attention;
use crate::index::Facet;
use crate::query::Key;

/// One thing that calls for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What is the matter, with the number of agents.
    pub sentence: String,
    /// Finds them.
    pub query: String,
    /// How many there are.
    pub count: u64,
    /// How loudly it calls.
    pub level: Attention,
    one: &'static str,
    many: &'static str,
}

impl Call {
    /// Says the same of another number of agents.
    pub fn recount(&mut self, count: u64) {
        self.count = count;
        self.sentence = sentence(count, self.one, self.many);
    }
}

fn sentence(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 agent {one}") } else { format!("{count} agents {many}") }
}

/// What is worth a sentence, the loudest first: key, value, and the words behind "N agents".
const CALLING: [(&str, &str, Attention, &str, &str); 10] = [
    ("health", "unhealthy", Attention::Act, "is unhealthy", "are unhealthy"),
    ("config", "failed", Attention::Act, "failed to apply its config", "failed to apply their config"),
    (
        "config",
        "drifted",
        Attention::Act,
        "runs another config than it applied",
        "run another config than they applied",
    ),
    ("connection", "disconnected", Attention::Act, "is disconnected", "are disconnected"),
    ("health", "degraded", Attention::Watch, "is degraded", "are degraded"),
    ("connection", "late", Attention::Watch, "is late with its heartbeat", "are late with their heartbeats"),
    ("config", "pending", Attention::Watch, "waits for its config", "wait for their config"),
    ("config", "applying", Attention::Watch, "is applying a config", "are applying a config"),
    ("health", "starting", Attention::Watch, "is starting", "are starting"),
    ("connection", "departed", Attention::Watch, "said farewell", "said farewell"),
];

/// The keys whose facets [`calls`] reads.
#[must_use]
pub fn keys() -> [Key; 3] {
    [Key::Connection, Key::Health, Key::Config]
}

/// The sentences for agents that match `query`, whose facets by [`keys`] are these; the loudest first.
#[must_use]
pub fn calls(query: &str, facets: &[Facet]) -> Vec<Call> {
    let within = query.trim();
    let count = |name: &str, value: &str| {
        let facet = facets.iter().find(|facet| facet.key.to_string() == name)?;
        facet.values.iter().find(|(known, _)| known == value).map(|(_, count)| *count)
    };
    let call = |(key, value, level, one, many): &(&str, &str, Attention, &'static str, &'static str)| {
        let count = count(key, value).filter(|count| *count > 0)?;
        let term = format!("{key}:{value}");
        let query = if within.is_empty() { term } else { format!("({within}) {term}") };
        let sentence = sentence(count, one, many);
        Some(Call { sentence, query, count, level: *level, one, many })
    };
    CALLING.iter().filter_map(call).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Query;

    fn facet(key: Key, values: &[(&str, u64)]) -> Facet {
        let values = values.iter().map(|(value, count)| ((*value).to_owned(), *count)).collect();
        Facet { key, values, other: 0, missing: 0 }
    }

    #[test]
    fn given_counts_then_each_that_calls_has_a_sentence_and_a_query_and_the_loudest_comes_first() {
        let facets = [
            facet(Key::Connection, &[("connected", 8), ("late", 2)]),
            facet(Key::Health, &[("healthy", 9), ("unhealthy", 1)]),
            facet(Key::Config, &[("in-sync", 10), ("failed", 0)]),
        ];
        let found = calls("os:linux OR os:darwin", &facets);
        let told: Vec<_> = found.iter().map(|call| (call.sentence.as_str(), call.query.as_str())).collect();
        assert_eq!(
            told,
            [
                ("1 agent is unhealthy", "(os:linux OR os:darwin) health:unhealthy"),
                ("2 agents are late with their heartbeats", "(os:linux OR os:darwin) connection:late"),
            ]
        );
        assert_eq!(calls("", &facets)[0].query, "health:unhealthy");
        assert_eq!(calls("", &[]), []);
    }

    #[test]
    fn given_every_sentence_then_its_query_can_be_read() {
        for (key, value, ..) in CALLING {
            Query::parse(&format!("{key}:{value}")).unwrap();
        }
    }
}
