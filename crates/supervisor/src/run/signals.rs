//! What the host tells the supervisor, by signals.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::settings::Settings;

/// Reads the settings again.
pub type Reread = Arc<dyn Fn() -> Result<Settings, String> + Send + Sync>;

/// What the supervisor is to do.
#[derive(Clone, Debug, Default)]
pub enum Told {
    /// What it does.
    #[default]
    Go,
    /// Go on with other settings (SIGHUP).
    Reload(Arc<Settings>),
    /// End, and stop its agents (SIGTERM, SIGINT).
    Stop,
    /// End, and leave its agents running for the next supervisor (SIGQUIT).
    Leave,
}

impl Told {
    /// True when the supervisor is to end.
    #[must_use]
    pub const fn ends(&self) -> bool {
        matches!(self, Self::Stop | Self::Leave)
    }
}

/// Hands on what signals say. An end that was told once stays told.
pub(super) fn listen(told: watch::Sender<Told>, settings: &Settings, reread: Reread) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut quit = signal(SignalKind::quit())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut current = Arc::new(settings.clone());
    tokio::spawn(async move {
        loop {
            let (name, next) = tokio::select! {
                Some(()) = terminate.recv() => ("SIGTERM", Told::Stop),
                Some(()) = interrupt.recv() => ("SIGINT", Told::Stop),
                Some(()) = quit.recv() => ("SIGQUIT", Told::Leave),
                Some(()) = hangup.recv() => match again(&reread, &current) {
                    Ok(settings) => {
                        current = Arc::clone(&settings);
                        ("SIGHUP", Told::Reload(settings))
                    }
                    Err(why) => {
                        tracing::error!("the settings cannot be taken, the former ones stay: {why}");
                        continue;
                    }
                },
                else => return,
            };
            tracing::info!(signal = name, "the supervisor is told {}", next.word());
            told.send_modify(|told| {
                if !told.ends() {
                    *told = next;
                }
            });
        }
    });
    Ok(())
}

impl Told {
    const fn word(&self) -> &'static str {
        match self {
            Self::Go => "to go on",
            Self::Reload(_) => "to read its settings again",
            Self::Stop => "to end",
            Self::Leave => "to end and to leave its agents running",
        }
    }
}

/// The settings as they are now, if the supervisor can go over to them while it runs.
fn again(reread: &Reread, current: &Settings) -> Result<Arc<Settings>, String> {
    let next = reread()?;
    if next.state_dir != current.state_dir {
        return Err(format!(
            "the state folder is {} now, and can only be changed by a new start",
            next.state_dir.display()
        ));
    }
    Ok(Arc::new(next))
}
