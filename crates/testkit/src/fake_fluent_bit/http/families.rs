//! The metric families of a snapshot, in the captured order and with the captured help.

use crate::fake_fluent_bit::snapshot::{FilterStat, InputStat, OutputStat, RouteStat, Snapshot};

/// One family.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub(super) kind: &'static str,
    /// Labels as they stand between the braces, and the value.
    pub(super) samples: Vec<(String, Value)>,
}

/// A sample's value.
#[derive(Debug)]
pub(super) enum Value {
    Number(u64),
    Histogram(Histogram),
}

/// The latency of an output: buckets by upper bound, cumulative.
#[derive(Debug)]
pub(super) struct Histogram {
    pub(super) buckets: Vec<(&'static str, u64)>,
    pub(super) sum: u64,
    pub(super) count: u64,
}

/// Every family, with or without samples.
pub(super) fn families(state: &Snapshot) -> Vec<Family> {
    let mut all = process(state);
    all.extend(routing(&state.routes));
    all.extend(per(&state.inputs, INPUT_COUNTERS, "counter", |input| &input.name));
    all.extend(per(&state.filters, FILTER_COUNTERS, "counter", |filter| &filter.name));
    all.extend(per(&state.outputs, OUTPUT_COUNTERS, "counter", |output| &output.name));
    all.extend(process_gauges(state));
    all.extend(per(&state.inputs, INPUT_GAUGES, "gauge", |input| &input.name));
    all.extend(per(&state.outputs, OUTPUT_GAUGES, "gauge", |output| &output.name));
    all.push(latency(&state.routes));
    all
}

type Column<T> = (&'static str, &'static str, fn(&T) -> u64);

const INPUT_COUNTERS: &[Column<InputStat>] = &[
    ("fluentbit_input_bytes_total", "Number of input bytes.", |input| input.bytes),
    ("fluentbit_input_records_total", "Number of input records.", |input| input.records),
    ("fluentbit_input_ring_buffer_writes_total", "Number of ring buffer writes.", |_| 0),
    ("fluentbit_input_ring_buffer_retries_total", "Number of ring buffer retries.", |_| 0),
    ("fluentbit_input_ring_buffer_retry_failures_total", "Number of ring buffer retry failures.", |_| 0),
];

const FILTER_COUNTERS: &[Column<FilterStat>] = &[
    ("fluentbit_filter_records_total", "Total number of new records processed.", |filter| filter.records),
    ("fluentbit_filter_bytes_total", "Total number of new bytes processed.", |_| 0),
    ("fluentbit_filter_add_records_total", "Total number of new added records.", |_| 0),
    ("fluentbit_filter_drop_records_total", "Total number of dropped records.", |filter| filter.drop_records),
    ("fluentbit_filter_drop_bytes_total", "Total number of dropped bytes.", |filter| filter.drop_bytes),
];

const OUTPUT_COUNTERS: &[Column<OutputStat>] = &[
    ("fluentbit_output_proc_records_total", "Number of processed output records.", |output| {
        output.proc_records
    }),
    ("fluentbit_output_proc_bytes_total", "Number of processed output bytes.", |output| output.proc_bytes),
    ("fluentbit_output_errors_total", "Number of output errors.", |output| output.errors),
    ("fluentbit_output_retries_total", "Number of output retries.", |output| output.retries),
    (
        "fluentbit_output_retries_failed_total",
        "Number of abandoned batches because the maximum number of re-tries was reached.",
        |output| output.retries_failed,
    ),
    ("fluentbit_output_dropped_records_total", "Number of dropped records.", |output| output.dropped_records),
    ("fluentbit_output_retried_records_total", "Number of retried records.", |output| output.retried_records),
];

const INPUT_GAUGES: &[Column<InputStat>] = &[
    ("fluentbit_input_rate_bytes", "Current input bytes per second.", |input| input.rate_bytes),
    ("fluentbit_input_rate_records", "Current input records per second.", |input| input.rate_records),
    ("fluentbit_input_rate_gate_limited", "Is the input rate gate currently limiting ingestion?", |_| 0),
    ("fluentbit_input_rate_gate_busy_chunks", "Busy chunks considered by the input rate gate.", |_| 0),
    ("fluentbit_input_rate_gate_retry_attempts", "Retry attempts considered by the input rate gate.", |_| 0),
    ("fluentbit_input_ingestion_paused", "Is the input paused or not?", |input| u64::from(input.paused)),
    ("fluentbit_input_storage_overlimit", "Is the input memory usage overlimit ?.", |_| 0),
    ("fluentbit_input_storage_memory_bytes", "Memory bytes used by the chunks.", |input| input.chunk_bytes),
    ("fluentbit_input_storage_chunks", "Total number of chunks.", |input| input.chunks),
    ("fluentbit_input_storage_chunks_up", "Total number of chunks up in memory.", |input| input.chunks),
    ("fluentbit_input_storage_chunks_down", "Total number of chunks down.", |_| 0),
    ("fluentbit_input_storage_chunks_busy", "Total number of chunks in a busy state.", |input| input.busy),
    (
        "fluentbit_input_storage_chunks_busy_bytes",
        "Total number of bytes used by chunks in a busy state.",
        |input| input.busy_bytes,
    ),
];

const OUTPUT_GAUGES: &[Column<OutputStat>] = &[
    ("fluentbit_output_upstream_total_connections", "Total Connection count.", |_| 0),
    ("fluentbit_output_upstream_busy_connections", "Busy Connection count.", |_| 0),
    ("fluentbit_output_chunk_available_capacity_percent", "Available chunk capacity (percent)", |_| 100),
];

fn per<T>(rows: &[T], columns: &[Column<T>], kind: &'static str, name: fn(&T) -> &String) -> Vec<Family> {
    let column = |(family, help, read): &Column<T>| Family {
        name: family,
        help,
        kind,
        samples: distinct(rows, name)
            .map(|row| (format!("name=\"{}\"", name(row)), Value::Number(read(row))))
            .collect(),
    };
    columns.iter().map(column).collect()
}

/// The last of each name: instances of one alias overwrite each other.
fn distinct<T>(rows: &[T], name: fn(&T) -> &String) -> impl Iterator<Item = &T> {
    rows.iter().enumerate().filter_map(move |(index, row)| {
        let later = rows.get(index + 1..).unwrap_or_default();
        (!later.iter().any(|other| name(other) == name(row))).then_some(row)
    })
}

fn single(name: &'static str, help: &'static str, kind: &'static str, labels: String, value: u64) -> Family {
    Family { name, help, kind, samples: vec![(labels, Value::Number(value))] }
}

fn process(state: &Snapshot) -> Vec<Family> {
    let host = || format!("hostname=\"{}\"", state.hostname);
    let logs = state.logs;
    let queued = logs.error + logs.warn + logs.info;
    let by_type =
        [("error", logs.error), ("warn", logs.warn), ("info", logs.info), ("debug", 0), ("trace", 0)];
    let by_type = by_type
        .iter()
        .map(|(name, count)| (format!("message_type=\"{name}\""), Value::Number(*count)))
        .collect();
    vec![
        single(
            "fluentbit_uptime",
            "Number of seconds that Fluent Bit has been running.",
            "counter",
            host(),
            state.uptime_sec,
        ),
        single(
            "fluentbit_hot_reloaded_times",
            "Collect the count of hot reloaded times.",
            "counter",
            host(),
            state.hot_reload_count,
        ),
        Family {
            name: "fluentbit_logger_logs_total",
            help: "Total number of logs",
            kind: "counter",
            samples: by_type,
        },
        single(
            "fluentbit_logger_queue_enqueued_total",
            "Total number of logger queue enqueues",
            "counter",
            String::new(),
            queued,
        ),
        single(
            "fluentbit_logger_queue_dropped_total",
            "Total number of logger queue drops",
            "counter",
            String::new(),
            0,
        ),
        single(
            "fluentbit_logger_queue_drained_total",
            "Total number of logger queue records drained",
            "counter",
            String::new(),
            queued,
        ),
    ]
}

fn process_gauges(state: &Snapshot) -> Vec<Family> {
    let host = format!("hostname=\"{}\"", state.hostname);
    let build = format!("{host},version=\"{}\",os=\"linux\"", state.version);
    let chunks: u64 = state.inputs.iter().map(|input| input.chunks).sum();
    let bare = |name, help, value| single(name, help, "gauge", String::new(), value);
    let start = "Start time of the process since unix epoch in seconds.";
    vec![
        single("fluentbit_process_start_time_seconds", start, "gauge", host, state.start_sec),
        single("fluentbit_build_info", "Build version information.", "gauge", build, state.start_sec),
        bare("fluentbit_storage_chunks", "Total number of chunks in the storage layer.", chunks),
        bare("fluentbit_storage_mem_chunks", "Total number of memory chunks.", chunks),
        bare("fluentbit_storage_fs_chunks", "Total number of filesystem chunks.", 0),
        bare("fluentbit_storage_fs_chunks_up", "Total number of filesystem chunks up in memory.", 0),
        bare("fluentbit_storage_fs_chunks_down", "Total number of filesystem chunks down.", 0),
    ]
}

fn routing(routes: &[RouteStat]) -> Vec<Family> {
    let family = |name, help, read: fn(&RouteStat) -> u64| Family {
        name,
        help,
        kind: "counter",
        samples: routes.iter().map(|route| (pair(route), Value::Number(read(route)))).collect(),
    };
    vec![
        family(
            "fluentbit_routing_logs_records_total",
            "Total log records routed from input to output",
            |route| route.records,
        ),
        family(
            "fluentbit_routing_logs_bytes_total",
            "Total bytes routed from input to output (logs)",
            |route| route.bytes,
        ),
    ]
}

fn pair(route: &RouteStat) -> String {
    format!("input=\"{}\",output=\"{}\"", route.input, route.output)
}

fn latency(routes: &[RouteStat]) -> Family {
    const BOUNDS: &[&str] = &["0.5", "1.0", "1.5", "2.5", "5.0", "10.0", "20.0", "30.0", "+Inf"];
    let samples = routes.iter().map(|route| {
        let count = |bound: &&'static str| (*bound, if *bound == "0.5" { 0 } else { route.chunks });
        let buckets = BOUNDS.iter().map(count).collect();
        // Chunks wait for the flush, about a second each.
        let histogram = Histogram { buckets, sum: route.chunks, count: route.chunks };
        (pair(route), Value::Histogram(histogram))
    });
    Family {
        name: "fluentbit_output_latency_seconds",
        help: "End-to-end latency in seconds",
        kind: "histogram",
        samples: samples.collect(),
    }
}
