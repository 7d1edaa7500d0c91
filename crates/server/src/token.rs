//! The admin token: made at the first start, kept in a file that only its owner reads.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Name of the file in the data directory.
pub(crate) const FILE: &str = "admin-token";

/// Longest file that is read, in bytes.
const MAX_BYTES: u64 = 4096;

/// A secret; never shown, compared without regard to where it differs.
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    /// True when `given` is the token.
    pub(crate) fn is(&self, given: &str) -> bool {
        let (ours, given) = (self.0.as_bytes(), given.as_bytes());
        let differs = ours.iter().zip(given).fold(0, |differs, (a, b)| differs | (a ^ b));
        ours.len() == given.len() && std::hint::black_box(differs) == 0
    }
}

/// Reads the token, or makes it.
pub(crate) fn load_or_create(data_dir: &Path) -> Result<Token, String> {
    let path = data_dir.join(FILE);
    let failed = |error: std::io::Error| format!("cannot use the admin token {}: {error}", path.display());
    match std::fs::File::open(&path) {
        Ok(file) => {
            let mode = file.metadata().map_err(failed)?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(format!("{} can be read by others; run: chmod 600 {0}", path.display()));
            }
            let mut text = String::new();
            #[expect(clippy::disallowed_methods, reason = "bounded by take")]
            file.take(MAX_BYTES).read_to_string(&mut text).map_err(failed)?;
            let token = text.trim();
            if token.len() < 32 {
                return Err(format!(
                    "{} holds no token of 32 characters; remove it to get a new one",
                    path.display()
                ));
            }
            Ok(Token(token.to_owned()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let mut random = [0; 32];
            getrandom::fill(&mut random).map_err(|error| format!("cannot make an admin token: {error}"))?;
            let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
            file.write_all(format!("{token}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
            Ok(Token(token))
        }
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_first_start_then_the_token_is_made_private_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let made = load_or_create(folder.path()).unwrap();
        let path = folder.path().join(FILE);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let found = load_or_create(folder.path()).unwrap();
        assert!(found.is(&made.0));
        assert!(!found.is("") && !found.is(&made.0[1..]) && !found.is(&made.0.replace(&made.0[..1], "x")));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(load_or_create(folder.path()).err().unwrap().contains("chmod 600"));
    }
}
