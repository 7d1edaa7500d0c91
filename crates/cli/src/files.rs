//! Local files, read with a bound.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::failure::Failure;

/// Reads a text file of at most `max` bytes.
///
/// # Errors
/// [`Failure::Read`] when it cannot be read, is longer, or is not UTF-8.
pub(crate) fn read_text(path: &Path, max: u64) -> Result<String, Failure> {
    read(path, max).map_err(|source| Failure::Read { path: path.display().to_string(), source })
}

#[expect(clippy::disallowed_methods, reason = "bounded by `take`")]
fn read(path: &Path, max: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > max {
        return Err(io::Error::other(format!("it is longer than {max} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        io::Error::other(format!("it is not UTF-8 text, from byte {at} on"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_files_when_read_then_bounds_and_encoding_hold() {
        let folder = tempfile::tempdir().unwrap();
        for (content, expected) in [
            (&b"abcd"[..], Ok("abcd")),
            (b"abcde", Err("longer than 4 bytes")),
            (b"ab\xff", Err("not UTF-8 text, from byte 2 on")),
        ] {
            let path = folder.path().join("file");
            std::fs::write(&path, content).unwrap();
            let read = read_text(&path, 4).map_err(|failure| failure.lines().join(""));
            match (read, expected) {
                (Ok(read), Ok(expected)) => assert_eq!(read, expected),
                (Err(told), Err(part)) => assert!(told.contains(part), "{told}"),
                (read, expected) => panic!("{read:?} instead of {expected:?}"),
            }
        }
        assert!(read_text(&folder.path().join("absent"), 4).is_err());
    }
}
