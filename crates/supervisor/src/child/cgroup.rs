//! What the kernel's control groups say of a process: whether somebody froze it, and how often one of its group was
//! killed because memory ran out (hard-cases.md, 18 and 19). Version 2 and the controllers of version 1.

use std::path::{Path, PathBuf};

use crate::files::read_bounded;

/// Where control groups are mounted, and where version 2 is beside version 1.
const MOUNTS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

/// Largest file that is read, in bytes.
const LIMIT: u64 = 64 * 1024;

/// The groups of a process, as they were when it was looked at: they can be asked when it is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// The text of `/proc/PID/cgroup`.
    table: String,
}

impl Groups {
    /// Looks up the groups of a process; none for one that is gone.
    #[must_use]
    pub fn of(pid: i32) -> Self {
        Self { table: text(&PathBuf::from(format!("/proc/{pid}/cgroup"))).unwrap_or_default() }
    }

    /// How many processes of the memory group were killed because memory ran out, its own or the host's, since the
    /// group exists. `None` where the kernel does not count it.
    #[must_use]
    pub fn oom_kills(&self) -> Option<u64> {
        let [events, control] = [("", "memory.events"), ("memory", "memory.oom_control")];
        [events, control]
            .into_iter()
            .flat_map(|(controller, file)| self.files(controller, file))
            .find_map(|path| number(&text(&path)?, "oom_kill"))
    }

    /// True when the group is frozen.
    #[must_use]
    pub fn are_frozen(&self) -> bool {
        let v2 = self.files("", "cgroup.events").any(|path| {
            text(&path).and_then(|text| number(&text, "frozen")).is_some_and(|frozen| frozen == 1)
        });
        let state = |path: PathBuf| text(&path).is_some_and(|text| text.trim() != "THAWED");
        v2 || self.files("freezer", "freezer.state").any(state)
    }

    /// The places where a file of the process's group may be. A namespace of groups hides the outer part of the path,
    /// so the mount itself is the last of them.
    fn files(&self, controller: &str, name: &str) -> impl Iterator<Item = PathBuf> {
        let group = path_of(&self.table, controller);
        let mounts = if controller.is_empty() {
            MOUNTS.map(PathBuf::from).to_vec()
        } else {
            vec![Path::new(MOUNTS[0]).join(controller)]
        };
        let places = group.into_iter().flat_map(move |group| {
            mounts
                .clone()
                .into_iter()
                .flat_map(move |mount| [mount.join(group.trim_start_matches('/')), mount])
                .collect::<Vec<_>>()
        });
        let name = name.to_owned();
        places.map(move |place| place.join(&name))
    }
}

/// The path of a process's group of one controller of version 1, or, for no controller, of version 2.
fn path_of(table: &str, controller: &str) -> Option<String> {
    table.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        controllers.split(',').any(|name| name == controller).then(|| path.to_owned())
    })
}

/// The value of a line `name value`.
fn number(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

fn text(path: &Path) -> Option<String> {
    let bytes = read_bounded(path, LIMIT).ok().flatten()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_table_of_groups_when_read_then_each_controller_has_its_path() {
        let table = "9:name=systemd:/\n4:memory:/a/b\n3:cpu,cpuacct:/c:d\n0::/user.slice\n";
        for (controller, expect) in [
            ("memory", Some("/a/b")),
            ("cpuacct", Some("/c:d")),
            ("", Some("/user.slice")),
            ("freezer", None),
        ] {
            assert_eq!(path_of(table, controller).as_deref(), expect, "{controller}");
        }
        assert_eq!(path_of("", ""), None);
    }

    #[test]
    fn given_files_of_a_group_when_read_then_whole_names_count() {
        let events = "low 0\nhigh 4\nmax 7\noom 3\noom_kill 2\noom_group_kill 9\n";
        let control = "oom_kill_disable 0\nunder_oom 1\noom_kill 5\n";
        for (text, name, expect) in [
            (events, "oom_kill", Some(2)),
            (control, "oom_kill", Some(5)),
            ("populated 1\nfrozen 1\n", "frozen", Some(1)),
            ("", "oom_kill", None),
        ] {
            assert_eq!(number(text, name), expect, "{text}");
        }
    }

    #[test]
    fn given_this_process_when_looked_at_then_it_is_not_frozen() {
        assert!(!Groups::of(i32::try_from(std::process::id()).unwrap()).are_frozen());
        assert_eq!(Groups::of(i32::MAX - 1), Groups::default());
    }
}
