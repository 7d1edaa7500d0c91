//! The folder of a test, what becomes of it, and the same story told over several agents.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Once;

use tempfile::TempDir;

use super::programs::Agent;

/// Most bytes of each log that a failed test prints.
const LOG_TAIL: usize = 6 * 1024;

/// A test's folder. It is removed at the end; when the test fails it is kept, and the logs in it are printed.
#[derive(Debug)]
pub struct Scene {
    folder: Option<TempDir>,
    name: String,
}

impl Scene {
    /// A new folder; `name` heads what is printed.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("tidegate-").tempdir().unwrap();
        Self { folder: Some(folder), name: name.to_owned() }
    }

    /// The folder.
    ///
    /// # Panics
    /// Never while the value lives.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.as_ref().unwrap().path()
    }

    /// Lets the folder stay where it is, and gives its path.
    ///
    /// # Panics
    /// Never while the value lives.
    pub fn keep(&mut self) -> PathBuf {
        let folder = self.folder.as_mut().unwrap();
        folder.disable_cleanup(true);
        folder.path().to_owned()
    }

    /// Writes a file into the folder, and gives its path.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let Some(folder) = self.folder.take().filter(|_| std::thread::panicking()) else { return };
        let folder = folder.keep();
        eprintln!("--- {}: its folder {} is kept", self.name, folder.display());
        print_logs(&folder);
    }
}

/// Prints the end of every `*.log` in a folder and in those right below it.
fn print_logs(folder: &Path) {
    let below = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries.filter_map(Result::ok).map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let mut files = below(folder);
    files.extend(files.clone().iter().flat_map(|path| below(path)));
    for path in files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "log")) {
        let bytes = fs::read(path).unwrap_or_default();
        let tail = bytes.get(bytes.len().saturating_sub(LOG_TAIL)..).unwrap_or_default();
        eprintln!("--- {}\n{}", path.display(), String::from_utf8_lossy(tail));
    }
}

/// What a story is told on.
#[derive(Debug)]
pub struct Stage {
    /// Its folder.
    pub scene: Scene,
    /// What is supervised in it.
    pub agent: Agent,
}

/// Tells a story on the fake and, at the same time, on a real Fluent Bit where there is one.
///
/// # Panics
/// When the story fails on either.
pub async fn on_each(story: &str, tell: impl AsyncFn(Stage)) {
    let stage = |agent: Agent, kind| Stage { scene: Scene::new(&format!("{story} ({kind})")), agent };
    let fake = Box::pin(tell(stage(Agent::fake(), "fake")));
    if let Some(agent) = Agent::real() {
        tokio::join!(fake, Box::pin(tell(stage(agent, "real"))));
    } else {
        static SAID: Once = Once::new();
        SAID.call_once(|| skipped("no fluent-bit"));
        fake.await;
    }
}

/// Says that something was left out, and why; past the test runner, which hides what a passing test prints.
///
/// # Panics
/// When stderr is gone.
pub fn skipped(why: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "skipped: {why}").unwrap();
}
