//! Everything the fake does, where that was seen, and the check that holds it.
//!
//! `tests/fake_fluent_bit.rs` walks over the table: each row is checked on the fake, against the
//! captures it names, and on a real binary when one is present.

use super::config_cases::{CONFIG_CASES, ConfigCase};

/// One thing the fake does.
#[derive(Debug, Clone, Copy)]
pub struct Behaviour {
    /// The row's name.
    pub name: &'static str,
    /// What is done.
    pub does: &'static str,
    /// Where it was seen: a section of fluent-bit.md, or `measured` on the 5.1.1 binary.
    pub source: &'static str,
    /// Files under `captures/fluent-bit/` that the answer must agree with in shape.
    pub captures: &'static [&'static str],
    /// What holds it.
    pub check: Check,
    /// Whom it is checked on.
    pub subjects: Subjects,
}

/// Whom a row is checked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subjects {
    /// The fake, and a real binary when one is present.
    Both,
    /// The fake alone: a fault on demand.
    FakeOnly,
}

/// The check of a row; the test has one function for each.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "each is told by the row that carries it")]
pub enum Check {
    Version,
    UnknownFlag,
    Schema,
    MissingConfig,
    Config(&'static ConfigCase),
    Get { path: &'static str },
    Families { path: &'static str },
    MetricsLate,
    Storage,
    HealthOn,
    HealthRed,
    NotFound { path: &'static str },
    HeadHasBody,
    Http10Closes,
    PostWithoutLength,
    NotHttp,
    KeepAlive,
    ReloadGet,
    ReloadMethods,
    ReloadNotEnabled,
    Reload,
    ReloadPort,
    ReloadDeaf,
    ReloadFlags,
    FileBeatsFlags,
    Workdir,
    Hang,
    Watchdog,
    ThreadSafetyOff,
    PoisonedGrace,
    Grace,
    StopsOn { signal: i32, name: &'static str },
    DiesOf { signal: i32 },
    Dump,
    Quiet,
    LogFile,
    PortZero,
    PortTaken,
    HttpInput,
    HttpInputRefuses,
    Grep,
    FileOutput,
    StdoutBlocks,
    Counters,
    FaultReload,
    FaultHttp,
    FaultProcess,
    FaultDryRun,
    FaultPortLie,
}

const fn row(
    name: &'static str,
    does: &'static str,
    source: &'static str,
    captures: &'static [&'static str],
    check: Check,
) -> Behaviour {
    Behaviour { name, does, source, captures, check, subjects: Subjects::Both }
}

const fn fault(name: &'static str, does: &'static str, check: Check) -> Behaviour {
    Behaviour {
        name,
        does,
        source: "hard-cases.md, section 9",
        captures: &[],
        check,
        subjects: Subjects::FakeOnly,
    }
}

/// The whole table: the fixed rows, and one for each case of [`CONFIG_CASES`].
#[must_use]
pub fn table() -> Vec<Behaviour> {
    let case = |case: &'static ConfigCase| {
        let source = "fluent-bit.md, Validation";
        row(case.name, "dry run, reload and cold start judge the config", source, &[], Check::Config(case))
    };
    ROWS.iter().copied().chain(CONFIG_CASES.iter().map(case)).collect()
}

const HTTP: &str = "fluent-bit.md, HTTP server";
const PROCESS: &str = "fluent-bit.md, Process behaviour";
const RELOAD: &str = "fluent-bit.md, Hot reload";
const INJECT: &str = "fluent-bit.md, Injecting settings";

const ROWS: &[Behaviour] = &[
    row("version", "-V prints the version, rc 0", "version.txt", &["version.txt"], Check::Version),
    row("unknown flag", "rc 1, help on stdout", PROCESS, &["help.txt"], Check::UnknownFlag),
    row(
        "schema",
        "-J prints the plugin schema, rc 0",
        "fluent-bit.md, AvailableComponents",
        &[],
        Check::Schema,
    ),
    row("missing config", "rc 1 with one line", "measured", &[], Check::MissingConfig),
    row("get /", "version and flags", HTTP, &["root.txt"], Check::Get { path: "/" }),
    row("get uptime", "seconds and words", HTTP, &["v1_uptime.txt"], Check::Get { path: "/api/v1/uptime" }),
    row("query", "is ignored", HTTP, &["uptime_query.txt"], Check::Get { path: "/api/v1/uptime?x=1" }),
    row(
        "get plugins",
        "the built-in ones",
        HTTP,
        &["v1_plugins.txt"],
        Check::Get { path: "/api/v1/plugins" },
    ),
    row("get metrics", "by instance", HTTP, &["v1_metrics.txt"], Check::Get { path: "/api/v1/metrics" }),
    row("get v2 health", "counts, limits", HTTP, &["v2_health.txt"], Check::Get { path: "/api/v2/health" }),
    row(
        "v1 prometheus",
        "counters by name with times",
        HTTP,
        &["v1_metrics_prometheus.txt"],
        Check::Families { path: "/api/v1/metrics/prometheus" },
    ),
    row(
        "v2 prometheus",
        "all families, help and labels",
        HTTP,
        &["v2_metrics_prometheus.txt"],
        Check::Families { path: "/api/v2/metrics/prometheus" },
    ),
    row(
        "v2 text",
        "all families as text",
        HTTP,
        &["v2_metrics.txt"],
        Check::Families { path: "/api/v2/metrics" },
    ),
    row("metrics at first", "404 until the engine's first second", "measured", &[], Check::MetricsLate),
    row("storage", "404 for about 5 s, then chunks", HTTP, &["v1_storage.txt"], Check::Storage),
    row("health on", "v1 says ok; off is 404", HTTP, &["v1_health.txt"], Check::HealthOn),
    row(
        "health red",
        "more failures than the limit: 500 on both",
        "fluent-bit.md, health semantics",
        &["v1_health_error.txt", "v2_health_error.txt"],
        Check::HealthRed,
    ),
    row(
        "trailing slash",
        "404, empty",
        HTTP,
        &["uptime_trailing_slash.txt"],
        Check::NotFound { path: "/api/v1/uptime/" },
    ),
    row("not found", "404, empty", HTTP, &["notfound.txt"], Check::NotFound { path: "/nosuch" }),
    row("head", "is answered with a body, against HTTP", "measured", &[], Check::HeadHasBody),
    row("http/1.0", "closes after the answer", HTTP, &[], Check::Http10Closes),
    row("post without length", "closed with no answer", HTTP, &[], Check::PostWithoutLength),
    row("not http", "gets no answer at all", "measured", &[], Check::NotHttp),
    row("connection: close", "is ignored", HTTP, &[], Check::KeepAlive),
    row("reload get", "the count", HTTP, &["v2_reload_get.txt"], Check::ReloadGet),
    row("reload methods", "PUT is POST, DELETE 405", HTTP, &["v2_reload_delete.txt"], Check::ReloadMethods),
    row("reload not enabled", "a warning, then deaf", PROCESS, &[], Check::ReloadNotEnabled),
    row(
        "reload",
        "same pid, count, counters and uptime anew, lines in order",
        RELOAD,
        &["logs/fail_service_bad_value.txt"],
        Check::Reload,
    ),
    row("reload to another port", "the new one is served", RELOAD, &[], Check::ReloadPort),
    row("reload twice", "the second SIGHUP is dropped", RELOAD, &[], Check::ReloadDeaf),
    row("reload with flags", "flags survive where the file is silent", INJECT, &[], Check::ReloadFlags),
    row("file beats flags", "port and off switch", INJECT, &[], Check::FileBeatsFlags),
    row("workdir", "-w is where relative paths start", INJECT, &[], Check::Workdir),
    row("hang", "a reload never ends while an output cannot deliver", RELOAD, &[], Check::Hang),
    row("watchdog", "hot_reload.timeout ends it by signal 6", RELOAD, &[], Check::Watchdog),
    row("-W", "the reload honours grace instead", RELOAD, &[], Check::ThreadSafetyOff),
    row("poisoned grace", "after a halted reload SIGTERM waits for ever", RELOAD, &[], Check::PoisonedGrace),
    row("grace", "SIGTERM waits that long for undelivered chunks", PROCESS, &[], Check::Grace),
    row("sigterm", "rc 0", PROCESS, &[], Check::StopsOn { signal: 15, name: "SIGTERM" }),
    row("sigint", "rc 0", PROCESS, &[], Check::StopsOn { signal: 2, name: "SIGINT" }),
    row("sigquit", "rc 0", PROCESS, &[], Check::StopsOn { signal: 3, name: "SIGQUIT" }),
    row("sigusr1", "kills", PROCESS, &[], Check::DiesOf { signal: 10 }),
    row("sigusr2", "kills", PROCESS, &[], Check::DiesOf { signal: 12 }),
    row("sigcont", "dumps the inputs", PROCESS, &[], Check::Dump),
    row("-q", "no banner and no engine lines", "measured", &[], Check::Quiet),
    row("log_file", "takes engine lines only", RELOAD, &[], Check::LogFile),
    row("port 0", "rc 255", HTTP, &[], Check::PortZero),
    row("port taken", "rc 255", PROCESS, &["logs/abort_http_port_reload.txt"], Check::PortTaken),
    row("http input", "201, stdout gets JSON lines", "measured", &[], Check::HttpInput),
    row("http input refuses", "400 and why", "measured", &[], Check::HttpInputRefuses),
    row("grep", "drops and counts", "measured", &[], Check::Grep),
    row("file output", "tag and record", "measured", &[], Check::FileOutput),
    row(
        "stdout blocks",
        "an unread pipe: API well, SIGTERM deaf",
        "fluent-bit.md, Other",
        &[],
        Check::StdoutBlocks,
    ),
    row("counters", "28 bytes a dummy record, at its rate", "measured", &[], Check::Counters),
    fault("reload=…", "halt, abort, hang, reload_ms", Check::FaultReload),
    fault("http=…", "late, silent, slow_drip, malformed, huge, huge_metrics, refuse", Check::FaultHttp),
    fault("process", "deaf, crash, exit_rc, flood, freeze, version, memory", Check::FaultProcess),
    fault("dry_run=…", "pass, fail, hang", Check::FaultDryRun),
    fault("port_lie", "a taken port is no failure", Check::FaultPortLie),
];
