//! What a Fluent Bit can run, from the schema that `-J` prints (fluent-bit.md, "AvailableComponents").
//!
//! Plugins of others, named by `plugins_file` or `-e`, are not in it: the binary lists what was built into it.

use std::collections::BTreeMap;

use serde::{Deserialize, de::IgnoredAny};

use crate::kind::Inventory;

/// Most plugins of one group that are taken; 5.1.1 has 42 inputs.
const MOST_PLUGINS: usize = 500;

/// Longest name that is taken, in bytes.
const NAME_BYTES: usize = 128;

/// Longest description that is kept, in bytes; longer ones are cut.
const DESCRIPTION_BYTES: usize = 512;

#[derive(Deserialize)]
struct Schema {
    #[serde(rename = "fluent-bit")]
    build: Build,
    #[serde(default)]
    customs: Vec<Plugin>,
    #[serde(default)]
    inputs: Vec<Plugin>,
    #[serde(default)]
    processors: Vec<Plugin>,
    #[serde(default)]
    filters: Vec<Plugin>,
    #[serde(default)]
    outputs: Vec<Plugin>,
}

#[derive(Deserialize)]
struct Build {
    version: Option<String>,
}

#[derive(Deserialize)]
struct Plugin {
    name: String,
    #[serde(default)]
    description: Option<String>,
    // By far the most of the text; read past.
    #[serde(default, rename = "properties")]
    _properties: Option<IgnoredAny>,
}

/// Reads what the binary printed: the one JSON value in it, whatever was printed around that.
pub(super) fn read(output: &str) -> Result<Inventory, String> {
    let begin = match output.starts_with('{') {
        true => 0,
        false => output.find("\n{").ok_or("it printed no JSON object")? + 1,
    };
    let text = output.get(begin..).unwrap_or_default();
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Schema>();
    let schema = values
        .next()
        .ok_or("it printed no JSON object")?
        .map_err(|error| format!("what it printed is not understood: {error}"))?;
    let schema_text = begin..begin + values.byte_offset();
    let groups = [
        ("customs", schema.customs),
        ("filters", schema.filters),
        ("inputs", schema.inputs),
        ("outputs", schema.outputs),
        ("processors", schema.processors),
    ];
    let groups: BTreeMap<_, _> = groups
        .into_iter()
        .map(|(group, plugins)| (group, named(plugins)))
        .filter(|(_, plugins)| !plugins.is_empty())
        .collect();
    if groups.is_empty() {
        return Err("it lists no plugin".to_owned());
    }
    Ok(Inventory { version: schema.build.version.unwrap_or_default(), groups, schema: schema_text })
}

fn named(plugins: Vec<Plugin>) -> BTreeMap<String, String> {
    let fits = |plugin: &Plugin| !plugin.name.is_empty() && plugin.name.len() <= NAME_BYTES;
    plugins
        .into_iter()
        .filter(fits)
        .take(MOST_PLUGINS)
        .map(|plugin| {
            let description = plugin.description.unwrap_or_default();
            (plugin.name, crate::text::head(&description, DESCRIPTION_BYTES).to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPTURED: &str = include_str!("../../../../testkit/captures/fluent-bit/schema-5.1.1.json");

    #[test]
    fn given_the_schema_of_a_real_binary_when_read_then_every_plugin_is_in_its_group() {
        let inventory = read(CAPTURED).unwrap();
        assert_eq!(inventory.version, "5.1.1");
        let counts: Vec<_> = inventory.groups.iter().map(|(group, all)| (*group, all.len())).collect();
        let expected = [("customs", 1), ("filters", 21), ("inputs", 42), ("outputs", 40), ("processors", 7)];
        assert_eq!(counts, expected);
        assert!(inventory.groups["inputs"].contains_key("tail"));
        assert_eq!(&CAPTURED[inventory.schema], CAPTURED.trim_end());
    }

    #[test]
    fn given_lines_around_the_schema_when_read_then_they_are_passed_over() {
        let schema =
            r#"{"fluent-bit":{"version":"5.1.1"},"inputs":[{"type":"input","name":"a","description":"A"}]}"#;
        let output = format!("Fluent Bit v5.1.1\n* banner {{\n{schema}\n[warn] bye\n");
        let inventory = read(&output).unwrap();
        assert_eq!(inventory.groups["inputs"], BTreeMap::from([("a".to_owned(), "A".to_owned())]));
        assert_eq!(&output[inventory.schema], schema);
    }

    #[test]
    fn given_what_is_no_schema_when_read_then_it_is_refused_with_the_reason() {
        for (output, expect) in [
            ("", "no JSON object"),
            ("fluentd: error: invalid option -J\n", "no JSON object"),
            ("{", "not understood"),
            (r#"{"inputs":[]}"#, "not understood"),
            (r#"{"fluent-bit":{"version":"1"},"inputs":[]}"#, "lists no plugin"),
            (r#"{"fluent-bit":{"version":"1"},"inputs":[{"name":""}]}"#, "lists no plugin"),
            (r#"{"fluent-bit":{"version":"1"},"inputs":[{"name":7}]}"#, "not understood"),
        ] {
            let error = read(output).unwrap_err();
            assert!(error.contains(expect), "{output}: {error}");
        }
    }

    #[test]
    fn given_a_schema_without_end_when_read_then_what_is_kept_is_bounded() {
        let plugins: Vec<_> = (0..2000)
            .map(|number| format!(r#"{{"name":"p{number}","description":"{}"}}"#, "d".repeat(1000)))
            .collect();
        let output = format!(r#"{{"fluent-bit":{{}},"inputs":[{}]}}"#, plugins.join(","));
        let inputs = &read(&output).unwrap().groups["inputs"];
        assert_eq!(inputs.len(), MOST_PLUGINS);
        assert!(inputs.values().all(|description| description.len() <= DESCRIPTION_BYTES));
    }
}
