//! Rules laid over each other.

use std::collections::BTreeMap;

use tidegate_opamp::{ConnectionSettingsOffers, connection_settings_hash};

use super::{Heartbeat, Resolved, Rule, Terms};
use crate::agent::settings::From;

impl Resolved {
    /// Lays rules over each other, the winning one first.
    #[must_use]
    pub fn of<'a>(rules: impl IntoIterator<Item = &'a Rule>, terms: &Terms) -> Self {
        fn take<T: Clone>(slot: &mut Option<From<T>>, value: Option<&T>, rule: &Rule) {
            if slot.is_none() {
                *slot = value.map(|value| From { value: value.clone(), rule: rule.name.clone() });
            }
        }
        let mut all = Self {
            hash: [0; 32],
            terms: terms.clone(),
            heartbeat: None,
            opamp: None,
            own: [None, None, None],
            other: BTreeMap::new(),
        };
        for rule in rules {
            take(&mut all.heartbeat, rule.settings.heartbeat.as_ref(), rule);
            take(&mut all.opamp, rule.settings.opamp.as_ref(), rule);
            for (slot, own) in all.own.iter_mut().zip(&rule.settings.own) {
                take(slot, own.as_ref(), rule);
            }
            for (name, other) in &rule.settings.other {
                let from = || From { value: other.clone(), rule: rule.name.clone() };
                all.other.entry(name.clone()).or_insert_with(from);
            }
        }
        all.hash = connection_settings_hash(&all.whole());
        all
    }

    /// Everything in one message. The endpoint of an agent that keeps the URL it used is empty in it: the agent need not
    /// be told again because it came by another name.
    fn whole(&self) -> ConnectionSettingsOffers {
        let mut opamp = self.opamp.as_ref().map(|part| part.value.clone()).unwrap_or_default();
        if opamp.destination_endpoint.is_empty() {
            opamp.destination_endpoint = self.terms.endpoint.clone().unwrap_or_default();
        }
        opamp.heartbeat_interval_seconds = match self.interval() {
            Heartbeat::Every(seconds) => seconds.into(),
            Heartbeat::Off => 0,
        };
        let [own_metrics, own_traces, own_logs] =
            self.own.each_ref().map(|own| own.as_ref().map(|part| part.value.clone()));
        ConnectionSettingsOffers {
            opamp: Some(opamp),
            own_metrics,
            own_traces,
            own_logs,
            other_connections: self
                .other
                .iter()
                .map(|(name, part)| (name.clone(), part.value.clone()))
                .collect(),
            ..ConnectionSettingsOffers::default()
        }
    }
}
