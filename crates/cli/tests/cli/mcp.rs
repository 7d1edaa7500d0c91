//! Assistants: their settings, the bridge, and what is said when the server is not there.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::program::{Ran, bare, ran};

/// The program with nothing but a home.
fn at(home: &Path, args: &[&str]) -> Command {
    let mut command = bare(args);
    command.env("HOME", home);
    command
}

fn install(home: &Path, args: &[&str]) -> Ran {
    ran(at(home, &[&["mcp", "install"], args].concat()).output().unwrap())
}

#[test]
fn given_settings_of_an_assistant_when_installed_and_taken_out_then_the_rest_stays_and_the_old_file_too() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join(".cursor/mcp.json");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let before = "{\n  // mine\n  \"mcpServers\": {\n    \"other\": { \"command\": \"other\" }\n  }\n}\n";
    std::fs::write(&path, before).unwrap();
    let read = || std::fs::read_to_string(&path).unwrap();

    let tried = install(home.path(), &["--client", "cursor", "--mode", "write", "--dry-run"]);
    assert_eq!((tried.code, read().as_str()), (0, before), "{tried:?}");
    let done = install(home.path(), &["--client", "cursor", "--mode", "write", "--data-dir", "data"]);
    assert_eq!(done.code, 0, "{done:?}");
    let after = read();
    assert!(after.contains("// mine") && after.contains("\"other\": { \"command\": \"other\" }"), "{after}");
    let plain: Value = serde_json::from_str(&after.replace("// mine", "")).unwrap();
    let entry = &plain["mcpServers"]["tidegate"];
    assert_eq!(entry["command"], env!("CARGO_BIN_EXE_tidegate"));
    let args: Vec<_> = entry["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
    assert_eq!(args[..5], ["mcp", "serve", "--stdio", "--mode", "write"]);
    assert!(args[5] == "--data-dir" && Path::new(args[6]).is_absolute(), "{args:?}");
    let backup = std::fs::read_to_string(path.with_file_name("mcp.json.before-tidegate")).unwrap();
    assert_eq!(backup, before);

    let again = install(home.path(), &["--client", "cursor", "--mode", "write", "--data-dir", "data"]);
    assert!(again.code == 0 && again.err.contains("already"), "{again:?}");
    assert_eq!(install(home.path(), &["--client", "cursor", "--uninstall"]).code, 0);
    assert!(!read().contains("tidegate") && read().contains("// mine"), "{}", read());
}

#[test]
fn given_what_cannot_be_installed_then_it_is_said_and_nothing_is_written() {
    let home = tempfile::tempdir().unwrap();
    let remote = install(home.path(), &["--client", "claude-desktop", "--http"]);
    assert!(remote.code == 2 && remote.err.contains("leave --http out"), "{remote:?}");
    let path = home.path().join(".claude.json");
    std::fs::write(&path, "{ broken").unwrap();
    let broken = install(home.path(), &["--client", "claude-code"]);
    assert!(broken.code == 2 && broken.err.contains("it is no JSON"), "{broken:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{ broken");
    let homeless = ran(bare(&["mcp", "install", "--client", "codex"]).output().unwrap());
    assert!(homeless.code == 2 && homeless.err.contains("HOME"), "{homeless:?}");
}

#[test]
fn given_a_server_that_is_not_there_when_an_assistant_asks_then_it_is_answered_so_and_the_bridge_stays() {
    let lines = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/list\"}\nnonsense\n[]\n{\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n";
    let mut command = bare(&["mcp", "serve", "--stdio", "--server", "http://127.0.0.1:1"]);
    command.env("TIDEGATE_TOKEN", "secret-token").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let ran = ran(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 0, "{ran:?}");
    let mut answers: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    answers.sort_by_key(|answer| answer["error"]["code"].as_i64());
    let codes: Vec<_> = answers.iter().map(|answer| answer["error"]["code"].as_i64().unwrap()).collect();
    assert_eq!(codes, [-32700, -32600, -32000], "{answers:?}");
    assert_eq!(answers[2]["id"], 7);
    let why = answers[2]["error"]["message"].as_str().unwrap();
    assert!(why.contains("cannot reach the server"), "{why}");
}

#[test]
fn given_an_entry_that_leads_nowhere_when_the_doctor_looks_then_it_is_named() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join(".codex/config.toml");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "[mcp_servers.tidegate]\ncommand = \"tidegate\"\n").unwrap();
    let mut command = at(home.path(), &["mcp", "doctor", "--server", "http://127.0.0.1:1"]);
    let found = ran(command.env("TIDEGATE_TOKEN", "secret-token").output().unwrap());
    assert!(found.out.contains("WRONG Codex") && found.out.contains("no whole path"), "{found:?}");
    assert!(found.code == 20 && found.err.contains("cannot reach"), "{found:?}");
}
