//! Rows coming out.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, Row};
use tidegate_fleet::agent::{Assignment, Desired};
use tidegate_fleet::settings::Held;
use tidegate_fleet::{
    AuditEntry, Command, CommandId, CommandKind, CommandState, Config, Event, EventKind, Outcome, Push,
    PushId,
};
use tidegate_opamp::{AgentConfigMap, ConfigHash, InstanceUid};

use super::codec::{self, damaged, signed, time};
use super::rows::rows;
use super::{agents, aside, settings};
use crate::{Change, Revision, Snapshot, StoreError, StoredEvent};

/// Newest rows that a snapshot holds; older ones stay in the store.
const SNAPSHOT_EVENTS: i64 = 10_000;
const SNAPSHOT_ENDED_COMMANDS: i64 = 1_000;
const SNAPSHOT_PUSHES: i64 = 100;

pub(super) fn snapshot(connection: &mut Connection, clean: bool) -> Result<Snapshot, StoreError> {
    let transaction = connection.transaction().map_err(StoreError::read("the snapshot"))?;
    let meta = |key: &str| -> Result<i64, StoreError> {
        transaction
            .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0))
            .map_err(StoreError::read("the revision"))
    };
    let configs = configs(&transaction).map_err(StoreError::read("configs"))?;
    let mut desired = desired(&transaction, &configs).map_err(StoreError::read("assignments"))?;
    let mut agents = agents::all(&transaction, clean).map_err(StoreError::read("agents"))?;
    let mut records = settings::records(&transaction).map_err(StoreError::read("offered settings"))?;
    for agent in &mut agents {
        agent.assign(desired.remove(&agent.uid));
        agent.settings = records.remove(&agent.uid).map(|record| Box::new(Held::stored(record)));
    }
    Ok(Snapshot {
        revision: Revision(meta("revision")?.cast_unsigned()),
        clean,
        agents,
        commands: commands(&transaction).map_err(StoreError::read("commands"))?,
        pushes: pushes(&transaction).map_err(StoreError::read("pushes"))?,
        events: events(&transaction).map_err(StoreError::read("events"))?,
        labels: aside::labels(&transaction).map_err(StoreError::read("labels"))?,
        aliases: aside::aliases(&transaction).map_err(StoreError::read("aliases"))?,
        settings_rules: settings::rules(&transaction).map_err(StoreError::read("connection settings"))?,
        components: aside::components(&transaction).map_err(StoreError::read("components"))?,
        schemas: aside::schemas(&transaction).map_err(StoreError::read("schemas"))?,
    })
}

fn configs(connection: &Connection) -> rusqlite::Result<HashMap<ConfigHash, Config>> {
    let read = |row: &Row<'_>| {
        let hash = codec::hash(0, row.get_ref(0)?.as_blob()?)?;
        let files: AgentConfigMap = codec::message(1, row.get_ref(1)?.as_blob()?)?;
        Ok((hash, Config::stored(hash, files.into(), time(row.get(2)?))))
    };
    Ok(rows(connection, "SELECT hash, files, created_at FROM configs", [], read)?.into_iter().collect())
}

fn desired(
    connection: &Connection,
    configs: &HashMap<ConfigHash, Config>,
) -> rusqlite::Result<HashMap<InstanceUid, Desired>> {
    let mut shared: HashMap<(ConfigHash, String), Arc<Assignment>> = HashMap::new();
    let mut read = |row: &Row<'_>| {
        let agent = codec::uid(0, row.get_ref(0)?.as_blob()?)?;
        let hash = codec::hash(1, row.get_ref(1)?.as_blob()?)?;
        let config =
            configs.get(&hash).cloned().ok_or_else(|| damaged(1, "the assigned config is missing"))?;
        let (push, since) = (PushId(row.get(2)?), time(row.get(3)?));
        // Agents that were given a config together share one assignment.
        let assignment = shared
            .entry((hash, push.0.clone()))
            .or_insert_with(|| Arc::new(Assignment { config, push, since }));
        Ok((agent, Arc::clone(assignment)))
    };
    let assigned = rows(connection, "SELECT agent, config, push, since FROM assignments", [], &mut read)?;
    let formers = rows(connection, "SELECT agent, config, push, since FROM former_configs", [], &mut read)?;
    let mut formers: HashMap<_, _> = formers.into_iter().collect();
    let desired = |(agent, assignment): (InstanceUid, Arc<Assignment>)| {
        (agent, Desired::new(assignment).with_former(formers.remove(&agent)))
    };
    Ok(assigned.into_iter().map(desired).collect())
}

fn commands(connection: &Connection) -> rusqlite::Result<Vec<Command>> {
    let statement = "SELECT id, agent, kind, capability, type, data, answers, state, actor, created_at, deadline, sent_at,
        start_time, finished_at, answer_type, answer, detail FROM commands
        WHERE finished_at IS NULL OR id IN
          (SELECT id FROM commands WHERE finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT ?1)
        ORDER BY created_at, id";
    rows(connection, statement, [SNAPSHOT_ENDED_COMMANDS], |row| {
        let kind = match row.get_ref(2)?.as_str()? {
            "restart" => CommandKind::Restart,
            _ => CommandKind::Custom {
                capability: row.get(3)?,
                kind: row.get(4)?,
                data: row.get::<_, Vec<u8>>(5)?.into(),
                answers: row.get(6)?,
            },
        };
        let word = row.get_ref(7)?.as_str()?;
        let state = CommandState::from_word(word).ok_or_else(|| damaged(7, "unknown state of a command"))?;
        let finished_at = row.get::<_, Option<i64>>(13)?.map(time);
        let outcome = match row.get::<_, Option<String>>(16)? {
            Some(detail) => Some(Outcome {
                state,
                answer_kind: row.get(14)?,
                answer: row.get::<_, Option<Vec<u8>>>(15)?.map(Bytes::from),
                detail,
            }),
            None => None,
        };
        Ok(Command {
            id: CommandId(row.get(0)?),
            agent: codec::uid(1, row.get_ref(1)?.as_blob()?)?,
            kind,
            state,
            actor: row.get(8)?,
            created_at: time(row.get(9)?),
            deadline: time(row.get(10)?),
            sent_at: row.get::<_, Option<i64>>(11)?.map(time),
            start_time_when_sent: row.get::<_, i64>(12)?.cast_unsigned(),
            finished_at,
            outcome,
        })
    })
}

fn pushes(connection: &Connection) -> rusqlite::Result<Vec<Push>> {
    let statement = "SELECT id, config, query, actor, at, targets, origin, origin_push FROM pushes
        ORDER BY at DESC LIMIT ?1";
    let mut pushes = rows(connection, statement, [SNAPSHOT_PUSHES], |row| {
        let targets = row.get_ref(5)?.as_blob()?;
        Ok(Push {
            id: PushId(row.get(0)?),
            config: codec::hash(1, row.get_ref(1)?.as_blob()?)?,
            query: row.get(2)?,
            actor: row.get(3)?,
            at: time(row.get(4)?),
            targets: targets.chunks(16).map(|bytes| codec::uid(5, bytes)).collect::<Result<_, _>>()?,
            refused: Vec::new(),
            origin: codec::read_origin(row, 6)?,
        })
    })?;
    for push in &mut pushes {
        let refusals = "SELECT agent, reason FROM push_refusals WHERE push = ?1";
        push.refused = rows(connection, refusals, [&push.id.0], |row| {
            Ok((codec::uid(0, row.get_ref(0)?.as_blob()?)?, row.get(1)?))
        })?;
    }
    Ok(pushes)
}

fn events(connection: &Connection) -> rusqlite::Result<Vec<StoredEvent>> {
    let statement = "SELECT number, at, kind, agent, text FROM events ORDER BY number DESC LIMIT ?1";
    let mut events = rows(connection, statement, [SNAPSHOT_EVENTS], |row| {
        let kind = row.get_ref(2)?.as_str()?;
        Ok(StoredEvent {
            number: row.get::<_, i64>(0)?.cast_unsigned(),
            event: Event {
                at: time(row.get(1)?),
                kind: EventKind::from_word(kind).ok_or_else(|| damaged(2, "unknown kind of event"))?,
                agent: codec::uid(3, row.get_ref(3)?.as_blob()?)?,
                text: row.get(4)?,
            },
        })
    })?;
    events.reverse();
    Ok(events)
}

pub(super) fn changes_since(
    connection: &Connection,
    revision: Revision,
    limit: usize,
) -> Result<Option<Vec<Change>>, StoreError> {
    let failed = || StoreError::read("changes");
    let oldest: Option<i64> =
        connection.query_row("SELECT min(revision) FROM changes", [], |row| row.get(0)).map_err(failed())?;
    if oldest.is_some_and(|oldest| oldest.cast_unsigned() > revision.0 + 1) {
        return Ok(None);
    }
    let statement = "SELECT revision, kind, key FROM changes WHERE revision > ?1 ORDER BY revision LIMIT ?2";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let read = |row: &Row<'_>| {
        let revision = Revision(row.get::<_, i64>(0)?.cast_unsigned());
        Ok(Change { revision, kind: row.get(1)?, key: row.get(2)? })
    };
    rows(connection, statement, (signed(revision.0), limit), read).map(Some).map_err(failed())
}

pub(super) fn audit(connection: &Connection, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
    let statement = "SELECT at, actor, face, action, target, detail FROM audit ORDER BY number DESC LIMIT ?1";
    let read = |row: &Row<'_>| {
        Ok(AuditEntry {
            at: time(row.get(0)?),
            actor: row.get(1)?,
            face: row.get(2)?,
            action: row.get(3)?,
            target: row.get(4)?,
            detail: row.get(5)?,
        })
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    rows(connection, statement, [limit], read).map_err(StoreError::read("the audit log"))
}

/// Bytes of all pages.
pub(super) fn size(connection: &Connection) -> Result<u64, StoreError> {
    let statement = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
    let bytes: i64 = connection
        .query_row(statement, [], |row| row.get(0))
        .map_err(StoreError::read("the size of the store"))?;
    Ok(bytes.cast_unsigned())
}
