//! What a query that is being written may go on with.

use tidegate_fleet::index::Request;
use tidegate_fleet::query::key::{ALIASES, NAMES};
use tidegate_fleet::query::{Key, Wanted, spot, written};
use tidegate_fleet::{Action, Actor, Scope, authorize};

use super::{Control, ControlError};

/// Most proposals.
const MOST: usize = 30;

/// Most names of agents among them.
const MOST_AGENTS: usize = 8;

/// What may stand in a place of a query.
#[derive(Debug, Default)]
pub(crate) struct Completions {
    /// The first character that a proposal takes the place of, from 0, and the first one behind.
    pub(crate) place: (usize, usize),
    pub(crate) proposals: Vec<Proposal>,
}

/// One proposal.
#[derive(Debug)]
pub(crate) struct Proposal {
    pub(crate) kind: Kind,
    /// As it is written in a query.
    pub(crate) text: String,
    /// How many agents have it, among those that match the rest of the query; `None` for keys of every agent.
    pub(crate) count: Option<u64>,
}

/// What is proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Key,
    Value,
    Agent,
}

impl Control {
    /// What a query may go on with before its character `at`.
    pub(crate) async fn complete(
        &self,
        actor: &Actor,
        text: &str,
        at: usize,
    ) -> Result<Completions, ControlError> {
        authorize(actor, Action::Read)?;
        let found = spot(text, at);
        let mut proposals = Vec::new();
        if actor.scope == Scope::Everything {
            match &found.wanted {
                Wanted::Word(word) => {
                    proposals = self.keys(word).await;
                    if !word.is_empty() {
                        let agents = self.values(&found.rest, &Key::Name, word).await;
                        proposals.extend(agents.into_iter().take(MOST_AGENTS).map(|(name, count)| {
                            Proposal { kind: Kind::Agent, text: written(&name), count: Some(count) }
                        }));
                    }
                }
                Wanted::Value(key, prefix) => {
                    let values = self.values(&found.rest, key, prefix).await;
                    let unused = key.words().into_iter().flatten().filter(|word| {
                        word.starts_with(prefix.as_str()) && values.iter().all(|(value, _)| value != word)
                    });
                    let unused: Vec<_> = unused.map(|word| (word.to_owned(), 0)).collect();
                    proposals = values
                        .into_iter()
                        .chain(unused)
                        .map(|(value, count)| Proposal {
                            kind: Kind::Value,
                            text: written(&value),
                            count: Some(count),
                        })
                        .collect();
                }
                Wanted::Nothing => {}
            }
        }
        proposals.truncate(MOST);
        Ok(Completions { place: (found.from, found.to), proposals })
    }

    async fn keys(&self, prefix: &str) -> Vec<Proposal> {
        let fixed = NAMES.iter().filter(|name| name.starts_with(prefix));
        let proposal = |text: String, count| Proposal { kind: Kind::Key, text: format!("{text}:"), count };
        let mut proposals: Vec<_> = fixed.map(|name| proposal((*name).to_owned(), None)).collect();
        let names = self.core.index.names(prefix, MOST).await;
        let aliased = |key: &Key| matches!(key, Key::Attribute(name) if ALIASES.iter().any(|(_, long)| **long == **name));
        let own = names.into_iter().filter(|(key, _)| !aliased(key));
        proposals.extend(own.map(|(key, count)| proposal(written_key(&key), Some(count))));
        // Room is left for names of agents.
        proposals.truncate(MOST - MOST_AGENTS);
        proposals
    }

    async fn values(
        &self,
        query: &tidegate_fleet::query::Query,
        key: &Key,
        prefix: &str,
    ) -> Vec<(String, u64)> {
        let facets = [key.clone()];
        let (clock, sort, after, limit) = (self.clock(), &[], None, Some(0));
        let request = Request { query, clock, sort, after, limit, facets: &facets };
        let found = self.core.index.scan_values(request, prefix).await;
        found.facets.into_iter().next().map(|facet| facet.values).unwrap_or_default()
    }
}

/// A key as it is written: between quotes where its name needs them.
fn written_key(key: &Key) -> String {
    written(&key.to_string())
}
