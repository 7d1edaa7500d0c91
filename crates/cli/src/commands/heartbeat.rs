//! `tidegate set heartbeat` and `tidegate unset heartbeat`: rules of connection settings that say how often agents
//! speak, one rule for each target.

use tidegate_api::{HeartbeatSetting, SettingsRequest, SettingsRule, SettingsTarget};

use super::{Context, show};
use crate::failure::Failure;
use crate::lowargs::{SetHeartbeatArgs, UnsetHeartbeatArgs, WhomArgs};
use crate::{render, target};

/// A rule to write: its name, and whom it is for.
struct Aim {
    name: String,
    target: SettingsTarget,
}

pub(super) async fn set(context: &Context, args: &SetHeartbeatArgs) -> Result<(), Failure> {
    let setting = HeartbeatSetting {
        interval_seconds: args.interval.0,
        off: args.interval.0.is_none(),
        force: args.force,
    };
    let mut written = Vec::new();
    for aim in aims(context, &args.whom).await? {
        let before = context.client.settings_rule(&aim.name).await?;
        let revision = before.as_ref().map(|rule| rule.revision);
        let request = SettingsRequest {
            target: aim.target,
            heartbeat: Some(setting),
            ..before.map(|rule| rule.rule).unwrap_or_default()
        };
        written.push(context.client.put_settings(&aim.name, &request, revision).await?);
    }
    show(&written, args.output, || {
        Ok(written.iter().map(|rule| render::settings::line(&rule.name, rule)).collect())
    })
}

pub(super) async fn unset(context: &Context, args: &UnsetHeartbeatArgs) -> Result<(), Failure> {
    for aim in aims(context, &args.whom).await? {
        let Some(SettingsRule { rule, revision, .. }) = context.client.settings_rule(&aim.name).await? else {
            return Err(Failure::Argument(format!(
                "no heartbeat was set for that (there is no rule {}); see tidegate get settings",
                aim.name
            )));
        };
        let rest = SettingsRequest { heartbeat: None, ..rule };
        let nothing = SettingsRequest {
            target: rest.target.clone(),
            priority: rest.priority,
            ..SettingsRequest::default()
        };
        if rest == nothing {
            context.client.delete_settings(&aim.name, revision).await?;
        } else {
            context.client.put_settings(&aim.name, &rest, Some(revision)).await?;
        }
        crate::output::data(&format!("{}: unset\n", aim.name))?;
    }
    Ok(())
}

/// The rules that the flags name. Every agent is found before the first rule is written.
async fn aims(context: &Context, whom: &WhomArgs) -> Result<Vec<Aim>, Failure> {
    if whom.all {
        let target = SettingsTarget { all: true, ..SettingsTarget::default() };
        return Ok(vec![Aim { name: "heartbeat-all".into(), target }]);
    }
    if let Some(query) = &whom.query {
        let target = SettingsTarget { q: Some(query.clone()), ..SettingsTarget::default() };
        return Ok(vec![Aim { name: format!("heartbeat-q-{:016x}", fingerprint(query)), target }]);
    }
    let agents = target::find_all(&context.client, &whom.agents).await?;
    let aim = |agent: target::Target| Aim {
        name: format!("heartbeat-{}", agent.uid),
        target: SettingsTarget { agent: Some(agent.uid), ..SettingsTarget::default() },
    };
    Ok(agents.into_iter().map(aim).collect())
}

/// Names a query, the same in every version: FNV-1a of its bytes.
fn fingerprint(query: &str) -> u64 {
    query.trim().bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_queries_when_named_then_the_name_is_the_one_it_always_was() {
        assert_eq!(fingerprint(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fingerprint(" a\n"), fingerprint("a"));
    }
}
