//! Rows going in.
//!
//! Rows that are written often are changed in place: `REPLACE` would delete and insert them, with their entries in every
//! index, and keep a copy of each page that it touches until it is done.

use std::sync::Arc;

use prost::Message;
use rusqlite::{Connection, params};
use tidegate_fleet::agent::Assignment;
use tidegate_fleet::{Agent, AuditEntry, Command, CommandKind, Config, Push};
use tidegate_opamp::InstanceUid;

use super::codec::{self, signed};
use super::hashes::Hashes;
use super::{aside, settings};
use crate::{StoredEvent, Write};

pub(super) fn write<'a>(
    connection: &Connection,
    hashes: &mut Hashes<'a>,
    revision: i64,
    row: &'a Write,
) -> rusqlite::Result<()> {
    let (kind, key) = match row {
        Write::Agent(row) => {
            agent(connection, hashes, row)?;
            settings::write_record(connection, row)?;
            ("agent", row.uid.to_string())
        }
        Write::Config(row) => {
            config(connection, row)?;
            ("config", row.hash.to_string())
        }
        Write::Assign { agent, config, push, since } => {
            connection
                .prepare_cached(
                    "INSERT INTO assignments (agent, config, push, since) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (agent) DO UPDATE SET config = excluded.config, push = excluded.push,
                       since = excluded.since",
                )?
                .execute(params![agent.as_bytes(), config.0, push.0, signed(since.0)])?;
            ("assignment", agent.to_string())
        }
        Write::Former { agent, former } => return write_former(connection, agent, former.as_deref()),
        Write::Push(row) => {
            push(connection, row)?;
            ("push", row.id.0.clone())
        }
        Write::Command(row) => {
            command(connection, row)?;
            ("command", row.id.0.clone())
        }
        Write::Event(row) => return event(connection, row),
        Write::Labels { agent, labels } => {
            aside::write_labels(connection, agent, labels)?;
            ("labels", agent.to_string())
        }
        Write::Rename(alias) => {
            aside::rename(connection, alias)?;
            ("alias", alias.old.to_string())
        }
        Write::Forget(agent) => {
            aside::forget(connection, agent)?;
            ("agent", agent.to_string())
        }
        Write::SettingsRule(rule) => {
            settings::write_rule(connection, rule)?;
            ("settings", rule.name.to_string())
        }
        Write::RemoveSettingsRule(name) => {
            settings::remove_rule(connection, name)?;
            ("settings", name.to_string())
        }
        Write::Components(known) => return aside::write_components(connection, known),
        Write::Schema(schema) => return aside::write_schema(connection, schema),
        Write::RemoveSchema(hash) => return aside::remove_schema(connection, hash),
        Write::Answered(answer) => return aside::write_answer(connection, answer),
    };
    connection
        .prepare_cached(
            "INSERT INTO changes (revision, kind, key) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute(params![revision, kind, key])?;
    Ok(())
}

fn agent<'a>(connection: &Connection, hashes: &mut Hashes<'a>, agent: &'a Agent) -> rusqlite::Result<()> {
    let effective = match &agent.reported().effective_config {
        Some(fact) => Some(body(connection, hashes, fact.encoded())?),
        None => None,
    };
    let (reported, times) = codec::pack(agent.reported());
    let (link, since) = codec::link(agent.link);
    let times = times.map(|time| time.map(signed));
    connection
        .prepare_cached(
            "INSERT INTO agents (uid, host_credential, first_seen, last_seen, sequence_num, capabilities, link, link_since,
               reported, effective_body, at_description, at_health, at_effective, at_config, at_packages, at_custom,
               at_components, at_connection)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
             ON CONFLICT (uid) DO UPDATE SET host_credential = excluded.host_credential,
               first_seen = excluded.first_seen, last_seen = excluded.last_seen,
               sequence_num = excluded.sequence_num, capabilities = excluded.capabilities,
               link = excluded.link, link_since = excluded.link_since, reported = excluded.reported,
               effective_body = excluded.effective_body, at_description = excluded.at_description,
               at_health = excluded.at_health, at_effective = excluded.at_effective,
               at_config = excluded.at_config, at_packages = excluded.at_packages,
               at_custom = excluded.at_custom, at_components = excluded.at_components,
               at_connection = excluded.at_connection",
        )?
        .execute(params![
            agent.uid.as_bytes(),
            agent.host_credential,
            signed(agent.first_seen.0),
            signed(agent.last_seen.0),
            codec::sequence(agent.sequence).map(signed),
            signed(agent.capabilities.0),
            link,
            signed(since.0),
            reported,
            effective,
            times[0],
            times[1],
            times[2],
            times[3],
            times[4],
            times[5],
            times[6],
            times[7],
        ])?;
    Ok(())
}

/// Stores a body once and returns its hash.
fn body<'a>(
    connection: &Connection,
    hashes: &mut Hashes<'a>,
    bytes: &'a Arc<[u8]>,
) -> rusqlite::Result<[u8; 32]> {
    let hash = hashes.of(bytes);
    connection
        .prepare_cached("INSERT INTO bodies (hash, body) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![hash, &bytes[..]])?;
    Ok(hash)
}

fn config(connection: &Connection, config: &Config) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO configs (hash, files, created_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute(params![config.hash.0, config.files.encode_to_vec(), signed(config.created_at.0)])?;
    Ok(())
}

fn write_former(
    connection: &Connection,
    agent: &InstanceUid,
    former: Option<&Assignment>,
) -> rusqlite::Result<()> {
    let Some(former) = former else {
        let statement = "DELETE FROM former_configs WHERE agent = ?1";
        return connection.prepare_cached(statement)?.execute([agent.as_bytes()]).map(|_| ());
    };
    connection
        .prepare_cached(
            "INSERT INTO former_configs (agent, config, push, since) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (agent) DO UPDATE SET config = excluded.config, push = excluded.push,
               since = excluded.since",
        )?
        .execute(params![agent.as_bytes(), former.config.hash.0, former.push.0, signed(former.since.0)])?;
    Ok(())
}

fn push(connection: &Connection, push: &Push) -> rusqlite::Result<()> {
    let targets: Vec<u8> = push.targets.iter().flat_map(|uid| *uid.as_bytes()).collect();
    connection
        .prepare_cached(
            "REPLACE INTO pushes (id, config, query, actor, at, targets, origin, origin_push)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            push.id.0,
            push.config.0,
            push.query,
            push.actor,
            signed(push.at.0),
            targets,
            codec::origin(&push.origin),
            push.origin.of().map(|of| &of.0),
        ])?;
    let mut refusal =
        connection.prepare_cached("REPLACE INTO push_refusals (push, agent, reason) VALUES (?1, ?2, ?3)")?;
    for (agent, reason) in &push.refused {
        refusal.execute(params![push.id.0, agent.as_bytes(), reason])?;
    }
    Ok(())
}

/// A command only moves on. What is written behind was copied a moment ago, and may come after a later state of the same
/// command that was committed at once: it must not undo it.
fn command(connection: &Connection, command: &Command) -> rusqlite::Result<()> {
    let (kind, capability, message_type, data, answers) = match &command.kind {
        CommandKind::Restart => ("restart", None, None, None, true),
        CommandKind::Custom { capability, kind, data, answers } => {
            ("custom", Some(capability), Some(kind), Some(&data[..]), *answers)
        }
    };
    let outcome = command.outcome.as_ref();
    connection
        .prepare_cached(
            "INSERT INTO commands (id, agent, kind, capability, type, data, answers, state, actor, created_at, deadline,
               sent_at, start_time, finished_at, answer_type, answer, detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
             ON CONFLICT (id) DO UPDATE SET agent = excluded.agent, state = excluded.state, deadline = excluded.deadline,
               sent_at = excluded.sent_at, start_time = excluded.start_time, finished_at = excluded.finished_at,
               answer_type = excluded.answer_type, answer = excluded.answer, detail = excluded.detail
             WHERE CASE excluded.state WHEN 'queued' THEN 0 WHEN 'sent' THEN 1 WHEN 'acknowledged' THEN 2 ELSE 3 END
               >= CASE commands.state WHEN 'queued' THEN 0 WHEN 'sent' THEN 1 WHEN 'acknowledged' THEN 2 ELSE 3 END",
        )?
        .execute(params![
            command.id.0,
            command.agent.as_bytes(),
            kind,
            capability,
            message_type,
            data,
            answers,
            command.state.as_str(),
            command.actor,
            signed(command.created_at.0),
            signed(command.deadline.0),
            command.sent_at.map(|at| signed(at.0)),
            signed(command.start_time_when_sent),
            command.finished_at.map(|at| signed(at.0)),
            outcome.and_then(|outcome| outcome.answer_kind.as_ref()),
            outcome.and_then(|outcome| outcome.answer.as_deref()),
            outcome.map(|outcome| &outcome.detail),
        ])?;
    Ok(())
}

fn event(connection: &Connection, stored: &StoredEvent) -> rusqlite::Result<()> {
    let event = &stored.event;
    connection
        .prepare_cached(
            "INSERT INTO events (number, at, kind, agent, text) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (number) DO UPDATE SET at = excluded.at, kind = excluded.kind, agent = excluded.agent,
               text = excluded.text",
        )?
        .execute(params![
            signed(stored.number),
            signed(event.at.0),
            event.kind.as_str(),
            event.agent.as_bytes(),
            event.text
        ])?;
    Ok(())
}

pub(super) fn audit(connection: &Connection, entry: &AuditEntry) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO audit (at, actor, face, action, target, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            signed(entry.at.0),
            entry.actor,
            entry.face,
            entry.action,
            entry.target,
            entry.detail
        ])?;
    Ok(())
}
