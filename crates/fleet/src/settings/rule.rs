//! Rules and their order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tidegate_opamp::InstanceUid;

use super::{RuleName, Settings};
use crate::query::facts::Facts;
use crate::query::{Query, QueryError};
use crate::{Agent, Timestamp};

/// A query over what lasts: a rule that followed health or connection would change an agent's settings with each of
/// its moods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// As the operator wrote it.
    pub text: String,
    query: Query,
}

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    /// [`QueryError`] for what is no query, for one that matches everything, and for keys that come and go.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let query = Query::parse(text)?;
        let refuse = |message: &str| {
            let length = text.chars().count();
            Err(QueryError { position: 1, length, message: message.to_owned(), hint: None })
        };
        if query.is_everything() {
            return refuse("it matches every agent; say {\"all\": true} instead");
        }
        if !query.is_lasting() {
            return refuse(
                "settings follow what an agent is, not how it fares: use uid, name, service, version, os, \
                 capability, labels and attributes",
            );
        }
        Ok(Self { text: text.to_owned(), query })
    }
}

/// Whom a rule is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Every agent.
    Fleet,
    /// The agents that match.
    Selector(Selector),
    /// One agent.
    Agent(InstanceUid),
}

/// Settings for some agents.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name.
    pub name: RuleName,
    /// Whom it is for.
    pub target: Target,
    /// Among rules for the same kind of target, the highest wins, then the newest.
    pub priority: i32,
    /// What it sets.
    pub settings: Settings,
    /// Who wrote it.
    pub actor: String,
    /// When it was last written.
    pub at: Timestamp,
    /// Counts its versions from 1.
    pub revision: u64,
}

/// Every rule, in the order in which they win: an agent's own, then selectors, then the fleet's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    ordered: Vec<Arc<Rule>>,
    own: HashMap<InstanceUid, Vec<usize>>,
    /// The first that is for more than one agent.
    shared_from: usize,
}

impl Rules {
    /// Puts rules in order.
    #[must_use]
    pub fn new(rules: impl IntoIterator<Item = Arc<Rule>>) -> Self {
        let rank = |rule: &Rule| match rule.target {
            Target::Agent(_) => 0,
            Target::Selector(_) => 1,
            Target::Fleet => 2,
        };
        let mut ordered: Vec<_> = rules.into_iter().collect();
        ordered.sort_by(|a, b| {
            let key = |rule: &Rule| (rank(rule), Reverse(rule.priority), Reverse(rule.at));
            key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
        });
        let mut own: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, rule) in ordered.iter().enumerate() {
            if let Target::Agent(uid) = rule.target {
                own.entry(uid).or_default().push(index);
            }
        }
        let shared_from = ordered.partition_point(|rule| rank(rule) == 0);
        Self { ordered, own, shared_from }
    }

    /// These rules with `rule` in the place of the one of its name.
    #[must_use]
    pub fn with(&self, rule: Arc<Rule>) -> Self {
        let others = self.without(&rule.name).ordered;
        Self::new(others.into_iter().chain([rule]))
    }

    /// These rules without the one of a name.
    #[must_use]
    pub fn without(&self, name: &RuleName) -> Self {
        Self::new(self.ordered.iter().filter(|rule| rule.name != *name).cloned())
    }

    /// These rules with those for an agent following it to another uid.
    #[must_use]
    pub fn renamed(self, old: InstanceUid, new: InstanceUid) -> Self {
        let follow = |rule: Arc<Rule>| match rule.target {
            Target::Agent(uid) if uid == old => {
                Arc::new(Rule { target: Target::Agent(new), ..(*rule).clone() })
            }
            _ => rule,
        };
        Self::new(self.ordered.into_iter().map(follow))
    }

    /// The rule of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Rule>> {
        self.ordered.iter().find(|rule| rule.name.as_str() == name)
    }

    /// All of them by name.
    #[must_use]
    pub fn by_name(&self) -> BTreeMap<&str, &Arc<Rule>> {
        self.ordered.iter().map(|rule| (rule.name.as_str(), rule)).collect()
    }

    /// True when there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ordered.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ordered.len()
    }

    /// The places of the rules that hold for an agent, the winning one first.
    #[must_use]
    pub fn matching(&self, agent: &Agent, now: Timestamp, interval: Duration) -> Vec<usize> {
        let own = self.own.get(&agent.uid).map_or(&[][..], Vec::as_slice);
        // Decoded once, and only where a selector asks.
        let facts = std::cell::LazyCell::new(|| Facts::of(agent));
        let holds = |rule: &Rule| match &rule.target {
            Target::Selector(selector) => selector.query.matches(&facts.at(now, interval)),
            Target::Fleet => true,
            Target::Agent(_) => false,
        };
        let shared = self.ordered[self.shared_from..].iter().enumerate();
        let shared = shared.filter(|(_, rule)| holds(rule)).map(|(index, _)| index + self.shared_from);
        own.iter().copied().chain(shared).collect()
    }

    /// The rules at places that [`Rules::matching`] gave.
    pub fn at<'a>(&'a self, places: &'a [usize]) -> impl Iterator<Item = &'a Rule> {
        places.iter().filter_map(|place| self.ordered.get(*place)).map(Arc::as_ref)
    }
}
