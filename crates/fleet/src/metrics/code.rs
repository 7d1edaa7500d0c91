//! Counters in few bytes: of each component a byte that says which of its numbers are not zero, and those in seven bits
//! a byte. A fleet keeps millions of them.

use tidegate_custom::metrics::Counters;

/// Writes a number, seven bits a byte, the lowest first.
pub(super) fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads a number; `None` where the bytes are none of ours.
pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7F).checked_shl(shift)?;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Writes the counters of components.
pub(super) fn put_row<'a>(out: &mut Vec<u8>, row: impl IntoIterator<Item = &'a Counters>) {
    for counters in row {
        let numbers = counters.numbers();
        let used = numbers.iter().enumerate().filter(|(_, number)| **number != 0);
        out.push(used.clone().fold(0, |mask, (place, _)| mask | 1 << place));
        used.for_each(|(_, number)| put(out, *number));
    }
}

/// Reads the counters of `count` components; `None` where the bytes are none of ours.
pub(super) fn take_row(bytes: &mut &[u8], count: usize) -> Option<Vec<Counters>> {
    let mut row = Vec::with_capacity(count);
    for _ in 0..count {
        let (mask, rest) = bytes.split_first()?;
        *bytes = rest;
        let mut numbers = [0; 6];
        for (place, number) in numbers.iter_mut().enumerate() {
            if mask & (1 << place) != 0 {
                *number = take(bytes)?;
            }
        }
        row.push(Counters::of(numbers));
    }
    Some(row)
}

/// Names as one text, and how many they are.
pub(super) fn join<'a>(names: impl Iterator<Item = &'a String>) -> Vec<u8> {
    let mut all = Vec::new();
    for name in names {
        all.extend_from_slice(name.as_bytes());
        all.push(b'\n');
    }
    all
}

/// The names of such a text.
pub(super) fn names(all: &[u8]) -> impl Iterator<Item = &str> {
    std::str::from_utf8(all).unwrap_or_default().lines()
}

/// How many names there are.
pub(super) fn count(all: &[u8]) -> usize {
    all.iter().filter(|byte| **byte == b'\n').count()
}
