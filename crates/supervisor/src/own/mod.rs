//! Where the agent's own telemetry goes: what the server offered, what of it is kept, and what that means (OpAMP
//! C118–C123). Pure.

mod destination;

use bytes::Bytes;
use tidegate_opamp::{ConnectionSettingsStatus, ConnectionSettingsStatuses, TelemetryConnectionSettings};

use crate::agent::OwnOffer;
pub use destination::{Cleartext, Destination};

/// Longest error that is told, in bytes.
const ERROR_BYTES: usize = 512;

/// What is kept of offers, across restarts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept {
    /// Where metrics go; `None` for nowhere.
    pub metrics: Option<TelemetryConnectionSettings>,
    /// Where logs go; `None` for nowhere.
    pub logs: Option<TelemetryConnectionSettings>,
    /// What the server is told of the last offer.
    pub answer: Option<ConnectionSettingsStatus>,
}

/// Where each signal goes, every value checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Metrics.
    pub metrics: Option<Destination>,
    /// Logs.
    pub logs: Option<Destination>,
}

impl Wanted {
    /// True when nothing is sent anywhere.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.metrics.is_none() && self.logs.is_none()
    }
}

impl Kept {
    /// Whether an offer was answered already: a hash alone tells (ruling A15), and no hash is never known.
    #[must_use]
    pub fn has_answered(&self, hash: &Bytes) -> bool {
        let last = self.answer.as_ref().map(|answer| &answer.last_connection_settings_hash);
        !hash.is_empty() && last == Some(hash)
    }

    /// What would be kept once an offer is taken: a signal that it leaves out goes where it went (OpAMP C119), one with
    /// an empty destination goes nowhere (C123).
    #[must_use]
    pub fn with(&self, offer: &OwnOffer) -> Self {
        Self {
            metrics: merged(self.metrics.as_ref(), offer.metrics.as_ref()),
            logs: merged(self.logs.as_ref(), offer.logs.as_ref()),
            answer: self.answer.clone(),
        }
    }

    /// What it means.
    ///
    /// # Errors
    /// Why it is refused, in a sentence for operators.
    pub fn wanted(&self, cleartext: Cleartext) -> Result<Wanted, String> {
        let of = |signal: &str, settings: &Option<TelemetryConnectionSettings>| {
            let parse = |settings| Destination::parse(settings, cleartext);
            settings.as_ref().map(parse).transpose().map_err(|why| format!("own {signal}: {why}"))
        };
        Ok(Wanted { metrics: of("metrics", &self.metrics)?, logs: of("logs", &self.logs)? })
    }

    /// Sets what the server is told.
    pub fn say(&mut self, hash: Bytes, status: ConnectionSettingsStatuses, why: &str) {
        self.answer = Some(ConnectionSettingsStatus {
            last_connection_settings_hash: hash,
            status,
            error_message: crate::text::head(why, ERROR_BYTES).to_owned(),
            ..ConnectionSettingsStatus::default()
        });
    }
}

fn merged(
    kept: Option<&TelemetryConnectionSettings>,
    offer: Option<&TelemetryConnectionSettings>,
) -> Option<TelemetryConnectionSettings> {
    let Some(offer) = offer else { return kept.cloned() };
    if offer.destination_endpoint.is_empty() {
        return None;
    }
    let mut merged = offer.clone();
    if let Some(kept) = kept {
        // OpAMP C112.
        merged.tls = offer.tls.as_ref().or(kept.tls.as_ref()).cloned();
        // Credentials stay with whom they were meant for.
        if kept.destination_endpoint == offer.destination_endpoint {
            merged.headers = offer.headers.as_ref().or(kept.headers.as_ref()).cloned();
        }
    }
    Some(merged)
}

#[cfg(test)]
mod tests {
    use tidegate_opamp::{Header, Headers, TLSConnectionSettings};

    use super::*;

    fn to(endpoint: &str) -> TelemetryConnectionSettings {
        TelemetryConnectionSettings {
            destination_endpoint: endpoint.to_owned(),
            ..TelemetryConnectionSettings::default()
        }
    }

    fn offer(
        metrics: Option<TelemetryConnectionSettings>,
        logs: Option<TelemetryConnectionSettings>,
    ) -> OwnOffer {
        OwnOffer { hash: "h".into(), metrics, logs }
    }

    /// C119, C123: what is left out stays, what is empty ends, and the other signal is not touched by either.
    #[test]
    fn given_offers_in_a_row_when_taken_then_each_signal_follows_what_was_last_said_of_it() {
        let (one, two) = ("https://one/v1", "https://two/v1");
        let mut kept = Kept::default();
        for (metrics, logs, expect) in [
            (Some(one), None, (Some(one), None)),
            (None, Some(two), (Some(one), Some(two))),
            (None, None, (Some(one), Some(two))),
            (Some(""), None, (None, Some(two))),
            (Some(two), Some(""), (Some(two), None)),
        ] {
            kept = kept.with(&offer(metrics.map(to), logs.map(to)));
            let shown = |settings: &Option<TelemetryConnectionSettings>| {
                settings.as_ref().map(|settings| settings.destination_endpoint.clone())
            };
            let expect = (expect.0.map(str::to_owned), expect.1.map(str::to_owned));
            assert_eq!((shown(&kept.metrics), shown(&kept.logs)), expect);
        }
    }

    /// C112: TLS that is left out is kept; credentials are never sent to another destination than they came with.
    #[test]
    fn given_settings_that_are_left_out_when_merged_then_headers_stay_with_their_destination() {
        let header = Header { key: "A".into(), value: "secret".into(), ..Header::default() };
        let headers = Headers { headers: vec![header], ..Headers::default() };
        let tls = TLSConnectionSettings { min_version: "1.3".into(), ..TLSConnectionSettings::default() };
        let full =
            TelemetryConnectionSettings { headers: Some(headers), tls: Some(tls), ..to("https://one/") };
        let kept = Kept::default().with(&offer(Some(full.clone()), None));
        let same = kept.with(&offer(Some(to("https://one/")), None)).metrics.unwrap();
        assert_eq!(same, full);
        let other = kept.with(&offer(Some(to("https://two/")), None)).metrics.unwrap();
        assert_eq!((other.headers, other.tls), (None, full.tls));
    }

    #[test]
    fn given_an_answer_when_the_hash_comes_again_then_it_is_known_and_none_is_never() {
        let mut kept = Kept::default();
        kept.say("h".into(), ConnectionSettingsStatuses::Failed, &"x".repeat(2000));
        assert!(kept.has_answered(&"h".into()) && !kept.has_answered(&"g".into()));
        assert_eq!(kept.answer.as_ref().unwrap().error_message.len(), ERROR_BYTES);
        kept.say(Bytes::new(), ConnectionSettingsStatuses::Applied, "");
        assert!(!kept.has_answered(&Bytes::new()));
    }
}
