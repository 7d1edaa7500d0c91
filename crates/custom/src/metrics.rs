//! Metrics: a supervisor sends the counters of its agent's components, all in one small message, once an interval.
//!
//! The payload is JSON. What belongs to a component is an array of up to six numbers in the order of [`Counters`],
//! from which zeros at the end are left out: a pipeline of six components takes about 250 bytes.
//!
//! ```json
//! {"pid": 4242, "reloads": 1, "uptime": 61, "every": 60,
//!  "components": {"input:app": [50, 1650, 0, 0, 0, 1], "output:sink": [45, 1485]}}
//! ```

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tidegate_opamp::CustomMessage;

use crate::name::METRICS;
use crate::payload::{PayloadError, check_size, encode};

/// [`CustomMessage::kind`] of a digest, agent to server.
pub const DIGEST: &str = "digest";

/// Most components in a digest; a sender names how many it left out.
pub const MAX_COMPONENTS: usize = 200;

/// Longest name of a component, in bytes.
pub const MAX_NAME_BYTES: usize = 128;

/// What is counted of one component. All but the backlog rise from zero within one [`Life`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Records taken in by an input, seen by a filter, delivered by an output.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Deliveries that an output gave up: errors that cannot be retried, and last retries that failed.
    pub errors: u64,
    /// Deliveries that were put off to be tried again.
    pub retries: u64,
    /// Records dropped: by a filter on purpose, by an output that gave up.
    pub dropped: u64,
    /// What waits at this moment: chunks that an input holds. No counter: it rises and falls.
    pub backlog: u64,
}

impl Counters {
    /// The numbers, in the order in which they are written.
    #[must_use]
    pub const fn numbers(&self) -> [u64; 6] {
        [self.records, self.bytes, self.errors, self.retries, self.dropped, self.backlog]
    }

    /// The counters of numbers in the order in which they are written.
    #[must_use]
    pub const fn of(numbers: [u64; 6]) -> Self {
        let [records, bytes, errors, retries, dropped, backlog] = numbers;
        Self { records, bytes, errors, retries, dropped, backlog }
    }
}

impl Serialize for Counters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let numbers = self.numbers();
        let used = numbers.iter().rposition(|number| *number != 0).map_or(0, |last| last + 1);
        let mut seq = serializer.serialize_seq(Some(used))?;
        numbers.iter().take(used).try_for_each(|number| seq.serialize_element(number))?;
        seq.end()
    }
}

impl<'de> Deserialize<'de> for Counters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Numbers;
        impl<'de> Visitor<'de> for Numbers {
            type Value = Counters;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array of whole numbers, 0 or more")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Counters, A::Error> {
                let mut numbers = [0; 6];
                for number in &mut numbers {
                    match seq.next_element()? {
                        Some(value) => *number = value,
                        None => return Ok(Counters::of(numbers)),
                    }
                }
                // A newer sender may count more.
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Counters::of(numbers))
            }
        }
        deserializer.deserialize_seq(Numbers)
    }
}

/// Counters rise from zero within one life of a config: one process, and one reload count of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Life {
    /// The process.
    pub pid: u32,
    /// How often it had loaded its config anew; 0 for an agent that does not count that.
    pub reloads: u64,
}

/// The counters of an agent at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The process.
    pub pid: u32,
    /// Its reload count.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reloads: u64,
    /// For how long its config has run, in seconds; 0 when that is not known.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub uptime: u64,
    /// The interval of digests, in seconds; 0 when the sender does not say.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub every: u64,
    /// Components by name, such as `output:sink`.
    #[serde(deserialize_with = "components")]
    pub components: BTreeMap<String, Counters>,
    /// How many more there are than [`MAX_COMPONENTS`], or whose names are longer than [`MAX_NAME_BYTES`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn components<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Counters>, D::Error> {
    struct Components;
    impl<'de> Visitor<'de> for Components {
        type Value = BTreeMap<String, Counters>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "an object of at most {MAX_COMPONENTS} components")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut components = BTreeMap::new();
            while let Some((name, counters)) = map.next_entry::<String, Counters>()? {
                if name.is_empty() || name.len() > MAX_NAME_BYTES || name.contains('\n') {
                    return Err(de::Error::custom(format!(
                        "a component's name has 1 to {MAX_NAME_BYTES} bytes and no line break"
                    )));
                }
                components.insert(name, counters);
                if components.len() > MAX_COMPONENTS {
                    return Err(de::Error::custom(format!(
                        "there are more than {MAX_COMPONENTS} components"
                    )));
                }
            }
            Ok(components)
        }
    }
    deserializer.deserialize_map(Components)
}

impl Digest {
    /// A digest of the components that fit: as many as may be in one, outputs first, then inputs, then the others,
    /// each by name, so that the same ones are told each time. The rest is counted.
    #[must_use]
    pub fn new(life: Life, components: impl IntoIterator<Item = (String, Counters)>) -> Self {
        let rank = |name: &str| match name.split(':').next() {
            Some("output") => 0,
            Some("input") => 1,
            _ => 2,
        };
        let mut all: Vec<_> = components.into_iter().collect();
        let total = all.len();
        all.retain(|(name, _)| !name.is_empty() && name.len() <= MAX_NAME_BYTES && !name.contains('\n'));
        if all.len() > MAX_COMPONENTS {
            all.sort_by(|(a, _), (b, _)| rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)));
            all.truncate(MAX_COMPONENTS);
        }
        let left_out = total.saturating_sub(all.len()) as u64;
        let Life { pid, reloads } = life;
        Self { pid, reloads, components: all.into_iter().collect(), left_out, ..Self::default() }
    }

    /// Within which its counters rise.
    #[must_use]
    pub const fn life(&self) -> Life {
        Life { pid: self.pid, reloads: self.reloads }
    }

    /// Reads [`CustomMessage::data`].
    ///
    /// # Errors
    /// [`PayloadError`]: too large, no JSON, or not of this form.
    pub fn parse(data: &[u8]) -> Result<Self, PayloadError> {
        check_size(data)?;
        serde_json::from_slice(data).map_err(|error| PayloadError::NotJson(error.to_string()))
    }

    /// The digest as a message, under the name by which the peer knows the capability.
    ///
    /// # Errors
    /// [`PayloadError::TooLarge`].
    pub fn to_message(&self) -> Result<CustomMessage, PayloadError> {
        Ok(CustomMessage {
            capability: METRICS.to_owned(),
            kind: DIGEST.to_owned(),
            data: self.to_data()?,
            ..CustomMessage::default()
        })
    }

    /// Writes [`CustomMessage::data`].
    ///
    /// # Errors
    /// [`PayloadError::TooLarge`].
    pub fn to_data(&self) -> Result<Bytes, PayloadError> {
        encode(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual() -> Digest {
        let counters = |records, bytes| Counters { records, bytes, ..Counters::default() };
        let components = [
            ("input:tail.0", counters(123_456_789, 98_765_432_100)),
            ("input:systemd", Counters { backlog: 12, ..counters(1_234_567, 345_678_901) }),
            ("filter:kubernetes.0", counters(123_456_789, 0)),
            ("filter:modify.1", counters(124_691_356, 0)),
            ("output:forward.0", counters(123_456_000, 98_765_000_000)),
            (
                "output:s3",
                Counters { errors: 3, retries: 41, dropped: 1200, ..counters(1_234_000, 345_678_000) },
            ),
        ];
        let components = components.map(|(name, counters)| (name.to_owned(), counters));
        Digest { uptime: 864_000, every: 60, ..Digest::new(Life { pid: 1_234_567, reloads: 12 }, components) }
    }

    #[test]
    fn given_a_usual_pipeline_when_written_then_it_takes_a_few_hundred_bytes_and_is_read_back() {
        let data = usual().to_data().unwrap();
        assert!(data.len() < 400, "{} bytes: {}", data.len(), String::from_utf8_lossy(&data));
        assert_eq!(Digest::parse(&data), Ok(usual()));
    }

    #[test]
    fn given_hundreds_of_components_when_made_then_outputs_come_first_and_the_rest_is_counted() {
        let named = |kind: &'static str, count: usize| {
            (0..count).map(move |n| (format!("{kind}:{n:03}"), Counters::default()))
        };
        let all = named("filter", 90).chain(named("input", 150)).chain(named("output", 40));
        let long = (format!("output:{}", "x".repeat(MAX_NAME_BYTES)), Counters::default());
        let digest = Digest::new(Life::default(), all.chain([long]));
        let count = |kind: &str| digest.components.keys().filter(|name| name.starts_with(kind)).count();
        assert_eq!((count("output:"), count("input:"), count("filter:")), (40, 150, 10));
        assert_eq!(digest.left_out, 81);
        assert_eq!(Digest::parse(&digest.to_data().unwrap()), Ok(digest));
    }

    #[test]
    fn given_the_largest_digest_when_written_then_it_fits_into_a_payload() {
        let most = Counters::of([u64::MAX; 6]);
        let all =
            (0..MAX_COMPONENTS).map(|n| (format!("output:{n:0width$}", width = MAX_NAME_BYTES - 7), most));
        let digest = Digest::new(Life { pid: u32::MAX, reloads: u64::MAX }, all);
        assert_eq!(digest.left_out, 0);
        assert!(digest.to_data().unwrap().len() < 64 * 1024);
    }

    #[test]
    fn given_payloads_when_read_then_what_is_newer_is_passed_over_and_what_is_wrong_refused() {
        let read = |text: &str| Digest::parse(text.as_bytes());
        let newer =
            read(r#"{"pid": 1, "more": [], "components": {"input:a": [1, 2, 3, 4, 5, 6, 7, "x"]}}"#).unwrap();
        assert_eq!(newer.components["input:a"], Counters::of([1, 2, 3, 4, 5, 6]));
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"pid": 1}"#,
            r#"{"components": {}}"#,
            r#"{"pid": -1, "components": {}}"#,
            r#"{"pid": 1, "components": {"a": [1.5]}}"#,
            r#"{"pid": 1, "components": {"a": [-1]}}"#,
            r#"{"pid": 1, "components": {"": []}}"#,
            r#"{"pid": 1, "components": {"a\nb": []}}"#,
            r#"{"pid": 1, "components": []}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let many: BTreeMap<String, [u64; 0]> = (0..=MAX_COMPONENTS).map(|n| (n.to_string(), [])).collect();
        let many = serde_json::json!({"pid": 1, "components": many});
        assert!(read(&many.to_string()).unwrap_err().to_string().contains("more than 200"));
        assert_eq!(Digest::parse(&vec![b' '; 70_000]), Err(PayloadError::TooLarge(70_000)));
    }
}
