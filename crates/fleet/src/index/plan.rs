//! A query made ready for one shard: keys are ids, words of an axis are bits, and what a value was found to be is
//! remembered for the next row that has it.

use std::cell::RefCell;
use std::time::Duration;

use tidegate_opamp::AgentCapabilities;

use super::intern::{Id, NONE};
use super::row::{Row, SEPARATOR};
use super::uid::Uids;
use super::{Clock, Shard};
use crate::agent::axes::{Attention, ConfigState, Connection, Health, Proof};
use crate::query::key::TRANSPORTS;
use crate::query::{Expr, Key, Term, Test};

pub(super) enum Plan<'q> {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Never,
    Words(Axis, u16),
    Age(Key, &'q Test),
    Text(Column, Remembered<'q>),
    Word(Remembered<'q>, Uids<'q>),
    Uid(Uids<'q>),
    Capability(u64, Remembered<'q>),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Axis {
    Connection,
    Health,
    Config,
    Attention,
    Proof,
    Transport,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Column {
    Name,
    Error,
    ConfigHash,
    Attribute(Id),
    Label(Id),
}

/// What a test said of the texts it has seen; empty where it is asked only once.
pub(super) struct Remembered<'q> {
    test: &'q Test,
    seen: RefCell<Box<[Verdict]>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Unknown,
    Yes,
    No,
}

impl<'q> Remembered<'q> {
    fn new(test: &'q Test, shard: &Shard, many: bool) -> Self {
        let length = if many { shard.texts.bound() } else { 0 };
        Self { test, seen: RefCell::new(vec![Verdict::Unknown; length].into()) }
    }

    fn accepts(&self, id: Id, ask: impl FnOnce(&Test) -> bool) -> bool {
        let mut seen = self.seen.borrow_mut();
        let Some(verdict) = seen.get_mut(id as usize) else { return ask(self.test) };
        if *verdict == Verdict::Unknown {
            *verdict = if ask(self.test) { Verdict::Yes } else { Verdict::No };
        }
        *verdict == Verdict::Yes
    }
}

impl Column {
    pub(super) fn id(self, row: &Row) -> Id {
        match self {
            Self::Name => row.name,
            Self::Error => row.error,
            Self::ConfigHash => row.config_hash,
            Self::Attribute(key) => row.attribute(key),
            Self::Label(key) => row.label(key),
        }
    }

    /// The column of a key; `None` for keys that have no texts, and where no row has this attribute or label.
    pub(super) fn of(key: &Key, shard: &Shard) -> Option<Self> {
        match key {
            Key::Name => Some(Self::Name),
            Key::Error => Some(Self::Error),
            Key::ConfigHash => Some(Self::ConfigHash),
            Key::Attribute(name) => shard.texts.find(name).map(Self::Attribute),
            Key::Label(name) => shard.texts.find(name).map(Self::Label),
            _ => None,
        }
    }
}

impl Axis {
    pub(super) const fn of(key: &Key) -> Option<Self> {
        Some(match key {
            Key::Connection => Self::Connection,
            Key::Health => Self::Health,
            Key::Config => Self::Config,
            Key::Attention => Self::Attention,
            Key::Proof => Self::Proof,
            Key::Transport => Self::Transport,
            _ => return None,
        })
    }

    /// The place of a row's value among [`Self::words`].
    pub(super) fn value(self, row: &Row, clock: Clock) -> Option<u8> {
        Some(match self {
            Self::Connection => row.connection(clock) as u8,
            Self::Health => row.health as u8,
            Self::Config => row.config as u8,
            Self::Attention => row.attention(clock) as u8,
            Self::Proof => row.proof? as u8,
            Self::Transport => {
                let word = row.presence.transport()?.as_str();
                TRANSPORTS.iter().position(|known| *known == word).and_then(|at| u8::try_from(at).ok())?
            }
        })
    }

    pub(super) fn words(self) -> Vec<&'static str> {
        match self {
            Self::Connection => Connection::ALL.iter().map(|value| value.as_str()).collect(),
            Self::Health => Health::ALL.iter().map(|value| value.as_str()).collect(),
            Self::Config => ConfigState::ALL.iter().map(|value| value.as_str()).collect(),
            Self::Attention => Attention::ALL.iter().map(|value| value.as_str()).collect(),
            Self::Proof => Proof::ALL.iter().map(|value| value.as_str()).collect(),
            Self::Transport => TRANSPORTS.to_vec(),
        }
    }
}

impl<'q> Plan<'q> {
    /// Makes a query ready; `many` says that it is asked of many rows.
    pub(super) fn of(expr: &'q Expr, shard: &Shard, many: bool) -> Self {
        let parts = |parts: &'q [Expr]| {
            let mut plans: Vec<_> = parts.iter().map(|part| Self::of(part, shard, many)).collect();
            // What is cheap to ask is asked first.
            plans.sort_by_key(Self::cost);
            plans
        };
        match expr {
            Expr::All(below) => Self::All(parts(below)),
            Expr::Any(below) => Self::Any(parts(below)),
            Expr::Not(part) => Self::Not(Box::new(Self::of(part, shard, many))),
            Expr::Term(term) => Self::term(term, shard, many),
        }
    }

    fn term(term: &'q Term, shard: &Shard, many: bool) -> Self {
        let test = &term.test;
        let remembered = || Remembered::new(test, shard, many);
        if let Some(axis) = Axis::of(&term.key) {
            let words = axis.words();
            let bits = words.iter().enumerate().filter(|(_, word)| test.accepts(word));
            return Self::Words(axis, bits.fold(0, |mask, (bit, _)| mask | 1 << bit));
        }
        match &term.key {
            Key::FirstSeen | Key::LastSeen => Self::Age(term.key.clone(), test),
            Key::Word => Self::Word(remembered(), Uids::of(test)),
            Key::Uid => Self::Uid(Uids::of(test)),
            Key::Capability => {
                let accepted = (0..64)
                    .map(|bit| 1 << bit)
                    .filter(|bit| AgentCapabilities(*bit).names().any(|name| test.accepts(&name)));
                Self::Capability(accepted.fold(0, |mask, bit| mask | bit), remembered())
            }
            key => Column::of(key, shard).map_or(Self::Never, |column| Self::Text(column, remembered())),
        }
    }

    pub(super) fn cost(&self) -> u8 {
        match self {
            Self::Never => 0,
            Self::Words(..) => 1,
            Self::Age(..) | Self::Uid(_) => 2,
            Self::Text(..) | Self::Capability(..) => 3,
            Self::Word(..) => 5,
            Self::Not(part) => part.cost(),
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::cost).max().unwrap_or(0) + 1,
        }
    }

    pub(super) fn holds(&self, row: &Row, shard: &Shard, clock: Clock) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(row, shard, clock)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(row, shard, clock)),
            Self::Not(part) => !part.holds(row, shard, clock),
            Self::Never => false,
            Self::Words(axis, mask) => axis.value(row, clock).is_some_and(|bit| mask >> bit & 1 == 1),
            Self::Age(key, test) => test.accepts_age(age(key, row, clock)),
            Self::Text(column, remembered) => {
                let id = column.id(row);
                id != NONE && remembered.accepts(id, |test| test.accepts(shard.texts.text(id)))
            }
            Self::Word(remembered, uids) => {
                uids.accepts(&row.uid)
                    || remembered.accepts(row.name, |test| test.accepts(shard.texts.text(row.name)))
            }
            Self::Uid(uids) => uids.accepts(&row.uid),
            Self::Capability(bits, remembered) => {
                let any = |test: &Test| {
                    shard.texts.text(row.custom).split(SEPARATOR).any(|name| test.accepts(name))
                };
                row.capabilities.0 & bits != 0 || (row.custom != NONE && remembered.accepts(row.custom, any))
            }
        }
    }
}

pub(super) fn age(key: &Key, row: &Row, clock: Clock) -> Duration {
    let seen = if *key == Key::FirstSeen { row.first_seen } else { row.last_seen() };
    row.age(seen, clock)
}
