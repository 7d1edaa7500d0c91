//! The table of the fake Fluent Bit's behaviour, on the fake and on a real binary when one is present.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test: a failed step of its own fails it, and it says what it checked"
)]

#[path = "fake_fluent_bit/checks_cli.rs"]
mod checks_cli;
#[path = "fake_fluent_bit/checks_config.rs"]
mod checks_config;
#[path = "fake_fluent_bit/checks_faults.rs"]
mod checks_faults;
#[path = "fake_fluent_bit/checks_http.rs"]
mod checks_http;
#[path = "fake_fluent_bit/checks_pipeline.rs"]
mod checks_pipeline;
#[path = "fake_fluent_bit/checks_reload.rs"]
mod checks_reload;
#[path = "fake_fluent_bit/checks_signals.rs"]
mod checks_signals;
#[path = "fake_fluent_bit/shape.rs"]
mod shape;
#[path = "fake_fluent_bit/subject.rs"]
mod subject;
#[path = "fake_fluent_bit/wire.rs"]
mod wire;

use std::collections::HashSet;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use subject::Subject;
use tidegate_testkit::fake_fluent_bit::behaviour::{Behaviour, Check, Subjects, table};

/// What a check gives: nothing, or what it found instead.
type Outcome = Result<(), String>;

/// Rows checked at once: they mostly wait.
const WORKERS: usize = 6;

fn check(subject: &Subject, row: &Behaviour) -> Outcome {
    match row.check {
        Check::Version => checks_cli::version(subject),
        Check::UnknownFlag => checks_cli::unknown_flag(subject),
        Check::Schema => checks_cli::schema(subject),
        Check::MissingConfig => checks_cli::missing_config(subject),
        Check::Workdir => checks_cli::workdir(subject),
        Check::Quiet => checks_cli::quiet(subject),
        Check::LogFile => checks_cli::log_file(subject),
        Check::PortZero => checks_cli::port_zero(subject),
        Check::PortTaken => checks_cli::port_taken(subject),
        Check::FileBeatsFlags => checks_cli::file_beats_flags(subject),
        Check::Config(case) => checks_config::case(subject, case),
        Check::Get { path } => checks_http::get(subject, path, row.captures),
        Check::Families { path } => checks_http::families(subject, path, row.captures),
        Check::MetricsLate => checks_http::metrics_late(subject),
        Check::Storage => checks_http::storage(subject, row.captures),
        Check::HealthOn => checks_http::health_on(subject, row.captures),
        Check::HealthRed => checks_http::health_red(subject, row.captures),
        Check::NotFound { path } => checks_http::not_found(subject, path, row.captures),
        Check::HeadHasBody => checks_http::head_has_body(subject),
        Check::Http10Closes => checks_http::http10_closes(subject),
        Check::PostWithoutLength => checks_http::post_without_length(subject),
        Check::NotHttp => checks_http::not_http(subject),
        Check::KeepAlive => checks_http::keep_alive(subject),
        Check::ReloadGet => checks_http::get(subject, "/api/v2/reload", row.captures),
        Check::ReloadMethods => checks_reload::methods(subject, row.captures),
        Check::ReloadNotEnabled => checks_reload::not_enabled(subject),
        Check::Reload => checks_reload::reload(subject, row.captures),
        Check::ReloadPort => checks_reload::port(subject),
        Check::ReloadDeaf => checks_reload::deaf(subject),
        Check::ReloadFlags => checks_reload::flags(subject),
        Check::Hang => checks_reload::hang(subject),
        Check::Watchdog => checks_reload::watchdog(subject),
        Check::ThreadSafetyOff => checks_reload::thread_safety_off(subject),
        Check::PoisonedGrace => checks_reload::poisoned_grace(subject),
        Check::Grace => checks_signals::grace(subject),
        Check::StopsOn { signal, name } => checks_signals::stops_on(subject, signal, name),
        Check::DiesOf { signal } => checks_signals::dies_of(subject, signal),
        Check::Dump => checks_signals::dump(subject),
        Check::HttpInput => checks_pipeline::http_input(subject),
        Check::HttpInputRefuses => checks_pipeline::http_input_refuses(subject),
        Check::Grep => checks_pipeline::grep(subject),
        Check::FileOutput => checks_pipeline::file_output(subject),
        Check::StdoutBlocks => checks_pipeline::stdout_blocks(subject),
        Check::Counters => checks_pipeline::counters(subject),
        Check::FaultReload => checks_faults::reload(subject),
        Check::FaultHttp => checks_faults::http(subject),
        Check::FaultProcess => checks_faults::process(subject),
        Check::FaultDryRun => checks_faults::dry_run(subject),
        Check::FaultPortLie => checks_faults::port_lie(subject),
    }
}

/// Checks each row that concerns the subject; gives the failures.
fn check_table(subject: &Subject) -> Vec<String> {
    let rows: Vec<Behaviour> =
        table().into_iter().filter(|row| subject.is_fake || row.subjects == Subjects::Both).collect();
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if let Err(found) = check(subject, row) {
                        failures.lock().push(format!("`{}` ({}): {found}", row.name, row.source));
                    }
                }
            });
        }
    });
    println!("{}: {} rows checked", subject.binary.display(), rows.len());
    failures.into_inner()
}

#[test]
fn given_the_table_when_checked_on_the_fake_then_every_row_holds() {
    let failures = check_table(&Subject::fake());
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn given_the_table_when_checked_on_a_real_binary_then_every_row_holds() {
    let Some(real) = Subject::real() else {
        // Past the harness, which hides what a passing test prints.
        writeln!(std::io::stderr(), "skipped: no fluent-bit").unwrap();
        return;
    };
    let failures = check_table(&real);
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn given_the_table_when_read_then_names_are_unique_and_captures_exist() {
    let mut names = HashSet::new();
    for row in table() {
        assert!(names.insert(row.name), "`{}` stands twice", row.name);
        for capture in row.captures {
            assert!(!shape::capture(capture).is_empty(), "{capture} is empty");
        }
    }
}
