//! Operators, who push and order as fast as they are answered.

use std::sync::Arc;

use serde_json::json;
use tidegate_api::client::Client;
use tidegate_api::{CommandRequest, PushFile, PushRequest};
use tokio::sync::watch;

use super::ledger::{Ledger, Ordered, Pushed};
use super::{Dice, PEERS, peer};

/// What an operator does all the time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Habit {
    Push,
    Command,
}

/// Acts until the server does not answer.
pub(super) async fn act(
    habit: Habit,
    api: Client,
    ledger: Arc<Ledger>,
    mut dice: Dice,
    stopped: watch::Receiver<bool>,
) {
    while !*stopped.borrow() {
        let answered = match habit {
            Habit::Push => push(&api, &ledger, &mut dice).await,
            Habit::Command => command(&api, &ledger, &mut dice).await,
        };
        if !answered {
            return;
        }
    }
}

/// Pushes a config to one agent or to all; false when the server did not answer. One operator pushes at a time, so that the last push is known.
async fn push(api: &Client, ledger: &Ledger, dice: &mut Dice) -> bool {
    let q = match dice.below(3) {
        0 => "name:*".to_owned(),
        _ => format!("uid:{}", some_agent(dice)),
    };
    // Larger than a page now and then.
    let padding = "# padding\n".repeat(usize::try_from(dice.below(2_000)).unwrap());
    let file = PushFile {
        name: "a.yaml".into(),
        content_type: String::new(),
        role: String::new(),
        body: format!("number: {}\n{padding}", dice.below(u64::MAX)),
    };
    ledger.with(|acts| acts.push_in_flight = true);
    let Ok(push) = api.push(&PushRequest { q, files: vec![file], expected_count: None }).await else {
        return false;
    };
    let targets = push.agents.into_iter().map(|agent| agent.uid).collect();
    ledger.pushed(Pushed { id: push.id, config: push.config, targets });
    true
}

/// Orders one agent to do something and to answer; false when the server did not answer.
async fn command(api: &Client, ledger: &Ledger, dice: &mut Dice) -> bool {
    let request = CommandRequest::Custom {
        capability: peer::CHATOPS.into(),
        message_type: "request".into(),
        data: json!({"tag": "run", "attributes": {"number": dice.below(1 << 40)}}),
        deadline_seconds: None,
    };
    let Ok(command) = api.send_command(&some_agent(dice), &request).await else { return false };
    ledger.ordered(Ordered { id: command.id, agent: command.agent });
    // Slower than the agents, so that queues stay short.
    tokio::time::sleep(std::time::Duration::from_millis(dice.below(30))).await;
    true
}

fn some_agent(dice: &mut Dice) -> String {
    peer::uid(u8::try_from(dice.below(PEERS.into())).unwrap()).to_string()
}
