//! What is done to a store without being a server: backup, restore, check.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use tidegate_fleet::Timestamp;
use tidegate_store::Checked;

use crate::data_dir;
use crate::settings::Task;

/// Does a task on the store of a data directory; returns what there is to tell.
///
/// # Errors
/// One sentence: what could not be done, where, why.
pub fn run(task: &Task, data_dir: &Path) -> Result<String, String> {
    let database = data_dir::database(data_dir);
    match task {
        Task::Backup { file, force } => {
            let checked =
                tidegate_store::back_up(&database, file, *force).map_err(|error| error.to_string())?;
            Ok(format!("{} is a backup of {}", file.display(), sum(&checked)))
        }
        Task::Restore { file } => {
            data_dir::make(data_dir)?;
            let _lock = data_dir::lock(data_dir)?;
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let now = Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
            let restored =
                tidegate_store::restore(file, &database, now).map_err(|error| error.to_string())?;
            let replaced = restored.replaced.map_or_else(String::new, |path| {
                format!("; the store that was there is kept as {}", path.display())
            });
            Ok(format!("restored {}{replaced}", sum(&restored.checked)))
        }
        Task::Check { file } => {
            let file = file.as_deref().unwrap_or(&database);
            let checked = tidegate_store::check(file).map_err(|error| error.to_string())?;
            Ok(format!("{} is sound: {}", file.display(), sum(&checked)))
        }
    }
}

fn sum(checked: &Checked) -> String {
    let Checked { version, revision, agents, bytes } = checked;
    let agents = tidegate_fleet::plan::agents(usize::try_from(*agents).unwrap_or(usize::MAX));
    format!("{agents} at revision {}, schema version {version}, {bytes} bytes", revision.0)
}
