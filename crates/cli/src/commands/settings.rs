//! `tidegate get settings`, `tidegate set settings` and `tidegate delete settings`.

use tidegate_api::SettingsRequest;

use super::{Context, show};
use crate::failure::Failure;
use crate::lowargs::{DeleteSettingsArgs, GetSettingsArgs, ListOutput, SetSettingsArgs};
use crate::render::settings::{line, names, table};
use crate::render::structured;
use crate::render::table::Look;
use crate::{files, output};

/// Largest rule that is read from a file, in bytes.
const MAX_RULE: u64 = 4 * 1024 * 1024;

pub(super) async fn get(context: &Context, args: &GetSettingsArgs) -> Result<(), Failure> {
    let list = context.client.settings_rules().await?;
    let look = Look { colour: context.terminal.colour, no_headers: args.no_headers };
    if list.items.is_empty() && matches!(args.output, ListOutput::Table | ListOutput::Wide) {
        context.talk.say("There are no rules; every agent keeps its own connection settings.");
        return Ok(());
    }
    output::data(&match args.output {
        ListOutput::Table | ListOutput::Wide => table(&list.items, look),
        ListOutput::Json => structured::json(&list)?,
        ListOutput::Ndjson => list.items.iter().map(structured::json_line).collect::<Result<String, _>>()?,
        ListOutput::Yaml => structured::yaml(&list)?,
        ListOutput::Name => names(&list.items),
    })
}

pub(super) async fn set(context: &Context, args: &SetSettingsArgs) -> Result<(), Failure> {
    let text = files::read_text(&args.file, MAX_RULE)?;
    let request: SettingsRequest = serde_saphyr::from_str(&text)
        .map_err(|error| Failure::Argument(format!("{}: {error}", args.file.display())))?;
    let revision = context.client.settings_rule(&args.name).await?.map(|rule| rule.revision);
    let rule = context.client.put_settings(&args.name, &request, revision).await?;
    for warning in &rule.warnings {
        context.talk.say(&format!("warning: {}: {}", warning.pointer, warning.message));
    }
    show(&rule, args.output, || Ok(line(&rule.name, &rule)))
}

pub(super) async fn delete(context: &Context, args: &DeleteSettingsArgs) -> Result<(), Failure> {
    for name in &args.names {
        let Some(rule) = context.client.settings_rule(name).await? else {
            return Err(Failure::Argument(format!("there is no rule {name}; see tidegate get settings")));
        };
        context.client.delete_settings(name, rule.revision).await?;
        output::data(&format!("{}: deleted\n", rule.name))?;
    }
    Ok(())
}
