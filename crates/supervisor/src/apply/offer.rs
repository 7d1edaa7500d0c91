//! Reading an offered config: which files it has, and which is the main one. Names come from outside and are
//! taken for file names only when they are harmless.

use tidegate_opamp::AgentConfigMap;

use crate::kind::AgentKind;

/// Most files of one offer.
const FILES_LIMIT: usize = 64;
/// Largest offer, in bytes of all bodies.
const SIZE_LIMIT: usize = 8 * 1024 * 1024;
/// Longest file name, in bytes.
const NAME_LIMIT: usize = 200;

/// Why an offer cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// It holds nothing: the agent keeps what it runs (ruling A20).
    #[error("the offered config is empty; the agent keeps the config it runs")]
    Empty,
    /// Too many files.
    #[error("the offer has {0} files; {FILES_LIMIT} are allowed")]
    TooMany(usize),
    /// Too large.
    #[error("the offer has {0} bytes; {SIZE_LIMIT} are allowed")]
    TooLarge(usize),
    /// A name that is no harmless file name.
    #[error(
        "the offered file name {0:?} is not allowed: use relative names without `..` and control characters"
    )]
    Name(String),
    /// Two names that would be one file, or a file where a folder must be.
    #[error("the offered file names {0:?} and {1:?} cannot stand beside each other")]
    Clash(String, String),
    /// Nothing says which file is the main one.
    #[error(
        "nothing says which of the offered files is the main one; give it the role \"main\" or name it {0:?}"
    )]
    NoMain(String),
    /// The main file is no text.
    #[error("the main file {0:?} is not UTF-8 text")]
    NotText(String),
}

/// One offered file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedFile {
    /// Its name as offered.
    pub name: String,
    /// The name that it gets on disk.
    pub path: String,
    /// Its content.
    pub body: bytes::Bytes,
    /// Its media type as offered.
    pub content_type: String,
    /// Its role as offered.
    pub role: String,
}

/// An offer that can be written to disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedFiles {
    /// All files by name; the empty name is an ordinary one (ruling A18).
    pub files: Vec<OfferedFile>,
    /// Which of them is the main one.
    pub main: usize,
}

impl OfferedFiles {
    /// The main file.
    #[must_use]
    pub fn main(&self) -> Option<&OfferedFile> {
        self.files.get(self.main)
    }
}

/// Reads an offer.
pub(super) fn read(map: &AgentConfigMap, kind: &dyn AgentKind) -> Result<OfferedFiles, OfferError> {
    let size: usize = map.config_map.values().map(|object| object.body.len()).sum();
    if size == 0 {
        return Err(OfferError::Empty);
    }
    if map.config_map.len() > FILES_LIMIT {
        return Err(OfferError::TooMany(map.config_map.len()));
    }
    if size > SIZE_LIMIT {
        return Err(OfferError::TooLarge(size));
    }
    let main =
        main_name(map, kind).ok_or_else(|| OfferError::NoMain(kind.service_name().to_owned() + ".yaml"))?;
    let mut files = Vec::new();
    for (name, object) in &map.config_map {
        if !name.is_empty() && !is_harmless(name) {
            return Err(OfferError::Name(crate::text::head(name, NAME_LIMIT).to_owned()));
        }
        let mut path = name.clone();
        if *name == main {
            let text = std::str::from_utf8(&object.body).map_err(|_| OfferError::NotText(name.clone()))?;
            let extension = kind.extension(name, &object.content_type, text);
            path = if name.is_empty() { "main".to_owned() } else { path };
            if !path.ends_with(&format!(".{extension}")) {
                path = format!("{path}.{extension}");
            }
        } else if name.is_empty() {
            "unnamed".clone_into(&mut path);
        }
        files.push(OfferedFile {
            name: name.clone(),
            path,
            body: object.body.clone(),
            content_type: object.content_type.clone(),
            role: object.role.clone(),
        });
    }
    clash(&files)?;
    let main = files.iter().position(|file| file.name == main).unwrap_or_default();
    Ok(OfferedFiles { files, main })
}

/// The main file: the only one, else the one with the role `main`, else the one with a usual name, else the one
/// without a name.
fn main_name(map: &AgentConfigMap, kind: &dyn AgentKind) -> Option<String> {
    let single = (map.config_map.len() == 1).then(|| map.config_map.keys().next()).flatten();
    let roles: Vec<_> =
        map.config_map.iter().filter(|(_, object)| object.role == "main").map(|(name, _)| name).collect();
    let by_role = if let [only] = roles.as_slice() { Some(*only) } else { None };
    let by_name = || map.config_map.keys().find(|name| kind.is_main_name(name));
    let unnamed = || map.config_map.keys().find(|name| name.is_empty());
    single.or(by_role).or_else(by_name).or_else(unnamed).cloned()
}

fn is_harmless(name: &str) -> bool {
    name.len() <= NAME_LIMIT
        && !name.contains(|letter: char| letter.is_control() || letter == '\\')
        && name.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.ends_with(".tmp"))
}

fn clash(files: &[OfferedFile]) -> Result<(), OfferError> {
    for (index, one) in files.iter().enumerate() {
        for other in files.iter().skip(index + 1) {
            let folder = |file: &OfferedFile| format!("{}/", file.path);
            if one.path == other.path
                || other.path.starts_with(&folder(one))
                || one.path.starts_with(&folder(other))
            {
                return Err(OfferError::Clash(one.name.clone(), other.name.clone()));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::fluent_bit::FluentBit;
    use tidegate_opamp::AgentConfigObject;

    fn map(files: &[(&str, &str, &str, &str)]) -> AgentConfigMap {
        let object = |(name, body, content_type, role): &(&str, &str, &str, &str)| {
            let object = AgentConfigObject {
                body: bytes::Bytes::copy_from_slice(body.as_bytes()),
                content_type: (*content_type).to_owned(),
                role: (*role).to_owned(),
                ..AgentConfigObject::default()
            };
            ((*name).to_owned(), object)
        };
        AgentConfigMap { config_map: files.iter().map(object).collect(), ..AgentConfigMap::default() }
    }

    fn main_path(files: &[(&str, &str, &str, &str)]) -> Result<String, OfferError> {
        read(&map(files), &FluentBit).map(|offered| offered.main().unwrap().path.clone())
    }

    #[test]
    fn given_offers_when_read_then_the_main_file_and_its_format_are_found() {
        const YAML: &str = "pipeline:\n  inputs: []\n";
        const CLASSIC: &str = "[INPUT]\n    name dummy\n";
        for (files, expect) in [
            (vec![("", YAML, "", "")], "main.yaml"),
            (vec![("", CLASSIC, "", "")], "main.conf"),
            (vec![("", CLASSIC, "text/yaml", "")], "main.yaml"),
            (vec![("x", YAML, "text/yaml; charset=utf-8", "")], "x.yaml"),
            (vec![("x.conf", CLASSIC, "", "")], "x.conf"),
            (vec![("a.conf", "", "", ""), ("fluent-bit.yaml", YAML, "", "")], "fluent-bit.yaml"),
            (vec![("a.conf", CLASSIC, "", "main"), ("fluent-bit.yaml", YAML, "", "")], "a.conf"),
            (vec![("", YAML, "", ""), ("parsers.conf", CLASSIC, "", "")], "main.yaml"),
            (vec![("main.conf", CLASSIC, "", ""), ("d/parsers.conf", CLASSIC, "", "")], "main.conf"),
        ] {
            assert_eq!(main_path(&files).as_deref(), Ok(expect), "{files:?}");
        }
    }

    /// C187: no name leads out of the folder of the offer.
    #[test]
    fn given_hostile_or_useless_offers_when_read_then_each_is_refused_for_its_reason() {
        let text = "[INPUT]\n";
        assert_eq!(main_path(&[]), Err(OfferError::Empty));
        assert_eq!(main_path(&[("a.conf", "", "", "")]), Err(OfferError::Empty));
        for name in ["/etc/passwd", "../x.conf", "a/../../x", "a//b", "a\nb", "./a", "a\\b", &"x".repeat(300)]
        {
            assert!(matches!(main_path(&[(name, text, "", "")]), Err(OfferError::Name(_))), "{name}");
        }
        assert!(matches!(
            main_path(&[("a.conf", text, "", ""), ("b.conf", text, "", "")]),
            Err(OfferError::NoMain(_))
        ));
        assert!(matches!(
            main_path(&[("main.conf", text, "", ""), ("main.conf/x", text, "", "")]),
            Err(OfferError::Clash(..))
        ));
        let names: Vec<String> = (0..=FILES_LIMIT).map(|n| format!("f{n}")).collect();
        let many: Vec<_> = names.iter().map(|name| (name.as_str(), text, "", "")).collect();
        assert_eq!(main_path(&many), Err(OfferError::TooMany(FILES_LIMIT + 1)));
        let large = "x".repeat(SIZE_LIMIT + 1);
        assert_eq!(main_path(&[("main.conf", &large, "", "")]), Err(OfferError::TooLarge(SIZE_LIMIT + 1)));
    }
}
