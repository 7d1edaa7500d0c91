//! The files that Fluent Bit is made to load: the offered config with our service keys in it.

use std::collections::{BTreeMap, HashMap};

use crate::config::Config;
use crate::config::IncludeEdge;
use crate::edit::{EditError, plan};
use crate::format::Format;
use crate::include::{IncludeRequest, IncludedFile, load};
use crate::paths::{folder, is_absolute, is_relative, join, value_splices};
use crate::splice::{Splice, apply};
use crate::tree::{Syntax, Tree};
use crate::verify::verify;
use crate::yaml;

/// What to render.
#[derive(Clone, Copy)]
pub struct RenderRequest<'a> {
    /// Service keys and the values that must hold.
    pub forced: &'a [(&'a str, &'a str)],
    /// The absolute path of the folder that the offered main file belongs to: its relative paths start there.
    pub base: &'a str,
    /// Gives the absolute path to write a rendered file to, from the name of the file it stands for. Asked
    /// once for each rendered file, the main file first; must give distinct paths.
    pub file_name_for: &'a dyn Fn(&str) -> String,
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedFile {
    /// The path to write it to, from [`RenderRequest::file_name_for`].
    pub name: String,
    /// Its text.
    pub text: String,
    /// The name of the file it stands for.
    pub source: String,
}

/// Renders the effective config: the main file first, then those includes that cannot stay as they are,
/// to be written before Fluent Bit loads the first one. Everything else is read where it lies.
///
/// An include is rendered when YAML's service section stands in it, when a path in it depends on where the
/// main file lies, or when it includes a rendered file. Paths become absolute, the forced keys hold, and
/// nothing else changes; the result is read again before it is given back.
pub fn render_effective(config: &Config, request: RenderRequest<'_>) -> Result<Vec<RenderedFile>, EditError> {
    let plan = plan(config, request.forced)?;
    let places = Places::new(config, &request, plan.file);
    let mut splices: BTreeMap<usize, Vec<Splice>> = BTreeMap::new();
    for file in places.names.keys() {
        let Some(tree) = config.trees.get(*file) else { continue };
        let list = splices.entry(*file).or_default();
        list.extend(value_splices(tree, request.base, request.forced));
        for edge in config.edges.iter().filter(|edge| edge.from == *file) {
            list.extend(places.include_splice(tree, edge)?);
        }
    }
    let file = config.trees.get(plan.file).map(Tree::name).unwrap_or_default();
    plan.first_right(file, |forced| {
        let rendered: Vec<_> = splices
            .iter()
            .filter_map(|(index, list)| {
                let tree = config.trees.get(*index)?;
                let forced = if *index == plan.file { forced } else { &[] };
                let all: Vec<_> = list.iter().chain(forced).cloned().collect();
                let text = apply(tree.text(), &all);
                let name = places.names.get(index)?.clone();
                Some(RenderedFile { name, text, source: tree.name().to_owned() })
            })
            .collect();
        verify(config, &places.reload(&rendered), request.forced)?;
        Ok(rendered)
    })
}

/// Which files are rendered, and where each file lies afterwards.
struct Places<'a> {
    config: &'a Config,
    base: &'a str,
    /// Paths of the rendered files, by index.
    names: BTreeMap<usize, String>,
}

impl<'a> Places<'a> {
    fn new(config: &'a Config, request: &RenderRequest<'a>, service: usize) -> Self {
        let mut places = Self { config, base: request.base, names: BTreeMap::new() };
        let mut moved = vec![false; config.trees.len()];
        // A file comes before what it includes, so backwards the includes are settled first.
        for (index, tree) in config.trees.iter().enumerate().rev() {
            let edges = || config.edges.iter().filter(|edge| edge.from == index);
            let leads_to_moved =
                edges().any(|edge| edge.targets.iter().any(|target| moved.get(*target) == Some(&true)));
            let depends =
                config.format() == Format::Classic && edges().any(|edge| is_relative(&edge.argument));
            let values = !value_splices(tree, request.base, request.forced).is_empty();
            if let Some(flag) = moved.get_mut(index) {
                *flag = index == 0 || index == service || leads_to_moved || depends || values;
            }
        }
        for (index, tree) in config.trees.iter().enumerate() {
            if moved.get(index) == Some(&true) {
                places.names.insert(index, (request.file_name_for)(tree.name()));
            }
        }
        places
    }

    /// The path under which a file is to be found afterwards.
    fn path(&self, file: usize) -> String {
        let name = self.config.trees.get(file).map(Tree::name).unwrap_or_default();
        match self.names.get(&file) {
            Some(path) => path.clone(),
            None if is_absolute(name) => name.to_owned(),
            None => join(self.base, name),
        }
    }

    /// The folder that relative includes of a file start from.
    fn include_base(&self, file: usize) -> String {
        let name = self.config.trees.get(file).map(Tree::name).unwrap_or_default();
        match (self.config.format(), file) {
            (Format::Classic, _) | (_, 0) => self.base.to_owned(),
            _ if is_absolute(name) => folder(name).to_owned(),
            _ => folder(&join(self.base, name)).to_owned(),
        }
    }

    /// The arguments that replace an include's in a rendered file: the same glob or path made absolute, or
    /// the single files if one of them is rendered.
    fn arguments(&self, edge: &IncludeEdge) -> Vec<String> {
        if edge.targets.iter().any(|target| self.names.contains_key(target)) {
            return edge.targets.iter().map(|target| self.path(*target)).collect();
        }
        if is_absolute(&edge.argument) {
            return vec![edge.argument.clone()];
        }
        let path = join(&self.include_base(edge.from), &edge.argument);
        if edge.targets.is_empty() {
            // Only a relative glob may match nothing, so it climbs to the root from where it will stand.
            let steps = self.path(edge.from).matches('/').count();
            return vec![format!("{}{}", "../".repeat(steps), path.trim_start_matches('/'))];
        }
        vec![path]
    }

    fn include_splice(&self, tree: &Tree, edge: &IncludeEdge) -> Result<Option<Splice>, EditError> {
        let arguments = self.arguments(edge);
        if arguments == [edge.argument.as_str()] {
            return Ok(None);
        }
        let failed = || EditError::Include { file: tree.name().to_owned(), argument: edge.argument.clone() };
        match &tree.syntax {
            Syntax::Yaml(documents) => {
                yaml::list_item(tree.text(), documents, &edge.span, &arguments).ok_or_else(failed).map(Some)
            }
            Syntax::Classic(_) => {
                let newline = if tree.text().contains("\r\n") { "\r\n" } else { "\n" };
                let text = arguments.join(&format!("{newline}@INCLUDE "));
                Ok(Some(Splice { span: edge.span.clone(), text }))
            }
        }
    }

    /// Loads the rendered files with the untouched ones, as Fluent Bit will.
    fn reload(&self, rendered: &[RenderedFile]) -> Config {
        let config = self.config;
        let mut table: HashMap<(String, String), Vec<usize>> = HashMap::new();
        for edge in &config.edges {
            let from = self.path(edge.from);
            if !self.names.contains_key(&edge.from) {
                table.insert((from, edge.argument.clone()), edge.targets.clone());
                continue;
            }
            let arguments = self.arguments(edge);
            if arguments.len() == edge.targets.len() && arguments.len() > 1 {
                for (argument, target) in arguments.into_iter().zip(&edge.targets) {
                    table.insert((from.clone(), argument), vec![*target]);
                }
            } else if let Some(argument) = arguments.into_iter().next() {
                table.insert((from, argument), edge.targets.clone());
            }
        }
        let content = |file: usize| -> Option<IncludedFile> {
            let name = self.path(file);
            let source = config.trees.get(file)?;
            let text = rendered.iter().find(|r| self.names.contains_key(&file) && r.name == name);
            let text = text.map_or(source.text(), |r| r.text.as_str()).to_owned();
            Some(IncludedFile { name, text })
        };
        let mut resolve = |request: &IncludeRequest<'_>| {
            let key = (request.from.to_owned(), request.argument.to_owned());
            let targets = table.get(&key).ok_or_else(|| "the rendered include leads nowhere".to_owned())?;
            Ok(targets.iter().filter_map(|target| content(*target)).collect())
        };
        let text = rendered.first().map(|r| r.text.as_str()).unwrap_or_default();
        load(config.format(), &self.path(0), text, &mut resolve).0
    }
}
