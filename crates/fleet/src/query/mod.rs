//! The search language: one grammar for the API's `q`, the command line's `-q`, selectors of pushes and settings.
//!
//! | written | asks for |
//! |---|---|
//! | `web` | a part of the name or the uid; `*` stands for any run of characters |
//! | `key:value` | the whole value, whatever its case; `*` stands for any run of characters |
//! | `key=value` | the whole value, letter for letter |
//! | `key:a,b` | any of these |
//! | `key:*`, `-key:` | there is a value; there is none |
//! | `version:<3.2`, `last_seen:>10m` | less or more: versions as semver orders them, ages as durations |
//! | `error:"tls"` | a part of the last error |
//! | `-term`, `NOT term` | not |
//! | `a b`, `a AND b`, `a OR b`, `(…)` | both, either, grouping; AND binds stronger |
//!
//! Quotes keep spaces, commas and brackets together; `\` before `"`, `*` or `\` takes its meaning away. Keys stand in
//! [`key::NAMES`]; `attr.NAME` is an attribute that an agent reports, `label.KEY` a label that operators set.
//!
//! A query is folded to lower case once, when it is read; nothing is allocated while it is asked of an agent.

mod eval;
pub mod facts;
pub mod key;
mod lex;
mod parse;
mod pattern;
mod print;
mod quote;
mod spot;
#[cfg(test)]
mod tests;
pub mod version;

use std::time::Duration;

pub use eval::Subject;
pub use key::Key;
pub use pattern::Pattern;
pub use spot::{Spot, Wanted, spot, written};
use version::Version;

/// Longest query that is read, in bytes.
pub const MAX_QUERY_BYTES: usize = 16 * 1024;

/// Most values in one query, all terms together.
pub const MAX_VALUES: usize = 512;

/// Deepest nesting of brackets and negations.
pub const MAX_DEPTH: usize = 32;

/// A query, ready to be asked of agents. Its text form ([`std::fmt::Display`]) is canonical: reading it gives the same
/// query again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    root: Expr,
}

/// What a query asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// All of these; none at all is true of every agent.
    All(Vec<Expr>),
    /// At least one of these.
    Any(Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// One term.
    Term(Term),
}

/// A key and what is asked of its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The key.
    pub key: Key,
    /// What is asked.
    pub test: Test,
}

/// What is asked of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// There is one.
    Exists,
    /// It is like one of these.
    Like(Vec<Pattern>),
    /// It is one of these, letter for letter.
    Exactly(Vec<Box<str>>),
    /// As a version it lies on one side of another.
    Version(Comparison, Version),
    /// It is older or younger than this.
    Age(Comparison, Duration),
}

/// Which side of a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

/// Why a query cannot be read, where, and what might have been meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {position}: {message}{}", self.hinted())]
pub struct QueryError {
    /// The character at which the trouble starts, from 1.
    pub position: usize,
    /// How many characters it spans; 0 at the end of the text.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead, where that can be guessed.
    pub hint: Option<String>,
}

impl QueryError {
    fn hinted(&self) -> String {
        self.hint.as_ref().map_or_else(String::new, |hint| format!("; did you mean {hint}?"))
    }
}

impl Default for Query {
    /// The query that matches every agent.
    fn default() -> Self {
        Self { root: Expr::All(Vec::new()) }
    }
}

impl Query {
    /// Reads a query; an empty one matches every agent.
    ///
    /// # Errors
    /// [`QueryError`] for anything that is not of the language, an unknown key, a value that a key never has, and for
    /// a query beyond [`MAX_QUERY_BYTES`], [`MAX_VALUES`] or [`MAX_DEPTH`].
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        parse::parse(text).map(|root| Self { root })
    }

    /// What it asks.
    #[must_use]
    pub const fn root(&self) -> &Expr {
        &self.root
    }

    /// The parts that must all hold.
    #[must_use]
    pub fn conjuncts(&self) -> &[Expr] {
        match &self.root {
            Expr::All(parts) => parts,
            one => std::slice::from_ref(one),
        }
    }

    /// True when the query names nothing, so that it matches the whole fleet.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        matches!(&self.root, Expr::All(parts) if parts.is_empty())
    }

    /// True when it asks only for what an agent is, not for how it fares or whether it is there.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        let mut lasting = true;
        self.root.terms(&mut |term| lasting &= !term.key.is_passing());
        lasting
    }

    /// Asks the query of one agent.
    #[must_use]
    pub fn matches(&self, subject: &impl Subject) -> bool {
        self.root.holds(&mut |term| term.holds(subject))
    }
}

impl Expr {
    /// All of these; nested ones are taken apart.
    #[must_use]
    pub fn all(parts: Vec<Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::All(below) => below,
            one => vec![one],
        });
        let mut flat: Vec<_> = flat.collect();
        if flat.len() == 1 { flat.swap_remove(0) } else { Self::All(flat) }
    }

    /// At least one of these; nested ones are taken apart.
    #[must_use]
    pub fn any(parts: Vec<Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::Any(below) => below,
            one => vec![one],
        });
        let mut flat: Vec<_> = flat.collect();
        if flat.len() == 1 { flat.swap_remove(0) } else { Self::Any(flat) }
    }

    /// Not this; two negations are none.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "one of three makers, beside `all` and `any`")]
    pub fn not(part: Self) -> Self {
        match part {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// True when it holds, where `leaf` knows of each term whether that does.
    pub fn holds(&self, leaf: &mut impl FnMut(&Term) -> bool) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(leaf)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(leaf)),
            Self::Not(part) => !part.holds(leaf),
            Self::Term(term) => leaf(term),
        }
    }

    /// Calls `see` with every term.
    pub fn terms<'a>(&'a self, see: &mut impl FnMut(&'a Term)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.terms(see)),
            Self::Not(part) => part.terms(see),
            Self::Term(term) => see(term),
        }
    }
}

impl Comparison {
    /// True when `ordering`, of a value to the bound, lies on this side.
    #[must_use]
    pub const fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::More => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }
}
