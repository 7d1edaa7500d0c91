//! Looking at what agents' components count.

use std::time::Duration;

use tidegate_fleet::metrics::{Latest, Series, Span, series};
use tidegate_fleet::{Action, Actor, Timestamp, authorize};
use tidegate_opamp::InstanceUid;

use super::agents::not_found;
use super::{Control, ControlError};

/// Most steps of a series.
const MAX_STEPS: u64 = 1_000;

/// Most numbers in all series of one answer.
const MAX_NUMBERS: usize = 300_000;

/// Steps of a series where nobody says how long one is.
const USUAL_STEPS: u64 = 120;

/// A step is at least as long as what the history is made of, in seconds.
const LEAST_STEP: u64 = 60;

/// What is looked at where only one end of a span is named.
const USUAL_SPAN: Duration = Duration::from_secs(60 * 60);

/// Which part of the past.
#[derive(Clone, Debug, Default)]
pub(crate) struct PastOrder {
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
    /// How long a step is.
    pub(crate) step: Option<Duration>,
}

/// What is asked of an agent's metrics.
#[derive(Clone, Debug, Default)]
pub(crate) struct MetricsOrder {
    /// Only this component.
    pub(crate) component: Option<String>,
    pub(crate) past: Option<PastOrder>,
}

/// An agent's metrics.
#[derive(Debug)]
pub(crate) struct MetricsView {
    pub(crate) agent: InstanceUid,
    /// What its last two digests say; `None` where none came yet.
    pub(crate) latest: Option<Latest>,
    /// Why there is no more; empty where nothing is missing.
    pub(crate) reason: &'static str,
    pub(crate) past: Option<(Span, Series)>,
}

impl Control {
    /// What an agent's components count: the rates of now, and the series of a span.
    pub(crate) async fn agent_metrics(
        &self,
        actor: &Actor,
        uid: &InstanceUid,
        order: MetricsOrder,
    ) -> Result<MetricsView, ControlError> {
        authorize(actor, Action::Read)?;
        let look = |entry: &crate::state::Entry| {
            let lists =
                || entry.agent.custom_capabilities().iter().any(|name| name == tidegate_custom::METRICS);
            let visible = actor.scope.covers(&entry.agent);
            visible.then(|| (entry.samples.as_ref().map(|samples| samples.latest()), lists()))
        };
        let (mut latest, lists) =
            self.core.registry.look(uid, look).flatten().ok_or_else(|| not_found(uid))?;
        let wanted = |name: &str| order.component.as_ref().is_none_or(|component| component == name);
        if let Some(latest) = &mut latest {
            latest.components.retain(|(name, ..)| wanted(name));
        }
        let past = match &order.past {
            None => None,
            Some(past) => {
                let span = span(past, self.core.now())?;
                let to = Timestamp(span.from.0.saturating_add(span.steps as u64 * span.step * 1000));
                let blocks = self.core.past(*uid, span.from, to).await?;
                let series = series(&blocks, span, wanted);
                // Five rates and the backlog.
                if series.len() * span.steps * 6 > MAX_NUMBERS {
                    let message = format!(
                        "{} components in {} steps are too much for one answer: name one `component`, or take longer steps",
                        series.len(),
                        span.steps
                    );
                    return Err(ControlError::invalid("step", message));
                }
                Some((span, series))
            }
        };
        let reason = match &latest {
            Some(latest) if latest.seconds.is_none() => "rates need a second digest of the same process",
            Some(_) => "",
            None if lists => "no digest has come since the server started",
            None => {
                "this agent does not send metrics; a Tidegate supervisor does unless `metrics.interval` is `off`"
            }
        };
        let reason = if order.past.is_some() && self.core.history.is_none() {
            "the server keeps no history (`metrics.history_bytes` is 0, or its file cannot be made)"
        } else {
            reason
        };
        Ok(MetricsView { agent: *uid, latest, reason, past })
    }
}

/// The span that is meant. Its ends lie on whole steps, so that the same steps are told again a while later.
fn span(order: &PastOrder, now: Timestamp) -> Result<Span, ControlError> {
    let usual = u64::try_from(USUAL_SPAN.as_millis()).unwrap_or(u64::MAX);
    let to = order.to.unwrap_or_else(|| order.from.map_or(now, |from| now.max(Timestamp(from.0 + 1))));
    let from = order.from.unwrap_or(Timestamp(to.0.saturating_sub(usual)));
    if from >= to {
        return Err(ControlError::invalid("from", "it must lie before `to`"));
    }
    let seconds = (to.0 - from.0).div_ceil(1000);
    let step = match order.step {
        Some(step) => step.as_secs(),
        None => seconds.div_ceil(USUAL_STEPS).next_multiple_of(LEAST_STEP),
    };
    if step < LEAST_STEP {
        return Err(ControlError::invalid("step", format!("it must be at least {LEAST_STEP}s")));
    }
    let first = from.0 / 1000 / step * step;
    let steps = (to.0.div_ceil(1000) - first).div_ceil(step);
    if steps > MAX_STEPS {
        let message = format!("that makes {steps} steps; at most {MAX_STEPS} are told at once");
        return Err(ControlError::invalid("step", message));
    }
    Ok(Span { from: Timestamp(first * 1000), step, steps: usize::try_from(steps).unwrap_or(usize::MAX) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn at(before: u64) -> Option<Timestamp> {
        Some(Timestamp(NOW.0 - before * 1000))
    }

    #[test]
    fn given_spans_when_resolved_then_steps_are_whole_bounded_and_cover_them() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (from, to, step, expected) in [
            (None, None, None, Some((60, 61))),
            (at(24 * 3600), None, None, Some((720, 121))),
            (at(600), at(300), seconds(60), Some((60, 6))),
            (at(59_960), None, seconds(60), Some((60, 1000))),
            (at(59_961), None, seconds(60), None),
            (at(100), at(100), None, None),
            (at(100), at(200), None, None),
            (at(100), None, seconds(59), None),
            (Some(Timestamp(NOW.0 + 5)), None, None, Some((60, 1))),
            (Some(Timestamp(0)), None, seconds(60), None),
        ] {
            let span = span(&PastOrder { from, to, step }, NOW);
            let found = span.ok().map(|span| {
                assert!(span.from.0 % (span.step * 1000) == 0, "{span:?}");
                (span.step, span.steps)
            });
            assert_eq!(found, expected, "{from:?} {to:?} {step:?}");
        }
    }
}
