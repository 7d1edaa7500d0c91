use super::*;

#[test]
fn given_a_folder_in_use_when_opened_again_then_it_is_refused_until_released() {
    let folder = tempfile::tempdir().unwrap();
    let first = StateDir::open(folder.path()).unwrap();
    assert!(matches!(StateDir::open(folder.path()), Err(StateError::Locked { .. })));
    drop(first);
    StateDir::open(folder.path()).unwrap();
}

/// C193: state is private.
#[test]
fn given_a_new_folder_when_opened_then_nobody_else_can_enter() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("a/b");
    let state = StateDir::open(&root).unwrap();
    for path in [root, state.run()] {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

/// C193: nor does it stop the supervisor.
#[test]
fn given_a_corrupt_journal_when_read_then_it_is_moved_aside_and_work_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDir::open(folder.path()).unwrap();
    fs::write(folder.path().join("journal.json"), b"{\"current\": 7").unwrap();
    assert_eq!(state.journal().unwrap(), Journal::default());
    assert!(folder.path().join("journal.json.corrupt").exists());
    state.save_journal(&Journal::default()).unwrap();
    assert_eq!(state.journal().unwrap(), Journal::default());
}

#[test]
fn given_records_of_children_when_written_then_all_have_one_length_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDir::open(folder.path()).unwrap();
    for (pid, config) in [(1, "/a"), (4_000_000, "/opt/a/long/path/to/fluent-bit.yaml")] {
        let record = ChildRecord {
            identity: Identity { pid, start_ticks: 7, boot_id: "b".into() },
            config: config.into(),
            port: 2020,
            started_unix_nano: 5,
            loaded: "f".into(),
        };
        state.save_child(&record).unwrap();
        assert_eq!(state.child().unwrap(), Some(record));
        assert_eq!(fs::metadata(folder.path().join("child.json")).unwrap().len(), CHILD_RECORD as u64);
    }
}

/// What cannot be read may be whole: to go on without it would mean a second agent, or the host's own config in the place
/// of the applied one.
#[test]
fn given_files_that_cannot_be_read_when_asked_for_then_it_is_an_error_and_they_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDir::open(folder.path()).unwrap();
    for name in ["child.json", "journal.json"] {
        // A folder in the place of the file cannot be read by any user.
        fs::create_dir(folder.path().join(name)).unwrap();
        let error = match name {
            "child.json" => state.child().unwrap_err(),
            _ => state.journal().unwrap_err(),
        };
        assert!(matches!(error, StateError::Read { .. }), "{error}");
        assert!(error.to_string().contains("left as it is"), "{error}");
        assert!(folder.path().join(name).is_dir());
        assert!(!folder.path().join(format!("{name}.corrupt")).exists());
    }
}
