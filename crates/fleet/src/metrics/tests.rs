//! Samples, points and series, over stories of digests.

use tidegate_custom::metrics::{Digest, Life};
use tidegate_opamp::InstanceUid;

use super::*;
use crate::Timestamp;

const SECOND: u64 = 1000;

fn uid() -> InstanceUid {
    InstanceUid::from_bytes(&[7; 16]).unwrap()
}

fn at(second: u64) -> Timestamp {
    Timestamp(1_700_000_000_000 + second * SECOND)
}

fn counters(records: u64) -> Counters {
    Counters { records, bytes: records * 100, ..Counters::default() }
}

fn digest(pid: u32, uptime: u64, components: &[(&str, u64)]) -> Digest {
    let components = components.iter().map(|(name, records)| ((*name).to_owned(), counters(*records)));
    Digest { uptime, every: 60, ..Digest::new(Life { pid, reloads: 0 }, components) }
}

/// Samples that digests have come to, and the blocks that were handed over.
fn heard(story: &[(u64, Digest)]) -> (Samples, Vec<Block>) {
    let mut slot = None;
    let mut blocks = Vec::new();
    for (second, digest) in story {
        blocks.extend(Samples::take(&mut slot, uid(), digest, at(*second)).unwrap());
    }
    (*slot.unwrap(), blocks)
}

fn records(samples: &Samples) -> Vec<(Option<u64>, u64)> {
    let latest = samples.latest();
    latest.components.iter().map(|(_, _, rise)| (latest.seconds, rise.records)).collect()
}

#[test]
fn given_two_digests_when_compared_then_the_rise_is_what_came_between_whatever_was_restarted() {
    let cases = [
        ("no change of life", 1, 3600, 160, (Some(60), 60)),
        ("another process, which began since", 2, 30, 40, (Some(60), 40)),
        ("another process that ran for longer than that", 2, 3600, 40_000, (None, 0)),
        ("a counter that fell", 1, 3600, 70, (Some(60), 70)),
        ("nothing came", 1, 3600, 100, (Some(60), 0)),
    ];
    for (what, pid, uptime, later, expected) in cases {
        let story =
            [(0, digest(1, 3540, &[("input:a", 100)])), (60, digest(pid, uptime, &[("input:a", later)]))];
        assert_eq!(records(&heard(&story).0), [expected], "{what}");
    }
}

#[test]
fn given_a_digest_that_is_missing_when_the_next_comes_then_two_are_bridged_and_more_are_a_gap() {
    for (second, expected) in [(60, Some(60)), (120, Some(120)), (155, Some(155)), (156, None), (9000, None)]
    {
        let story =
            [(0, digest(1, 10, &[("input:a", 0)])), (second, digest(1, 10 + second, &[("input:a", 5)]))];
        let (samples, _) = heard(&story);
        assert_eq!(samples.latest().seconds, expected, "{second}");
        assert_eq!(samples.pending(uid()).is_some(), expected.is_some(), "{second}");
    }
}

#[test]
fn given_other_components_after_a_reload_when_compared_then_each_is_told_by_its_name() {
    let mut reloaded = digest(1, 20, &[("input:b", 7), ("output:o", 3)]);
    reloaded.reloads = 1;
    let (samples, _) = heard(&[
        (0, digest(1, 500, &[("input:a", 90), ("output:o", 80)])),
        (60, reloaded),
        (120, Digest { reloads: 1, ..digest(1, 80, &[("input:a", 1), ("input:b", 9), ("output:o", 8)]) }),
    ]);
    let rises: Vec<_> = samples.latest().components.into_iter().map(|(n, _, r)| (n, r.records)).collect();
    let expected = [("input:a", 1), ("input:b", 2), ("output:o", 5)];
    assert_eq!(rises, expected.map(|(name, records)| (name.to_owned(), records)));
}

#[test]
fn given_digests_in_a_hurry_when_taken_then_they_are_refused_and_nothing_changes() {
    let mut slot = None;
    let first = digest(1, 1, &[("input:a", 1)]);
    Samples::take(&mut slot, uid(), &first, at(0)).unwrap();
    let before = slot.clone();
    for millis in [0, 1, 4999] {
        let now = Timestamp(at(0).0 + millis);
        assert_eq!(Samples::take(&mut slot, uid(), &first, now), Err(TooSoon), "{millis}");
    }
    assert_eq!(slot, before);
    assert_eq!(Samples::take(&mut slot, uid(), &first, at(5)), Ok(None));
}

#[test]
fn given_a_clock_that_is_set_back_when_a_digest_comes_then_it_begins_anew_and_keeps_what_was() {
    let story: Vec<_> = [1000, 1060, 1120].map(|n| (n, digest(1, n, &[("input:a", n)]))).into();
    let (samples, _) = heard(&story);
    let mut slot = Some(Box::new(samples));
    let kept = Samples::take(&mut slot, uid(), &digest(1, 1180, &[("input:a", 1180)]), at(500)).unwrap();
    assert_eq!(kept.map(|block| block.points().count()), Some(2));
    assert_eq!(slot.as_ref().unwrap().latest().seconds, None);
    Samples::take(&mut slot, uid(), &digest(1, 1240, &[("input:a", 1240)]), at(560)).unwrap();
    assert_eq!(records(&slot.unwrap()), [(Some(60), 60)]);
}

/// The points of blocks and of what is in none yet: when they end, how long they are, records of the first component.
fn points(samples: &Samples, blocks: &[Block]) -> Vec<(u64, u64, u64)> {
    let all = blocks.iter().cloned().chain(samples.pending(uid()));
    let points = all.flat_map(|block| block.points().collect::<Vec<_>>());
    points.map(|p| ((p.to.0 - at(0).0) / SECOND, p.seconds, p.counters[0].records)).collect()
}

#[test]
fn given_digests_each_minute_when_taken_then_each_is_a_point_and_five_are_a_block() {
    let story: Vec<_> = (0..13).map(|n| (n * 60, digest(1, n * 60, &[("input:a", n * n)]))).collect();
    let (samples, blocks) = heard(&story);
    assert_eq!(blocks.len(), 2);
    assert_eq!(blocks[1].from, at(300));
    assert_eq!(blocks[1].to, at(600));
    let expected: Vec<_> = (1..13).map(|n| (n * 60, 60, n * n - (n - 1) * (n - 1))).collect();
    assert_eq!(points(&samples, &blocks), expected);
}

#[test]
fn given_digests_every_ten_seconds_when_taken_then_points_are_about_a_minute_long_and_none_is_lost() {
    let story: Vec<_> = (0..=60)
        .map(|n| (n * 10, Digest { every: 10, ..digest(1, n * 10, &[("input:a", n * 3)]) }))
        .collect();
    let (samples, blocks) = heard(&story);
    let points = points(&samples, &blocks);
    assert!(points.iter().all(|(_, seconds, _)| *seconds <= 75), "{points:?}");
    assert!(points.len() <= 10, "{points:?}");
    assert_eq!(points.iter().map(|(_, _, records)| records).sum::<u64>(), 180);
    assert_eq!(points.iter().map(|(_, seconds, _)| seconds).sum::<u64>(), 600);
}

#[test]
fn given_a_digest_of_the_largest_numbers_when_taken_then_what_is_kept_stays_small() {
    let huge = |n: u64| {
        let numbers = Counters::of([u64::MAX - n; 6]);
        let all = (0..200).map(|index| (format!("output:{index}"), numbers));
        Digest {
            uptime: 1,
            every: 60,
            ..Digest::new(Life { pid: u32::try_from(n).unwrap(), reloads: n }, all)
        }
    };
    let mut slot = None;
    for n in 0..10 {
        let block = Samples::take(&mut slot, uid(), &huge(n), at(n * 60)).unwrap();
        assert!(block.is_none_or(|block| block.points.len() <= 8192));
        assert!(slot.as_ref().unwrap().bytes() < 40_000);
    }
}

/// Decision D12: the last two samples of an agent, and its points on their way to the history, in at most 600 bytes.
#[test]
fn given_a_usual_pipeline_when_its_samples_are_kept_then_they_take_at_most_600_bytes() {
    let usual = |n: u64| {
        let rate = |records: u64, bytes: u64| Counters {
            records: 40_000_000 + records * n,
            bytes: 9_000_000_000 + bytes * n,
            ..Counters::default()
        };
        let all = [
            ("input:tail.0", rate(30_000, 9_000_000)),
            ("input:systemd.1", Counters { backlog: 3, ..rate(600, 150_000) }),
            ("filter:kubernetes.0", Counters { dropped: 120 * n, ..rate(30_000, 0) }),
            ("filter:modify.1", rate(30_600, 0)),
            ("output:forward.0", Counters { retries: n / 3, ..rate(30_000, 9_000_000) }),
            ("output:s3.1", rate(600, 150_000)),
        ];
        let all = all.map(|(name, counters)| (name.to_owned(), counters));
        Digest { uptime: 90_000 + n * 60, every: 60, ..Digest::new(Life { pid: 123_456, reloads: 3 }, all) }
    };
    let mut slot = None;
    let mut most = 0;
    for n in 0..30 {
        Samples::take(&mut slot, uid(), &usual(n), at(n * 60)).unwrap();
        most = most.max(slot.as_ref().unwrap().bytes());
    }
    // Four allocations, each with its own few bytes.
    assert!(most + 4 * 16 <= 600, "{most} bytes");
}

#[test]
fn given_points_of_the_past_when_put_in_steps_then_gaps_stay_gaps_and_counts_are_whole() {
    let minutes = (0..10).chain(20..30);
    let story: Vec<_> =
        minutes.map(|n| (n * 60, digest(1, n * 60, &[("input:a", n * 60), ("output:o", n)]))).collect();
    let (samples, mut blocks) = heard(&story);
    blocks.extend(samples.pending(uid()));
    let span = Span { from: at(0), step: 300, steps: 7 };
    let series = series(&blocks, span, |name| name == "input:a");
    assert_eq!(series.keys().collect::<Vec<_>>(), ["input:a"]);
    let rates: Vec<_> =
        series["input:a"].iter().map(|s| s.map(|s| (s.seconds, s.rate(s.counted.records)))).collect();
    let full = Some((300.0, 1.0));
    assert_eq!(rates, [full, Some((240.0, 1.0)), None, None, full, Some((240.0, 1.0)), None]);
}

#[test]
fn given_bytes_that_are_none_of_ours_when_read_then_they_give_what_they_can_and_nothing_breaks() {
    let names: std::sync::Arc<[u8]> = b"a\nb\n".to_vec().into();
    for bytes in
        [vec![], vec![0x80], vec![0xFF; 30], vec![1, 60, 0x3F], vec![1, 60, 0, 0, 9, 9], (0..=255).collect()]
    {
        let block =
            Block { agent: uid(), from: at(0), to: at(0), names: names.clone(), points: bytes.into() };
        assert!(block.points().count() < 300);
        assert!(series(&[block], Span { from: at(0), step: 60, steps: 3 }, |_| true).len() <= 2);
    }
}
