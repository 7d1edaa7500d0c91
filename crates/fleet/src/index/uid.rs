//! What is asked of a uid, as numbers: its 16 bytes are compared, and no text of them is made.

use tidegate_opamp::InstanceUid;

use crate::query::{Pattern, Test};

/// Length of the text of a uid.
const LENGTH: usize = 36;

/// Where the text of a uid has its hyphens.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// A test of uids.
pub(super) enum Uids<'q> {
    /// These, in order.
    Whole(Vec<InstanceUid>),
    /// Those with the digits of one of these.
    Digits(Vec<Digits>),
    /// What only their text can tell.
    Text(&'q Test),
}

/// Some digits of a uid at their places.
#[derive(Clone, Copy)]
pub(super) struct Digits {
    mask: u128,
    value: u128,
}

impl<'q> Uids<'q> {
    pub(super) fn of(test: &'q Test) -> Self {
        if let Some(uids) = whole(test) {
            return Self::Whole(uids);
        }
        let Test::Like(patterns) = test else { return Self::Text(test) };
        let digits: Option<Vec<_>> = patterns.iter().map(digits).collect();
        digits.map_or(Self::Text(test), |digits| Self::Digits(digits.concat()))
    }

    pub(super) fn accepts(&self, uid: &InstanceUid) -> bool {
        match self {
            Self::Whole(uids) => uids.binary_search(uid).is_ok(),
            Self::Digits(digits) => {
                let number = u128::from_be_bytes(*uid.as_bytes());
                digits.iter().any(|digits| number & digits.mask == digits.value)
            }
            Self::Text(test) => test.accepts(&uid.to_string()),
        }
    }
}

/// Whole uids, in order, where a test asks for nothing but them.
fn whole(test: &Test) -> Option<Vec<InstanceUid>> {
    let whole = |text: &str| if text.len() == LENGTH { text.parse().ok() } else { None };
    let mut uids: Vec<InstanceUid> = match test {
        Test::Like(patterns) => {
            patterns.iter().map(|pattern| pattern.literal().and_then(whole)).collect::<Option<_>>()?
        }
        Test::Exactly(values) => {
            let lower = |text: &str| whole(text).filter(|uid: &InstanceUid| uid.to_string() == text);
            values.iter().map(|value| lower(value)).collect::<Option<_>>()?
        }
        Test::Exists | Test::Version(..) | Test::Age(..) => return None,
    };
    uids.sort_unstable();
    Some(uids)
}

/// Every way in which a uid can match a pattern; `None` for patterns of many pieces.
fn digits(pattern: &Pattern) -> Option<Vec<Digits>> {
    let at_end = |piece: &str| LENGTH.checked_sub(piece.len()).and_then(|at| Digits::at(at, piece));
    Some(match pattern.pieces() {
        ([piece], true) => {
            let places = LENGTH.checked_sub(piece.len()).map_or(0..0, |last| 0..last + 1);
            places.filter_map(|at| Digits::at(at, piece)).collect()
        }
        ([piece], false) if piece.len() == LENGTH => Digits::at(0, piece).into_iter().collect(),
        ([_], false) => Vec::new(),
        ([first, last], false) if first.len() + last.len() > LENGTH => Vec::new(),
        ([first, last], false) => {
            let both = Digits::at(0, first).zip(at_end(last)).map(|(first, last)| Digits {
                mask: first.mask | last.mask,
                value: first.value | last.value,
            });
            both.into_iter().collect()
        }
        _ => return None,
    })
}

impl Digits {
    /// Those of a piece of text that ends within the text of a uid; `None` when no uid has it at this place.
    fn at(at: usize, piece: &str) -> Option<Self> {
        let mut digits = Self { mask: 0, value: 0 };
        for (place, byte) in (at..).zip(piece.bytes()) {
            if HYPHENS.contains(&place) || byte == b'-' {
                if !HYPHENS.contains(&place) || byte != b'-' {
                    return None;
                }
                continue;
            }
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                _ => return None,
            };
            let before = HYPHENS.iter().filter(|hyphen| **hyphen < place).count();
            let shift = 4 * 31_usize.checked_sub(place - before)?;
            digits.mask |= 0xf << shift;
            digits.value |= u128::from(digit) << shift;
        }
        Some(digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Expr, Query};

    /// Pieces across hyphens, at both ends and of too many letters: as the text of the uid says.
    #[test]
    fn given_patterns_when_asked_of_uids_then_the_digits_answer_as_the_text_does() {
        let uids = ["0198c0de-77ab-7c12-8abc-0123456789ab", "77abc000-0000-7000-8000-0000000077ab"];
        let queries = [
            "77abc",
            "77ab",
            "77AB",
            "de-77",
            "de77",
            "-77ab-",
            "--",
            "-",
            "*",
            "g7",
            "0198*",
            "*89ab",
            "77*ab",
            "0*7*9ab",
            "0198c0de-77ab-7c12-8abc-0123456789ab",
            "0198c0de-77ab-7c12-8abc-0123456789ab0",
            "7000-8000-",
            "0198c0de-77ab-7c12-8abc-0123456789a*9ab",
            "ü",
        ];
        for uid in uids {
            let parsed: InstanceUid = uid.parse().unwrap();
            for (key, query) in queries.iter().flat_map(|query| [("", query), ("uid:", query)]) {
                let read = Query::parse(&format!("{key}\"{query}\"")).unwrap();
                let mut terms = Vec::new();
                read.conjuncts().iter().for_each(|part: &Expr| part.terms(&mut |term| terms.push(term)));
                for term in terms {
                    let asked = Uids::of(&term.test).accepts(&parsed);
                    assert_eq!(asked, term.test.accepts(uid), "{key}{query} of {uid}");
                }
            }
        }
    }
}
