//! One pass over an index: a page of a list, its total and its facets.

use std::collections::BinaryHeap;

use tidegate_opamp::InstanceUid;

use super::facet::{Counter, Facet, Tally};
use super::order::{Position, Ranked, Sort, Sorter, compare_row, position};
use super::plan::Plan;
use super::row::Row;
use super::{Clock, Shard};
use crate::query::{Expr, Key, Query};

/// What is asked of an index.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Which agents.
    pub query: &'a Query,
    /// When.
    pub clock: Clock,
    /// In which order; the uid decides last.
    pub sort: &'a [Sort],
    /// From the one after this place.
    pub after: Option<&'a Position>,
    /// How many; `None` is all of them.
    pub limit: Option<usize>,
    /// The keys whose values are counted.
    pub facets: &'a [Key],
}

/// A pass under way.
pub struct Scan<'a> {
    request: Request<'a>,
    after: Option<Ranked<'a>>,
    /// The first rows so far, the last of them on top; one more than asked, to know whether there are more.
    kept: BinaryHeap<Ranked<'a>>,
    all: Vec<Ranked<'a>>,
    total: u64,
    counters: Vec<Counter<'a>>,
    /// For each part of the query, the facet that does not feel it.
    blind: Vec<Option<usize>>,
}

/// What a pass found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The page.
    pub rows: Vec<Position>,
    /// Whether more follow it.
    pub more: bool,
    /// How many agents match, on all pages.
    pub total: u64,
    /// The facets, in the order asked.
    pub facets: Vec<Facet>,
}

impl<'a> Scan<'a> {
    /// Begins a pass.
    #[must_use]
    pub fn new(request: Request<'a>) -> Self {
        let blind = |part: &Expr| {
            let mut keys = Vec::new();
            part.terms(&mut |term| keys.push(&term.key));
            request.facets.iter().position(|facet| keys.iter().all(|key| *key == facet))
        };
        Self {
            request,
            after: request.after.map(|after| Ranked::new(request.sort, after.clone())),
            kept: BinaryHeap::new(),
            all: Vec::new(),
            total: 0,
            counters: request.facets.iter().map(|key| Counter::new(key, "")).collect(),
            blind: request.query.conjuncts().iter().map(blind).collect(),
        }
    }

    /// Counts only those values of facets that begin so, whatever the case of their ASCII letters.
    #[must_use]
    pub fn with_prefix(mut self, prefix: &'a str) -> Self {
        self.counters = self.request.facets.iter().map(|key| Counter::new(key, prefix)).collect();
        self
    }

    /// Looks at every row of a shard.
    pub fn shard(&mut self, shard: &Shard) {
        let Request { query, clock, sort, facets, .. } = self.request;
        let parts = query.conjuncts().iter().map(|part| Plan::of(part, shard, true));
        let mut parts: Vec<_> = parts.zip(self.blind.iter().copied()).collect();
        parts.sort_by_key(|(plan, _)| plan.cost());
        let sorters: Vec<_> = sort.iter().map(|sort| Sorter::of(&sort.key, shard)).collect();
        let mut tallies: Vec<_> = facets.iter().map(|key| Tally::of(key, shard)).collect();
        for row in shard.rows() {
            match verdict(&parts, row, shard, clock) {
                Verdict::Matches => {
                    self.total += 1;
                    tallies.iter_mut().for_each(|tally| tally.count(row, clock));
                    self.keep(row, &sorters, shard);
                }
                Verdict::CountsFor(facet) => {
                    if let Some(tally) = tallies.get_mut(facet) {
                        tally.count(row, clock);
                    }
                }
                Verdict::Differs => {}
            }
        }
        self.counters.iter_mut().zip(tallies).for_each(|(counter, tally)| counter.add(tally, shard));
    }

    fn keep(&mut self, row: &Row, sorters: &[Sorter], shard: &Shard) {
        let Request { clock, sort, limit, .. } = self.request;
        let beyond = |place: &Ranked<'_>| compare_row(row, place, sorters, shard, clock).is_gt();
        if self.after.as_ref().is_some_and(|after| !beyond(after)) {
            return;
        }
        let ranked = || Ranked::new(sort, position(row, sorters, shard, clock));
        let Some(limit) = limit else {
            self.all.push(ranked());
            return;
        };
        if self.kept.len() <= limit {
            self.kept.push(ranked());
        } else if let Some(mut last) = self.kept.peek_mut()
            && !beyond(&last)
        {
            *last = ranked();
        }
    }

    /// Ends the pass.
    #[must_use]
    pub fn finish(self) -> Found {
        let limit = self.request.limit.unwrap_or(usize::MAX);
        let mut ranked = self.all;
        ranked.sort_unstable();
        ranked.extend(self.kept.into_sorted_vec());
        let more = ranked.len() > limit;
        ranked.truncate(limit);
        Found {
            rows: ranked.into_iter().map(|ranked| ranked.position).collect(),
            more,
            total: self.total,
            facets: self.counters.into_iter().map(Counter::finish).collect(),
        }
    }
}

impl Found {
    /// The agents of the page.
    pub fn uids(&self) -> impl Iterator<Item = InstanceUid> {
        self.rows.iter().map(|row| row.uid)
    }
}

enum Verdict {
    Matches,
    /// Nothing but the terms about one facet's own key says no.
    CountsFor(usize),
    Differs,
}

fn verdict(parts: &[(Plan<'_>, Option<usize>)], row: &Row, shard: &Shard, clock: Clock) -> Verdict {
    let mut failed = None;
    for (plan, blind) in parts {
        if plan.holds(row, shard, clock) {
            continue;
        }
        match (blind, failed) {
            (None, _) => return Verdict::Differs,
            (Some(facet), None) => failed = Some(*facet),
            (Some(facet), Some(other)) if *facet == other => {}
            (Some(_), Some(_)) => return Verdict::Differs,
        }
    }
    failed.map_or(Verdict::Matches, Verdict::CountsFor)
}
