use super::*;

const NOW: Timestamp = Timestamp(1_000_000);

fn agent(number: u16) -> InstanceUid {
    let [high, low] = number.to_be_bytes();
    InstanceUid::v7(1, [high, low, 0, 0, 0, 0, 0, 0, 0, 1])
}

fn hash(number: u8) -> SchemaHash {
    SchemaHash([number; 32])
}

fn later(seconds: u64) -> Timestamp {
    Timestamp(NOW.0 + seconds * 1000)
}

fn chunk(number: u8, offset: usize, total: usize, data: &'static [u8]) -> Chunk {
    Chunk { hash: hash(number), offset, total, data: Bytes::from_static(data), id: None }
}

fn refusal(hash: Option<SchemaHash>) -> Unavailable {
    Unavailable { hash, reason: "busy".to_owned(), id: None }
}

/// A gathering for which the agent of this number was just asked for schema 1.
fn asked(number: u16) -> Gathering {
    let mut gathering = Gathering::default();
    gathering.offered(hash(1), agent(number));
    assert_eq!(gathering.begin(NOW), Some(agent(number)));
    assert!(gathering.ask(&agent(number)).is_some());
    gathering
}

#[test]
fn given_a_storm_of_agents_of_one_build_when_they_come_then_one_of_them_is_asked_once() {
    let mut gathering = Gathering::default();
    let mut asked = Vec::new();
    for number in 0..10_000 {
        gathering.offered(hash(1), agent(number));
        asked.extend(gathering.begin(NOW));
        asked.extend(gathering.ask(&agent(number)).map(|_| agent(number)));
    }
    assert_eq!(asked, [agent(0), agent(0)], "begun and asked");
    assert!(gathering.wanted.len() == 1 && gathering.wanted[0].agents.len() == MAX_AGENTS);
}

#[test]
fn given_pieces_when_they_come_in_order_then_the_next_is_asked_for_until_all_of_it_is_here() {
    let mut gathering = asked(1);
    assert_eq!(gathering.ask(&agent(1)), None, "once");
    assert_eq!(gathering.take(&agent(1), &chunk(1, 0, 5, b"abc"), NOW), Taken::More);
    assert_eq!((gathering.due(), gathering.ask(&agent(2))), (Some(agent(1)), None));
    assert_eq!(gathering.ask(&agent(1)), Some(Fetch { hash: hash(1), offset: 3, id: None }));
    let whole = Taken::Whole(hash(1), Bytes::from_static(b"abcde"));
    assert_eq!(gathering.take(&agent(1), &chunk(1, 3, 5, b"de"), NOW), whole);
    gathering.offered(hash(2), agent(2));
    assert_eq!((gathering.begin(NOW), gathering.give_up(later(3600))), (None, None), "it is looked at");
    gathering.settled(hash(1), true);
    assert_eq!(gathering.begin(NOW), Some(agent(2)));
}

#[test]
fn given_messages_that_nobody_asked_for_when_they_come_then_nothing_changes() {
    let mut gathering = Gathering::default();
    assert_eq!(gathering.take(&agent(1), &chunk(1, 0, 3, b"abc"), NOW), Taken::Unasked);
    gathering.offered(hash(1), agent(1));
    gathering.begin(NOW);
    assert_eq!(gathering.take(&agent(1), &chunk(1, 0, 3, b"abc"), NOW), Taken::Unasked, "not asked yet");
    gathering.ask(&agent(1));
    for (from, piece) in [(2, chunk(1, 0, 3, b"abc")), (1, chunk(2, 0, 3, b"abc"))] {
        assert_eq!(gathering.take(&agent(from), &piece, NOW), Taken::Unasked);
        assert_eq!(gathering.refused(&agent(from), refusal(Some(piece.hash)), NOW), Taken::Unasked);
    }
    assert_eq!(gathering.refused(&agent(2), refusal(None), NOW), Taken::Unasked);
    assert!(matches!(gathering.take(&agent(1), &chunk(1, 0, 3, b"abc"), NOW), Taken::Whole(..)));
    assert_eq!(gathering.take(&agent(1), &chunk(1, 0, 3, b"abc"), NOW), Taken::Unasked, "whole already");
}

#[test]
fn given_pieces_that_do_not_fit_when_they_come_then_another_agent_is_asked_from_the_beginning() {
    for wrong in [chunk(1, 2, 6, b"c"), chunk(1, 4, 6, b"c"), chunk(1, 3, 7, b"c"), chunk(1, 0, 6, b"abc")] {
        let mut gathering = asked(1);
        gathering.offered(hash(1), agent(2));
        gathering.take(&agent(1), &chunk(1, 0, 6, b"abc"), NOW);
        gathering.ask(&agent(1));
        assert!(matches!(gathering.take(&agent(1), &wrong, NOW), Taken::Failed(_)), "{wrong:?}");
        assert_eq!(gathering.begin(NOW), Some(agent(2)));
        assert_eq!(gathering.ask(&agent(2)).map(|fetch| fetch.offset), Some(0));
    }
}

#[test]
fn given_an_agent_that_falls_silent_when_its_time_is_up_then_another_of_the_same_build_is_asked() {
    let mut gathering = asked(1);
    gathering.offered(hash(1), agent(2));
    gathering.take(&agent(1), &chunk(1, 0, 6, b"abc"), later(50));
    assert_eq!(gathering.give_up(later(109)), None);
    assert_eq!(gathering.give_up(later(110)), Some(agent(1)));
    assert_eq!(gathering.begin(later(110)), Some(agent(2)));
    assert_eq!(gathering.take(&agent(1), &chunk(1, 3, 6, b"def"), later(111)), Taken::Unasked);
    assert_eq!(gathering.give_up(later(170)), Some(agent(2)), "one that was never reached counts as well");
    assert_eq!(gathering.begin(later(171)), None);
    gathering.offered(hash(1), agent(3));
    assert_eq!(gathering.begin(later(172)), Some(agent(3)), "whoever comes next is asked");
}

#[test]
fn given_the_only_agent_that_cannot_now_when_it_says_so_then_it_is_asked_again_after_a_rest() {
    let mut gathering = asked(1);
    assert_eq!(gathering.refused(&agent(1), refusal(Some(hash(1))), NOW), Taken::Failed("busy".to_owned()));
    assert_eq!((gathering.begin(NOW), gathering.begin(later(59))), (None, None));
    assert_eq!(gathering.begin(later(60)), Some(agent(1)));
    gathering.ask(&agent(1));
    gathering.refused(&agent(1), refusal(None), later(60));
    assert_eq!(gathering.begin(later(179)), None);
    gathering.offered(hash(1), agent(2));
    assert_eq!(gathering.begin(later(179)), Some(agent(2)), "another need not rest");
    gathering.left(&agent(2));
    assert_eq!(gathering.begin(later(180)), Some(agent(1)));
}

#[test]
fn given_a_document_that_is_no_good_when_settled_then_another_agent_is_asked() {
    let mut gathering = asked(1);
    gathering.offered(hash(1), agent(2));
    gathering.take(&agent(1), &chunk(1, 0, 3, b"abc"), NOW);
    gathering.settled(hash(2), false);
    assert_eq!(gathering.begin(NOW), None, "another's");
    gathering.settled(hash(1), false);
    assert_eq!(gathering.begin(NOW), Some(agent(2)));
}

#[test]
fn given_an_agent_with_ever_new_builds_when_it_offers_them_then_it_holds_up_nobody_for_long() {
    let mut gathering = asked(9);
    for number in 2..250 {
        gathering.offered(hash(number), agent(1));
    }
    assert_eq!(gathering.wanted.len(), 2, "its last, and what is under way");
    gathering.settled(hash(1), true);
    let mut begun = 0;
    for number in 0..100 {
        gathering.offered(hash(number), agent(1));
        if gathering.begin(NOW).is_some() {
            begun += 1;
            gathering.give_up(later(60));
        }
    }
    assert_eq!(begun, MAX_BEGUN);
    gathering.offered(hash(200), agent(2));
    assert_eq!(gathering.begin(later(60)), Some(agent(2)));
}

#[test]
fn given_more_builds_than_any_fleet_has_when_offered_then_what_waits_is_bounded() {
    let mut gathering = asked(1000);
    for number in 2..=255 {
        gathering.offered(hash(number), agent(number.into()));
    }
    assert_eq!(gathering.wanted.len(), MAX_WANTED);
}

#[test]
fn given_agents_that_have_left_when_their_turn_comes_then_the_next_one_is_asked_at_once() {
    let mut gathering = Gathering::default();
    for number in 1..=3 {
        gathering.offered(hash(1), agent(number));
    }
    for number in 1..=3 {
        assert_eq!(gathering.begin(NOW), Some(agent(number)));
        gathering.left(&agent(9));
        gathering.left(&agent(number));
    }
    assert_eq!((gathering.begin(NOW), gathering.wanted()), (None, 0));
    assert!(gathering.begun.values().all(|times| *times == 0));
    let mut gathering = asked(1);
    gathering.offered(hash(1), agent(2));
    gathering.left(&agent(1));
    assert_eq!(gathering.begin(NOW), Some(agent(2)), "asked, and gone without an answer");
}

#[test]
fn given_what_cannot_be_read_when_it_comes_from_the_agent_that_was_asked_then_its_transfer_is_over() {
    let mut gathering = asked(1);
    assert_eq!(gathering.unreadable(&agent(2), "x".to_owned()), Taken::Unasked);
    assert_eq!(gathering.unreadable(&agent(1), "x".to_owned()), Taken::Failed("x".to_owned()));
    assert_eq!(gathering.unreadable(&agent(1), "x".to_owned()), Taken::Unasked);
}
