//! The health of Fluent Bit's components, from what changed within a minute (fluent-bit.md, section 4).

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::metrics::value;
use crate::kind::{ComponentState, HealthJudge, METRICS, Metrics, Observation};

/// How far back changes count.
const WINDOW: Duration = Duration::from_secs(60);
/// The least time between two samples that are kept.
const SPACING: Duration = Duration::from_secs(5);
/// How long an output may deliver nothing before that is its fault.
const PATIENCE: Duration = Duration::from_secs(180);

/// For how long after a start values may be on their way.
const YOUTH: Duration = Duration::from_secs(5);

/// Counters rise from zero within one life of a config: one process and one reload count.
type Life = (i32, Option<u64>);

/// Judges by the difference between the oldest sample of the window and the newest.
#[derive(Debug, Default)]
pub(super) struct Judge {
    life: Option<Life>,
    samples: VecDeque<(Duration, Components)>,
    /// Since when an output has delivered nothing though it had to.
    stuck: BTreeMap<String, Duration>,
}

type Components = BTreeMap<String, Metrics>;

impl HealthJudge for Judge {
    fn judge(
        &mut self,
        pid: i32,
        observation: &Observation,
        now: Duration,
    ) -> BTreeMap<String, ComponentState> {
        if let Some(why) = &observation.unread {
            return unjudged(observation, why);
        }
        self.follow((pid, observation.pulse.generation), observation, now);
        let empty = Components::new();
        let before = self.samples.front().map_or(&empty, |(_, components)| components);
        let mut states = BTreeMap::new();
        let mut stuck = BTreeMap::new();
        for (name, metrics) in &observation.components {
            let earlier = before.get(name);
            let rise = |key: &str| value(metrics, key) - earlier.map_or(0.0, |earlier| value(earlier, key));
            let state = match name.split_once(':').map(|(kind, _)| kind) {
                Some("input") => input(metrics),
                Some("output") => {
                    let since = self.stuck.get(name).copied();
                    let (state, is_stuck) = output(&rise, since.map(|since| now.saturating_sub(since)));
                    if is_stuck {
                        stuck.insert(name.clone(), since.unwrap_or(now));
                    }
                    state
                }
                _ => ComponentState::running(),
            };
            states.insert(name.clone(), state);
        }
        self.stuck = stuck;
        self.keep(observation, now);
        states
    }
}

impl Judge {
    /// Starts anew when the counters did: another process, another reload, or a value that fell.
    fn follow(&mut self, life: Life, observation: &Observation, now: Duration) {
        let fell = self.samples.back().is_some_and(|(_, last)| {
            observation.components.iter().any(|(name, metrics)| {
                last.get(name).is_some_and(|last| {
                    metrics.iter().any(|(key, now)| key.ends_with("_total") && *now < value(last, key))
                })
            })
        });
        if self.life == Some(life) && !fell {
            return;
        }
        *self = Self { life: Some(life), ..Self::default() };
        // What a config has done since its start all happened within the window, if it is that young.
        let young = observation.pulse.uptime.is_some_and(|uptime| uptime < WINDOW.as_secs());
        self.samples.push_back((now, if young { Components::new() } else { observation.components.clone() }));
    }

    fn keep(&mut self, observation: &Observation, now: Duration) {
        if self.samples.back().is_none_or(|(at, _)| now.saturating_sub(*at) >= SPACING) {
            self.samples.push_back((now, observation.components.clone()));
        }
        // The oldest is kept until the next one is old enough to stand for the window.
        while self.samples.get(1).is_some_and(|(at, _)| now.saturating_sub(*at) >= WINDOW) {
            self.samples.pop_front();
        }
    }
}

/// What is said of components while their values are not known: that, and that it is so. What was learned before stays
/// for when they are known again.
fn unjudged(observation: &Observation, why: &str) -> BTreeMap<String, ComponentState> {
    let mut states = BTreeMap::new();
    for name in observation.components.keys() {
        let remark = "cannot be judged, for the agent's metrics are not known";
        states.insert(name.clone(), ComponentState::working("unknown", remark));
    }
    // Without any instance nothing is known yet at all, which is no fault of the values.
    if !states.is_empty() {
        let error = format!("are not known: {why}; whether records are lost or stand still does not show");
        let young = observation.pulse.uptime.is_some_and(|uptime| uptime < YOUTH.as_secs());
        states.insert(
            METRICS.to_owned(),
            ComponentState { healthy: young, status: "unknown", error: error.into() },
        );
    }
    states
}

/// An input that is quiet is well: no record is no fault.
fn input(metrics: &Metrics) -> ComponentState {
    if value(metrics, "input_ingestion_paused") > 0.0 || value(metrics, "input_storage_overlimit") > 0.0 {
        ComponentState::failing("paused", "takes in nothing because its buffer is full")
    } else {
        ComponentState::running()
    }
}

/// The state of an output, and whether it delivers nothing though it has to.
fn output(rise: &dyn Fn(&str) -> f64, stuck_for: Option<Duration>) -> (ComponentState, bool) {
    let delivered = rise("output_proc_records_total") > 0.0;
    let retrying = rise("output_retries_total") > 0.0 && !delivered;
    let waiting = rise(super::metrics::ROUTED) > 0.0 && !delivered;
    let too_long = stuck_for.is_some_and(|stuck| stuck >= PATIENCE);
    let lost = [
        ("output_dropped_records_total", "drops records"),
        ("output_retries_failed_total", "gave up on records after its last retry"),
        ("output_errors_total", "reports errors that cannot be retried"),
    ];
    let state = if let Some((_, what)) = lost.into_iter().find(|(key, _)| rise(key) > 0.0) {
        ComponentState::failing("dropping", what)
    } else if retrying && too_long {
        ComponentState::failing("retrying", "has delivered nothing for minutes and retries")
    } else if retrying {
        ComponentState::working("retrying", "delivers nothing at the moment and retries")
    } else if waiting && too_long {
        ComponentState::failing("stalled", "is sent records and has delivered none for minutes")
    } else {
        ComponentState::running()
    };
    (state, retrying || waiting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Pulse;

    const SECOND: Duration = Duration::from_secs(1);

    fn seen(generation: u64, uptime: u64, output: &[(&'static str, f64)]) -> Observation {
        Observation {
            pulse: Pulse { generation: Some(generation), uptime: Some(uptime) },
            components: [
                ("output:o".to_owned(), output.iter().copied().collect()),
                ("input:i".to_owned(), Metrics::new()),
            ]
            .into(),
            ..Observation::default()
        }
    }

    fn status(judge: &mut Judge, observation: &Observation, now: Duration) -> (&'static str, bool) {
        let states = judge.judge(7, observation, now);
        (states["output:o"].status, states["output:o"].healthy)
    }

    #[test]
    fn given_losses_when_judged_then_the_output_is_dropping_until_they_are_a_minute_old() {
        for key in ["output_dropped_records_total", "output_retries_failed_total", "output_errors_total"] {
            let mut judge = Judge::default();
            assert_eq!(
                status(&mut judge, &seen(0, 500, &[(key, 5.0)]), SECOND),
                ("running", true),
                "old losses"
            );
            let mut states = Vec::new();
            for tick in 2..90 {
                states.push(status(&mut judge, &seen(0, 500, &[(key, 6.0)]), SECOND * tick));
            }
            assert_eq!(states.first(), Some(&("dropping", false)));
            assert_eq!(states.last(), Some(&("running", true)), "{key}");
        }
    }

    #[test]
    fn given_values_that_are_not_known_when_judged_then_nothing_is_called_well_and_nothing_is_made_of_the_gap()
     {
        let mut judge = Judge::default();
        let known = seen(0, 500, &[("output_errors_total", 9.0)]);
        assert_eq!(status(&mut judge, &known, SECOND), ("running", true));
        for (uptime, healthy) in [(500, false), (2, true)] {
            let unknown = Observation { unread: Some("too large".into()), ..seen(0, uptime, &[]) };
            let states = judge.judge(7, &unknown, SECOND * 2);
            assert_eq!((states[METRICS].healthy, states[METRICS].status), (healthy, "unknown"));
            assert!(states[METRICS].error.contains("too large"), "{states:?}");
            assert_eq!(states["output:o"].status, "unknown");
        }
        // Old losses are no new ones when they are seen again.
        assert_eq!(status(&mut judge, &known, SECOND * 3), ("running", true));
        let nothing_yet = Observation { unread: Some("holds none".into()), ..Observation::default() };
        assert!(judge.judge(7, &nothing_yet, SECOND * 4).is_empty());
    }

    #[test]
    fn given_a_young_config_when_first_seen_then_its_losses_count() {
        let mut judge = Judge::default();
        let lost = seen(0, 3, &[("output_retries_failed_total", 1.0)]);
        assert_eq!(status(&mut judge, &lost, SECOND), ("dropping", false));
    }

    #[test]
    fn given_counters_that_restart_when_judged_then_nothing_is_made_of_it() {
        for (generation, pid_change) in [(1, false), (0, true), (0, false)] {
            let mut judge = Judge::default();
            let high = seen(0, 500, &[("output_proc_records_total", 900.0), ("output_errors_total", 9.0)]);
            judge.judge(7, &high, SECOND);
            let low =
                seen(generation, 1, &[("output_proc_records_total", 0.0), ("output_errors_total", 0.0)]);
            let states = judge.judge(if pid_change { 8 } else { 7 }, &low, SECOND * 2);
            assert_eq!(states["output:o"], ComponentState::running(), "{generation} {pid_change}");
        }
    }

    #[test]
    fn given_retries_without_delivery_when_they_last_then_the_output_turns_unhealthy_and_heals() {
        let mut judge = Judge::default();
        let mut states = Vec::new();
        for tick in 0..260_u32 {
            let retries = f64::from(tick / 10);
            states.push(status(
                &mut judge,
                &seen(0, 500, &[("output_retries_total", retries)]),
                SECOND * tick,
            ));
        }
        assert_eq!(states[0], ("running", true));
        assert_eq!(states[30], ("retrying", true));
        assert_eq!(states[170], ("retrying", true));
        assert_eq!(states[259], ("retrying", false));
        let delivered = [("output_retries_total", 26.0), ("output_proc_records_total", 10.0)];
        assert_eq!(status(&mut judge, &seen(0, 500, &delivered), SECOND * 261), ("running", true));
    }

    #[test]
    fn given_records_routed_and_none_delivered_for_minutes_then_the_output_is_stalled() {
        let mut judge = Judge::default();
        let states: Vec<_> = (0..260_u32)
            .map(|tick| {
                let routed = [(super::super::metrics::ROUTED, f64::from(tick))];
                status(&mut judge, &seen(0, 500, &routed), SECOND * tick)
            })
            .collect();
        assert_eq!((states[100], states[259]), (("running", true), ("stalled", false)));
    }

    #[test]
    fn given_a_full_buffer_when_judged_then_the_input_is_paused() {
        for key in ["input_ingestion_paused", "input_storage_overlimit"] {
            let mut observation = seen(0, 5, &[]);
            observation.components.get_mut("input:i").unwrap().insert(key, 1.0);
            let states = Judge::default().judge(7, &observation, SECOND);
            assert_eq!((states["input:i"].status, states["input:i"].healthy), ("paused", false));
        }
    }
}
