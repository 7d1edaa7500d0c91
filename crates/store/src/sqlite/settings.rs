//! Connection settings, in and out: rules of operators, and what each agent was offered.

use std::collections::HashMap;

use prost::Message;
use rusqlite::{Connection, Row, params};
use tidegate_fleet::Agent;
use tidegate_fleet::settings::{
    Heartbeat, HeartbeatSetting, Held, Offered, OfferedOpamp, Record, Rule, RuleName, Selector, Settings,
    Target,
};
use tidegate_opamp::{ConnectionSettingsOffers, InstanceUid};

use super::codec::{self, damaged, signed, time};
use super::rows::rows;

const fn seconds(interval: Heartbeat) -> u32 {
    match interval {
        Heartbeat::Every(seconds) => seconds,
        Heartbeat::Off => 0,
    }
}

const fn interval(seconds: u32) -> Heartbeat {
    match seconds {
        0 => Heartbeat::Off,
        seconds => Heartbeat::Every(seconds),
    }
}

pub(super) fn write_rule(connection: &Connection, rule: &Rule) -> rusqlite::Result<()> {
    let (target, query, agent) = match &rule.target {
        Target::Fleet => ("fleet", None, None),
        Target::Selector(selector) => ("selector", Some(&selector.text), None),
        Target::Agent(uid) => ("agent", None, Some(uid.as_bytes())),
    };
    let Settings { heartbeat, opamp, own: [own_metrics, own_traces, own_logs], other } =
        rule.settings.clone();
    let settings = ConnectionSettingsOffers {
        opamp,
        own_metrics,
        own_traces,
        own_logs,
        other_connections: other,
        ..ConnectionSettingsOffers::default()
    };
    connection
        .prepare_cached(
            "REPLACE INTO connection_settings
               (name, target, query, agent, priority, interval, force, settings, actor, at, revision)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            rule.name.as_str(),
            target,
            query,
            agent,
            rule.priority,
            heartbeat.map(|heartbeat| seconds(heartbeat.interval)),
            heartbeat.is_some_and(|heartbeat| heartbeat.force),
            settings.encode_to_vec(),
            rule.actor,
            signed(rule.at.0),
            signed(rule.revision),
        ])?;
    Ok(())
}

pub(super) fn remove_rule(connection: &Connection, name: &RuleName) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM connection_settings WHERE name = ?1")?.execute([name.as_str()])?;
    Ok(())
}

pub(super) fn rules(connection: &Connection) -> rusqlite::Result<Vec<Rule>> {
    let statement =
        "SELECT name, target, query, agent, priority, interval, force, settings, actor, at, revision
        FROM connection_settings ORDER BY name";
    rows(connection, statement, [], |row| {
        let target = match row.get_ref(1)?.as_str()? {
            "agent" => Target::Agent(codec::uid(3, row.get_ref(3)?.as_blob()?)?),
            "selector" => Target::Selector(
                Selector::parse(row.get_ref(2)?.as_str()?).map_err(|error| damaged(2, &error.to_string()))?,
            ),
            _ => Target::Fleet,
        };
        let force = row.get(6)?;
        let heartbeat = row
            .get::<_, Option<u32>>(5)?
            .map(|seconds| HeartbeatSetting { interval: interval(seconds), force });
        let settings: ConnectionSettingsOffers = codec::message(7, row.get_ref(7)?.as_blob()?)?;
        Ok(Rule {
            name: RuleName::parse(row.get_ref(0)?.as_str()?)
                .ok_or_else(|| damaged(0, "no name of a rule"))?,
            target,
            priority: row.get(4)?,
            settings: Settings {
                heartbeat,
                opamp: settings.opamp,
                own: [settings.own_metrics, settings.own_traces, settings.own_logs],
                other: settings.other_connections,
            },
            actor: row.get(8)?,
            at: time(row.get(9)?),
            revision: row.get::<_, i64>(10)?.cast_unsigned(),
        })
    })
}

/// Writes what an agent was offered, where it was.
pub(super) fn write_record(connection: &Connection, agent: &Agent) -> rusqlite::Result<()> {
    let Some(Held { record, .. }) = agent.settings.as_deref().filter(|held| held.record != Record::default())
    else {
        return Ok(());
    };
    let offered = record.offered.as_ref();
    let opamp = offered.and_then(|offered| offered.opamp.as_ref());
    connection
        .prepare_cached(
            "REPLACE INTO agent_settings
               (agent, hash, offered_at, opamp_hash, opamp_at, opamp_interval, moved_to, own_told, in_force)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            agent.uid.as_bytes(),
            offered.map(|offered| offered.hash),
            offered.map(|offered| signed(offered.at.0)),
            opamp.map(|opamp| opamp.hash),
            opamp.map(|opamp| signed(opamp.at.0)),
            opamp.map(|opamp| seconds(opamp.interval)),
            opamp.and_then(|opamp| opamp.moved_to.as_deref()),
            record.own_told,
            record.in_force.map(seconds),
        ])?;
    Ok(())
}

/// What agents were offered, by uid.
pub(super) fn records(connection: &Connection) -> rusqlite::Result<HashMap<InstanceUid, Record>> {
    let statement =
        "SELECT agent, hash, offered_at, opamp_hash, opamp_at, opamp_interval, moved_to, own_told, in_force
        FROM agent_settings";
    let read = |row: &Row<'_>| {
        let opamp = match row.get::<_, Option<[u8; 32]>>(3)? {
            Some(hash) => Some(OfferedOpamp {
                hash,
                at: time(row.get(4)?),
                interval: interval(row.get(5)?),
                moved_to: row.get::<_, Option<String>>(6)?.map(Into::into),
            }),
            None => None,
        };
        let offered = match row.get::<_, Option<[u8; 32]>>(1)? {
            Some(hash) => Some(Offered { hash, at: time(row.get(2)?), opamp }),
            None => None,
        };
        let in_force = row.get::<_, Option<u32>>(8)?.map(interval);
        Ok((codec::uid(0, row.get_ref(0)?.as_blob()?)?, Record { offered, own_told: row.get(7)?, in_force }))
    };
    Ok(rows(connection, statement, [], read)?.into_iter().collect())
}
