//! Files that a config includes, read from disk. Patterns are those of `glob(7)`: `*`, `?` and `[…]` in any part of
//! the path; Fluent Bit takes an argument for a pattern only when it has a `*`.

use std::path::{Path, PathBuf};

use crate::files::read_bounded;

/// Largest included file, in bytes.
const FILE_LIMIT: u64 = 8 * 1024 * 1024;
/// Most files that one pattern may stand for.
const MATCHES_LIMIT: usize = 256;

/// The files that `argument` (a path, or a pattern) stands for, as seen from `folder`, sorted by path, with their
/// texts. A pattern may stand for none: whether Fluent Bit takes that depends on the format.
///
/// # Errors
/// One sentence when a file cannot be read or a pattern stands for too many.
pub(super) fn find(folder: &Path, argument: &str, pattern: bool) -> Result<Vec<(PathBuf, String)>, String> {
    let path = folder.join(argument);
    let found = if pattern { glob(&path)? } else { vec![path] };
    found.into_iter().map(|path| read(&path).map(|text| (path.clone(), text))).collect()
}

fn read(path: &Path) -> Result<String, String> {
    match read_bounded(path, FILE_LIMIT) {
        Ok(Some(bytes)) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Ok(None) => Err(format!("there is no file {}", path.display())),
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

fn glob(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = vec![PathBuf::new()];
    for part in pattern {
        let text = part.to_string_lossy();
        if !text.contains(['*', '?', '[']) {
            for path in &mut found {
                path.push(part);
            }
            continue;
        }
        let mut next = Vec::new();
        for folder in &found {
            let Ok(entries) = std::fs::read_dir(folder) else { continue };
            for entry in entries.filter_map(Result::ok) {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                let hidden = name.starts_with('.') && !text.starts_with('.');
                if !hidden && matches(&text, &name) {
                    next.push(entry.path());
                }
                if next.len() > MATCHES_LIMIT {
                    return Err(format!("{} matches more than {MATCHES_LIMIT} files", pattern.display()));
                }
            }
        }
        next.sort();
        found = next;
    }
    found.retain(|path| path.exists());
    Ok(found)
}

/// True when a file name matches a pattern. Linear in both but for `*`, which backtracks to the last one only.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while let Some(letter) = name.get(n) {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, n));
            p += 1;
        } else if let Some(width) = pattern.get(p..).and_then(|rest| one(rest, *letter)) {
            p += width;
            n += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            n = from + 1;
        } else {
            return false;
        }
    }
    pattern.iter().skip(p).all(|rest| *rest == '*')
}

/// How many characters of the pattern match this one letter.
fn one(pattern: &[char], letter: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['[', rest @ ..] => {
            let negated = matches!(rest.first(), Some('!' | '^'));
            let set = rest.get(usize::from(negated)..)?;
            let end = set.iter().skip(1).position(|c| *c == ']')? + 1;
            let set = set.get(..end)?;
            let mut within = false;
            let mut at = 0;
            while let Some(first) = set.get(at) {
                if let (Some('-'), Some(last)) = (set.get(at + 1), set.get(at + 2)) {
                    within |= (*first..=*last).contains(&letter);
                    at += 3;
                } else {
                    within |= *first == letter;
                    at += 1;
                }
            }
            (within != negated).then_some(end + 2 + usize::from(negated))
        }
        [same, ..] if *same == letter => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_patterns_when_matched_then_as_in_a_shell() {
        for (pattern, name, expect) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.confx", false),
            ("a?c", "abc", true),
            ("a*b*c", "axxbyyc", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[!a-c]x", "dx", true),
            ("[ab", "a", false),
            ("*", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, name), expect, "{pattern} {name}");
        }
    }

    #[test]
    fn given_files_when_found_then_sorted_with_their_texts() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("d")).unwrap();
        for name in ["d/b.conf", "d/a.conf", "d/.hidden.conf", "d/c.txt"] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        let found = find(folder.path(), "d/*.conf", true).unwrap();
        assert_eq!(found.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["d/a.conf", "d/b.conf"]);
        assert_eq!(find(folder.path(), "d/c.txt", false).unwrap().len(), 1);
        assert!(find(folder.path(), "*.yaml", true).unwrap().is_empty());
        assert!(find(folder.path(), "none.conf", false).unwrap_err().starts_with("there is no file"));
    }
}
