//! Bearer tokens of agents: a file of them, one a line, with a name before each where one is wanted.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper::header::{self, HeaderMap};
use sha2::{Digest, Sha256};

use super::reload::Reloaded;

/// Largest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Fewest characters of a token; fewer could be guessed.
const LEAST_CHARACTERS: usize = 16;

/// The tokens that agents may show, as hashes.
#[derive(Debug)]
pub(crate) struct Tokens(Vec<Token>);

#[derive(Debug)]
struct Token {
    digest: [u8; 32],
    name: Arc<str>,
}

/// Why a request shows no token that counts, in a sentence for whoever reads the agent's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unauthenticated {
    #[error("send a token of this server as `Authorization: Bearer TOKEN`")]
    Missing,
    #[error("the bearer token is none of this server's")]
    Unknown,
}

/// Reads a file of tokens, and again whenever it changes.
pub(crate) fn load(path: &Path) -> Result<Reloaded<Tokens>, String> {
    let from: PathBuf = path.to_owned();
    Reloaded::new("the agents' tokens", vec![path.to_owned()], move || read(&from))
}

fn read(path: &Path) -> Result<Tokens, String> {
    let failed =
        |error: std::io::Error| format!("cannot read the agents' tokens {}: {error}", path.display());
    let file = std::fs::File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    if mode & 0o007 != 0 {
        return Err(format!("everyone can read or change {}; run: chmod o-rwx {0}", path.display()));
    }
    let mut text = String::new();
    #[expect(clippy::disallowed_methods, reason = "bounded by take")]
    let length = file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    if length as u64 > MAX_FILE_BYTES {
        return Err(format!("{} is larger than {MAX_FILE_BYTES} bytes", path.display()));
    }
    Tokens::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
}

impl Tokens {
    fn parse(text: &str) -> Result<Self, String> {
        let mut tokens: Vec<Token> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (name, token) = match words[..] {
                [] => continue,
                [first, ..] if first.starts_with('#') => continue,
                [token] => (None, token),
                [name, token] => (Some(name), token),
                _ => {
                    return Err(format!(
                        "line {number}: write `TOKEN` or `NAME TOKEN`, without spaces in either"
                    ));
                }
            };
            if token.len() < LEAST_CHARACTERS || !token.chars().all(|c| c.is_ascii_graphic()) {
                return Err(format!(
                    "line {number}: a token has at least {LEAST_CHARACTERS} printable ASCII characters"
                ));
            }
            let digest: [u8; 32] = Sha256::digest(token).into();
            if tokens.iter().any(|known| known.digest == digest) {
                return Err(format!("line {number}: this token stands further up as well"));
            }
            let name = name.map_or_else(|| unnamed(&digest), Arc::from);
            tokens.push(Token { digest, name });
        }
        if tokens.is_empty() {
            return Err("it holds no token; write one a line".to_owned());
        }
        Ok(Self(tokens))
    }

    /// The name of the token that a request shows.
    pub(crate) fn authenticate(&self, headers: &HeaderMap) -> Result<Arc<str>, Unauthenticated> {
        let given = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .ok_or(Unauthenticated::Missing)?;
        let digest: [u8; 32] = Sha256::digest(given.1.trim()).into();
        // All of them are looked at, to the last byte: time says nothing of what matched.
        let mut found = None;
        for token in &self.0 {
            let differs = token.digest.iter().zip(digest).fold(0, |differs, (a, b)| differs | (a ^ b));
            if std::hint::black_box(differs) == 0 {
                found = Some(&token.name);
            }
        }
        found.map(Arc::clone).ok_or(Unauthenticated::Unknown)
    }
}

/// What a token without a name is called: it tells tokens apart and gives none away.
fn unnamed(digest: &[u8; 32]) -> Arc<str> {
    let [a, b, c, d, ..] = digest;
    format!("token-{a:02x}{b:02x}{c:02x}{d:02x}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        headers
    }

    #[test]
    fn given_a_file_of_tokens_when_agents_show_some_then_each_is_known_by_its_name() {
        let text = "# fleet\n\n  edge 0123456789abcdef \nedge fedcba9876543210\n0000000000000000\n#x y z w\n";
        let tokens = Tokens::parse(text).unwrap();
        for (value, expected) in [
            ("Bearer 0123456789abcdef", Ok("edge")),
            ("bearer  fedcba9876543210 ", Ok("edge")),
            ("Bearer 0000000000000000", Ok("token-2ac9a674")),
            ("Bearer edge", Err(Unauthenticated::Unknown)),
            ("Bearer ", Err(Unauthenticated::Unknown)),
            ("Bearer 0123456789abcdeF", Err(Unauthenticated::Unknown)),
            ("Bearer 0123456789abcde", Err(Unauthenticated::Unknown)),
            ("Basic 0123456789abcdef", Err(Unauthenticated::Missing)),
            ("0123456789abcdef", Err(Unauthenticated::Missing)),
        ] {
            let found = tokens.authenticate(&shown(value));
            let found = found.as_deref().map_err(|error| *error);
            match expected {
                // The hash itself is not what is tested.
                Ok(name) if name.starts_with("token-") => assert!(found.unwrap().starts_with("token-")),
                _ => assert_eq!(found, expected, "{value}"),
            }
        }
        assert_eq!(tokens.authenticate(&HeaderMap::new()).unwrap_err(), Unauthenticated::Missing);
    }

    #[test]
    fn given_wrong_files_when_read_then_the_line_is_named_and_no_token_is_shown() {
        for (text, parts) in [
            ("", &["no token"][..]),
            ("# nothing\n", &["no token"]),
            ("\nedge short\n", &["line 2", "16"]),
            ("a b 0123456789abcdef\n", &["line 1", "NAME TOKEN"]),
            ("0123456789abcdef\na 0123456789abcdef\n", &["line 2", "further up"]),
            ("0123456789abcdé\n", &["line 1", "ASCII"]),
        ] {
            let error = Tokens::parse(text).unwrap_err();
            assert!(parts.iter().all(|part| error.contains(part)), "{text:?}: {error}");
            assert!(!error.contains("0123456789"), "{error}");
        }
    }

    #[test]
    fn given_a_file_that_others_can_read_when_loaded_then_it_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        std::fs::write(&path, "0123456789abcdef\n").unwrap();
        for (mode, fits) in [(0o600, true), (0o640, true), (0o644, false), (0o606, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read(&path).is_ok(), fits, "{mode:o}");
        }
        assert!(read(&folder.path().join("nowhere")).unwrap_err().contains("nowhere"));
    }
}
