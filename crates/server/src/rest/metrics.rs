//! `/agents/{uid}/metrics`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::Deserialize;
use tidegate_api as api;
use tidegate_custom::metrics::Counters;
use tidegate_fleet::metrics::{Latest, Series, Span, Step};
use tidegate_fleet::{Actor, Timestamp};

use super::json::{Parameters, uid};
use super::problem::Failure;
use super::{Face, convert};
use crate::control::{MetricsOrder, MetricsView, PastOrder};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MetricsParameters {
    component: Option<String>,
    from: Option<api::Timestamp>,
    to: Option<api::Timestamp>,
    step: Option<String>,
}

pub(super) async fn get(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Path(text): Path<String>,
    Parameters(asked): Parameters<MetricsParameters>,
) -> Result<Json<api::AgentMetrics>, Failure> {
    let step = asked.step.as_deref().map(step).transpose()?;
    let wants_past = asked.from.is_some() || asked.to.is_some() || step.is_some();
    let past = PastOrder { from: asked.from.map(time), to: asked.to.map(time), step };
    let order = MetricsOrder { component: asked.component, past: wants_past.then_some(past) };
    let view = face.control.agent_metrics(&actor, &uid(&text)?, order).await?;
    Ok(Json(metrics(&view)))
}

/// A time before 1970 is taken for its beginning.
fn time(at: api::Timestamp) -> Timestamp {
    Timestamp(u64::try_from(at.as_millisecond()).unwrap_or(0))
}

fn step(text: &str) -> Result<Duration, Failure> {
    crate::settings::read_duration(text).map_err(|message| Failure::invalid("step", message))
}

fn metrics(view: &MetricsView) -> api::AgentMetrics {
    let latest = view.latest.as_ref();
    let some = |number: u64| (number > 0).then_some(number);
    api::AgentMetrics {
        agent: view.agent.to_string(),
        observed_at: latest.map(|latest| convert::time(latest.at)),
        reason: view.reason.to_owned(),
        pid: latest.map(|latest| latest.life.pid),
        reloads: latest.map(|latest| latest.life.reloads),
        uptime_seconds: latest.and_then(|latest| some(latest.uptime)),
        every_seconds: latest.and_then(|latest| some(latest.every)),
        seconds: latest.and_then(|latest| latest.seconds),
        components: latest.map(components).unwrap_or_default(),
        left_out: latest.map_or(0, |latest| latest.left_out),
        history: view.past.as_ref().map(|(span, series)| history(*span, series)),
    }
}

fn components(latest: &Latest) -> BTreeMap<String, api::ComponentMetrics> {
    let component = |(name, counters, rise): &(String, Counters, Counters)| {
        let per_second = latest.seconds.map(|seconds| {
            #[expect(clippy::cast_precision_loss, reason = "seconds between two digests")]
            rates(&Step { seconds: seconds as f64, counted: *rise })
        });
        let Counters { records, bytes, errors, retries, dropped, backlog } = *counters;
        let total = api::MetricCounts { records, bytes, errors, retries, dropped };
        (name.clone(), api::ComponentMetrics { total, backlog, per_second })
    };
    latest.components.iter().map(component).collect()
}

fn rates(step: &Step) -> api::MetricRates {
    let Counters { records, bytes, errors, retries, dropped, .. } = step.counted;
    api::MetricRates {
        records: step.rate(records),
        bytes: step.rate(bytes),
        errors: step.rate(errors),
        retries: step.rate(retries),
        dropped: step.rate(dropped),
    }
}

fn history(span: Span, series: &Series) -> api::MetricsHistory {
    let component = |(name, steps): (&String, &Vec<Option<Step>>)| {
        let of = |count: fn(&Counters) -> u64| {
            let rate = |step: &Option<Step>| step.map(|step| step.rate(count(&step.counted)));
            steps.iter().map(rate).collect::<Vec<_>>()
        };
        let series = api::MetricSeries {
            records: of(|counted| counted.records),
            bytes: of(|counted| counted.bytes),
            errors: of(|counted| counted.errors),
            retries: of(|counted| counted.retries),
            dropped: of(|counted| counted.dropped),
            backlog: steps.iter().map(|step| step.map(|step| step.counted.backlog)).collect(),
        };
        (name.clone(), series)
    };
    api::MetricsHistory {
        from: convert::time(span.from),
        step_seconds: span.step,
        steps: span.steps as u64,
        components: series.iter().map(component).collect(),
    }
}
