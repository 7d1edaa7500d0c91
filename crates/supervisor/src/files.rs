//! Files that are whole or absent, never half written.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::fs::OFlags;

mod beside;
#[cfg(test)]
pub(crate) mod trace;

pub use beside::{IN_TIME, beside, in_time};

/// Tells a test what was done.
macro_rules! done {
    ($what:ident($($part:expr),+)) => {
        #[cfg(test)]
        trace::note(|| trace::Done::$what($($part),+));
    };
}

/// Replaces the file at `path` with `bytes`, mode 0600: a temporary file beside it is written, synced and renamed
/// over it, and the folder is synced. A crash or a full disk leaves the old content.
///
/// # Errors
/// What the file system said; the temporary file is gone then.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let written = (|| {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(bytes)?;
        done!(File(temporary.clone(), bytes.to_vec()));
        file.sync_all()?;
        done!(SyncedFile(temporary.clone()));
        rename(&temporary, path)?;
        sync_folder(path)
    })();
    if written.is_err() {
        // The temporary file is of no use to anyone; the first error is the one to tell.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Makes what happened to the name `path` last (it was made, renamed or removed) outlive a power cut.
///
/// # Errors
/// What the file system said.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()?;
    done!(SyncedFolder(folder.to_owned()));
    Ok(())
}

/// Gives a file of a folder another name there, in the place of what has that name.
///
/// # Errors
/// What the file system said.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    done!(Renamed(from.to_owned(), to.to_owned()));
    Ok(())
}

/// Gives a file of a folder a second name there.
///
/// # Errors
/// What the file system said; not all know second names.
pub fn link(file: &Path, name: &Path) -> io::Result<()> {
    fs::hard_link(file, name)?;
    done!(Linked(file.to_owned(), name.to_owned()));
    Ok(())
}

/// Removes a file.
///
/// # Errors
/// What the file system said.
pub fn remove_file(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    done!(Removed(path.to_owned()));
    Ok(())
}

/// Removes a folder with all that is in it.
///
/// # Errors
/// What the file system said; part of it may be gone.
pub fn remove_folder(path: &Path) -> io::Result<()> {
    done!(Removed(path.to_owned()));
    fs::remove_dir_all(path)
}

/// Makes a folder and those above it that are missing, mode 0700, such that they outlive a power cut.
///
/// # Errors
/// What the file system said.
pub fn make_folder(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> =
        path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.is_dir()).collect();
    for path in missing.into_iter().rev() {
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !path.is_dir() => {
                return Err(error);
            }
            _ => {
                done!(Folder(path.to_owned()));
                sync_folder(path)?;
            }
        }
    }
    Ok(())
}

/// Reads a whole file of at most `limit` bytes; `None` when there is none. Never waits for a writer: what is no regular
/// file is refused, and a regular one that has nothing to say yet (such as `/proc/kmsg`) is an error.
///
/// # Errors
/// What the file system said; [`io::ErrorKind::FileTooLarge`] for a longer file.
pub fn read_bounded(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match open_regular(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    #[expect(clippy::disallowed_methods, reason = "bounded by take")]
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("the file is larger than {limit} bytes"),
        ));
    }
    Ok(Some(bytes))
}

/// Opens a file for reading without waiting for anyone. It is looked at before it is opened, for to open a device may
/// set it to work, and again afterwards, for it may have been exchanged in between.
fn open_regular(path: &Path) -> io::Result<File> {
    // That it is closed on exec, std sees to by itself.
    const FLAGS: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY);
    let regular = |meta: fs::Metadata| {
        if meta.is_file() { Ok(()) } else { Err(io::Error::other("it is not a regular file")) }
    };
    regular(fs::metadata(path)?)?;
    let flags = i32::try_from(FLAGS.bits()).map_err(io::Error::other)?;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    regular(file.metadata()?)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    /// C193: replaced whole, for this user only.
    #[test]
    fn given_a_file_when_replaced_then_it_is_whole_private_and_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        write_atomic(&path, b"one").unwrap();
        write_atomic(&path, b"two").unwrap();
        assert_eq!(read_bounded(&path, 10).unwrap().unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// C193: or not at all.
    #[test]
    fn given_a_write_that_cannot_finish_then_the_old_content_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        write_atomic(&path, b"one").unwrap();
        // A folder where the temporary file would go makes the write fail, for every user.
        fs::create_dir(folder.path().join("f.tmp")).unwrap();
        assert!(write_atomic(&path, b"two").is_err());
        assert_eq!(read_bounded(&path, 10).unwrap().unwrap(), b"one");
    }

    #[test]
    fn given_a_long_or_missing_file_when_read_then_it_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        assert_eq!(read_bounded(&path, 3).unwrap(), None);
        write_atomic(&path, b"1234").unwrap();
        assert_eq!(read_bounded(&path, 3).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn given_what_is_no_regular_file_when_read_then_it_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RUSR).unwrap();
        for path in [fifo.as_path(), Path::new("/dev/zero"), folder.path()] {
            let (sender, receiver) = std::sync::mpsc::channel();
            let path = path.to_owned();
            std::thread::spawn(move || sender.send(read_bounded(&path, 10)));
            let read = receiver.recv_timeout(std::time::Duration::from_secs(10)).unwrap();
            assert_eq!(read.unwrap_err().to_string(), "it is not a regular file");
        }
    }
}
