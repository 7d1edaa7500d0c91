//! The files of a push: read, named and checked before anything is asked of the server.

use std::path::Path;

use tidegate_api::PushFile;
use tidegate_fluent::{Diagnostic, Format, MAX_FILE_BYTES, MAX_FILES, Severity, lint, load, parse};

use crate::failure::Failure;
use crate::files::read_text;

/// Reads the files; the first is the main one and takes `name`, when there is one.
///
/// # Errors
/// [`Failure::Read`] or [`Failure::Argument`].
pub(super) fn read(paths: &[impl AsRef<Path>], name: Option<&str>) -> Result<Vec<PushFile>, Failure> {
    if paths.len() > MAX_FILES {
        return Err(Failure::Argument(format!("a push holds at most {MAX_FILES} files")));
    }
    let mut files: Vec<PushFile> = Vec::with_capacity(paths.len());
    for path in paths {
        let path = path.as_ref();
        let main = files.is_empty();
        let local = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = match (name.filter(|_| main), local) {
            (Some(name), _) => name.to_owned(),
            (None, Some(name)) => name,
            (None, None) => return Err(Failure::Argument(format!("{} names no file", path.display()))),
        };
        if name.is_empty() || files.iter().any(|file| file.name == name) {
            let reason = "each file needs a name of its own on the agent";
            return Err(Failure::Argument(format!(
                "{} would be called {name:?} there: {reason}",
                path.display()
            )));
        }
        let body = read_text(path, MAX_FILE_BYTES as u64)?;
        let role = if main { "main" } else { "" };
        files.push(PushFile { name, content_type: String::new(), role: role.into(), body });
    }
    Ok(files)
}

/// What is wrong with the files that Fluent Bit reads as configs. Includes are not followed: what they name may
/// stand on the agent.
pub(super) fn check(files: &[PushFile]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let main = index == 0;
        let format = Format::of_name(&file.name);
        if !main && format == Format::Classic && !file.name.ends_with(".conf") {
            continue;
        }
        let (tree, diagnostics) = parse(format, &file.name, &file.body);
        let clean = !diagnostics.iter().any(Diagnostic::is_error);
        found.extend(diagnostics);
        if main && clean && tree.includes().next().is_none() {
            let (config, _) = load(format, &file.name, &file.body, &mut |_| Ok(Vec::new()));
            // A supervisor that runs something else than Fluent Bit may know better, so this does not refuse.
            found.extend(
                lint::no_pipeline(&config)
                    .map(|finding| Diagnostic { severity: Severity::Warning, ..finding }),
            );
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, body: &str) -> PushFile {
        PushFile { name: name.into(), content_type: String::new(), role: String::new(), body: body.into() }
    }

    #[test]
    fn given_files_when_read_then_the_first_is_the_main_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, name).unwrap();
            path
        };
        let paths = [path("edge.yaml"), path("a.lua")];
        let files = read(&paths, Some("main.yaml")).unwrap();
        let seen: Vec<_> =
            files.iter().map(|f| (f.name.as_str(), f.role.as_str(), f.body.as_str())).collect();
        assert_eq!(seen, [("main.yaml", "main", "edge.yaml"), ("a.lua", "", "a.lua")]);

        for (paths, name) in [(&paths, Some("a.lua")), (&[path("x"), path("x")], None), (&paths, Some(""))] {
            assert!(matches!(read(paths, name), Err(Failure::Argument(_))), "{paths:?} {name:?}");
        }
    }

    #[test]
    fn given_configs_when_checked_then_findings_name_their_place() {
        let good = "pipeline:\n  inputs:\n    - name: dummy\n  outputs:\n    - name: stdout\n";
        for (files, expected) in [
            (vec![file("a.yaml", good)], None),
            (vec![file("a.yaml", "pipeline: [\n")], Some(("a.yaml", true))),
            (vec![file("a.conf", "[INPUT\n")], Some(("a.conf", true))),
            (vec![file("a.yaml", "service:\n  flush: 1\n")], Some(("a.yaml", false))),
            (vec![file("a.yaml", good), file("b.lua", "[[[")], None),
            (vec![file("a.yaml", good), file("b.yaml", "x: [\n")], Some(("b.yaml", true))),
        ] {
            let found = check(&files);
            let first = found.first().map(|finding| (finding.file.as_str(), finding.is_error()));
            assert_eq!(first, expected, "{found:?}");
        }
    }
}
