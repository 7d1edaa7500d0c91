//! What a history must do: what was put in comes back, what is old or too much goes, and a broken file is no matter.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tidegate_custom::metrics::{Counters, Digest, Life};
use tidegate_fleet::Timestamp;
use tidegate_fleet::metrics::{Block, Samples};
use tidegate_store::{History, HistoryBounds, Location, SqliteHistory};

use crate::uid;

const MINUTE: u64 = 60_000;

const BOUNDS: HistoryBounds =
    HistoryBounds { bytes: 64 * 1024 * 1024, retention: Duration::from_secs(24 * 3600) };

fn block(agent: u8, minute: u64, bytes: usize) -> Block {
    let names: Arc<[u8]> = format!("input:{agent}\n").into_bytes().into();
    let from = Timestamp(minute * MINUTE);
    let to = Timestamp((minute + 5) * MINUTE);
    Block { agent: uid(agent), from, to, names, points: vec![agent; bytes].into() }
}

fn all(history: &dyn History, agent: u8) -> Vec<Block> {
    history.read(&uid(agent), Timestamp(0), Timestamp(u64::MAX / 2)).unwrap()
}

fn minutes(history: &dyn History, agent: u8) -> Vec<u64> {
    all(history, agent).iter().map(|block| block.from.0 / MINUTE).collect()
}

#[test]
fn given_blocks_when_put_in_then_they_are_read_at_once_and_after_a_flush_by_agent_and_span() {
    let folder = tempfile::tempdir().unwrap();
    for location in [Location::Memory, Location::File(folder.path().join("m.db"))] {
        let history = SqliteHistory::open(&location, BOUNDS).unwrap();
        for minute in [0, 5, 10, 15] {
            history.put(block(1, minute, 30));
            history.put(block(2, minute, 40));
        }
        let before = all(&history, 1);
        assert_eq!(before.len(), 4);
        let flushed = history.flush(Timestamp(20 * MINUTE)).unwrap();
        assert_eq!((flushed.written, flushed.removed, flushed.dropped), (8, 0, 0));
        assert!(flushed.bytes > 0);
        history.put(block(1, 20, 30));
        assert_eq!(all(&history, 1)[..4], before);
        assert_eq!(all(&history, 1)[4], block(1, 20, 30));
        let span = history.read(&uid(2), Timestamp(7 * MINUTE), Timestamp(12 * MINUTE)).unwrap();
        assert_eq!(span, [block(2, 5, 40), block(2, 10, 40)]);
        assert_eq!(all(&history, 3), []);
    }
}

#[test]
fn given_a_history_in_a_file_when_opened_again_then_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::File(folder.path().join("m.db"));
    let history = SqliteHistory::open(&location, BOUNDS).unwrap();
    history.put(block(1, 0, 30));
    history.flush(Timestamp(5 * MINUTE)).unwrap();
    drop(history);
    let history = SqliteHistory::open(&location, BOUNDS).unwrap();
    assert_eq!(all(&history, 1), [block(1, 0, 30)]);
}

#[test]
fn given_blocks_of_more_than_a_day_when_flushed_then_the_old_ones_go_bit_by_bit() {
    let history = SqliteHistory::open(&Location::Memory, BOUNDS).unwrap();
    let day = 24 * 60;
    (0..2 * day / 5).for_each(|n| history.put(block(1, n * 5, 30)));
    let now = Timestamp(2 * day * MINUTE);
    let mut removed = 0;
    while let gone @ 1.. = history.flush(now).unwrap().removed {
        removed += gone;
    }
    let left = minutes(&history, 1);
    assert_eq!(left.len() + removed, 576);
    assert!(left.iter().all(|minute| *minute >= day - 5), "{:?}", left.first());
    // At the edge some go with those that are too old.
    assert!(left.len() > 288 - 200, "{}", left.len());
}

#[test]
fn given_more_than_the_quota_when_flushed_then_the_file_never_grows_beyond_it_and_the_newest_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.db");
    let bounds = HistoryBounds { bytes: 1024 * 1024, ..BOUNDS };
    let history = SqliteHistory::open(&Location::File(path.clone()), bounds).unwrap();
    let mut minute = 0;
    for _ in 0..40 {
        for _ in 0..500 {
            history.put(block(1, minute, 200));
            minute += 1;
        }
        history.flush(Timestamp(minute * MINUTE)).unwrap();
        let size = fs::metadata(&path).unwrap().len();
        assert!(size <= bounds.bytes, "{size} bytes");
    }
    let left = minutes(&history, 1);
    assert_eq!(left.last(), Some(&(minute - 1)));
    assert!(left.len() > 500, "{} blocks are left", left.len());
    assert!(left.windows(2).all(|pair| pair[1] == pair[0] + 1), "a hole");
}

#[test]
fn given_a_quota_that_was_lowered_when_flushed_then_the_file_shrinks_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.db");
    let location = Location::File(path.clone());
    let history = SqliteHistory::open(&location, BOUNDS).unwrap();
    (0..20_000).for_each(|minute| history.put(block(1, minute % 1000, 200)));
    history.flush(Timestamp(1000 * MINUTE)).unwrap();
    drop(history);
    assert!(fs::metadata(&path).unwrap().len() > 3 * 1024 * 1024);
    let bounds = HistoryBounds { bytes: 1024 * 1024, ..BOUNDS };
    let history = SqliteHistory::open(&location, bounds).unwrap();
    for _ in 0..20 {
        history.put(block(2, 1000, 200));
        history.flush(Timestamp(1000 * MINUTE)).unwrap();
    }
    assert_eq!(all(&history, 2).len(), 20);
    drop(history);
    assert!(fs::metadata(&path).unwrap().len() <= bounds.bytes);
}

#[test]
fn given_a_file_that_is_none_of_ours_or_damaged_when_used_then_it_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.db");
    let location = Location::File(path.clone());
    let works = |what: &str| {
        let history = SqliteHistory::open(&location, BOUNDS).unwrap();
        history.put(block(1, 0, 30));
        history.flush(Timestamp(5 * MINUTE)).unwrap();
        assert_eq!(all(&history, 1), [block(1, 0, 30)], "{what}");
    };
    fs::write(&path, vec![b'x'; 100_000]).unwrap();
    works("noise");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.pragma_update(None, "user_version", 99).unwrap();
    drop(other);
    works("a newer version");
    fs::remove_file(&path).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE things (a)").unwrap();
    drop(other);
    works("another program's");
}

#[test]
fn given_a_file_that_is_damaged_under_way_when_written_or_read_then_it_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.db");
    let history = SqliteHistory::open(&Location::File(path.clone()), BOUNDS).unwrap();
    (0..3000).for_each(|minute| history.put(block(1, minute % 100, 300)));
    history.flush(Timestamp(100 * MINUTE)).unwrap();
    drop(history);
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len();
    bytes[4096..end].fill(0x5A);
    fs::write(&path, &bytes).unwrap();
    let history = SqliteHistory::open(&Location::File(path), BOUNDS).unwrap();
    history.put(block(1, 200, 30));
    history.flush(Timestamp(205 * MINUTE)).unwrap();
    assert_eq!(all(&history, 1), [block(1, 200, 30)]);
}

#[test]
fn given_blocks_that_nobody_writes_when_put_in_then_their_number_is_bounded() {
    let history = SqliteHistory::open(&Location::Memory, BOUNDS).unwrap();
    (0..50_010).for_each(|_| history.put(block(1, 0, 8)));
    let flushed = history.flush(Timestamp(5 * MINUTE)).unwrap();
    assert_eq!((flushed.written, flushed.dropped), (50_000, 10));
    assert_eq!(history.flush(Timestamp(5 * MINUTE)).unwrap().dropped, 0);
}

/// What a day of an agent of six busy components takes, which the documents tell.
#[test]
fn given_a_day_of_usual_pipelines_when_written_then_each_takes_less_than_a_hundred_kilobytes() {
    const AGENTS: u8 = 40;
    let folder = tempfile::tempdir().unwrap();
    let history = SqliteHistory::open(&Location::File(folder.path().join("m.db")), BOUNDS).unwrap();
    let mut slots = vec![None; usize::from(AGENTS)];
    for minute in 0..24 * 60_u64 {
        for (number, slot) in (1..=AGENTS).zip(&mut slots) {
            let rate = |records: u64, bytes: u64| {
                // No two minutes are the same.
                let records = records * minute + minute * minute * (u64::from(number) + 7) % 97;
                Counters { records, bytes: records * bytes, ..Counters::default() }
            };
            let all = [
                ("input:tail.0", Counters { backlog: minute % 5, ..rate(30_000, 310) }),
                ("input:systemd.1", rate(600, 240)),
                ("filter:kubernetes.0", Counters { dropped: 120 * minute, ..rate(30_000, 0) }),
                ("filter:modify.1", rate(30_600, 0)),
                ("output:forward.0", Counters { retries: minute / 3, ..rate(30_000, 310) }),
                ("output:s3.1", rate(600, 240)),
            ];
            let all = all.map(|(name, counters)| (name.to_owned(), counters));
            let life = Life { pid: 1000, reloads: 0 };
            let digest = Digest { uptime: minute * 60, every: 60, ..Digest::new(life, all) };
            let block = Samples::take(slot, uid(number), &digest, Timestamp(minute * MINUTE)).unwrap();
            block.into_iter().for_each(|block| history.put(block));
        }
        if minute.is_multiple_of(10) {
            history.flush(Timestamp(minute * MINUTE)).unwrap();
        }
    }
    let used = history.flush(Timestamp(24 * 60 * MINUTE)).unwrap().bytes / u64::from(AGENTS);
    assert!((40_000..100_000).contains(&used), "{used} bytes");
}
