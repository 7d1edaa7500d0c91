//! The commands of the documents: every block that begins with ```` ```sh run ```` works as it stands.

#![expect(clippy::unwrap_used, reason = "a test: a failed step of its own fails it")]

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tidegate_testkit::fleet::{Process, Scene, free_port, program};

/// Time for all commands, a build of the programs included.
const DEADLINE: Duration = Duration::from_secs(900);

/// One block of commands.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    /// Where it stands.
    place: String,
    /// The commands.
    text: String,
}

/// The blocks of one document that are to be run.
fn blocks(name: &str, text: &str) -> Vec<Block> {
    let (mut found, mut open): (Vec<Block>, Option<Block>) = (Vec::new(), None);
    for (number, line) in text.lines().enumerate() {
        match &mut open {
            None if line.trim() == "```sh run" => {
                open = Some(Block { place: format!("{name}:{}", number + 1), text: String::new() });
            }
            Some(_) if line.trim() == "```" => found.extend(open.take()),
            Some(block) => writeln!(block.text, "{line}").unwrap(),
            None => {}
        }
    }
    assert!(open.is_none(), "the last block of {name} has no end");
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// README.md, then the pages in `docs` by name.
fn documents() -> Vec<PathBuf> {
    let pages = std::fs::read_dir(root().join("docs")).into_iter().flatten();
    let mut pages: Vec<_> = pages.map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    pages.sort();
    pages.insert(0, root().join("README.md"));
    pages
}

/// One script of all blocks, as a reader would type them into one shell.
fn script(blocks: &[Block]) -> String {
    let mut script = "set -euo pipefail\n".to_owned();
    for Block { place, text } in blocks {
        writeln!(script, "echo '--- {place}'\n{text}").unwrap();
    }
    script
}

/// The environment of a newcomer: a home of its own, and ports that are free.
struct Home {
    scene: Scene,
    variables: Vec<(&'static str, OsString)>,
}

impl Home {
    fn new() -> Self {
        let scene = Scene::new("docs");
        let own_home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
        let tool = |name, folder| std::env::var_os(name).unwrap_or_else(|| own_home.join(folder).into());
        let programs = program("tidegate").parent().unwrap().to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(programs.clone()).chain(std::env::split_paths(&path));
        // The first of three neighbours: simulated agents take one each.
        let chatops = free_port();
        let _neighbours = (free_port(), free_port());
        let variables = vec![
            ("CARGO_HOME", tool("CARGO_HOME", ".cargo")),
            ("RUSTUP_HOME", tool("RUSTUP_HOME", ".rustup")),
            ("CARGO_TARGET_DIR", programs.parent().unwrap().into()),
            ("PATH", std::env::join_paths(paths).unwrap()),
            ("HOME", scene.path().into()),
            ("XDG_STATE_HOME", scene.path().join("state").into()),
            ("TIDEGATE_PROFILE", "dev".into()),
            ("TIDEGATE_AGENTS_PORT", free_port().to_string().into()),
            ("TIDEGATE_OPERATORS_PORT", free_port().to_string().into()),
            ("TIDEGATE_CHATOPS_PORT", chatops.to_string().into()),
        ];
        Self { scene, variables }
    }

    fn bash(&self, script: &str) -> Command {
        let mut command = Command::new("bash");
        command.args(["-c", script]).current_dir(root()).envs(self.variables.iter().cloned());
        command
    }
}

/// Whatever became of the commands, what they started ends.
impl Drop for Home {
    fn drop(&mut self) {
        let stopped = self.bash("scripts/run.sh stop").status();
        assert!(
            std::thread::panicking() || stopped.is_ok_and(|status| status.success()),
            "scripts/run.sh stop failed"
        );
    }
}

#[tokio::test]
async fn given_the_documents_when_their_commands_are_run_in_order_then_each_succeeds() {
    let mut all = Vec::new();
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| unreachable!("{path:?}: {error}"));
        all.extend(blocks(path.strip_prefix(root()).unwrap().to_str().unwrap(), &text));
    }
    assert!(!all.is_empty(), "no document has a block that begins with ```sh run");
    let home = Home::new();
    let log = home.scene.path().join("commands.log");
    let status = Process::start(&mut home.bash(&script(&all)), &log).ends(DEADLINE).await;
    let said = std::fs::read_to_string(&log).unwrap();
    let last = said.lines().rfind(|line| line.starts_with("--- ")).unwrap_or_default();
    assert!(status.success(), "the commands of {last} failed with {status}");
}

#[test]
fn given_a_document_then_only_marked_blocks_are_found_and_each_names_its_line() {
    let text =
        "# A\n```sh\nno\n```\ntext\n```sh run\none\ntwo\n```\n```text\nno\n```\n```sh run\nthree\n```\n";
    let block = |place: &str, text: &str| Block { place: place.into(), text: text.into() };
    assert_eq!(blocks("a.md", text), [block("a.md:6", "one\ntwo\n"), block("a.md:13", "three\n")]);
    assert_eq!(script(&blocks("a.md", text)).matches("echo '--- ").count(), 2);
}
