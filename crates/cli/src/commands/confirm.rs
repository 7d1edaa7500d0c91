//! Asking before many agents are touched.

use std::io;

use super::Context;
use crate::failure::Failure;

/// What is about to be done, in the words of the question.
pub(super) struct Act<'a> {
    /// Such as `push to`.
    pub(super) verb: &'a str,
    /// Such as `pushed`.
    pub(super) done: &'a str,
    pub(super) query: &'a str,
    pub(super) count: u64,
    /// It was confirmed on the command line.
    pub(super) yes: bool,
}

/// Asks before more than one agent is touched.
pub(super) async fn confirm(context: &Context, act: &Act<'_>) -> Result<(), Failure> {
    let Act { verb, done, query, count, yes } = act;
    if *yes || *count == 1 {
        return Ok(());
    }
    let agents = agents(*count);
    let mut capital: String = verb.chars().take(1).flat_map(char::to_uppercase).collect();
    capital.extend(verb.chars().skip(1));
    let question = Question {
        text: format!("{capital} the {agents} that match {query:?}?"),
        unasked: format!("{agents} match {query:?}: give --yes to {verb} all of them"),
        done,
    };
    ask(context, &question).await
}

/// What a person is asked.
pub(super) struct Question<'a> {
    /// The question.
    pub(super) text: String,
    /// What is told where there is nobody to ask.
    pub(super) unasked: String,
    /// Such as `pushed`.
    pub(super) done: &'a str,
}

/// Asks a person, and goes on only after a yes.
pub(super) async fn ask(context: &Context, question: &Question<'_>) -> Result<(), Failure> {
    if !context.terminal.can_ask {
        return Err(Failure::Unconfirmed(question.unasked.clone()));
    }
    let answer = answer(context, &format!("{} [y/N] ", question.text)).await?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::Unconfirmed(format!("not confirmed; nothing was {}", question.done))),
    }
}

/// What a person at the terminal types when they are asked.
pub(super) async fn answer(context: &Context, question: &str) -> Result<String, Failure> {
    context.talk.ask(question);
    // Reading from a terminal blocks, and Ctrl-C must be heard meanwhile.
    let answer =
        tokio::task::spawn_blocking(read_answer).await.map_err(|error| Failure::Start(error.into()))?;
    answer.map_err(Failure::Start)
}

fn read_answer() -> io::Result<String> {
    use io::{BufRead as _, Read as _};
    let mut answer = String::new();
    io::stdin().lock().take(64).read_line(&mut answer)?;
    Ok(answer)
}

/// So many agents, in words.
pub(super) fn agents(count: u64) -> String {
    if count == 1 { "1 agent".to_owned() } else { format!("{count} agents") }
}
