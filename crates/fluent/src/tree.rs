//! One parsed file.

use crate::classic;
use crate::diagnostic::{Diagnostic, Report};
use crate::format::Format;
use crate::limits::MAX_FILE_BYTES;
use crate::section::{Include, Item, Section, Variable};
use crate::yaml;

/// One parsed file: its whole text, and what stands where in it.
#[derive(Clone, Debug)]
pub struct Tree {
    name: String,
    text: String,
    pub(crate) items: Vec<Item>,
    pub(crate) syntax: Syntax,
}

/// What an edit needs to know beyond the items.
#[derive(Clone, Debug)]
pub(crate) enum Syntax {
    Classic(classic::Layout),
    Yaml(Vec<yaml::Node>),
}

impl Tree {
    /// The file's name, as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The format it was read in.
    pub fn format(&self) -> Format {
        match self.syntax {
            Syntax::Classic(_) => Format::Classic,
            Syntax::Yaml(_) => Format::Yaml,
        }
    }

    /// The text, byte for byte as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Sections, includes and variables in file order.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The sections in file order.
    pub fn sections(&self) -> impl Iterator<Item = &Section> {
        self.items.iter().filter_map(|item| match item {
            Item::Section(section) => Some(section),
            Item::Include(_) | Item::Variable(_) => None,
        })
    }

    /// The includes in file order.
    pub fn includes(&self) -> impl Iterator<Item = &Include> {
        self.items.iter().filter_map(|item| match item {
            Item::Include(include) => Some(include),
            Item::Section(_) | Item::Variable(_) => None,
        })
    }

    /// The variables in file order.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.items.iter().filter_map(|item| match item {
            Item::Variable(variable) => Some(variable),
            Item::Section(_) | Item::Include(_) => None,
        })
    }
}

/// Parses one file without its includes. Never fails: what cannot be read is a diagnostic, and the tree
/// holds the whole text and all that could be read. `name` is for diagnostics and include requests.
pub fn parse(format: Format, name: &str, text: &str) -> (Tree, Vec<Diagnostic>) {
    let mut report = Report::new(name);
    let fits = text.len() <= MAX_FILE_BYTES;
    if !fits {
        let message = format!("the file has {} bytes, more than {MAX_FILE_BYTES}", text.len());
        report.error(None, message, Some("split it into several files and include them"));
    }
    let readable = if fits { text } else { "" };
    let (items, syntax) = match format {
        Format::Classic => {
            let (items, layout) = classic::parse(readable, &mut report);
            (items, Syntax::Classic(layout))
        }
        Format::Yaml => {
            let (items, documents) = yaml::parse(readable, &mut report);
            (items, Syntax::Yaml(documents))
        }
    };
    (Tree { name: name.to_owned(), text: text.to_owned(), items, syntax }, report.into_list())
}
