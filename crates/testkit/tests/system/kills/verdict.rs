//! Whether a server that came back knows everything that the one before acknowledged.

use std::collections::HashMap;

use tidegate_api::client::Client;

use super::ledger::{Ledger, Ordered};

/// Ended commands of one agent that a server is asked for; it keeps 20 of each.
const COMMANDS_OF_AN_AGENT: usize = 15;

/// Asserts it, and begins the next life's record.
pub(super) async fn holds(api: &Client, ledger: &Ledger, place: &str) {
    let pushes = ledger.with(|acts| std::mem::take(&mut acts.pushes));
    // A server keeps the newest hundred in memory.
    for push in pushes.iter().rev().take(90) {
        let found =
            api.push_state(&push.id).await.unwrap_or_else(|error| unreachable!("{place}: {push:?}: {error}"));
        assert_eq!(found.config, push.config, "{place}");
    }
    configs(api, ledger, place).await;
    let commands = ledger.with(|acts| std::mem::take(&mut acts.commands));
    let mut of_agent: HashMap<&str, usize> = HashMap::new();
    for command in commands.iter().rev() {
        let seen = of_agent.entry(&command.agent).or_default();
        *seen += 1;
        if *seen <= COMMANDS_OF_AN_AGENT {
            one_command(api, ledger, command, place).await;
        }
    }
    let twice: Vec<_> = ledger.with(|acts| {
        acts.received.iter().filter(|(_, times)| **times > 1).map(|(id, _)| id.clone()).collect()
    });
    assert!(twice.is_empty(), "{place}: sent twice: {twice:?}");
}

/// Every agent is known, under the last push that was acknowledged for it, with the last status that was.
async fn configs(api: &Client, ledger: &Ledger, place: &str) {
    let known = api.all_agents("").await.unwrap();
    let in_flight = ledger.with(|acts| std::mem::take(&mut acts.push_in_flight));
    let under = ledger.with(|acts| acts.under.clone());
    for (uid, push) in under {
        let agent = known.iter().find(|agent| agent.uid == uid);
        let config = &agent.unwrap_or_else(|| unreachable!("{place}: {uid} is not known")).config;
        let now = config.push.clone().unwrap_or_default();
        if now != push {
            // Ids rise with time: what was in flight is newer than whatever was acknowledged.
            assert!(in_flight && now > push, "{place}: {uid} is under {now}, not under {push}");
            ledger.with(|acts| acts.under.insert(uid.clone(), now));
        }
        let (acknowledged, sent) = ledger
            .with(|acts| (acts.status_acknowledged.get(&uid).cloned(), acts.status_sent.get(&uid).cloned()));
        if let Some(acknowledged) = acknowledged {
            let found = config.acknowledged.as_ref();
            assert!(
                found == Some(&acknowledged) || found == sent.as_ref(),
                "{place}: {uid} has acknowledged {found:?}, not {acknowledged}"
            );
        }
    }
}

async fn one_command(api: &Client, ledger: &Ledger, command: &Ordered, place: &str) {
    let found =
        api.command(&command.id).await.unwrap_or_else(|error| unreachable!("{place}: {command:?}: {error}"));
    let (received, answered) =
        ledger.with(|acts| (acts.received.contains_key(&command.id), acts.answered.contains(&command.id)));
    let state = found.state.as_str();
    if answered {
        let answer = found.answer.map(|answer| answer.data["answer_to"].clone());
        assert_eq!((state, answer), ("succeeded", Some(command.id.as_str().into())), "{place}: {command:?}");
    } else if received {
        assert!(matches!(state, "sent" | "acknowledged" | "succeeded"), "{place}: {command:?} is {state}");
    } else {
        assert!(matches!(state, "queued" | "sent" | "acknowledged"), "{place}: {command:?} is {state}");
    }
}
