//! The commands of the documents: every block that begins with ```` ```sh run ```` works as it stands; what it needs
//! beyond our own programs is named behind it, as in ```` ```sh run curl ````.

#![expect(clippy::unwrap_used, reason = "a test: a failed step of its own fails it")]

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tidegate_testkit::fleet::{Process, Scene, free_port, program};

/// Time for all commands.
const DEADLINE: Duration = Duration::from_secs(900);

/// What `scripts/run.sh` builds: made before, with the features that the other tests have, so that none is built twice.
const PROGRAMS: [&str; 4] = ["tidegate", "tidegate-server", "tidegate-supervisor", "fake-fluent-bit"];

/// One block of commands.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    /// Where it stands.
    place: String,
    /// Programs of others that it needs.
    needs: Vec<String>,
    /// The commands.
    text: String,
}

/// The blocks of one document that are to be run.
fn blocks(name: &str, text: &str) -> Vec<Block> {
    let (mut found, mut open): (Vec<Block>, Option<Block>) = (Vec::new(), None);
    for (number, line) in text.lines().enumerate() {
        match &mut open {
            None => {
                if let Some(needs) = line.trim().strip_prefix("```sh run") {
                    let needs = needs.split_whitespace().map(ToOwned::to_owned).collect();
                    let place = format!("{name}:{}", number + 1);
                    open = Some(Block { place, needs, text: String::new() });
                }
            }
            Some(_) if line.trim() == "```" => found.extend(open.take()),
            Some(block) => writeln!(block.text, "{line}").unwrap(),
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

/// One script of all blocks, as a reader would type them into one shell: the first page starts the server and stops it,
/// whoever reads another has it running. What is left in the background ends with the shell.
fn script(pages: &[Vec<Block>]) -> String {
    let mut script = "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n".to_owned();
    for (number, page) in pages.iter().enumerate() {
        if number > 0 {
            script.push_str("scripts/run.sh\n");
        }
        for Block { place, text, .. } in page {
            writeln!(script, "echo '--- {place}'\n{text}").unwrap();
        }
    }
    script
}

/// Says what a block needs and this machine has not.
fn missing(block: &Block) -> Option<&String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    block.needs.iter().find(|name| !std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
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
        let programs = PROGRAMS.map(program)[0].parent().unwrap().to_owned();
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
            ("XDG_STATE_HOME", scene.path().join(".local/state").into()),
            ("TIDEGATE_PROFILE", "dev".into()),
            ("TIDEGATE_BUILD", "no".into()),
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
        let mut page = blocks(path.strip_prefix(root()).unwrap().to_str().unwrap(), &text);
        page.retain(|block| {
            let missing = missing(block);
            if let Some(program) = missing {
                println!("skipped: {} needs {program}", block.place);
            }
            missing.is_none()
        });
        if !page.is_empty() {
            all.push(page);
        }
    }
    assert!(all.len() > 1, "README.md and a page in docs have blocks that begin with ```sh run");
    let home = Home::new();
    let log = home.scene.path().join("commands.log");
    let status = Process::start(&mut home.bash(&script(&all)), &log).ends(DEADLINE).await;
    let said = std::fs::read_to_string(&log).unwrap();
    let last = said.lines().rfind(|line| line.starts_with("--- ")).unwrap_or_default();
    assert!(status.success(), "the commands of {last} failed with {status}");
}

#[test]
fn given_a_document_then_only_marked_blocks_are_found_and_each_names_its_line_and_its_needs() {
    let text =
        "# A\n```sh\nno\n```\ntext\n```sh run\none\ntwo\n```\n```text\nno\n```\n```sh run a b\nthree\n```\n";
    let block = |place: &str, needs: &[&str], text: &str| Block {
        place: place.into(),
        needs: needs.iter().map(|&name| name.into()).collect(),
        text: text.into(),
    };
    let found = blocks("a.md", text);
    assert_eq!(found, [block("a.md:6", &[], "one\ntwo\n"), block("a.md:13", &["a", "b"], "three\n")]);
    assert_eq!(missing(&block("a.md:1", &["sh", "no-such-program"], "")).unwrap(), "no-such-program");
    let script = script(&[found, blocks("b.md", "```sh run\nfour\n```\n")]);
    assert_eq!((script.matches("echo '--- ").count(), script.matches("scripts/run.sh").count()), (3, 1));
}
