//! `tidegate get schemas` and `tidegate get schema`.

use serde_json::{Value, json};
use tidegate_api::{PluginSchema, PushFile, Timestamp};
use tidegate_fluent::Diagnostic;
use tidegate_fluent::schema::{Schema, check_files};

use super::{Context, push_files, show};
use crate::failure::Failure;
use crate::lowargs::{GetSchemaArgs, GetSchemasArgs, ListOutput, PageOutput};
use crate::render::schemas::{names, plugin, plugins, table};
use crate::render::structured;
use crate::render::table::Look;
use crate::{output, sanitise};

/// Fewest hex digits that stand for the start of a hash.
const MIN_PREFIX: usize = 4;

pub(super) async fn list(context: &Context, args: &GetSchemasArgs) -> Result<(), Failure> {
    let list = context.client.schemas().await?;
    let look = Look { colour: context.terminal.colour, no_headers: args.no_headers };
    if list.items.is_empty() && matches!(args.output, ListOutput::Table | ListOutput::Wide) {
        context
            .talk
            .say("There are no schemas yet; an agent of each build is asked for one when it connects.");
        return Ok(());
    }
    output::data(&match args.output {
        ListOutput::Table | ListOutput::Wide => table(&list.items, look, Timestamp::now()),
        ListOutput::Json => structured::json(&list)?,
        ListOutput::Ndjson => list.items.iter().map(structured::json_line).collect::<Result<String, _>>()?,
        ListOutput::Yaml => structured::yaml(&list)?,
        ListOutput::Name => names(&list.items),
    })
}

/// The schema that a version or the beginning of a hash means, with its document.
async fn fetch(context: &Context, text: &str) -> Result<(Schema, Vec<u8>), Failure> {
    let list = context.client.schemas().await?;
    let hash = find(&list.items, text)?;
    let document = context.client.schema(hash).await?;
    let schema = Schema::read(&document)
        .map_err(|error| Failure::Argument(format!("the server's schema {hash} cannot be read: {error}")))?;
    Ok((schema, document))
}

/// Checks files against the schema of a build; the first is the main one. Only what cannot be read at all is a failure:
/// a build may take more than it tells of.
pub(super) async fn validate(
    context: &Context,
    files: &[PushFile],
    text: &str,
    output: PageOutput,
) -> Result<(), Failure> {
    let (schema, _) = fetch(context, text).await?;
    let named: Vec<_> = files.iter().map(|file| (file.name.as_str(), file.body.as_str())).collect();
    let mut found = push_files::check(files);
    found.extend(check_files(&named, &schema));
    let errors = found.iter().filter(|finding| finding.is_error()).count();
    let told: Vec<_> = found.iter().map(finding).collect();
    show(&told, output, || {
        let lines: String =
            found.iter().map(|finding| format!("{}\n", sanitise::line(&finding.to_string()))).collect();
        let build = sanitise::cell(&schema.version, 64);
        Ok(if lines.is_empty() { format!("nothing is wrong with the config for {build}\n") } else { lines })
    })?;
    if errors > 0 { Err(Failure::NotAccepted { proof: "readable".to_owned() }) } else { Ok(()) }
}

fn finding(found: &Diagnostic) -> Value {
    json!({
        "severity": if found.is_error() { "error" } else { "warning" },
        "file": found.file,
        "line": found.position.map(|position| position.line),
        "column": found.position.map(|position| position.column),
        "message": found.message,
        "fix": found.fix,
    })
}

pub(super) async fn one(context: &Context, args: &GetSchemaArgs) -> Result<(), Failure> {
    let (schema, document) = fetch(context, &args.schema).await?;
    let look = Look { colour: context.terminal.colour, no_headers: args.no_headers };
    if let Some(name) = &args.plugin
        && schema.named(name).next().is_none()
    {
        return Err(Failure::Argument(format!(
            "the schema {} has no plugin {name:?}; tidegate get schema {} lists them",
            args.schema, args.schema
        )));
    }
    output::data(&match (args.output, &args.plugin) {
        (PageOutput::Text, None) => plugins(&schema, look),
        (PageOutput::Text, Some(name)) => plugin(&schema, name, look),
        (PageOutput::Json, None) => structured::json(&parsed(&document)?)?,
        (PageOutput::Json, Some(name)) => structured::json(&narrowed(&document, name)?)?,
        (PageOutput::Yaml, None) => structured::yaml(&parsed(&document)?)?,
        (PageOutput::Yaml, Some(name)) => structured::yaml(&narrowed(&document, name)?)?,
    })
}

/// The hash of the schema that a version or the beginning of a hash means.
fn find<'a>(schemas: &'a [PluginSchema], text: &str) -> Result<&'a str, Failure> {
    let wanted = text.to_ascii_lowercase();
    let begins = |schema: &PluginSchema| wanted.len() >= MIN_PREFIX && schema.hash.starts_with(&wanted);
    let found: Vec<_> = schemas.iter().filter(|schema| schema.version == text || begins(schema)).collect();
    match found[..] {
        [one] => Ok(&one.hash),
        [] => Err(Failure::Argument(format!("there is no schema {text:?}; tidegate get schemas lists them"))),
        _ => {
            let hashes: Vec<_> =
                found.iter().take(10).map(|schema| schema.hash.get(..12).unwrap_or(&schema.hash)).collect();
            let hashes = hashes.join(", ");
            Err(Failure::Argument(format!("{text:?} names more than one schema: {hashes}; use one's hash")))
        }
    }
}

fn parsed(document: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(document).map_err(|error| Failure::Encode(error.to_string()))
}

/// The document with the plugins of one name alone.
fn narrowed(document: &[u8], name: &str) -> Result<Value, Failure> {
    let mut document = parsed(document)?;
    let same = |plugin: &Value| plugin["name"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(name));
    if let Some(groups) = document.as_object_mut() {
        groups.retain(|_, group| match group {
            Value::Array(plugins) => {
                plugins.retain(same);
                !plugins.is_empty()
            }
            _ => true,
        });
    }
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(hash: &str, version: &str) -> PluginSchema {
        PluginSchema {
            hash: hash.repeat(16),
            kind: "fluent-bit".into(),
            version: version.into(),
            plugins: 1,
            bytes: 1,
            since: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn given_what_was_typed_when_looked_up_then_a_version_or_the_start_of_a_hash_names_one_schema() {
        let schemas = [schema("abcd", "5.1.1"), schema("abce", "5.1.1"), schema("5000", "4.0.0")];
        for (text, expected) in [
            ("4.0.0", Ok(2)),
            ("ABCE", Ok(1)),
            (&"abcd".repeat(16), Ok(0)),
            ("abc", Err("there is no schema")),
            ("5.1.1", Err("more than one schema: abcdabcdabcd, abceabceabce")),
            ("5.1", Err("there is no schema")),
            ("", Err("there is no schema")),
        ] {
            match (find(&schemas, text), expected) {
                (Ok(hash), Ok(index)) => assert_eq!(hash, schemas[index].hash, "{text}"),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{text}: {error}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
