//! The order of a list, and a place in it.

use std::cell::RefCell;
use std::cmp::Ordering;

use tidegate_opamp::InstanceUid;

use super::intern::NONE;
use super::plan::{Axis, Column};
use super::row::Row;
use super::{Clock, Shard};
use crate::query::{Key, version};

/// Most keys of one order.
const MAX_KEYS: usize = 4;

/// One key of an order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sort {
    /// By what.
    pub key: Key,
    /// Whether the greatest come first. What has no value comes last in either case.
    pub descending: bool,
}

/// A list cannot be put in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unsortable(pub String);

impl Sort {
    /// Reads an order such as `name,-last_seen`.
    ///
    /// # Errors
    /// [`Unsortable`] for a key that is not known or has no order, and for more than four keys.
    pub fn read(text: &str) -> Result<Vec<Self>, Unsortable> {
        let keys = text.split(',').filter(|key| !key.is_empty());
        let sorts: Vec<_> = keys
            .map(|key| {
                let (name, descending) = key.strip_prefix('-').map_or((key, false), |name| (name, true));
                let key = Key::named(name).map_err(Unsortable)?;
                if matches!(key, Key::Capability | Key::Word) {
                    return Err(Unsortable(format!("agents have no order by {name}")));
                }
                Ok(Self { key, descending })
            })
            .collect::<Result<_, _>>()?;
        if sorts.len() > MAX_KEYS {
            return Err(Unsortable(format!("sort by at most {MAX_KEYS} keys")));
        }
        Ok(sorts)
    }
}

/// What an agent is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortValue {
    /// It has none.
    Missing,
    /// A time, or the place of a word among its axis' words.
    Number(u64),
    /// A text, by its bytes.
    Text(Box<str>),
    /// A text, as a version where it is one.
    Version(Box<str>),
}

/// A place in a list: that of one agent, whether it is still there or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// What it is sorted by, a value for each key.
    pub values: Box<[SortValue]>,
    /// The agent, which decides where the values are equal.
    pub uid: InstanceUid,
}

/// A value that is still in its row.
#[derive(Clone, Copy)]
enum Seen<'a> {
    Missing,
    Number(u64),
    Text(&'a str),
    Version(&'a str),
}

/// A key of an order, made ready for one shard.
pub(super) enum Sorter {
    Axis(Axis),
    FirstSeen,
    LastSeen,
    Uid,
    Text(Column),
    /// With the head of each text that was seen.
    Version(Column, RefCell<Box<[u64]>>),
    Missing,
}

/// Stands for a head that was not worked out yet; no text has it.
const UNKNOWN: u64 = u64::MAX;

impl Sorter {
    pub(super) fn of(key: &Key, shard: &Shard) -> Self {
        if let Some(axis) = Axis::of(key) {
            return Self::Axis(axis);
        }
        match key {
            Key::FirstSeen => Self::FirstSeen,
            Key::LastSeen => Self::LastSeen,
            Key::Attribute(_) | Key::Label(_) => {
                let heads = || vec![UNKNOWN; shard.texts.bound()].into();
                Column::of(key, shard)
                    .map_or(Self::Missing, |column| Self::Version(column, RefCell::new(heads())))
            }
            Key::Uid | Key::Word | Key::Capability => Self::Uid,
            _ => Column::of(key, shard).map_or(Self::Missing, Self::Text),
        }
    }

    /// A number that stands in the order of the values as far as it goes; `None` where there is none to be had.
    fn head(&self, row: &Row, shard: &Shard) -> Option<u64> {
        match self {
            Self::Text(Column::Name) => Some(row.name_head),
            Self::Version(column, heads) => {
                let id = column.id(row);
                let mut heads = heads.borrow_mut();
                let head = heads.get_mut(id as usize)?;
                if *head == UNKNOWN {
                    *head = version::head(shard.texts.text(id));
                }
                Some(*head)
            }
            _ => None,
        }
    }

    fn value<'a>(&self, row: &Row, shard: &'a Shard, clock: Clock) -> Seen<'a> {
        let text = |column: &Column| {
            let id = column.id(row);
            (id != NONE).then(|| shard.texts.text(id))
        };
        match self {
            Self::Axis(axis) => axis.value(row, clock).map_or(Seen::Missing, |at| Seen::Number(at.into())),
            Self::FirstSeen => Seen::Number(row.first_seen.0),
            Self::LastSeen => Seen::Number(row.last_seen().0),
            Self::Text(column) => text(column).map_or(Seen::Missing, Seen::Text),
            Self::Version(column, _) => text(column).map_or(Seen::Missing, Seen::Version),
            Self::Uid | Self::Missing => Seen::Missing,
        }
    }
}

impl SortValue {
    fn seen(&self) -> Seen<'_> {
        match self {
            Self::Missing => Seen::Missing,
            Self::Number(number) => Seen::Number(*number),
            Self::Text(text) => Seen::Text(text),
            Self::Version(text) => Seen::Version(text),
        }
    }
}

impl Seen<'_> {
    fn owned(self) -> SortValue {
        match self {
            Self::Missing => SortValue::Missing,
            Self::Number(number) => SortValue::Number(number),
            Self::Text(text) => SortValue::Text(text.into()),
            Self::Version(text) => SortValue::Version(text.into()),
        }
    }
}

fn compare(a: Seen<'_>, b: Seen<'_>, descending: bool) -> Ordering {
    let ordering = match (a, b) {
        (Seen::Missing, Seen::Missing) => return Ordering::Equal,
        (Seen::Missing, _) => return Ordering::Greater,
        (_, Seen::Missing) => return Ordering::Less,
        (Seen::Number(a), Seen::Number(b)) => a.cmp(&b),
        (Seen::Version(a), Seen::Version(b)) => version::compare(a, b),
        (Seen::Text(a) | Seen::Version(a), Seen::Text(b) | Seen::Version(b)) => a.cmp(b),
        (Seen::Number(_), _) => Ordering::Less,
        (_, Seen::Number(_)) => Ordering::Greater,
    };
    if descending { ordering.reverse() } else { ordering }
}

/// How a row stands to a place in the list.
pub(super) fn compare_row(
    row: &Row,
    place: &Ranked<'_>,
    sorters: &[Sorter],
    shard: &Shard,
    clock: Clock,
) -> Ordering {
    let position = &place.position;
    let values = position.values.iter().zip(&place.heads);
    for ((sort, sorter), (value, head)) in place.sorts.iter().zip(sorters).zip(values) {
        let heads = head.and_then(|head| Some(sorter.head(row, shard)?.cmp(&head)));
        if let Some(ordering) = heads.filter(|ordering| ordering.is_ne()) {
            return if sort.descending { ordering.reverse() } else { ordering };
        }
        let ordering = compare(sorter.value(row, shard, clock), value.seen(), sort.descending);
        // The uid takes the direction of its key.
        let ordering = match sort.key {
            Key::Uid if sort.descending => row.uid.cmp(&position.uid).reverse(),
            _ => ordering,
        };
        if ordering.is_ne() {
            return ordering;
        }
    }
    row.uid.cmp(&position.uid)
}

pub(super) fn position(row: &Row, sorters: &[Sorter], shard: &Shard, clock: Clock) -> Position {
    let values = sorters.iter().map(|sorter| sorter.value(row, shard, clock).owned()).collect();
    Position { values, uid: row.uid }
}

/// A place that knows the order it is in.
pub(super) struct Ranked<'a> {
    pub(super) sorts: &'a [Sort],
    pub(super) position: Position,
    /// For each value, what [`Sorter::head`] says of a row that has it.
    heads: Box<[Option<u64>]>,
}

impl<'a> Ranked<'a> {
    pub(super) fn new(sorts: &'a [Sort], position: Position) -> Self {
        let heads = sorts.iter().zip(&position.values).map(|(sort, value)| match value {
            SortValue::Version(text) if sort.key != Key::Name => Some(version::head(text)),
            SortValue::Text(text) if sort.key == Key::Name => Some(version::text_head(text)),
            _ => None,
        });
        Self { heads: heads.collect(), position, sorts }
    }
}

impl Ord for Ranked<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        for (sort, (a, b)) in self.sorts.iter().zip(self.position.values.iter().zip(&other.position.values)) {
            let ordering = match sort.key {
                Key::Uid if sort.descending => self.position.uid.cmp(&other.position.uid).reverse(),
                _ => compare(a.seen(), b.seen(), sort.descending),
            };
            if ordering.is_ne() {
                return ordering;
            }
        }
        self.position.uid.cmp(&other.position.uid)
    }
}

impl PartialOrd for Ranked<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked<'_> {}
