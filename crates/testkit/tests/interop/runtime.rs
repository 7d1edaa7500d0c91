//! The peers' programs: built or installed below `target/interop`, once for a test run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tidegate_testkit::fleet::skipped;

/// How a peer is started: a program and its arguments.
pub(crate) type Words = Vec<PathBuf>;

/// The peer on opamp-go.
pub(crate) fn go() -> Option<Words> {
    static READY: OnceLock<Option<Words>> = OnceLock::new();
    READY.get_or_init(|| known("go", build_go("go"))).clone()
}

/// The peer on opamp-go's server.
pub(crate) fn go_server() -> Option<Words> {
    static READY: OnceLock<Option<Words>> = OnceLock::new();
    READY.get_or_init(|| known("go-server", build_go("go-server"))).clone()
}

/// The peer on the Python client.
pub(crate) fn python() -> Option<Words> {
    static READY: OnceLock<Option<Words>> = OnceLock::new();
    READY.get_or_init(|| known("python", install_python("python", "opentelemetry._opamp"))).clone()
}

/// The peer on the Python SDK of the Model Context Protocol.
pub(crate) fn mcp() -> Option<Words> {
    static READY: OnceLock<Option<Words>> = OnceLock::new();
    READY.get_or_init(|| known("mcp", install_python("mcp", "mcp"))).clone()
}

/// The peer on the Node client.
pub(crate) fn node() -> Option<Words> {
    static READY: OnceLock<Option<Words>> = OnceLock::new();
    READY.get_or_init(|| known("node", install_node())).clone()
}

/// What is there, or nothing and a word about it. In continuous integration every peer is there.
fn known(peer: &str, prepared: Result<Words, String>) -> Option<Words> {
    match prepared {
        Ok(words) => Some(words),
        Err(why) => {
            let is_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
            assert!(!is_ci, "the {peer} peer cannot be run: {why}");
            skipped(&format!("the {peer} peer of the interoperability tests: {why}"));
            None
        }
    }
}

/// Where a peer's source is.
fn source(peer: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    root.join("tests/interop").join(peer)
}

/// Where a peer is built: `target/interop/…`, three folders above the test's executable.
fn place(peer: &str) -> PathBuf {
    let executable = std::env::current_exe().unwrap();
    let place = executable.ancestors().nth(3).unwrap().join("interop").join(peer);
    fs::create_dir_all(&place).unwrap();
    place
}

/// Runs a tool; the reason is what it is missing for, and the last thing it said.
fn run(command: &mut Command, reason: &str) -> Result<Output, String> {
    let output = command.output().map_err(|error| format!("{reason}: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    Err(format!("{reason}: {last}"))
}

fn build_go(peer: &str) -> Result<Words, String> {
    let program = place(peer).join("peer");
    let go = |arguments: &[&str]| {
        let mut command = Command::new("go");
        command
            .args(arguments)
            .current_dir(source(peer))
            .env("GOFLAGS", "-mod=readonly")
            .env("GOWORK", "off");
        command
    };
    run(&mut go(&["version"]), "go is not installed")?;
    run(&mut go(&["mod", "download"]), "its modules cannot be had")?;
    let built = go(&["build", "-o", program.to_str().unwrap(), "."]).output().unwrap();
    assert!(built.status.success(), "go build: {}", String::from_utf8_lossy(&built.stderr));
    Ok(vec![program])
}

/// A peer in Python, which needs `module`.
fn install_python(peer: &str, module: &str) -> Result<Words, String> {
    let wanted = source(peer).join("requirements.txt");
    let place = place(peer);
    let (python, done) = (place.join("bin/python"), place.join("installed.txt"));
    let is_new = || fs::read(&done).ok() == fs::read(&wanted).ok() && python.exists();
    let words = vec![python.clone(), source(peer).join("peer.py")];
    // A broken environment, left by another Python, is made anew.
    if is_new() && run(Command::new(&python).args(["-c", &format!("import {module}")]), "").is_ok() {
        return Ok(words);
    }
    let version = "import sys; sys.exit(sys.version_info < (3, 10))";
    run(Command::new("python3").args(["-c", version]), "python3 3.10 or later is not installed")?;
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&place), "python3 has no venv")?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]);
    run(pip.arg("--requirement").arg(&wanted), "its packages cannot be had")?;
    fs::copy(&wanted, &done).unwrap();
    Ok(words)
}

fn install_node() -> Result<Words, String> {
    let (source, place) = (source("node"), place("node"));
    let version = "const [a, b] = process.versions.node.split('.').map(Number); \
                   process.exit(a > 20 || (a === 20 && b >= 6) ? 0 : 1)";
    run(Command::new("node").args(["-e", version]), "node 20.6 or later is not installed")?;
    let done = place.join("installed.json");
    let words = vec![PathBuf::from("node"), place.join("peer.js")];
    // Node looks for packages beside the program.
    fs::copy(source.join("peer.js"), place.join("peer.js")).unwrap();
    let lock = fs::read(source.join("package-lock.json")).unwrap();
    if fs::read(&done).ok().as_ref() == Some(&lock) {
        return Ok(words);
    }
    for name in ["package.json", "package-lock.json"] {
        fs::copy(source.join(name), place.join(name)).unwrap();
    }
    run(Command::new("npm").arg("--version"), "npm is not installed")?;
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    run(npm.current_dir(&place), "its packages cannot be had")?;
    fs::write(&done, lock).unwrap();
    Ok(words)
}
