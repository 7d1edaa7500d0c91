use std::path::PathBuf;

use super::super::executed::Executed;
use super::super::remembered::Seen;
use super::*;

fn key(id: impl std::fmt::Display) -> Key {
    Key { capability: "com.example".to_owned(), id: format!("{id}") }
}

fn answer(text: &str) -> CustomMessage {
    CustomMessage {
        capability: "com.example".to_owned(),
        kind: "result".to_owned(),
        data: text.to_owned().into(),
        ..CustomMessage::default()
    }
}

fn carry_out(executed: &mut Executed, id: impl std::fmt::Display, text: &str) {
    let key = key(id);
    assert_eq!(executed.begin(&key), Seen::Never);
    executed.write_down(&key).unwrap();
    executed.finish(&key, Some(answer(text)));
}

fn file(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join(FILE)
}

#[test]
fn given_acts_that_ended_when_loaded_again_then_their_answers_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let (mut executed, interrupted) = Executed::load(folder.path());
    assert!(interrupted.is_empty());
    carry_out(&mut executed, 1, "one \"quoted\"\nline");
    executed.begin(&key(2));
    executed.write_down(&key(2)).unwrap();
    executed.finish(&key(2), None);
    // What is not written down is forgotten with its supervisor.
    executed.begin(&key(3));
    executed.finish(&key(3), Some(answer("three")));
    let (mut again, interrupted) = Executed::load(folder.path());
    assert!(interrupted.is_empty());
    assert_eq!(again.begin(&key(1)), Seen::Before(Some(answer("one \"quoted\"\nline"))));
    assert_eq!(again.begin(&key(2)), Seen::Before(None));
    assert_eq!(again.begin(&key(3)), Seen::Never);
}

#[test]
fn given_an_act_that_never_ended_when_loaded_again_then_it_is_named_and_not_new() {
    let folder = tempfile::tempdir().unwrap();
    let (mut executed, _) = Executed::load(folder.path());
    carry_out(&mut executed, 1, "one");
    executed.begin(&key(2));
    executed.write_down(&key(2)).unwrap();
    let (mut again, interrupted) = Executed::load(folder.path());
    assert_eq!(interrupted, [key(2)]);
    assert_eq!(again.begin(&key(2)), Seen::Before(None));
    // Once it has its answer, it keeps it.
    again.finish(&key(2), Some(answer("unknown")));
    let (mut third, interrupted) = Executed::load(folder.path());
    assert!(interrupted.is_empty());
    assert_eq!(third.begin(&key(2)), Seen::Before(Some(answer("unknown"))));
}

/// C193: whatever stands in the file, what can be read of it counts, and what follows is whole.
#[test]
fn given_a_file_cut_at_any_byte_when_loaded_then_no_ended_line_before_the_cut_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (mut executed, _) = Executed::load(folder.path());
    for id in 0..3 {
        carry_out(&mut executed, id, "x");
    }
    let whole = std::fs::read(file(&folder)).unwrap();
    for cut in 0..whole.len() {
        std::fs::write(file(&folder), &whole[..cut]).unwrap();
        let lines = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
        let (mut executed, interrupted) = Executed::load(folder.path());
        // Two lines an act. A line that lacks its end alone is whole as well.
        let most = usize::from(cut + 1 == whole.len() || whole[cut] == b'\n');
        assert!(interrupted.len() <= 1, "cut at {cut}");
        carry_out(&mut executed, "new", "new");
        let (mut again, _) = Executed::load(folder.path());
        assert_eq!(again.begin(&key("new")), Seen::Before(Some(answer("new"))), "cut at {cut}");
        for id in 0..3 {
            let begun = again.begin(&key(id)) != Seen::Never;
            assert!(begun || lines + most <= 2 * id, "cut at {cut}: {id} is forgotten");
        }
    }
}

#[test]
fn given_a_file_of_rubbish_or_one_too_long_when_loaded_then_work_goes_on() {
    for rubbish in [vec![0xFF; 1000], vec![0; 4096], vec![b'x'; usize::try_from(MOST_BYTES).unwrap() + 1]] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(file(&folder), &rubbish).unwrap();
        let (mut executed, interrupted) = Executed::load(folder.path());
        assert!(interrupted.is_empty());
        carry_out(&mut executed, 1, "one");
        let (mut again, _) = Executed::load(folder.path());
        assert_eq!(again.begin(&key(1)), Seen::Before(Some(answer("one"))));
        let aside = folder.path().join("executed.jsonl.broken").exists();
        assert_eq!(aside, rubbish.len() as u64 > MOST_BYTES, "what can be read is not moved");
    }
}

#[test]
fn given_a_disk_that_takes_nothing_then_the_act_is_not_noted_and_may_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut executed, _) = Executed::load(folder.path());
    // A folder where the file would go refuses every write, for every user.
    let blocker = folder.path().join("executed.jsonl.tmp");
    std::fs::create_dir(&blocker).unwrap();
    assert_eq!(executed.begin(&key(1)), Seen::Never);
    assert!(executed.write_down(&key(1)).is_err());
    std::fs::remove_dir(&blocker).unwrap();
    carry_out(&mut executed, 1, "one");
    let (mut again, _) = Executed::load(folder.path());
    assert_eq!(again.begin(&key(1)), Seen::Before(Some(answer("one"))));
}

#[test]
fn given_a_line_that_is_half_written_then_it_is_cut_off_before_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (mut executed, _) = Executed::load(folder.path());
    carry_out(&mut executed, 1, "one");
    let mut torn = OpenOptions::new().append(true).open(file(&folder)).unwrap();
    torn.write_all(b"{\"begun\":").unwrap();
    let (mut executed, _) = Executed::load(folder.path());
    carry_out(&mut executed, 2, "two");
    let text = std::fs::read_to_string(file(&folder)).unwrap();
    assert!(text.lines().all(|line| serde_json::from_str::<Line>(line).is_ok()), "{text}");
    let (mut again, _) = Executed::load(folder.path());
    assert_eq!(again.begin(&key(1)), Seen::Before(Some(answer("one"))));
}

#[test]
fn given_many_acts_then_the_file_stays_short() {
    let folder = tempfile::tempdir().unwrap();
    let (mut executed, _) = Executed::load(folder.path());
    let text = "x".repeat(8 * 1024);
    let mut longest = 0;
    for id in 0..400 {
        carry_out(&mut executed, id, &text);
        longest = longest.max(std::fs::metadata(file(&folder)).unwrap().len());
    }
    // One MiB of answers, as much history, the slack, and what ids and lines take.
    assert!(longest < 3 * 1024 * 1024, "{longest}");
    let (mut again, interrupted) = Executed::load(folder.path());
    assert!(interrupted.is_empty());
    assert_eq!(again.begin(&key(0)), Seen::Before(None), "its answer gave way, its id did not");
    assert_eq!(again.begin(&key(399)), Seen::Before(Some(answer(&text))));
}
