//! YAML nodes with the bytes they stand on, built from the parser's events.

use std::ops::Range;

use granit_parser::{Event, Parser, StructureStyle};

use crate::diagnostic::Report;
use crate::limits::{MAX_NODES, MAX_YAML_NESTING};
use crate::position::LineIndex;

/// A node and its bytes. Anchors and tags are outside the span.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) kind: NodeKind,
}

#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    /// The text after escapes.
    Scalar(String),
    /// Pairs in file order; keys may repeat.
    Map { pairs: Vec<(Node, Node)>, flow: bool },
    /// Items in file order.
    List { items: Vec<Node>, flow: bool },
    /// `*name`. Aliases are never expanded, so they cannot make a small file large.
    Alias,
}

impl Node {
    pub(crate) fn scalar(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Scalar(text) => Some(text),
            NodeKind::Map { .. } | NodeKind::List { .. } | NodeKind::Alias => None,
        }
    }

    pub(crate) fn pairs(&self) -> Option<&[(Node, Node)]> {
        match &self.kind {
            NodeKind::Map { pairs, .. } => Some(pairs),
            NodeKind::Scalar(_) | NodeKind::List { .. } | NodeKind::Alias => None,
        }
    }

    pub(crate) fn items(&self) -> Option<&[Node]> {
        match &self.kind {
            NodeKind::List { items, .. } => Some(items),
            NodeKind::Scalar(_) | NodeKind::Map { .. } | NodeKind::Alias => None,
        }
    }

    /// The last byte that belongs to the node, its children included: a block collection's own span does
    /// not say it.
    pub(crate) fn end(&self) -> usize {
        let mut node = self;
        loop {
            let last = match &node.kind {
                NodeKind::Map { pairs, flow: false } => {
                    pairs.last().map(|(key, value)| if value.span.end > key.span.end { value } else { key })
                }
                NodeKind::List { items, flow: false } => items.last(),
                _ => None,
            };
            let Some(last) = last else { return node.span.end };
            node = last;
        }
    }
}

/// A collection whose end has not come yet.
struct Open {
    node: Node,
    key: Option<Node>,
}

/// Reads all documents. After a syntax error the nodes read so far remain.
pub(crate) fn documents(text: &str, index: &LineIndex<'_>, report: &mut Report) -> Vec<Node> {
    let options = granit_parser::options! {
        block_scalar_eof_without_line_feed: true,
        emit_unresolved_aliases: true,
        emit_comments: false,
        flow_nesting_limit: MAX_YAML_NESTING,
        block_nesting_limit: MAX_YAML_NESTING,
    };
    let mut builder = Builder { roots: Vec::new(), stack: Vec::new() };
    let mut events = 0;
    for event in Parser::new_from_str_with_options(text, options) {
        match event {
            Ok((event, span)) => {
                events += 1;
                if events > MAX_NODES {
                    let message = format!("the file has more than {MAX_NODES} nodes");
                    report.error(None, message, Some("split it into several files"));
                    break;
                }
                let range = span.byte_range().unwrap_or_default();
                if matches!(event, Event::Alias(_) | Event::UnresolvedAlias(_)) {
                    let at = index.position(range.start);
                    let fix = "write the value itself here";
                    report.error(Some(at), "Fluent Bit does not read YAML aliases", Some(fix));
                }
                if matches!(event, Event::DocumentStart(false, _)) && !builder.roots.is_empty() {
                    let at = index.position(range.start);
                    let fix = "write `---` on a line of its own before this";
                    report.error(Some(at), "a second YAML document must begin with `---`", Some(fix));
                }
                builder.event(event, range);
            }
            Err(error) => {
                let marker = error.marker();
                let offset = marker.byte_offset().unwrap_or(text.len());
                let line = text.get(..offset).and_then(|head| head.rsplit('\n').next()).unwrap_or_default();
                let rest = text.get(offset..).unwrap_or_default();
                let tab = (line.trim_start_matches(' ').starts_with('\t')
                    || line.trim().is_empty() && rest.starts_with('\t'))
                .then_some("indent with spaces, YAML allows no tabs there");
                let message = format!("this is not valid YAML: {}", error.info().replace('\n', "; "));
                report.error(Some(index.position(offset)), message, tab);
                break;
            }
        }
    }
    builder.finish()
}

struct Builder {
    roots: Vec<Node>,
    stack: Vec<Open>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, span: Range<usize>) {
        match event {
            Event::Scalar(text, ..) => {
                self.complete(Node { span, kind: NodeKind::Scalar(text.into_owned()) });
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.complete(Node { span, kind: NodeKind::Alias });
            }
            Event::MappingStart(style, _, _) => {
                let flow = style == StructureStyle::Flow;
                self.open(Node { span, kind: NodeKind::Map { pairs: Vec::new(), flow } });
            }
            Event::SequenceStart(style, _, _) => {
                let flow = style == StructureStyle::Flow;
                self.open(Node { span, kind: NodeKind::List { items: Vec::new(), flow } });
            }
            Event::MappingEnd | Event::SequenceEnd => self.close(span.end),
            _ => {}
        }
    }

    fn open(&mut self, node: Node) {
        self.stack.push(Open { node, key: None });
    }

    fn close(&mut self, end: usize) {
        if let Some(mut open) = self.stack.pop() {
            open.node.span.end = end.max(open.node.span.start);
            self.complete(open.node);
        }
    }

    fn complete(&mut self, node: Node) {
        let Some(parent) = self.stack.last_mut() else {
            self.roots.push(node);
            return;
        };
        match &mut parent.node.kind {
            NodeKind::Map { pairs, .. } => match parent.key.take() {
                Some(key) => pairs.push((key, node)),
                None => parent.key = Some(node),
            },
            NodeKind::List { items, .. } => items.push(node),
            NodeKind::Scalar(_) | NodeKind::Alias => {}
        }
    }

    /// Closes what a syntax error left open.
    fn finish(mut self) -> Vec<Node> {
        while let Some(open) = self.stack.last() {
            let end = open.key.as_ref().map_or_else(|| open.node.end(), Node::end);
            self.close(end);
        }
        self.roots
    }
}
