//! `tidegate label agents`.

use std::collections::BTreeMap;

use tidegate_api::{BulkAction, BulkRequest, Operation};

use super::confirm::{Act, agents, confirm};
use super::{Context, outcome, show};
use crate::failure::Failure;
use crate::lowargs::LabelArgs;
use crate::sanitise;
use crate::target;

pub(super) async fn run(context: &Context, args: LabelArgs) -> Result<(), Failure> {
    let (names, labels) = split(&args)?;
    let (q, expected_count) = match &args.query {
        Some(query) => {
            let count = context.client.list_agents(query, None, 1).await?.total.value;
            if count == 0 {
                return Err(Failure::NoMatch { q: query.clone() });
            }
            let act = Act { verb: "label", done: "labelled", query, count, yes: args.yes || args.dry_run };
            confirm(context, &act).await?;
            (query.clone(), count)
        }
        None => {
            let mut uids = Vec::new();
            for name in &names {
                uids.push(target::find(&context.client, name).await?.uid);
            }
            uids.sort_unstable();
            uids.dedup();
            (format!("uid:{}", uids.join(",")), u64::try_from(uids.len()).unwrap_or(u64::MAX))
        }
    };
    let request = BulkRequest { q, expected_count, tolerance: 0, action: BulkAction::Label { labels } };
    let operation = context.client.bulk(&request, args.dry_run).await?;
    show(&operation, args.output, || Ok(text(&operation, args.dry_run)))?;
    outcome::of_counts(operation.succeeded, operation.total, "agents")
}

type Labels = BTreeMap<String, Option<String>>;

/// Tells names from changes.
fn split(args: &LabelArgs) -> Result<(Vec<&str>, Labels), Failure> {
    let (mut names, mut labels) = (Vec::new(), Labels::new());
    for argument in &args.arguments {
        let (key, value) = match (argument.split_once('='), argument.strip_suffix('-')) {
            (Some((key, value)), _) => (key, Some(value.to_owned())),
            (None, Some(key)) => (key, None),
            (None, None) => {
                names.push(argument.as_str());
                continue;
            }
        };
        if labels.insert(key.to_owned(), value).is_some() {
            return Err(Failure::Argument(format!("the label {key:?} is given twice")));
        }
    }
    let wrong = match (labels.is_empty(), &args.query, names.is_empty()) {
        (true, ..) => "say what to change: KEY=VALUE sets a label, KEY- removes it",
        (false, None, true) => "name the agents, or say with -q QUERY which",
        (false, Some(_), false) => "give either names or -q QUERY",
        _ => return Ok((names, labels)),
    };
    Err(Failure::Argument(wrong.into()))
}

fn text(operation: &Operation, dry_run: bool) -> String {
    let would = if dry_run { "would be " } else { "" };
    let mut text = format!("{} {would}labelled\n", agents(operation.succeeded));
    for target in operation.targets.iter().filter(|target| target.outcome != "succeeded") {
        let (name, reason) = (sanitise::line(&target.name), sanitise::line(&target.reason));
        text.push_str(&format!("  {name}: {reason}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lowargs::PageOutput;

    fn args(arguments: &[&str], query: Option<&str>) -> LabelArgs {
        LabelArgs {
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            query: query.map(ToOwned::to_owned),
            dry_run: false,
            yes: false,
            output: PageOutput::Text,
        }
    }

    #[test]
    fn given_arguments_when_split_then_names_and_changes_are_told_apart() {
        let given = args(&["web-1", "env=prod", "old-", "web-2", "a=b=c"], None);
        let (names, labels) = split(&given).unwrap();
        assert_eq!(names, ["web-1", "web-2"]);
        let set = |value: &str| Some(value.to_owned());
        let expected = [("a", set("b=c")), ("env", set("prod")), ("old", None)];
        assert_eq!(labels, expected.map(|(key, value)| (key.to_owned(), value)).into());
    }

    #[test]
    fn given_arguments_that_do_not_go_together_when_split_then_it_says_what_is_missing() {
        for (arguments, query, part) in [
            (&["web-1"][..], None, "say what to change"),
            (&["env=prod"], None, "name the agents"),
            (&["web-1", "env=prod"], Some("name:*"), "either names or"),
            (&["web-1", "env=prod", "env-"], None, "twice"),
        ] {
            let given = args(arguments, query);
            let error = split(&given).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
        assert!(split(&args(&["env=prod"], Some("name:*"))).is_ok());
    }
}
