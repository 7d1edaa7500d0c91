//! Taking over the process that an earlier supervisor left running (decision D11; hard-cases.md, 8 and 9).

use std::path::Path;

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::{Child, Identity, program_of};

/// Takes over the recorded process if it still runs and is the very same one: number, start time, boot and program
/// file. `None` when it has ended or its number belongs to another by now.
#[must_use]
pub fn adopt(identity: &Identity, program: &Path) -> Option<Child> {
    let pid = Pid::from_raw(identity.pid)?;
    // The pidfd comes first: from then on the number cannot pass to another process unnoticed.
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    let running = Identity::of(identity.pid).ok()??;
    if running != *identity || program_of(identity.pid).as_deref() != Some(program) {
        tracing::info!(
            pid = identity.pid,
            "the recorded process has ended; its number belongs to another one"
        );
        return None;
    }
    Child::adopted(running, pidfd)
        .inspect_err(|error| tracing::warn!(pid = identity.pid, %error, "cannot watch the recorded process"))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::child::{CommandLine, Exit};
    use std::{fs::File, time::Duration};

    #[tokio::test]
    async fn given_a_running_process_when_adopted_then_only_with_its_own_identity_and_program() {
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let program = std::fs::canonicalize("/bin/sleep").unwrap();
        let line =
            CommandLine { program: program.clone(), args: vec!["600".into()], cwd: folder.path().into() };
        let mut parent = Child::spawn(&line, &log).unwrap();
        let identity = parent.identity().clone();
        let exec = async {
            while program_of(identity.pid).as_deref() != Some(program.as_path()) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), exec).await.unwrap();

        let other_start = Identity { start_ticks: identity.start_ticks + 1, ..identity.clone() };
        let other_boot = Identity { boot_id: "x".into(), ..identity.clone() };
        assert!(adopt(&other_start, &program).is_none());
        assert!(adopt(&other_boot, &program).is_none());
        assert!(adopt(&identity, Path::new("/bin/other")).is_none());
        let mut adopted = adopt(&identity, &program).unwrap();

        parent.kill().await;
        let exit = tokio::time::timeout(Duration::from_secs(10), adopted.exited()).await.unwrap();
        assert_eq!(exit, Exit::Unknown);
        assert!(adopt(&identity, &program).is_none(), "an ended process is not adopted");
    }
}
