//! The files of a push: what is taken, under which names.

use bytes::Bytes;
use tidegate_opamp::{AgentConfigMap, AgentConfigObject};

use super::ControlError;

/// Files of one push.
const MAX_FILES: usize = 64;

/// Bytes of one push, all files together.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// A file to push.
#[derive(Clone, Debug)]
pub(crate) struct PushedFile {
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) role: String,
    pub(crate) body: String,
}

/// Checks the files and makes the map that is offered.
pub(super) fn files(files: &[PushedFile]) -> Result<AgentConfigMap, ControlError> {
    if files.is_empty() || files.len() > MAX_FILES {
        return Err(ControlError::invalid("/files", format!("give 1 to {MAX_FILES} files")));
    }
    let bytes: usize = files.iter().map(|file| file.body.len()).sum();
    if bytes > MAX_BYTES {
        return Err(ControlError::invalid(
            "/files",
            format!("the files have {bytes} bytes, at most {MAX_BYTES} are taken"),
        ));
    }
    let mut map = AgentConfigMap::default();
    for (index, file) in files.iter().enumerate() {
        check_name(&file.name)
            .map_err(|message| ControlError::invalid(format!("/files/{index}/name"), message))?;
        if file.body.trim().is_empty() {
            let message = format!("{} is empty: an agent would run nothing", file.name);
            return Err(ControlError::invalid(format!("/files/{index}/body"), message));
        }
        let content_type = if file.content_type.is_empty() {
            guess_type(&file.name).to_owned()
        } else {
            file.content_type.clone()
        };
        let object = AgentConfigObject {
            body: Bytes::copy_from_slice(file.body.as_bytes()),
            content_type,
            role: file.role.clone(),
            ..AgentConfigObject::default()
        };
        if map.config_map.insert(file.name.clone(), object).is_some() {
            let message = format!("two files are named {:?}", file.name);
            return Err(ControlError::invalid(format!("/files/{index}/name"), message));
        }
    }
    Ok(map)
}

/// Names become file names on hosts: no way out of a folder, nothing that a shell or a terminal would act on.
fn check_name(name: &str) -> Result<(), String> {
    let parts_are_plain = name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if name.len() > 255
        || !parts_are_plain
        || name.contains(['\\', ':'])
        || name.chars().any(char::is_control)
    {
        return Err(format!("{name:?} is no plain relative file name of at most 255 bytes"));
    }
    Ok(())
}

fn guess_type(name: &str) -> &'static str {
    let yaml = [".yaml", ".yml"].iter().any(|ending| name.to_ascii_lowercase().ends_with(ending));
    if yaml { "text/yaml" } else { "text/plain" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_names_when_checked_then_only_plain_ones_pass() {
        for name in ["fluent-bit.yaml", "parsers/a.conf", "ünicode.conf"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in
            ["", "/etc/passwd", "../x", "a/../b", "a//b", "a\\b", "C:x", "a\nb", "a\u{1b}b", &"x".repeat(256)]
        {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }
}
