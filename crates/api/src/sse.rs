//! Server-sent events, as the watch stream uses them.

/// One event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The event's name; empty for the default.
    pub event: String,
    /// Its payload.
    pub data: String,
    /// The id to resume after.
    pub id: Option<String>,
}

/// Longest line that is kept, in bytes; a stream beyond it is broken.
pub const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;

/// Reads frames from bytes as they come.
#[derive(Debug, Default)]
pub struct Reader {
    buffer: Vec<u8>,
    frame: Frame,
    has_data: bool,
}

/// A line of the stream is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineTooLong;

impl Reader {
    /// Takes bytes; returns the frames that are complete.
    ///
    /// # Errors
    /// [`LineTooLong`] when a line passes [`MAX_LINE_BYTES`].
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Frame>, LineTooLong> {
        self.buffer.extend_from_slice(bytes);
        let mut frames = Vec::new();
        let mut start = 0;
        while let Some(length) = self.buffer[start..].iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&self.buffer[start..start + length]).into_owned();
            start += length + 1;
            frames.extend(self.line(line.trim_end_matches('\r')));
        }
        self.buffer.drain(..start);
        if self.buffer.len() > MAX_LINE_BYTES { Err(LineTooLong) } else { Ok(frames) }
    }

    fn line(&mut self, line: &str) -> Option<Frame> {
        if line.is_empty() {
            let frame = std::mem::take(&mut self.frame);
            return std::mem::take(&mut self.has_data).then_some(frame);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.frame.event),
            "id" => self.frame.id = Some(value.to_owned()),
            "data" => {
                if self.has_data {
                    self.frame.data.push('\n');
                }
                self.frame.data.push_str(value);
                self.has_data = true;
            }
            // Comments keep the connection alive; other fields mean nothing to us.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_stream_in_pieces_when_read_then_frames_are_whole() {
        let stream = ": hello\r\n\nid: 7\nevent: happened\ndata: {\"a\":\ndata: 1}\n\ndata: x\n\n";
        for size in 1..stream.len() {
            let mut reader = Reader::default();
            let frames: Vec<_> =
                stream.as_bytes().chunks(size).flat_map(|chunk| reader.push(chunk).unwrap()).collect();
            let first = Frame { event: "happened".into(), data: "{\"a\":\n1}".into(), id: Some("7".into()) };
            assert_eq!(frames, [first, Frame { data: "x".into(), ..Frame::default() }], "{size}");
        }
    }
}
