//! Taking over the process that an earlier supervisor left running (decision D11; hard-cases.md, 8 and 9).

use rustix::{
    io::Errno,
    process::{Pid, PidfdFlags, pidfd_open, test_kill_process},
};

use super::{Child, Identity, stat};

/// What has become of a recorded process.
#[derive(Debug)]
pub enum Adoption {
    /// It has ended; its number may belong to another by now.
    Gone,
    /// It runs and is taken over.
    Alive(Child),
    /// It cannot be told, for the reason given: another one must not be started beside it.
    Unknown(String),
}

/// Takes over the recorded process if it still runs and is the very same one: number, start time and boot. Its program
/// file is not asked for: it cannot always be read, and a process that has replaced its program is still the same.
#[must_use]
pub fn adopt(identity: &Identity) -> Adoption {
    let Some(pid) = Pid::from_raw(identity.pid) else { return Adoption::Gone };
    // The pidfd comes first: from then on the number cannot pass to another process unnoticed.
    let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => pidfd,
        Err(Errno::SRCH) => return Adoption::Gone,
        Err(error) => return Adoption::Unknown(format!("it cannot be watched: {error}")),
    };
    match stat(identity.pid) {
        Ok(Some(stat)) if matches!(stat.state, 'Z' | 'X') => return Adoption::Gone,
        // A number that `/proc` hides (its option hidepid) is still in use.
        Ok(None) if test_kill_process(pid) != Err(Errno::SRCH) => {
            return Adoption::Unknown("/proc does not show it to this user".to_owned());
        }
        Ok(_) => {}
        Err(error) => return Adoption::Unknown(format!("/proc cannot be read: {error}")),
    }
    let running = match Identity::of(identity.pid) {
        Ok(Some(running)) if running == *identity => running,
        Ok(_) => {
            let pid = identity.pid;
            tracing::info!(pid, "the recorded process has ended; its number belongs to another one");
            return Adoption::Gone;
        }
        Err(error) => return Adoption::Unknown(format!("/proc cannot be read: {error}")),
    };
    match Child::adopted(running, pidfd) {
        Ok(child) => Adoption::Alive(child),
        Err(error) => Adoption::Unknown(format!("it cannot be watched: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::child::{CommandLine, Exit};
    use std::{fs::File, time::Duration};

    #[tokio::test]
    async fn given_a_running_process_when_adopted_then_only_with_its_own_identity() {
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let line = CommandLine {
            program: "/bin/sh".into(),
            // Another program file after a moment, as under a wrapper script.
            args: vec!["-c".into(), "exec sleep 600".into()],
            cwd: folder.path().into(),
        };
        let mut parent = Child::spawn(&line, &log).unwrap();
        let identity = parent.identity().clone();

        let other_start = Identity { start_ticks: identity.start_ticks + 1, ..identity.clone() };
        let other_boot = Identity { boot_id: "x".into(), ..identity.clone() };
        let no_process = Identity { pid: i32::MAX - 1, ..identity.clone() };
        for other in [other_start, other_boot, no_process] {
            assert!(matches!(adopt(&other), Adoption::Gone), "{other:?}");
        }
        let Adoption::Alive(mut adopted) = adopt(&identity) else { panic!("it runs") };

        parent.kill().await;
        let exit = tokio::time::timeout(Duration::from_secs(10), adopted.exited()).await.unwrap();
        assert_eq!(exit, Exit::Unknown);
        assert!(matches!(adopt(&identity), Adoption::Gone), "an ended process is not adopted");
    }

    /// Hard case 10: whoever started it does not clean up behind it any more.
    #[tokio::test]
    async fn given_an_adopted_process_that_leaves_others_behind_when_it_ends_then_they_are_killed() {
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let script = "sleep 600 & echo $! > new && mv new pid; while [ ! -e go ]; do sleep 0.01; done";
        let line = CommandLine {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            cwd: folder.path().into(),
        };
        // Never asked for its end, as if it were another supervisor's.
        let parent = Child::spawn(&line, &log).unwrap();
        let Adoption::Alive(mut adopted) = adopt(parent.identity()) else { panic!("it runs") };
        let file = folder.path().join("pid");
        let left: i32 = loop {
            match std::fs::read_to_string(&file) {
                Ok(text) => break text.trim().parse().unwrap(),
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        std::fs::write(folder.path().join("go"), "").unwrap();
        tokio::time::timeout(Duration::from_secs(10), adopted.exited()).await.unwrap();
        let gone = async {
            while Identity::of(left).unwrap().is_some() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), gone).await.unwrap();
    }
}
