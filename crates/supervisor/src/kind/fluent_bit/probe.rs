//! Asking a running Fluent Bit.

use std::time::Duration;

use serde::Deserialize;

use super::metrics;
use crate::kind::{Client, HttpError, Observation, ProbeError, Pulse};

const RELOAD: &str = "/api/v2/reload";
const UPTIME: &str = "/api/v1/uptime";
const INSTANCES: &str = "/api/v1/metrics";
const VALUES: &str = "/api/v2/metrics/prometheus";

#[derive(Deserialize)]
struct Reloads {
    hot_reload_count: u64,
}

#[derive(Deserialize)]
struct Uptime {
    uptime_sec: u64,
}

/// Asks for the reload count and the uptime.
pub(super) async fn pulse(port: u16, deadline: Duration) -> Result<Pulse, ProbeError> {
    Client::within(port, deadline, ask_pulse).await
}

/// Asks for everything that health is judged by.
pub(super) async fn observe(port: u16, deadline: Duration) -> Result<Observation, ProbeError> {
    Client::within(port, deadline, async |client: &mut Client| {
        let mut seen = Observation { pulse: ask_pulse(client).await?, ..Observation::default() };
        let instances = client.get(INSTANCES).await?;
        if instances.status == 200 {
            metrics::read_instances(&instances.body, &mut seen)
                .map_err(|error| ProbeError::Answer { path: INSTANCES, what: error.to_string() })?;
        }
        // Before 2.0.9 there are none, and with thousands of inputs they are too many; the instances are known all
        // the same.
        match client.get(VALUES).await {
            Ok(values) => {
                if let Some(text) = values.text() {
                    metrics::read_values(&text, &mut seen);
                }
            }
            Err(HttpError::TooLarge(_)) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(seen)
    })
    .await
}

async fn ask_pulse(client: &mut Client) -> Result<Pulse, ProbeError> {
    let uptime: Option<Uptime> = ask(client, UPTIME).await?;
    let Some(Uptime { uptime_sec }) = uptime else {
        return Err(ProbeError::Answer { path: UPTIME, what: "it is not served".to_owned() });
    };
    // Counted since 2.1.10.
    let reloads: Option<Reloads> = ask(client, RELOAD).await?;
    Ok(Pulse { generation: reloads.map(|reloads| reloads.hot_reload_count), uptime: Some(uptime_sec) })
}

/// Reads a JSON answer; `None` when the path is not served.
async fn ask<T: serde::de::DeserializeOwned>(
    client: &mut Client,
    path: &'static str,
) -> Result<Option<T>, ProbeError> {
    let response = client.get(path).await.map_err(|error: HttpError| ProbeError::Http(error))?;
    if response.status != 200 {
        return Ok(None);
    }
    let what = |error: serde_json::Error| ProbeError::Answer { path, what: error.to_string() };
    serde_json::from_slice(&response.body).map(Some).map_err(what)
}
