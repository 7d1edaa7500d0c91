//! A main file with everything it includes, merged.

use std::collections::HashMap;
use std::ops::Range;

use crate::diagnostic::{Diagnostic, Severity};
use crate::format::Format;
use crate::limits::MAX_DIAGNOSTICS;
use crate::pipeline::{Plugin, PluginKind, plugin, plugin_name};
use crate::position::Position;
use crate::section::{Section, SectionKind, Variable};
use crate::service::{Service, ServiceEntry};
use crate::tree::Tree;

/// An include that was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncludeEdge {
    /// The including file, as an index into [`Config::trees`].
    pub from: usize,
    /// The path or glob as written.
    pub argument: String,
    /// The bytes of the argument.
    pub span: Range<usize>,
    /// Where the argument begins.
    pub position: Position,
    /// The files it stands for, as indices into [`Config::trees`].
    pub targets: Vec<usize>,
}

/// A whole config as Fluent Bit sees it.
#[derive(Clone, Debug)]
pub struct Config {
    /// The files: the main file first, then included ones in the order read, each before what it includes.
    pub trees: Vec<Tree>,
    pub(crate) edges: Vec<IncludeEdge>,
    pub(crate) variables: Vec<Variable>,
    /// Sections that are neither the service nor a plugin, with their files.
    pub(crate) rest: Vec<(usize, Section)>,
    pub(crate) fault: Option<Diagnostic>,
    service: Service,
    plugins: Vec<Plugin>,
}

/// What a walk over the files in reading order has gathered.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) trees: Vec<Tree>,
    pub(crate) edges: Vec<IncludeEdge>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) sections: Vec<(usize, Section)>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Config {
    pub(crate) fn assemble(gathered: Gathered) -> (Self, Vec<Diagnostic>) {
        let Gathered { trees, edges, variables, sections, mut diagnostics } = gathered;
        let mut config = Self {
            trees,
            edges,
            variables,
            rest: Vec::new(),
            fault: None,
            service: Service::default(),
            plugins: Vec::new(),
        };
        let mut counts = HashMap::new();
        let mut faults = Vec::new();
        for (file, section) in sections {
            config.place(file, section, &mut counts, &mut faults);
        }
        diagnostics.append(&mut faults);
        config.fault = diagnostics.iter().find(|diagnostic| diagnostic.is_error()).cloned();
        (config, diagnostics)
    }

    fn place(
        &mut self,
        file: usize,
        section: Section,
        counts: &mut HashMap<PluginKind, usize>,
        faults: &mut Vec<Diagnostic>,
    ) {
        let position = Some(section.position);
        let mut error = |message: String, fix: &str| {
            let name = self.trees.get(file).map(|tree| tree.name().to_owned()).unwrap_or_default();
            if faults.len() < MAX_DIAGNOSTICS {
                let (severity, fix) = (Severity::Error, Some(fix.to_owned()));
                faults.push(Diagnostic { severity, file: name, position, message, fix });
            }
        };
        if section.kind == SectionKind::Service {
            let entries = section.entries.into_iter().map(|entry| ServiceEntry {
                key: entry.key,
                value: entry.value,
                file,
                position: entry.position,
                key_span: entry.key_span,
                value_span: entry.value_span,
            });
            self.service.entries.extend(entries);
        } else if let Some(kind) = PluginKind::of_section(section.kind) {
            let number = counts.entry(kind).or_default();
            if plugin_name(&section).is_none() {
                error(format!("the {kind} has no `name`"), "write which plugin it is");
            } else if let Some(plugin) = plugin(kind, *number, file, section) {
                *number += 1;
                self.plugins.push(plugin);
            }
        } else {
            let is_parser =
                ["parser", "multiline_parser"].iter().any(|name| section.name.eq_ignore_ascii_case(name));
            if is_parser && self.format() == Format::Classic {
                let message = format!("the section [{}] is not allowed in the main config", section.name);
                error(message, "move it to a file that `parsers_file` names");
            }
            self.rest.push((file, section));
        }
    }

    /// The format of the main file, and so of all files.
    pub fn format(&self) -> Format {
        self.trees.first().map_or(Format::Classic, Tree::format)
    }

    /// The main file's name.
    pub fn name(&self) -> &str {
        self.trees.first().map_or("", Tree::name)
    }

    /// The service section, merged over all files (fluent-bit.md, "Classic" and "YAML").
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// All plugins in the order read, over all kinds.
    pub fn plugins(&self) -> &[Plugin] {
        &self.plugins
    }

    /// The plugins of one kind in the order read.
    pub fn plugins_of(&self, kind: PluginKind) -> impl Iterator<Item = &Plugin> {
        self.plugins.iter().filter(move |plugin| plugin.kind == kind)
    }

    /// The variables that the config defines, in the order read; a later one replaces an earlier one.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// The includes that were followed, in the order read.
    pub fn includes(&self) -> &[IncludeEdge] {
        &self.edges
    }

    /// The first error found while parsing or loading; Fluent Bit would refuse the config.
    pub fn fault(&self) -> Option<&Diagnostic> {
        self.fault.as_ref()
    }
}
