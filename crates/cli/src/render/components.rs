//! The tree of an agent's components.

use std::collections::BTreeMap;

use tidegate_api::Component;

use crate::sanitise;

/// Deepest level that is shown.
const MAX_DEPTH: usize = 16;

/// A line each component, indented by its level; an unhealthy one is marked with `!`.
pub(crate) fn tree(components: &BTreeMap<String, Component>) -> String {
    let mut text = String::new();
    branch(components, 0, &mut text);
    text
}

fn branch(components: &BTreeMap<String, Component>, depth: usize, text: &mut String) {
    for (name, component) in components {
        let indent = "  ".repeat(depth);
        if depth == MAX_DEPTH {
            text.push_str(&format!("  {indent}… deeper levels are in -o json\n"));
            return;
        }
        let mark = if component.healthy { ' ' } else { '!' };
        let mut state = sanitise::cell(&component.status, 64);
        if state.is_empty() {
            state = if component.healthy { "healthy" } else { "unhealthy" }.to_owned();
        }
        let mut line = format!("{mark} {indent}{}: {state}", sanitise::cell(name, 96));
        if !component.last_error.is_empty() {
            line.push_str(&format!(" ({})", sanitise::cell(&component.last_error, 512)));
        }
        text.push_str(&line);
        text.push('\n');
        branch(&component.components, depth + 1, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(healthy: bool, status: &str, components: &[(&str, Component)]) -> Component {
        Component {
            healthy,
            status: status.into(),
            last_error: String::new(),
            observed_at: None,
            attributes: BTreeMap::new(),
            components: components.iter().map(|(name, part)| ((*name).to_owned(), part.clone())).collect(),
        }
    }

    #[test]
    fn given_a_tree_when_shown_then_levels_are_indented_and_failures_marked() {
        let mut output = component(false, "retrying", &[]);
        output.last_error = "no route\n\x1b[2J".into();
        let pipeline = component(true, "", &[("output/http.0", output)]);
        let tree = tree(&BTreeMap::from([("pipeline".to_owned(), pipeline)]));
        assert_eq!(tree, "  pipeline: healthy\n!   output/http.0: retrying (no route\\n\\u{1b}[2J)\n");
    }

    #[test]
    fn given_a_tree_without_a_bottom_when_shown_then_it_ends() {
        let mut deep = component(true, "", &[]);
        for _ in 0..100 {
            deep = component(true, "", &[("x", deep)]);
        }
        let tree = tree(&BTreeMap::from([("x".to_owned(), deep)]));
        assert_eq!(tree.lines().count(), MAX_DEPTH + 1);
    }
}
