//! Following includes through a callback.

use std::collections::HashSet;

use crate::config::{Config, Gathered, IncludeEdge};
use crate::diagnostic::{Diagnostic, Severity};
use crate::format::Format;
use crate::limits::{MAX_DIAGNOSTICS, MAX_FILES, MAX_INCLUDE_DEPTH, MAX_TOTAL_BYTES};
use crate::position::Position;
use crate::section::{Include, Item, SectionKind};
use crate::tree::parse;

/// What an include asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncludeRequest<'a> {
    /// The name of the including file.
    pub from: &'a str,
    /// The name of the file whose folder a relative argument starts from: the including file in YAML, the
    /// main file in classic (where Fluent Bit tries its working directory even before).
    pub base: &'a str,
    /// The path or glob as written; Fluent Bit does not expand variables in it.
    pub argument: &'a str,
    /// Whether Fluent Bit takes it as a glob: only a `*` makes it one.
    pub glob: bool,
    /// The format in which the files will be read, whatever their extension.
    pub format: Format,
}

/// One file that an include stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncludedFile {
    /// Its path, absolute or relative to the main file's folder. A file is known by it: the same name
    /// must mean the same file.
    pub name: String,
    /// Its content.
    pub text: String,
}

type Resolve<'r> = dyn FnMut(&IncludeRequest<'_>) -> Result<Vec<IncludedFile>, String> + 'r;

/// Parses a main file and all that it includes. `resolve` gives the files that an include stands for, in
/// the order in which Fluent Bit reads them, or says why it cannot. No file is an error too, but for a
/// relative glob in YAML, which Fluent Bit 5.1.1 lets pass. Never fails; what Fluent Bit
/// would refuse is an error diagnostic, and [`Config::fault`] tells whether there is one.
pub fn load(
    format: Format,
    name: &str,
    text: &str,
    resolve: &mut dyn FnMut(&IncludeRequest<'_>) -> Result<Vec<IncludedFile>, String>,
) -> (Config, Vec<Diagnostic>) {
    let mut loader = Loader {
        format,
        main: name.to_owned(),
        resolve,
        gathered: Gathered::default(),
        names: HashSet::from([name.to_owned()]),
        bytes: text.len(),
        service: None,
        errors: 0,
        warnings: 0,
    };
    let file = loader.add(name, text);
    loader.walk(file, 0);
    Config::assemble(loader.gathered)
}

struct Loader<'r> {
    format: Format,
    main: String,
    resolve: &'r mut Resolve<'r>,
    gathered: Gathered,
    names: HashSet<String>,
    bytes: usize,
    /// Where the YAML service section stands.
    service: Option<String>,
    /// Errors about includes and service sections so far.
    errors: usize,
    /// Warnings about includes so far.
    warnings: usize,
}

impl Loader<'_> {
    fn add(&mut self, name: &str, text: &str) -> usize {
        let (tree, mut found) = parse(self.format, name, text);
        let other = Format::of_name(name);
        if other != self.format && name != self.main && found.iter().any(Diagnostic::is_error) {
            let (here, there) = (self.format.word(), other.word());
            found = vec![Diagnostic {
                severity: Severity::Error,
                file: name.to_owned(),
                position: None,
                message: format!("a {here} config cannot include a {there} file"),
                fix: Some(format!("write the file in the {here} format")),
            }];
        }
        self.gathered.diagnostics.extend(found);
        self.gathered.trees.push(tree);
        self.gathered.trees.len() - 1
    }

    fn error(&mut self, file: usize, position: Position, message: String, fix: &str) {
        self.note(Severity::Error, file, position, message, fix);
    }

    fn note(&mut self, severity: Severity, file: usize, position: Position, message: String, fix: &str) {
        let known = if severity == Severity::Error { &mut self.errors } else { &mut self.warnings };
        *known += 1;
        if *known > MAX_DIAGNOSTICS {
            return;
        }
        let (file, position, fix) = (self.name(file), Some(position), Some(fix.to_owned()));
        self.gathered.diagnostics.push(Diagnostic { severity, file, position, message, fix });
    }

    fn name(&self, file: usize) -> String {
        self.gathered.trees.get(file).map(|tree| tree.name().to_owned()).unwrap_or_default()
    }

    fn walk(&mut self, file: usize, depth: usize) {
        let items = self.gathered.trees.get(file).map(|tree| tree.items.clone()).unwrap_or_default();
        for item in items {
            match item {
                Item::Variable(variable) => self.gathered.variables.push(variable),
                Item::Include(include) => self.follow(file, depth, &include),
                Item::Section(section) => {
                    let named = section.name.eq_ignore_ascii_case("service");
                    if self.format == Format::Yaml && section.kind == SectionKind::Service && named {
                        self.count_service(file, section.position);
                    }
                    self.gathered.sections.push((file, section));
                }
            }
        }
    }

    fn count_service(&mut self, file: usize, position: Position) {
        match self.service.clone() {
            Some(first) => {
                let message = format!("there is a second `service` section, the first one is at {first}");
                self.error(file, position, message, "merge the two, YAML allows one in all files together");
            }
            None => self.service = Some(format!("{}:{}", self.name(file), position.line)),
        }
    }

    fn follow(&mut self, file: usize, depth: usize, include: &Include) {
        let Include { argument, position, span } = include;
        let mut edge = IncludeEdge {
            from: file,
            argument: argument.clone(),
            span: span.clone(),
            position: *position,
            targets: Vec::new(),
        };
        let files = match self.ask(file, depth, argument) {
            Ok(files) => files,
            Err(reason) => {
                let message = format!("cannot include `{argument}`: {reason}");
                self.error(file, *position, message, "correct the path or remove the include");
                return;
            }
        };
        if files.is_empty() {
            let message = format!("no file matches `{argument}`");
            self.note(Severity::Warning, file, *position, message, "correct the path or remove the include");
        }
        let place = self.gathered.edges.len();
        self.gathered.edges.push(edge.clone());
        for included in files {
            if let Err(reason) = self.admit(&included) {
                let message = format!("cannot include `{}`: {reason}", included.name);
                self.error(file, *position, message, "include each file once, and fewer of them");
                continue;
            }
            let target = self.add(&included.name, &included.text);
            edge.targets.push(target);
            self.walk(target, depth + 1);
        }
        if let Some(slot) = self.gathered.edges.get_mut(place) {
            *slot = edge;
        }
    }

    fn ask(&mut self, file: usize, depth: usize, argument: &str) -> Result<Vec<IncludedFile>, String> {
        if self.gathered.edges.len() >= MAX_FILES {
            return Err(format!("the config has more than {MAX_FILES} includes"));
        }
        if depth >= MAX_INCLUDE_DEPTH {
            return Err(format!("includes are nested more than {MAX_INCLUDE_DEPTH} deep"));
        }
        let from = self.name(file);
        let base = if self.format == Format::Yaml { &from } else { &self.main };
        let glob = argument.contains('*');
        let request = IncludeRequest { from: &from, base, argument, glob, format: self.format };
        let files = (self.resolve)(&request)?;
        // 5.1.1 loses the error of a relative glob in YAML.
        let may_be_none = self.format == Format::Yaml && glob && !argument.starts_with('/');
        if files.is_empty() && !may_be_none { Err("no file matches".to_owned()) } else { Ok(files) }
    }

    fn admit(&mut self, included: &IncludedFile) -> Result<(), String> {
        self.bytes = self.bytes.saturating_add(included.text.len());
        if self.gathered.trees.len() >= MAX_FILES {
            return Err(format!("the config has more than {MAX_FILES} files"));
        }
        if self.bytes > MAX_TOTAL_BYTES {
            return Err(format!("the config has more than {MAX_TOTAL_BYTES} bytes"));
        }
        if !self.names.insert(included.name.clone()) {
            return Err("the file is included already".to_owned());
        }
        Ok(())
    }
}
