//! Asking a running Fluent Bit.

use std::time::Duration;

use serde::Deserialize;

use super::metrics;
use crate::kind::{Client, HttpError, Metrics, Observation, ProbeError, Pulse};

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
        // Before 2.0.9 there are none, and with thousands of inputs they are too many: the instances are known all the
        // same, and how they fare is not.
        match client.get(VALUES).await {
            Ok(values) => match values.text() {
                Some(text) => metrics::read_values(&text, &mut seen),
                None => seen.unread = Some(format!("the answer to {VALUES} has status {}", values.status)),
            },
            Err(error @ HttpError::TooLarge(_)) => seen.unread = Some(error.to_string()),
            Err(error) => return Err(error.into()),
        }
        if seen.process.is_empty() && seen.components.values().all(Metrics::is_empty) {
            seen.unread.get_or_insert_with(|| format!("the answer to {VALUES} holds none"));
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

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    /// A Fluent Bit with one output that answers so when it is asked for values.
    async fn agent(values: Vec<u8>) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer =
            |body: &str| format!("HTTP/1.1 200\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 4096];
            loop {
                let count = stream.read(&mut buffer).await.unwrap_or(0);
                let asked = String::from_utf8_lossy(&buffer[..count]).into_owned();
                let reply = match asked.split(' ').nth(1) {
                    None => return,
                    Some(VALUES) => values.clone(),
                    Some(UPTIME) => answer("{\"uptime_sec\": 10}"),
                    Some(RELOAD) => answer("{\"hot_reload_count\": 0}"),
                    Some(_) => answer("{\"output\": {\"o\": {}}}"),
                };
                if stream.write_all(&reply).await.is_err() {
                    return;
                }
            }
        });
        port
    }

    #[tokio::test]
    async fn given_values_that_cannot_be_read_when_observed_then_the_instances_are_known_and_the_reason_is_told()
     {
        let good = b"fluentbit_uptime{hostname=\"h\"} 9\n";
        let whole =
            [format!("HTTP/1.1 200\r\ncontent-length: {}\r\n\r\n", good.len()).as_bytes(), good].concat();
        let huge = b"HTTP/1.1 200\r\ncontent-length: 9000000\r\n\r\n".iter().copied();
        for (values, why) in [
            (whole, None),
            (b"HTTP/1.1 404\r\ncontent-length: 0\r\n\r\n".to_vec(), Some("has status 404")),
            (b"HTTP/1.1 200\r\ncontent-length: 3\r\n\r\nabc".to_vec(), Some("holds none")),
            (huge.chain(std::iter::repeat_n(b'x', 9_000_000)).collect(), Some("larger than 4194304 bytes")),
        ] {
            let seen = observe(agent(values).await, Duration::from_secs(20)).await.unwrap();
            assert_eq!(seen.components.keys().collect::<Vec<_>>(), ["output:o"]);
            match (why, &seen.unread) {
                (None, None) => {}
                (Some(why), Some(told)) => assert!(told.contains(why) && told.contains(VALUES), "{told}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
