//! What the host lets an offered config name (OpAMP C097, C187). Only the host's own settings say it, and the host's
//! own config is free of it.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    path::{Component, Path, PathBuf},
};

use crate::kind::{Touch, Touched, glob};

/// Most faults that are told at once.
const TOLD: usize = 5;

/// The limits of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigLimits {
    /// Folders and files, absolute, that offered configs may read and write; `None` for all that the agent's user may.
    pub paths: Option<Vec<PathBuf>>,
    /// What may run code of its own, by the words of [`ConfigLimits::RUN`].
    pub run: BTreeSet<String>,
    /// Folders and files, absolute, that no offered config may name: the supervisor's own.
    pub never: Vec<PathBuf>,
}

impl ConfigLimits {
    /// The words for what runs code of its own.
    pub const RUN: [&str; 7] =
        ["exec", "exec_wasi", "lua", "wasm", "calyptia", "plugins", "kube_token_command"];

    /// Judges what a config reaches; one sentence for each fault, at most five. `cwd` is the folder that the agent runs
    /// in, from which it takes relative paths.
    ///
    /// # Errors
    /// The faults.
    pub fn judge(&self, touches: &[Touch], cwd: &Path) -> Result<(), Vec<String>> {
        let fault = |touch: &Touch| {
            let why = match &touch.touched {
                Touched::Program(word) if self.run.contains(*word) => return None,
                Touched::Program(word) => {
                    format!("this host lets no offered config run code by {word} (limits.config.run)")
                }
                Touched::File(path) => self.refuse(path, cwd)?,
            };
            Some(format!("{}: {} {:?}: {why}", touch.place, touch.what, crate::text::head(&touch.value, 200)))
        };
        let faults: Vec<String> = touches.iter().filter_map(fault).take(TOLD).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Why a path may not be named; `None` when it may.
    fn refuse(&self, path: &str, cwd: &Path) -> Option<String> {
        if Path::new(path).components().any(|part| part == Component::ParentDir) {
            return Some("a path may not lead upwards by `..`".to_owned());
        }
        if path.starts_with('~') {
            return Some("write the path of the folder instead of `~`".to_owned());
        }
        let whole = cwd.join(path);
        let from = if whole == Path::new(path) {
            String::new()
        } else {
            format!(" (from {}, where the agent runs)", cwd.display())
        };
        // Both as written and as links make it: a link may lead into what is forbidden, or stand in it.
        let written = parts(&whole);
        let real = parts(&resolved(&whole));
        for own in &self.never {
            for own in [own.clone(), resolved(own)].map(|own| parts(&own)) {
                if [&written, &real].into_iter().any(|path| meets(path, &own)) {
                    return Some(format!("it belongs to the supervisor, or holds what does{from}"));
                }
            }
        }
        let allowed = self.paths.as_ref()?;
        let real = literal(&real);
        if allowed.iter().any(|folder| real.starts_with(resolved(folder))) {
            return None;
        }
        let outside = "it is outside of what this host lets offered configs name (limits.config.paths)";
        Some(format!("{outside}{from}"))
    }
}

fn parts(path: &Path) -> Vec<String> {
    path.components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect()
}

fn is_pattern(part: &str) -> bool {
    part.contains(['*', '?', '[', '{'])
}

/// Whether a path or pattern may stand for something at or below another path. A path that is no pattern may also be the
/// folder above it, in which a plugin writes under names of its own.
fn meets(pattern: &[String], own: &[String]) -> bool {
    let reaches = pattern.len() >= own.len() || !pattern.iter().any(|part| is_pattern(part));
    reaches
        && own.iter().zip(pattern).all(|(own, part)| {
            // What braces stand for is not known here: anything.
            part == own || part.contains('{') || (is_pattern(part) && glob(part, own))
        })
}

/// The folders before the first pattern.
fn literal(parts: &[String]) -> PathBuf {
    let literal = parts.iter().take_while(|part| !is_pattern(part));
    std::iter::once("/").chain(literal.map(String::as_str)).collect()
}

/// The path with all links followed that stand before its first pattern; what does not exist stays as it is.
fn resolved(path: &Path) -> PathBuf {
    let parts = parts(path);
    let fixed = literal(&parts);
    let mut existing = fixed.as_path();
    let mut missing: Vec<&OsStr> = Vec::new();
    let mut real = loop {
        match existing.canonicalize() {
            Ok(real) => break real,
            Err(_) => match (existing.parent(), existing.file_name()) {
                (Some(parent), Some(name)) => {
                    missing.push(name);
                    existing = parent;
                }
                _ => break existing.to_owned(),
            },
        }
    };
    real.extend(missing.into_iter().rev());
    real.extend(parts.iter().skip_while(|part| !is_pattern(part)));
    real
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World {
        folder: tempfile::TempDir,
        limits: ConfigLimits,
    }

    /// A host that allows `logs`, with a link in it that leads to `secret`, and that keeps its state in `state`.
    fn world() -> World {
        let folder = tempfile::tempdir().unwrap();
        for name in ["logs", "secret", "state"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::os::unix::fs::symlink(folder.path().join("secret"), folder.path().join("logs/link")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("state"), folder.path().join("to-state")).unwrap();
        let limits = ConfigLimits {
            paths: Some(vec![folder.path().join("logs")]),
            run: ["lua".to_owned()].into(),
            never: vec![folder.path().join("state")],
        };
        World { folder, limits }
    }

    impl World {
        fn refused(&self, limits: &ConfigLimits, path: &str) -> bool {
            self.refused_in("@/logs", limits, path)
        }

        /// Whether it is refused to an agent that runs in this folder.
        fn refused_in(&self, cwd: &str, limits: &ConfigLimits, path: &str) -> bool {
            let cwd = cwd.replace('@', self.folder.path().to_str().unwrap());
            let path = path.replace('@', self.folder.path().to_str().unwrap());
            let touch = Touch {
                touched: Touched::File(path.clone()),
                what: "input tail path".into(),
                value: path,
                place: "main.yaml:3:7".into(),
            };
            limits.judge(&[touch], Path::new(&cwd)).is_err()
        }
    }

    /// C097, C187: neither `..` nor a link nor a pattern leads out of the folders that are allowed.
    #[test]
    fn given_a_list_of_folders_when_paths_are_judged_then_only_what_lies_below_them_passes() {
        let world = world();
        for path in [
            "@/logs/a.log",
            "@/logs/*.log",
            "@/logs/deep/not/there",
            "@/logs",
            "relative.db",
            "scripts/a.lua",
        ] {
            assert!(!world.refused(&world.limits, path), "{path}");
        }
        for path in [
            "/etc/shadow",
            "/*/shadow",
            "@/*.log",
            "@/logsx/a",
            "@/logs/../secret/a",
            "../state/x",
            "@/logs/link/a",
            "@/l*/a",
            "@/{logs,secret}/a",
            "~root/x",
            "/proc/self/root/etc/shadow",
            "@/state/connection-settings.json",
        ] {
            assert!(world.refused(&world.limits, path), "{path}");
        }
    }

    /// C187: with or without a list, what is the supervisor's own is nobody else's.
    #[test]
    fn given_no_list_when_paths_are_judged_then_only_the_supervisors_own_are_refused() {
        let world = world();
        let limits = ConfigLimits { paths: None, ..world.limits.clone() };
        for path in ["/etc/shadow", "@/logs/link/a", "@/*.log", "@/*", "/*/a.log"] {
            let own = path == "@/*";
            assert_eq!(world.refused(&limits, path), own, "{path}");
        }
        for path in [
            "@",
            "/",
            "@/state",
            "@/state/x",
            "@/st*/x",
            "@/*/x",
            "@/to-state/x",
            "@/logs/../state/x",
            "@/{a,state}/x",
        ] {
            assert!(world.refused(&limits, path), "{path}");
        }
    }

    /// C097, C187: a relative path is judged as the agent takes it, from the folder that it runs in.
    #[test]
    fn given_relative_paths_when_judged_then_they_count_from_where_the_agent_runs() {
        let world = world();
        let open = ConfigLimits { paths: None, ..world.limits.clone() };
        for (cwd, path, in_list, without_list) in [
            ("@/logs", "a.db", false, false),
            ("@/logs", ".", false, false),
            ("@/logs", "link/a", true, false),
            ("@/secret", "a.db", true, false),
            ("@/secret", "*.yaml", true, false),
            ("@", "logs/a", false, false),
            ("@", "./secret/a", true, false),
            ("@", "state/x", true, true),
            ("@", "to-state/x", true, true),
            ("@", "*/x", true, true),
            // A plugin may write into the folder under any name.
            ("@", ".", true, true),
            ("/", "etc/shadow", true, false),
        ] {
            assert_eq!(world.refused_in(cwd, &world.limits, path), in_list, "{cwd} {path} with a list");
            assert_eq!(world.refused_in(cwd, &open, path), without_list, "{cwd} {path} without one");
        }
    }

    /// C097: and the sentence names file, line, property and limit.
    #[test]
    fn given_programs_when_judged_then_only_those_that_the_host_names_may_run() {
        let touch = |word| Touch {
            touched: Touched::Program(word),
            what: "input exec name".into(),
            value: "exec".into(),
            place: "main.yaml:3:7".into(),
        };
        let (limits, cwd) = (world().limits, Path::new("/"));
        assert_eq!(limits.judge(&[touch("lua")], cwd), Ok(()));
        let faults = limits.judge(&[touch("lua"), touch("exec"), touch("plugins")], cwd).unwrap_err();
        let sentence = "main.yaml:3:7: input exec name \"exec\": this host lets no offered config run code by exec \
                        (limits.config.run)";
        assert_eq!((faults.len(), faults[0].as_str()), (2, sentence));
        let many = vec![touch("exec"); 50];
        assert_eq!(limits.judge(&many, cwd).unwrap_err().len(), TOLD);
    }
}
