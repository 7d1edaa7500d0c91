//! The file of messages that were begun: a line each when one begins and when it ends, written anew when most of it is
//! history.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tidegate_opamp::CustomMessage;

use super::remembered::{Key, Remembered};
use crate::files::{read_bounded, write_atomic};

/// Name of the file in the state folder.
const FILE: &str = "executed.jsonl";

/// Longest file that is read, in bytes; what is remembered takes less than that with all its escapes.
const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// History that is allowed beside what is remembered, in bytes.
const SLACK: u64 = 256 * 1024;

/// What a line says.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Begun(Key),
    Ended { key: Key, answer: Option<Answer> },
}

/// An answer; its capability is the key's.
#[derive(Deserialize, Serialize)]
struct Answer {
    #[serde(rename = "type")]
    kind: String,
    data: String,
}

/// The file. It is made when there is something to write.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    /// `None`: what stands on disk is not fit to be added to.
    file: Option<File>,
    /// Bytes of whole lines.
    length: u64,
    /// Bytes when it was last written anew.
    compact: u64,
}

impl Journal {
    /// Reads the file of a state folder. A line that is broken is passed over: it was torn before its message began.
    /// A file that cannot be read at all is moved aside (OpAMP C193).
    pub(super) fn open(state_dir: &Path, remembered: &mut Remembered) -> Self {
        let path = state_dir.join(FILE);
        match read_bounded(&path, MOST_BYTES) {
            Ok(None) => {}
            Ok(Some(bytes)) => read(&bytes, remembered),
            Err(error) => {
                let aside = state_dir.join(format!("{FILE}.broken"));
                let moved = std::fs::rename(&path, &aside).is_ok();
                tracing::error!(
                    path = %path.display(), aside = %aside.display(), moved, %error,
                    "which custom messages were carried out before cannot be read"
                );
            }
        }
        // Written anew before anything is added, so that nothing is added to a torn line.
        Self { path, file: None, length: 0, compact: 0 }
    }

    /// Adds that a message begins, which `remembered` knows already.
    pub(super) fn begin(&mut self, key: &Key, remembered: &Remembered) -> io::Result<()> {
        if self.file.is_none() || self.length > 2 * self.compact + SLACK {
            return self.rewrite(remembered);
        }
        self.append(&Line::Begun(key.clone()), true)
    }

    /// Adds that a message ended, if it was begun here. It survives the death of the supervisor at once, and a loss
    /// of power when the host has written it.
    pub(super) fn end(&mut self, key: &Key, remembered: &Remembered) -> io::Result<()> {
        match remembered.written(key) {
            None => Ok(()),
            Some(_) if self.file.is_none() => self.rewrite(remembered),
            Some(answer) => {
                self.append(&Line::Ended { key: key.clone(), answer: answer.and_then(portable) }, false)
            }
        }
    }

    fn append(&mut self, line: &Line, sync: bool) -> io::Result<()> {
        let text = encode(line)?;
        let Some(file) = &mut self.file else { return Err(io::ErrorKind::NotFound.into()) };
        let written = file.write_all(&text).and_then(|()| if sync { file.sync_data() } else { Ok(()) });
        match written {
            Ok(()) => self.length += text.len() as u64,
            // Half a line must not stay; where it cannot be cut off, the file is written anew next time.
            Err(_) if file.set_len(self.length).is_ok() => {}
            Err(_) => self.file = None,
        }
        written
    }

    fn rewrite(&mut self, remembered: &Remembered) -> io::Result<()> {
        self.file = None;
        let mut text = Vec::new();
        for (key, ended) in remembered.all_written() {
            text.extend(encode(&Line::Begun(key.clone()))?);
            if let Some(answer) = ended {
                text.extend(encode(&Line::Ended { key: key.clone(), answer: answer.and_then(portable) })?);
            }
        }
        write_atomic(&self.path, &text)?;
        self.file = Some(OpenOptions::new().append(true).open(&self.path)?);
        self.length = text.len() as u64;
        self.compact = self.length;
        Ok(())
    }
}

fn read(bytes: &[u8], remembered: &mut Remembered) {
    let mut broken = 0;
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice(line) {
            Ok(Line::Begun(key)) => {
                remembered.begin(&key);
                remembered.set_written(&key);
            }
            Ok(Line::Ended { key, answer }) => {
                let message = answer.map(|Answer { kind, data }| CustomMessage {
                    capability: key.capability.clone(),
                    kind,
                    data: data.into(),
                    ..CustomMessage::default()
                });
                remembered.finish(&key, message);
            }
            Err(_) => broken += 1,
        }
    }
    if broken > 0 {
        tracing::warn!(broken, "lines in the journal of custom messages are broken and passed over");
    }
}

fn encode(line: &Line) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    Ok(text)
}

/// What is kept of an answer; all of ours are text.
fn portable(answer: &CustomMessage) -> Option<Answer> {
    let data = std::str::from_utf8(&answer.data).ok()?.to_owned();
    Some(Answer { kind: answer.kind.clone(), data })
}

#[cfg(test)]
mod tests;
