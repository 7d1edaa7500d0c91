//! The programs under test: found beside the test's own executable, built once when missing or older than their
//! sources.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use parking_lot::Mutex;

/// Program, package, and the crates that it is made of.
const PROGRAMS: [(&str, &str, &[&str]); 4] = [
    ("tidegate-server", "tidegate-server", &["api", "custom", "fleet", "fluent", "opamp", "server", "store"]),
    ("tidegate-supervisor", "tidegate-supervisor", &["custom", "fluent", "opamp", "supervisor"]),
    ("tidegate", "tidegate-cli", &["api", "cli", "fluent"]),
    ("fake-fluent-bit", "tidegate-testkit", &[]),
];

/// A Fluent Bit, or what stands for one.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Its program.
    pub binary: PathBuf,
    /// Whether it is the fake, which obeys a control file.
    pub is_fake: bool,
}

impl Agent {
    /// This crate's fake.
    #[must_use]
    pub fn fake() -> Self {
        Self { binary: program("fake-fluent-bit"), is_fake: true }
    }

    /// What `FLUENT_BIT_BIN` names, or `fluent-bit` on the path.
    #[must_use]
    pub fn real() -> Option<Self> {
        let named = std::env::var_os("FLUENT_BIT_BIN").map(PathBuf::from);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = || {
            std::env::split_paths(&path).map(|folder| folder.join("fluent-bit")).find(|file| file.is_file())
        };
        named.or_else(found).map(|binary| Self { binary, is_fake: false })
    }
}

/// The path of a program of this workspace.
///
/// # Panics
/// When it is missing and cannot be built.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    static READY: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    // Held while building: whoever else needs the program waits for it.
    let mut ready = READY.lock();
    if let Some(path) = ready.get(name) {
        return path.clone();
    }
    let known = PROGRAMS.iter().find(|(program, ..)| *program == name);
    let (_, package, crates) = known.unwrap_or_else(|| panic!("no program is called {name}"));
    let path = profile_dir().join(name);
    if is_old(&path, crates) {
        build(package, name);
    }
    assert!(path.is_file(), "{} is missing after a build that succeeded", path.display());
    ready.insert(name.to_owned(), path.clone());
    path
}

/// `target/debug` or the like.
fn profile_dir() -> PathBuf {
    let executable = std::env::current_exe().unwrap();
    let folder = executable.parent().unwrap();
    // Tests lie one deeper than programs.
    if folder.ends_with("deps") { folder.parent().unwrap() } else { folder }.to_owned()
}

fn is_old(program: &Path, crates: &[&str]) -> bool {
    let Ok(built) = program.metadata().and_then(|meta| meta.modified()) else {
        return true;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    crates.iter().any(|name| newest(&folder.join(name).join("src")) > built)
}

fn newest(folder: &Path) -> SystemTime {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let ages = entries
        .map(|path| if path.is_dir() { newest(&path) } else { path.metadata().unwrap().modified().unwrap() });
    ages.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Builds with the profile and into the folder of the test itself; cargo holds no lock while tests run.
fn build(package: &str, program: &str) {
    let profile_dir = profile_dir();
    let profile = match profile_dir.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--locked", "--quiet", "--package", package, "--bin", program, "--profile", profile])
        .arg("--target-dir")
        .arg(profile_dir.parent().unwrap())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo cannot build {program}:\n{said}");
}
