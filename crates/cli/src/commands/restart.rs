//! `tidegate restart agent`, for agents by name.

use tidegate_api::client::ClientError;
use tidegate_api::{Command, CommandRequest, Timestamp};

use super::{Context, outcome, show};
use crate::failure::Failure;
use crate::lowargs::RestartArgs;
use crate::poll::Poll;
use crate::render::commands::line;
use crate::sanitise;
use crate::target::{self, Target};

pub(super) async fn run(context: &Context, args: &RestartArgs) -> Result<(), Failure> {
    if let Some(query) = &args.query {
        return super::restart_query::run(context, args, query).await;
    }
    // Every agent is found before the first one is restarted.
    let targets = target::find_all(&context.client, &args.agents).await?;
    let deadline_seconds = (!args.no_wait).then(|| super::send::whole_seconds(args.timeout));
    let request = CommandRequest::Restart { deadline_seconds };
    let mut commands = Vec::with_capacity(targets.len());
    for target in &targets {
        commands.push((target.name.clone(), queue(context, target, &request, targets.len()).await?));
    }
    if args.no_wait {
        return queued(context, args, &commands);
    }
    wait(context, args, &mut commands).await?;
    let plain: Vec<&Command> = commands.iter().map(|(_, command)| command).collect();
    show(&plain, args.output, || {
        Ok(commands.iter().map(|(name, c)| line(name, &c.agent, &c.state, &c.reason)).collect())
    })?;
    outcome::of_commands(&commands, args.timeout)
}

/// The end without a wait: the ids of what was queued, and what was refused.
fn queued(context: &Context, args: &RestartArgs, commands: &[(String, Command)]) -> Result<(), Failure> {
    let (refused, queued): (Vec<_>, Vec<_>) = commands.iter().partition(|(_, command)| command.id.is_empty());
    let plain: Vec<&Command> = commands.iter().map(|(_, command)| command).collect();
    show(&plain, args.output, || {
        Ok(queued.iter().map(|(_, command)| format!("{}\n", sanitise::line(&command.id))).collect())
    })?;
    for (name, command) in &refused {
        context.talk.say(line(name, &command.agent, &command.state, &command.reason).trim_end());
    }
    outcome::of_counts(outcome::count(queued.len()), outcome::count(commands.len()), "agents")
}

/// Queues one restart. Among several, a refusal is the result of that agent and stops no other.
async fn queue(
    context: &Context,
    target: &Target,
    request: &CommandRequest,
    count: usize,
) -> Result<Command, Failure> {
    match context.client.send_command(&target.uid, request).await {
        Ok(command) => Ok(command),
        Err(ClientError::Refused(problem)) if count > 1 && !matches!(problem.status, 401 | 403) => {
            Ok(refusal(target, problem.detail))
        }
        Err(error) => Err(error.into()),
    }
}

/// Stands for a command that the server did not take: it has no id.
fn refusal(target: &Target, reason: String) -> Command {
    let now = Timestamp::now();
    Command {
        id: String::new(),
        agent: target.uid.clone(),
        kind: "restart".into(),
        capability: None,
        message_type: None,
        state: "failed".into(),
        ended: true,
        reason,
        actor: String::new(),
        created_at: now,
        deadline: now,
        sent_at: None,
        finished_at: Some(now),
        answer: None,
    }
}

async fn wait(
    context: &Context,
    args: &RestartArgs,
    commands: &mut [(String, Command)],
) -> Result<(), Failure> {
    let mut poll = Poll::new(args.timeout);
    let mut progress = context.talk.progress();
    loop {
        progress.show(&standing(commands));
        if commands.iter().all(|(_, command)| command.ended) || !poll.again().await {
            return Ok(());
        }
        for (_, command) in commands.iter_mut().filter(|(_, command)| !command.ended) {
            if let Some(news) = poll.heard(context.client.command(&command.id).await)? {
                *command = news;
            }
        }
    }
}

/// The counts in one line, such as `3 agents: 1 succeeded, 2 sent …`.
fn standing(commands: &[(String, Command)]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for (_, command) in commands {
        match counts.iter_mut().find(|(state, _)| *state == command.state) {
            Some((_, count)) => *count += 1,
            None => counts.push((&command.state, 1)),
        }
    }
    let counts: Vec<String> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let agents = if commands.len() == 1 { "agent" } else { "agents" };
    let dots = if commands.iter().all(|(_, command)| command.ended) { "" } else { " …" };
    format!("{} {agents}: {}{dots}", commands.len(), counts.join(", "))
}
