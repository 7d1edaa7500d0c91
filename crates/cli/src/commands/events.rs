//! `tidegate events`.

use std::collections::BTreeMap;

use std::time::Duration;

use tidegate_api::client::{Client, Watch};
use tidegate_api::{Event, List, Total, WatchEvent};
use tokio::time::sleep;

use super::Context;
use crate::failure::Failure;
use crate::lowargs::{EventsArgs, EventsOutput};
use crate::output;
use crate::poll::is_passing;
use crate::render::{events, structured};

/// How far back the recent past reaches, in events of the agents that match.
const RECENT: u32 = 500;

/// Pause before a broken stream is opened anew, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

pub(super) async fn run(context: &Context, args: &EventsArgs) -> Result<(), Failure> {
    let (watch, past) = recent(&context.client, &args.query, args.follow).await?;
    let Some(watch) = watch else {
        return list(context, args, past);
    };
    if args.output == EventsOutput::Table {
        output::data(&events::header())?;
    }
    let mut follower = Follower { context, args, last: None };
    for event in &past {
        follower.print(event)?;
    }
    follower.follow(watch).await
}

fn list(context: &Context, args: &EventsArgs, past: Vec<Event>) -> Result<(), Failure> {
    if args.output == EventsOutput::Json {
        let total = Total { value: u64::try_from(past.len()).unwrap_or(u64::MAX), exact: false };
        return output::data(&structured::json(&List {
            items: past,
            next_cursor: None,
            total,
            facets: BTreeMap::new(),
        })?);
    }
    if past.is_empty() {
        context.talk.say("There are no recent events.");
        return Ok(());
    }
    let lines: String = past.iter().map(events::line).collect();
    output::data(&(events::header() + &lines))
}

/// The recent past, and the stream that goes on from there.
async fn recent(client: &Client, q: &str, follow: bool) -> Result<(Option<Watch>, Vec<Event>), Failure> {
    let past = client.events(q, RECENT).await?.items;
    if !follow {
        return Ok((None, past));
    }
    let after = past.last().map(|event| event.number.to_string());
    Ok((Some(client.watch(q, &["events"], after.as_deref()).await?), past))
}

/// Prints a stream for as long as someone reads it.
struct Follower<'a> {
    context: &'a Context,
    args: &'a EventsArgs,
    last: Option<u64>,
}

impl Follower<'_> {
    async fn follow(&mut self, mut watch: Watch) -> Result<(), Failure> {
        loop {
            let why = self.drain(&mut watch).await?;
            let last =
                watch.last_id().map(str::to_owned).or_else(|| self.last.map(|number| number.to_string()));
            watch = self.reopen(&why, last.as_deref()).await?;
        }
    }

    /// Prints until the stream breaks; says why it did.
    async fn drain(&mut self, watch: &mut Watch) -> Result<String, Failure> {
        loop {
            match watch.next().await {
                Ok(Some(WatchEvent::Happened(event))) => self.print(&event)?,
                Ok(Some(WatchEvent::Resync)) => {
                    self.context.talk.say("some events were missed: the server no longer has them");
                }
                Ok(Some(_)) => {}
                Ok(None) => return Ok("the server ended the stream".into()),
                Err(error) => return Ok(error.to_string()),
            }
        }
    }

    /// Opens the stream anew, for as long as only the network or the server is in the way.
    async fn reopen(&self, why: &str, last: Option<&str>) -> Result<Watch, Failure> {
        let place = last.map_or_else(String::new, |last| format!(" after event {last}"));
        self.context.talk.say(&format!("{why}; reconnecting{place} …"));
        let (mut pause, longest) = PAUSES;
        loop {
            sleep(pause).await;
            match self.context.client.watch(&self.args.query, &["events"], last).await {
                Ok(watch) => {
                    self.context.talk.say("reconnected");
                    return Ok(watch);
                }
                Err(error) if !is_passing(&error) => return Err(error.into()),
                Err(_) => pause = (pause * 2).min(longest),
            }
        }
    }

    /// Prints an event once.
    fn print(&mut self, event: &Event) -> Result<(), Failure> {
        if self.last.is_some_and(|last| event.number <= last) {
            return Ok(());
        }
        self.last = Some(event.number);
        output::data(&match self.args.output {
            EventsOutput::Table => events::line(event),
            EventsOutput::Json => structured::json_line(event)?,
        })
    }
}
