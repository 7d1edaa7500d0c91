//! Which row of the OpAMP checklist is held by which test, and what a run of the tests showed of it.
//!
//! The rows are `conformance/checklist.tsv`; what a row has beside tests, or instead of them, is
//! `conformance/reasons.tsv`. The tests say themselves which rows they hold: in their doc comments (`/// S070, S072–S076:
//! …`) and in the labels of their cases. `docs/conformance.md` is written from all three and from the output of
//! `cargo test`, so that no verdict in it was typed by anybody.

mod audit;
mod checklist;
mod document;
mod log;
mod row;
mod sources;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub use audit::complaints;
pub use checklist::{Checklist, Entry, Kind, Reason};
pub use document::render;
pub use log::{Outcome, Outcomes};
pub use row::{Row, Side};
pub use sources::{Test, tests_of, tests_under};

/// The document, from the root of the workspace.
pub const DOCUMENT: &str = "docs/conformance.md";

/// The root of the workspace that this crate was built in.
#[must_use]
pub fn root() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.ancestors().nth(2).unwrap_or(crate_folder).to_owned()
}

/// The program `conformance`: `--write LOG` rewrites the document from a run of the tests, `--check LOG` fails when the
/// document is not what that run shows.
#[must_use]
pub fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["--write", log] => write(Path::new(log)),
        ["--check", log] => check(Path::new(log)),
        _ => {
            Err("usage: conformance --write LOG | --check LOG, where LOG is what `cargo test` printed".into())
        }
    };
    match done {
        Ok(said) => {
            let _ = writeln!(std::io::stdout(), "{said}");
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            let _ = writeln!(std::io::stderr(), "conformance: {wrong}");
            ExitCode::FAILURE
        }
    }
}

/// The document as the sources and a log of the tests make it.
fn document(log: &Path) -> Result<String, String> {
    let checklist = Checklist::read(&root())?;
    let tests = tests_under(&root())?;
    let complaints = complaints(&checklist, &tests);
    if !complaints.is_empty() {
        return Err(complaints.join("\n"));
    }
    let outcomes = Outcomes::parse(&read(log)?);
    if outcomes.is_empty() {
        return Err(format!("{} holds no line of a test: is it what `cargo test` printed?", log.display()));
    }
    Ok(render(&checklist, &tests, &outcomes))
}

fn write(log: &Path) -> Result<String, String> {
    let text = document(log)?;
    let file = root().join(DOCUMENT);
    fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(format!("{DOCUMENT} was written"))
}

fn check(log: &Path) -> Result<String, String> {
    let (shown, committed) = (document(log)?, read(&root().join(DOCUMENT))?);
    if shown == committed {
        return Ok(format!("{DOCUMENT} is what the tests show"));
    }
    let lines = shown.lines().map(Some).chain(std::iter::repeat(None));
    let stands = committed.lines().map(Some).chain(std::iter::repeat(None));
    let longest = shown.lines().count().max(committed.lines().count());
    let different = lines.zip(stands).take(longest).filter(|(shown, stands)| shown != stands);
    let mut text = format!("{DOCUMENT} is not what this run shows:\n");
    for (shown, stands) in different.take(10) {
        let [shown, stands] = [shown, stands].map(|line| line.unwrap_or("(nothing)"));
        text.push_str(&format!("  it says:  {stands}\n  it shows: {shown}\n"));
    }
    text.push_str("where the tests are right, rewrite it: scripts/conformance.sh");
    Err(text)
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}
