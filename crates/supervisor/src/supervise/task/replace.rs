//! Starting another process in the place of the one that runs.

use super::Task;
use crate::machine::Quiet;

impl Task {
    /// Stops the process and starts another. It runs on where no other could be started in its place: what collects is
    /// worth more than what an order or a policy says of it.
    pub(super) async fn replace(&mut self, quiet: Option<Quiet>) {
        if self.machine.running.is_some()
            && let Err(why) = self.machine.ready().await
        {
            tracing::error!("the agent is not started anew, for that would end it: {why}");
            self.machine.keeps_running(&why);
            return self.schedule_look();
        }
        // What is stopped does not hear SIGTERM.
        let ended = match quiet {
            Some(Quiet::Stopped) => self.machine.kill().await,
            _ => self.machine.stop().await,
        };
        match ended {
            Ok(()) => self.start().await,
            // It is started when the end of the former one is seen.
            Err(_) => self.schedule_look(),
        }
    }
}
