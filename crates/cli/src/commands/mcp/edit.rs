//! Changes of settings files that keep what is not ours: comments, order, layout, other servers.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstRootNode};
use serde_json::{Map, Value};
use toml_edit::{Array, DocumentMut, Item, Table, value};

use super::clients::Form;

/// The name of the server in settings.
pub(super) const NAME: &str = "tidegate";

/// The text of settings with our server in their list `list`, or without it where there is no entry.
///
/// # Errors
/// A sentence that says why the text cannot be changed.
pub(super) fn edited(
    form: Form,
    text: &str,
    list: &str,
    entry: Option<&Map<String, Value>>,
) -> Result<String, String> {
    match form {
        Form::Toml => toml(text, list, entry),
        Form::Json => json(text, list, entry),
    }
}

/// The entry of our server in settings, where there is one.
pub(super) fn found(form: Form, text: &str, list: &str) -> Option<Map<String, Value>> {
    match form {
        Form::Toml => {
            let document: DocumentMut = text.parse().ok()?;
            let entry = document.get(list)?.get(NAME)?.as_table_like()?;
            let plain = |item: &Item| match (item.as_str(), item.as_array()) {
                (Some(text), _) => Value::from(text),
                (_, Some(array)) => array.iter().filter_map(toml_edit::Value::as_str).collect(),
                _ => Value::Null,
            };
            Some(entry.iter().map(|(key, item)| (key.to_owned(), plain(item))).collect())
        }
        Form::Json => {
            let root = CstRootNode::parse(text, &options()).ok()?;
            let entry = root.object_value()?.object_value(list)?.object_value(NAME)?;
            entry.to_serde_value()?.as_object().cloned()
        }
    }
}

fn toml(text: &str, list: &str, entry: Option<&Map<String, Value>>) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error| format!("it is no TOML: {error}"))?;
    let Some(entry) = entry else {
        let Some(servers) = document.get_mut(list).and_then(Item::as_table_like_mut) else {
            return Ok(text.to_owned());
        };
        servers.remove(NAME);
        return Ok(document.to_string());
    };
    let servers = document.entry(list).or_insert_with(|| {
        let mut servers = Table::new();
        // Only the tables below it get a head of their own.
        servers.set_implicit(true);
        Item::Table(servers)
    });
    let servers = servers.as_table_like_mut().ok_or_else(|| format!("{list} is no table in it"))?;
    let mut table = Table::new();
    for (key, part) in entry {
        let item = match part {
            Value::Array(parts) => value(parts.iter().filter_map(Value::as_str).collect::<Array>()),
            Value::String(text) => value(text.as_str()),
            _ => continue,
        };
        table.insert(key, item);
    }
    // A comment before an entry that is replaced stays.
    if let Some(old) = servers.get(NAME).and_then(Item::as_table) {
        *table.decor_mut() = old.decor().clone();
        table.set_position(old.position());
    }
    servers.insert(NAME, Item::Table(table));
    Ok(document.to_string())
}

fn json(text: &str, list: &str, entry: Option<&Map<String, Value>>) -> Result<String, String> {
    let root = CstRootNode::parse(text, &options()).map_err(|error| format!("it is no JSON: {error}"))?;
    let whole = root.object_value_or_create().ok_or("it is no JSON object")?;
    let servers = match entry {
        Some(_) => whole.object_value_or_create(list).ok_or_else(|| format!("{list} is no object in it"))?,
        None => match whole.object_value(list) {
            Some(servers) => servers,
            None => return Ok(text.to_owned()),
        },
    };
    match (servers.get(NAME), entry) {
        (Some(old), Some(entry)) => old.set_value(input(&Value::Object(entry.clone()))),
        (None, Some(entry)) => {
            servers.append(NAME, input(&Value::Object(entry.clone())));
        }
        (Some(old), None) => old.remove(),
        (None, None) => {}
    }
    let mut text = root.to_string();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

/// Comments and commas behind the last, as assistants take them; nothing else that is no JSON.
fn options() -> ParseOptions {
    ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        ..ParseOptions::default()
    }
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(flag) => CstInputValue::Bool(*flag),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(values) => CstInputValue::Array(values.iter().map(input).collect()),
        Value::Object(object) => {
            CstInputValue::Object(object.iter().map(|(key, value)| (key.clone(), input(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(program: &str) -> Map<String, Value> {
        json!({"command": program, "args": ["mcp", "serve"]}).as_object().unwrap().clone()
    }

    const TOML: &str = "\
# my settings
model = \"o9\" # the good one

[mcp_servers.other] # keep me
command = \"other\"

[tui]
theme = \"dark\"
";

    const JSONC: &str = "\
{
  // my servers
  \"mcpServers\": {
    \"other\": { \"command\": \"other\" }, // keep me
  },
  \"theme\": \"dark\"
}
";

    #[test]
    fn given_settings_with_comments_when_our_server_comes_changes_and_goes_then_all_else_stays() {
        for (form, list, before) in [(Form::Toml, "mcp_servers", TOML), (Form::Json, "mcpServers", JSONC)] {
            let with = edited(form, before, list, Some(&entry("/bin/a"))).unwrap();
            assert_eq!(found(form, &with, list), Some(entry("/bin/a")), "{with}");
            for line in before.lines().map(|line| line.trim().trim_end_matches(',')) {
                assert!(with.contains(line), "{line:?} is gone: {with}");
            }
            let changed = edited(form, &with, list, Some(&entry("/bin/b"))).unwrap();
            assert_eq!(found(form, &changed, list), Some(entry("/bin/b")), "{changed}");
            assert_eq!(changed, with.replace("/bin/a", "/bin/b"));
            assert_eq!(edited(form, &changed, list, Some(&entry("/bin/b"))).unwrap(), changed);
            let without = edited(form, &changed, list, None).unwrap();
            assert_eq!(found(form, &without, list), None);
            for line in before.lines().map(|line| line.trim().trim_end_matches(',')) {
                assert!(without.contains(line), "{line:?} is gone: {without}");
            }
            assert!(!without.contains(NAME), "{without}");
        }
    }

    #[test]
    fn given_no_settings_yet_when_our_server_comes_then_they_are_made() {
        let toml = edited(Form::Toml, "", "mcp_servers", Some(&entry("/bin/a"))).unwrap();
        assert_eq!(toml, "[mcp_servers.tidegate]\nargs = [\"mcp\", \"serve\"]\ncommand = \"/bin/a\"\n");
        let json = edited(Form::Json, "", "servers", Some(&entry("/bin/a"))).unwrap();
        let read: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read, json!({"servers": {"tidegate": entry("/bin/a")}}));
    }

    #[test]
    fn given_what_cannot_be_read_or_is_of_another_form_then_it_is_refused() {
        for (form, text) in [
            (Form::Toml, "a = "),
            (Form::Toml, "mcp = 1"),
            (Form::Json, "{"),
            (Form::Json, "[]"),
            (Form::Json, "{\"mcp\": []}"),
            (Form::Json, "{a: 1}"),
        ] {
            assert!(edited(form, text, "mcp", Some(&entry("/bin/a"))).is_err(), "{text}");
        }
        assert_eq!(edited(Form::Json, "{}", "mcp", None).unwrap(), "{}");
    }
}
