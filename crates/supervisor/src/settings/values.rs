//! What a value that was written means, whatever it is of.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::written::{Key, Layers, Written};
use super::{SettingsError, duration};

/// A value cannot be used.
pub(super) fn wrong(written: &Written, why: impl Into<String>) -> SettingsError {
    SettingsError::Value { origin: written.origin.clone(), why: why.into() }
}

/// A path, from the folder that the supervisor was started in.
pub(super) fn absolute(written: &Written) -> Result<PathBuf, SettingsError> {
    std::path::absolute(&written.text).map_err(|error| wrong(written, format!("not a path: {error}")))
}

/// A duration, or `None` for the word `off`.
pub(super) fn time_or_off(
    layers: &Layers,
    key: Key,
    default: Duration,
    range: RangeInclusive<Duration>,
) -> Result<Option<Duration>, SettingsError> {
    if layers.one(key).is_some_and(|written| written.text == "off") {
        return Ok(None);
    }
    time(layers, key, default, range).map(Some)
}

/// A duration within bounds.
pub(super) fn time(
    layers: &Layers,
    key: Key,
    default: Duration,
    range: RangeInclusive<Duration>,
) -> Result<Duration, SettingsError> {
    let Some(written) = layers.one(key) else { return Ok(default) };
    duration::parse(&written.text).filter(|duration| range.contains(duration)).ok_or_else(|| {
        let (least, most) = (duration::write(*range.start()), duration::write(*range.end()));
        let why = format!("{:?} is not a duration from {least} to {most}, as in 30s or 1m30s", written.text);
        wrong(written, why)
    })
}

/// A value that is one of a few words.
pub(super) fn word<T: Copy + Default>(
    layers: &Layers,
    key: Key,
    words: &[(T, &'static str)],
) -> Result<T, SettingsError> {
    let Some(written) = layers.one(key) else { return Ok(T::default()) };
    let found = words.iter().find(|(_, word)| *word == written.text);
    found.map(|(value, _)| *value).ok_or_else(|| {
        let words: Vec<_> = words.iter().map(|(_, word)| *word).collect();
        wrong(written, format!("{:?} is not known: use {}", written.text, words.join(", ")))
    })
}

/// A number within bounds.
pub(super) fn number<T: TryFrom<u64>>(
    layers: &Layers,
    key: Key,
    default: T,
    range: RangeInclusive<u64>,
) -> Result<T, SettingsError> {
    let Some(written) = layers.one(key) else { return Ok(default) };
    let number = written.text.parse().ok().filter(|number| range.contains(number));
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| {
        let why = format!("{:?} is not a number from {} to {}", written.text, range.start(), range.end());
        wrong(written, why)
    })
}
