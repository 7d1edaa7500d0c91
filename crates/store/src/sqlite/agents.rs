//! Agents coming out: one thread reads rows while others work out what is asked of each report.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use parking_lot::Mutex;
use rusqlite::{Connection, Row};
use tidegate_fleet::Agent;
use tidegate_fleet::agent::Sequence;
use tidegate_opamp::AgentCapabilities;

use super::codec::{self, damaged, time};
use super::rows::rows;

/// Rows that go to a worker at once.
const BATCH: usize = 512;

/// More workers than this would wait for the reading.
const MAX_WORKERS: usize = 8;

/// An agent whose report is still in the form of the store.
struct Raw {
    agent: Agent,
    reported: Vec<u8>,
    effective: Option<Arc<[u8]>>,
    times: [Option<u64>; 8],
}

impl Raw {
    fn finish(self) -> rusqlite::Result<Agent> {
        let mut agent = self.agent;
        agent.restore(codec::unpack(8, &self.reported, self.effective, self.times)?);
        Ok(agent)
    }
}

/// A batch with its place among all.
type Batch<T> = (usize, Vec<T>);

/// Every agent, in the order of the store. Half of the work of a start is decoding, and it needs no connection.
pub(super) fn all(connection: &Connection, clean: bool) -> rusqlite::Result<Vec<Agent>> {
    let workers = std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(MAX_WORKERS);
    std::thread::scope(|scope| {
        let (send, batches) = sync_channel(2 * workers);
        let batches = Arc::new(Mutex::new(batches));
        let working: Vec<_> = (0..workers)
            .map(|_| {
                let batches = Arc::clone(&batches);
                scope.spawn(move || work(&batches))
            })
            .collect();
        // Held by the workers alone, so that sending fails, instead of waiting, once all of them have failed.
        drop(batches);
        let read = read(connection, clean, &send);
        drop(send);
        let mut done = Vec::new();
        for worker in working {
            let batches = worker.join().map_err(|_| damaged(8, "a report cannot be decoded"))?;
            done.extend(batches?);
        }
        read?;
        done.sort_by_key(|(place, _)| *place);
        Ok(done.into_iter().flat_map(|(_, agents)| agents).collect())
    })
}

fn work(batches: &Mutex<Receiver<Batch<Raw>>>) -> rusqlite::Result<Vec<Batch<Agent>>> {
    let mut done = Vec::new();
    loop {
        let next = batches.lock().recv();
        let Ok((place, batch)) = next else { return Ok(done) };
        done.push((place, batch.into_iter().map(Raw::finish).collect::<rusqlite::Result<_>>()?));
    }
}

fn read(connection: &Connection, clean: bool, send: &SyncSender<Batch<Raw>>) -> rusqlite::Result<()> {
    let bodies = bodies(connection)?;
    let mut statement = connection.prepare(
        "SELECT uid, host_credential, first_seen, last_seen, sequence_num, capabilities, link, link_since,
        reported, effective_body, at_description, at_health, at_effective, at_config, at_packages, at_custom,
        at_components, at_connection FROM agents",
    )?;
    let mut rows = statement.query([])?;
    let (mut place, mut batch) = (0, Vec::new());
    while let Some(row) = rows.next()? {
        batch.push(raw(row, clean, &bodies)?);
        if batch.len() == BATCH {
            if send.send((place, std::mem::take(&mut batch))).is_err() {
                // No worker is left: one of them says why.
                return Ok(());
            }
            place += 1;
        }
    }
    // As above.
    let _ = send.send((place, batch));
    Ok(())
}

type Bodies = HashMap<[u8; 32], Arc<[u8]>>;

/// The bodies that agents refer to, each once.
fn bodies(connection: &Connection) -> rusqlite::Result<Bodies> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, Arc::from(row.get_ref(1)?.as_blob()?)));
    Ok(rows(connection, "SELECT hash, body FROM bodies", [], read)?.into_iter().collect())
}

fn raw(row: &Row<'_>, clean: bool, bodies: &Bodies) -> rusqlite::Result<Raw> {
    let effective = match row.get::<_, Option<[u8; 32]>>(9)? {
        Some(hash) => {
            let body = bodies.get(&hash).ok_or_else(|| damaged(9, "an effective config is missing"))?;
            Some(Arc::clone(body))
        }
        None => None,
    };
    let mut times = [None; 8];
    for (index, time) in times.iter_mut().enumerate() {
        *time = row.get::<_, Option<i64>>(10 + index)?.map(i64::cast_unsigned);
    }
    let mut agent = Agent::new(codec::uid(0, row.get_ref(0)?.as_blob()?)?, time(row.get(2)?));
    agent.host_credential = row.get(1)?;
    agent.last_seen = time(row.get(3)?);
    agent.sequence = match row.get::<_, Option<i64>>(4)?.map(i64::cast_unsigned) {
        None => Sequence::Unknown,
        Some(number) if clean => Sequence::Exact(number),
        Some(number) => Sequence::AtLeast(number),
    };
    agent.capabilities = AgentCapabilities(row.get::<_, i64>(5)?.cast_unsigned());
    agent.link = codec::link_from(row.get_ref(6)?.as_str()?, time(row.get(7)?));
    Ok(Raw { agent, reported: row.get(8)?, effective, times })
}
