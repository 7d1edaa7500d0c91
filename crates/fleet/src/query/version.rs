//! Versions in the order of semantic versioning, and leniently read: `5.1`, `v5.1.2`, `5.1.2-rc.1+deb`.

use std::cmp::Ordering;

/// Numbers of a version that are compared.
const NUMBERS: usize = 4;

/// A version to compare with. Two are equal when they were written the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    text: Box<str>,
}

/// What of a version decides its order.
#[derive(Clone, Copy, Debug)]
struct Parts<'a> {
    numbers: [u64; NUMBERS],
    pre: &'a str,
}

impl Version {
    /// Reads a version; `None` for what does not start with a number.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        parts(text).map(|_| Self { text: text.into() })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How `text` stands to this version; `None` when it is none.
    #[must_use]
    pub fn order_of(&self, text: &str) -> Option<Ordering> {
        Some(order(&parts(text)?, &parts(&self.text)?))
    }
}

/// Orders two texts: versions among each other, before all that is none, and that by its bytes.
#[must_use]
pub fn compare(a: &str, b: &str) -> Ordering {
    match (parts(a), parts(b)) {
        (Some(x), Some(y)) => order(&x, &y).then_with(|| a.cmp(b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

/// A number that stands in the order of [`compare`] as far as it goes: of two texts with different numbers the lesser
/// number has the lesser text.
#[must_use]
pub(crate) fn head(text: &str) -> u64 {
    const BITS: [u32; NUMBERS] = [18, 15, 15, 15];
    let Some(Parts { numbers, .. }) = parts(text) else { return 1 << 63 | text_head(text) >> 1 };
    let mut full = false;
    numbers.iter().zip(BITS).fold(0, |head, (number, bits)| {
        let most = (1 << bits) - 1;
        // After a number that has no room the others decide nothing.
        full |= *number >= most;
        head << bits | if full { most } else { *number }
    })
}

/// The first eight bytes of a text, in the order of texts.
#[must_use]
pub(crate) fn text_head(text: &str) -> u64 {
    let mut head = [0; 8];
    head.iter_mut().zip(text.bytes()).for_each(|(place, byte)| *place = byte);
    u64::from_be_bytes(head)
}

fn parts(text: &str) -> Option<Parts<'_>> {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let text = text.split_once('+').map_or(text, |(version, _)| version);
    let (core, pre) = text.split_once('-').unwrap_or((text, ""));
    let mut numbers = [0; NUMBERS];
    for (index, number) in core.split('.').enumerate() {
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *numbers.get_mut(index)? = number.parse().ok()?;
    }
    Some(Parts { numbers, pre })
}

fn order(a: &Parts<'_>, b: &Parts<'_>) -> Ordering {
    a.numbers.cmp(&b.numbers).then_with(|| match (a.pre, b.pre) {
        ("", "") => Ordering::Equal,
        // What comes before a release is less than it.
        ("", _) => Ordering::Greater,
        (_, "") => Ordering::Less,
        (a, b) => identifiers(a, b),
    })
}

fn identifiers(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let ordering = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => a.cmp(b),
            },
        };
        if ordering.is_ne() {
            return ordering;
        }
    }
}
