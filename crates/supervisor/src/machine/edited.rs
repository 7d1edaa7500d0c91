//! Files in the run folder that somebody else has changed (hard-cases.md, "More").

use std::path::PathBuf;

use super::{Machine, is_in_place, media_type};
use crate::{files::read_bounded, report::effective_config};

/// Largest file that is shown, in bytes.
const LIMIT: u64 = 8 * 1024 * 1024;

impl Machine {
    /// Whether the run folder holds something else than the config that counts: a file that cannot be read counts as
    /// changed.
    #[must_use]
    pub fn is_edited(&self) -> bool {
        !is_in_place(&self.state, &self.loaded.rendered)
    }

    /// Reports what the run folder holds as the config that runs, for a process that has loaded that.
    pub fn report_edited(&self) {
        let path: PathBuf = self.run_file(&self.loaded.rendered);
        let text = match read_bounded(&path, LIMIT) {
            Ok(bytes) => String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned(),
            Err(error) => format!("# {} cannot be read: {error}\n", path.display()),
        };
        let content_type = media_type(&self.loaded.rendered.name);
        self.publisher.effective_config(effective_config(
            &[],
            &text,
            content_type,
            self.shown_key().as_ref(),
        ));
    }
}
