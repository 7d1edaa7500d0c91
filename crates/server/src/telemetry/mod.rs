//! The server's own metrics. None of them carries an agent's name.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tidegate_opamp::{ServerToAgent, server_to_agent_flags};

/// Counters and gauges by meaning.
pub(crate) struct Metrics {
    registry: Registry,
    /// Messages from agents.
    pub(crate) messages: Counter,
    /// Messages that were taken without being decoded.
    pub(crate) heartbeats: Counter,
    /// Messages from agents that were not processed.
    pub(crate) bad_requests: Counter,
    /// Connections and requests of agents that were told to come back later.
    pub(crate) refused_connections: Counter,
    /// Messages that were not taken because their agent sends too many, or too many are in work.
    pub(crate) throttled_messages: Counter,
    /// Requests of agents that showed no token of ours.
    pub(crate) unauthenticated: Counter,
    /// Times that two agents were found under one uid.
    pub(crate) duplicates: Counter,
    /// Sockets that are open.
    pub(crate) connections: Gauge,
    /// Configs put into a message.
    config_offers: Counter,
    /// Commands and custom messages put into a message.
    commands_sent: Counter,
    /// Full states asked for.
    full_state_requests: Counter,
    /// Messages that were too large to send.
    pub(crate) discarded_offers: Counter,
    /// Digests of metrics that were taken.
    pub(crate) digests: Counter,
    /// Digests that cannot be read, or came too soon after another.
    pub(crate) digests_refused: Counter,
    /// Blocks of points that the history had no room for.
    pub(crate) digests_dropped: Counter,
    /// Schemas of builds that were taken.
    pub(crate) schemas: Counter,
    /// Schemas, and pieces of them, that were not.
    pub(crate) schemas_refused: Counter,
    /// Calls of the REST API.
    pub(crate) api_calls: Counter,
    /// Calls that were refused because their credential makes too many.
    pub(crate) throttled_calls: Counter,
    agents: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("tidegate");
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let messages = counter("opamp_messages", "Messages from agents");
        let heartbeats = counter("opamp_heartbeats", "Messages that said nothing new and were not decoded");
        let bad_requests = counter("opamp_bad_requests", "Messages from agents that were not processed");
        let refused_connections = counter(
            "refused_connections",
            "Connections and requests of agents that were told to come back later",
        );
        let throttled_messages = counter(
            "throttled_messages",
            "Messages not taken because their agent sends too many, or too many are in work",
        );
        let unauthenticated =
            counter("unauthenticated_requests", "Requests of agents without a token of ours");
        let config_offers = counter("config_offers", "Configs put into a message to an agent");
        let commands_sent =
            counter("commands_sent", "Commands and custom messages put into a message to an agent");
        let full_state_requests =
            counter("full_state_requests", "Times that an agent was asked for its full state");
        let discarded_offers = counter("discarded_offers", "Messages to agents that were too large to send");
        let duplicates = counter("duplicate_agents", "Times that two agents were found under one uid");
        let digests = counter("metrics_digests", "Digests of agents' metrics that were taken");
        let digests_refused = counter(
            "metrics_digests_refused",
            "Digests of agents' metrics that cannot be read, or came too soon after another",
        );
        let digests_dropped = counter(
            "metrics_history_dropped_blocks",
            "Blocks of points that waited too long for being written to the history of metrics",
        );
        let schemas = counter("schemas", "Schemas of agents' builds that were taken");
        let schemas_refused = counter(
            "schemas_refused",
            "Schemas of agents' builds, and pieces of them, that were not taken or did not come",
        );
        let api_calls = counter("api_calls", "Calls of the REST API");
        let throttled_calls =
            counter("throttled_calls", "Calls of the REST API refused because there are too many of them");
        let mut gauge = |name: &str, help: &str| {
            let gauge: Gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let connections = gauge("connections", "WebSocket connections that are open");
        let agents = gauge("agents", "Agents that are known");
        Self {
            registry,
            messages,
            heartbeats,
            bad_requests,
            refused_connections,
            throttled_messages,
            unauthenticated,
            duplicates,
            connections,
            config_offers,
            commands_sent,
            full_state_requests,
            discarded_offers,
            digests,
            digests_refused,
            digests_dropped,
            schemas,
            schemas_refused,
            api_calls,
            throttled_calls,
            agents,
        }
    }

    /// Counts what a message to an agent carries.
    pub(crate) fn count_offer(&self, message: &ServerToAgent) {
        if message.remote_config.is_some() {
            self.config_offers.inc();
        }
        if message.command.is_some() || message.custom_message.is_some() {
            self.commands_sent.inc();
        }
        if message.flags & server_to_agent_flags::REPORT_FULL_STATE != 0 {
            self.full_state_requests.inc();
        }
    }

    /// Everything in the OpenMetrics text format.
    pub(crate) fn render(&self, agents: usize) -> Result<String, std::fmt::Error> {
        self.agents.set(i64::try_from(agents).unwrap_or(i64::MAX));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
