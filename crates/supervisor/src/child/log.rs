//! The agent's log: one append-only file that the agent writes and the supervisor reads and keeps short. A file, not
//! a pipe: a pipe that nobody reads blocks Fluent Bit for ever (fluent-bit.md, section 3 "Other").

use std::{
    collections::VecDeque,
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// Most that one call reads, in bytes: a flood costs bounded work (hard-cases.md, 13).
const READ_LIMIT: usize = 256 * 1024;
/// Longest line that is kept, in bytes; the rest of it is cut off.
const LINE_LIMIT: usize = 64 * 1024;
/// Size at which the file is emptied, in bytes.
const FILE_LIMIT: u64 = 8 * 1024 * 1024;
/// How far the reader may fall behind before it skips, in bytes.
const LAG_LIMIT: u64 = 2 * 1024 * 1024;
/// How many recent lines are remembered for error reports.
const RECENT: usize = 50;

/// Lines that were read at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// Whole lines, without their ends; bytes that are no UTF-8 are replaced.
    pub lines: Vec<String>,
    /// Bytes that were passed over unread because the agent wrote faster than the supervisor reads.
    pub skipped: u64,
}

/// The reading end of the log.
#[derive(Debug)]
pub struct LogTail {
    reader: File,
    writer: File,
    position: u64,
    partial: Vec<u8>,
    /// True while the rest of a line that was cut off is still to come.
    cutting: bool,
    recent: VecDeque<String>,
    file_limit: u64,
}

impl LogTail {
    /// Opens the log, making it with mode 0600 if need be, and starts reading at its end.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::with_limit(path, FILE_LIMIT)
    }

    fn with_limit(path: &Path, file_limit: u64) -> io::Result<Self> {
        let writer = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        let reader = File::open(path)?;
        let position = reader.metadata()?.len();
        Ok(Self {
            reader,
            writer,
            position,
            partial: Vec::new(),
            cutting: false,
            recent: VecDeque::new(),
            file_limit,
        })
    }

    /// The end that the agent writes to. It appends, so the file can be emptied under it.
    #[must_use]
    pub fn writer(&self) -> &File {
        &self.writer
    }

    /// The last lines that were read, oldest first.
    pub fn recent(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.recent.iter().map(String::as_str)
    }

    /// Reads what was written since the last call, at most 256 KiB, and empties the file when it is large and
    /// read to its end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&mut self) -> io::Result<Lines> {
        let mut size = self.reader.metadata()?.len();
        if size < self.position {
            // Someone else emptied it.
            self.position = 0;
        }
        let mut lines = Lines::default();
        if size - self.position > LAG_LIMIT {
            let target = size - READ_LIMIT as u64;
            lines.skipped = target - self.position;
            self.position = target;
            self.partial.clear();
            self.cutting = true;
        }
        self.reader.seek(SeekFrom::Start(self.position))?;
        let mut buffer = vec![0; READ_LIMIT.min(usize::try_from(size - self.position).unwrap_or(READ_LIMIT))];
        let count = self.reader.read(&mut buffer)?;
        self.position += count as u64;
        for piece in buffer.get(..count).unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
            self.take(piece, &mut lines.lines);
        }
        size = size.max(self.position);
        if size > self.file_limit && self.position >= size {
            self.writer.set_len(0)?;
            self.position = 0;
        }
        Ok(lines)
    }

    fn take(&mut self, piece: &[u8], lines: &mut Vec<String>) {
        let (text, ended) = piece.strip_suffix(b"\n").map_or((piece, false), |text| (text, true));
        if !self.cutting {
            let room = LINE_LIMIT - self.partial.len();
            self.partial.extend_from_slice(text.get(..room).unwrap_or(text));
            self.cutting = text.len() > room;
        }
        if !ended {
            return;
        }
        self.cutting = false;
        let line = std::mem::take(&mut self.partial);
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(&line)).into_owned();
        if line.is_empty() {
            return;
        }
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(line.clone());
        lines.push(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn log() -> (LogTail, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        (LogTail::with_limit(&folder.path().join("log"), 1000).unwrap(), folder)
    }

    #[test]
    fn given_pieces_of_lines_when_read_then_whole_lines_come_out_whatever_their_bytes() {
        let (mut tail, _folder) = log();
        let mut writer = tail.writer().try_clone().unwrap();
        writer.write_all(b"one\r\ntw").unwrap();
        assert_eq!(tail.read().unwrap().lines, ["one"]);
        writer.write_all(b"o\n\nb\xffd\n").unwrap();
        assert_eq!(tail.read().unwrap().lines, ["two", "b\u{fffd}d"]);
        assert_eq!(tail.read().unwrap(), Lines::default());
        assert_eq!(tail.recent().collect::<Vec<_>>(), ["one", "two", "b\u{fffd}d"]);
    }

    #[test]
    fn given_a_line_without_end_when_read_then_it_is_cut() {
        let (mut tail, _folder) = log();
        let mut writer = tail.writer().try_clone().unwrap();
        for _ in 0..3 {
            writer.write_all(&vec![b'x'; LINE_LIMIT]).unwrap();
            assert!(tail.read().unwrap().lines.is_empty());
        }
        writer.write_all(b"\nnext\n").unwrap();
        let lines = tail.read().unwrap().lines;
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [LINE_LIMIT, 4]);
    }

    #[test]
    fn given_a_large_file_when_read_to_its_end_then_it_is_emptied_and_the_writer_goes_on() {
        let (mut tail, folder) = log();
        let mut writer = tail.writer().try_clone().unwrap();
        writer.write_all(&[b'x'; 1500]).unwrap();
        writer.write_all(b"\n").unwrap();
        assert_eq!(tail.read().unwrap().lines.len(), 1);
        writer.write_all(b"after\n").unwrap();
        assert_eq!(std::fs::read(folder.path().join("log")).unwrap(), b"after\n");
        assert_eq!(tail.read().unwrap().lines, ["after"]);
    }

    #[test]
    fn given_a_flood_when_read_then_the_reader_skips_and_says_how_much() {
        let (mut tail, _folder) = log();
        let mut writer = tail.writer().try_clone().unwrap();
        let line = [&[b'x'; 99][..], b"\n"].concat();
        for _ in 0..30 {
            writer.write_all(&line.repeat(1000)).unwrap();
        }
        let lines = tail.read().unwrap();
        assert_eq!(lines.skipped, 3_000_000 - READ_LIMIT as u64);
        assert!(lines.lines.len() > 2000);
        assert!(lines.lines.iter().all(|line| line.len() == 99), "a half line is not shown");
    }
}
