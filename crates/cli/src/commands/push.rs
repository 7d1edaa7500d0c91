//! `tidegate push`.

use std::time::Duration;

use tidegate_api::{Push, PushFile, PushRequest, PushWarning};

use super::confirm::{Act, agents, confirm};
use super::{Context, outcome, push_files, show};
use crate::failure::Failure;
use crate::lowargs::{PageOutput, PushArgs};
use crate::poll::Poll;
use crate::render::push::{progress, result, together};
use crate::sanitise;

pub(super) async fn run(context: &Context, args: PushArgs) -> Result<(), Failure> {
    if args.query.trim().is_empty() {
        return Err(Failure::Argument("an empty query names no agents; -q 'name:*' names all".into()));
    }
    let files = push_files::read(&args.files, args.name.as_deref())?;
    check(context, &files, &args)?;
    let count = count(context, &args.query).await?;
    let act = Act { verb: "push to", done: "pushed", query: &args.query, count, yes: args.yes };
    confirm(context, &act).await?;
    let request = PushRequest { q: args.query.clone(), files, expected_count: Some(count) };
    let push = context.client.push(&request).await?;
    for warning in &push.warnings {
        context.talk.say(&schema_warning(warning));
    }
    if args.no_wait {
        context.talk.say(&format!("pushed to {}", agents(push.summary.total)));
        return show(&push, args.output, || Ok(format!("{}\n", sanitise::line(&push.id))));
    }
    finish(context, push, args.timeout, args.output).await
}

/// Follows a push to its end, shows it, and says what may follow where agents failed.
pub(super) async fn finish(
    context: &Context,
    push: Push,
    timeout: Duration,
    output: PageOutput,
) -> Result<(), Failure> {
    context.talk.say(&format!("push {} is on its way", push.id));
    let mut pushes = [push];
    follow(context, timeout, &mut pushes).await?;
    let [push] = pushes;
    show(&push, output, || Ok(result(&push)))?;
    if push.summary.failed > 0 {
        context
            .talk
            .say(&format!("tidegate retry push {} gives it to those that failed once more,", push.id));
        context
            .talk
            .say(&format!("tidegate roll-back push {} gives them what they were given before", push.id));
    }
    outcome::of_pushes(std::slice::from_ref(&push), timeout)
}

/// What the builds of some agents will not understand: the server knows them, and the agents have the last word.
fn schema_warning(warning: &PushWarning) -> String {
    let place = match (warning.line, warning.column) {
        (Some(line), Some(column)) => format!("{}:{line}:{column}", warning.file),
        _ => warning.file.clone(),
    };
    let fix = warning.fix.as_ref().map(|fix| format!(" ({fix})")).unwrap_or_default();
    format!("{place}: warning for {}: {}{fix}", agents(warning.agents), warning.message)
}

/// Tells what is wrong with the config; errors stop the push unless it is forced.
fn check(context: &Context, files: &[PushFile], args: &PushArgs) -> Result<(), Failure> {
    let found = push_files::check(files);
    for finding in &found {
        context.talk.say(&finding.to_string());
    }
    match found.iter().filter(|finding| finding.is_error()).count() {
        errors if errors > 0 && !args.force => Err(Failure::Config { errors }),
        _ => Ok(()),
    }
}

/// How many agents match; the push is refused by the server when it finds another number.
async fn count(context: &Context, q: &str) -> Result<u64, Failure> {
    match context.client.list_agents(q, None, 1).await?.total.value {
        0 => Err(Failure::NoMatch { q: q.to_owned() }),
        count => Ok(count),
    }
}

/// Looks at pushes until every agent has settled, or for so long.
pub(super) async fn follow(context: &Context, timeout: Duration, pushes: &mut [Push]) -> Result<(), Failure> {
    let mut poll = Poll::new(timeout);
    let mut line = context.talk.progress();
    loop {
        let summary = together(pushes);
        line.show(&progress(&summary));
        if summary.is_settled() || !poll.again().await {
            return Ok(());
        }
        for push in pushes.iter_mut().filter(|push| !push.summary.is_settled()) {
            if let Some(news) = poll.heard(context.client.push_state(&push.id).await)? {
                *push = news;
            }
        }
    }
}
