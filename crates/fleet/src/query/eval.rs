//! Asking a query of one agent.

use std::time::Duration;

use super::{Key, Term, Test};

/// What can be asked a query: an agent, or a row of an index.
pub trait Subject {
    /// Calls `see` with each value that the key has, until one suits; true when one did. For [`Key::Word`] these are the
    /// name and the uid.
    fn any_text(&self, key: &Key, see: &mut dyn FnMut(&str) -> bool) -> bool;

    /// How long ago a point in time was; `None` for keys that are none.
    fn age(&self, key: &Key) -> Option<Duration>;
}

impl Term {
    /// Asks the term of one agent.
    #[must_use]
    pub fn holds(&self, subject: &impl Subject) -> bool {
        if self.key.is_time() {
            return subject.age(&self.key).is_some_and(|age| self.test.accepts_age(age));
        }
        subject.any_text(&self.key, &mut |text| self.test.accepts(text))
    }
}

impl Test {
    /// Whether a value suits.
    #[must_use]
    pub fn accepts(&self, text: &str) -> bool {
        match self {
            Self::Exists => true,
            Self::Like(patterns) => patterns.iter().any(|pattern| pattern.matches(text)),
            Self::Exactly(values) => values.iter().any(|value| **value == *text),
            Self::Version(comparison, bound) => {
                bound.order_of(text).is_some_and(|ordering| comparison.holds(ordering))
            }
            Self::Age(..) => false,
        }
    }

    /// Whether the age of a point in time suits.
    #[must_use]
    pub fn accepts_age(&self, age: Duration) -> bool {
        match self {
            Self::Exists => true,
            Self::Age(comparison, bound) => comparison.holds(age.cmp(bound)),
            Self::Like(_) | Self::Exactly(_) | Self::Version(..) => false,
        }
    }
}
