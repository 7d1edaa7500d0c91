//! Offered files on disk, under their own names, so that includes among them resolve; and back again at a start.

use serde::{Deserialize, Serialize};

use super::offer::{OfferedFile, OfferedFiles};
use crate::{
    files::read_bounded,
    kind::Source,
    report::ShownFile,
    state::{StateDir, StateError},
};

/// Largest file that is read back, in bytes.
const FILE_LIMIT: u64 = 8 * 1024 * 1024;

/// What the files on disk are.
#[derive(Serialize, Deserialize)]
struct Manifest {
    main: usize,
    files: Vec<Described>,
}

#[derive(Serialize, Deserialize)]
struct Described {
    name: String,
    path: String,
    content_type: String,
    role: String,
}

/// Writes the files of an offer, those that are not there yet, and gives its main file and all files as they are shown.
///
/// # Errors
/// [`StateError`], such as for a full disk.
pub fn store(
    state: &StateDir,
    content: &str,
    offered: &OfferedFiles,
) -> Result<(Source, Vec<ShownFile>), StateError> {
    let folder = state.config(content);
    for file in &offered.files {
        state.keep(&folder.join("files").join(&file.path), &file.body)?;
    }
    let described = offered.files.iter().map(|file| Described {
        name: file.name.clone(),
        path: file.path.clone(),
        content_type: file.content_type.clone(),
        role: file.role.clone(),
    });
    let manifest = Manifest { main: offered.main, files: described.collect() };
    let path = folder.join("manifest.json");
    match serde_json::to_vec_pretty(&manifest) {
        Ok(bytes) => state.keep(&path, &bytes)?,
        Err(error) => return Err(StateError::Write { path, source: error.into() }),
    }
    Ok(shown(state, content, offered))
}

/// The main file of a stored offer and all its files as they are shown.
#[must_use]
pub fn shown(state: &StateDir, content: &str, offered: &OfferedFiles) -> (Source, Vec<ShownFile>) {
    let main = offered.main();
    let source = Source {
        path: state.config(content).join("files").join(main.map_or("", |file| file.path.as_str())),
        text: main.map(|file| String::from_utf8_lossy(&file.body).into_owned()).unwrap_or_default(),
    };
    let files = offered
        .files
        .iter()
        .map(|file| ShownFile {
            name: file.name.clone(),
            body: file.body.clone(),
            content_type: match file.content_type.as_str() {
                "" => crate::machine::media_type(&file.path).to_owned(),
                said => said.to_owned(),
            },
            role: file.role.clone(),
        })
        .collect();
    (source, files)
}

/// Reads the files of a stored offer.
///
/// # Errors
/// One sentence when they are not there any more or not readable.
pub fn load(state: &StateDir, content: &str) -> Result<OfferedFiles, String> {
    let folder = state.config(content);
    let read = |path: &std::path::Path| match read_bounded(path, FILE_LIMIT) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(format!("{} is missing", path.display())),
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    };
    let manifest: Manifest = serde_json::from_slice(&read(&folder.join("manifest.json"))?)
        .map_err(|error| format!("the manifest in {} is broken: {error}", folder.display()))?;
    let mut files = Vec::new();
    for file in manifest.files {
        let body = read(&folder.join("files").join(&file.path))?.into();
        let Described { name, path, content_type, role } = file;
        files.push(OfferedFile { name, path, body, content_type, role });
    }
    if manifest.main >= files.len() {
        return Err(format!("the manifest in {} names no main file", folder.display()));
    }
    Ok(OfferedFiles { files, main: manifest.main })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_an_offer_when_stored_then_it_comes_back_and_a_missing_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::open(folder.path()).unwrap();
        let file = |name: &str, path: &str| OfferedFile {
            name: name.into(),
            path: path.into(),
            body: bytes::Bytes::from_static(b"text"),
            content_type: String::new(),
            role: "r".into(),
        };
        let offered =
            OfferedFiles { files: vec![file("", "main.yaml"), file("d/p.conf", "d/p.conf")], main: 0 };
        let (source, shown) = store(&state, "c1", &offered).unwrap();
        assert!(source.path.ends_with("configs/c1/files/main.yaml"));
        assert_eq!(
            shown.iter().map(|file| file.content_type.as_str()).collect::<Vec<_>>(),
            ["text/yaml", "text/plain"]
        );
        assert_eq!(load(&state, "c1").as_ref(), Ok(&offered));
        std::fs::remove_file(state.config("c1").join("files/d/p.conf")).unwrap();
        assert!(load(&state, "c1").unwrap_err().ends_with("p.conf is missing"));
        assert!(load(&state, "c2").unwrap_err().ends_with("manifest.json is missing"));
    }
}
