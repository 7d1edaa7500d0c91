use std::process::{Command, Output};

fn program(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tidegate-supervisor")).args(args).env_clear().output().unwrap()
}

#[test]
fn given_bad_settings_then_one_sentence_goes_to_stderr_and_the_exit_code_is_2() {
    let cases: [(&[&str], &str); 3] = [
        (&[], "tidegate-supervisor: no server is named: give --endpoint"),
        (
            &["--endpoint", "ftp://h/"],
            "tidegate-supervisor: --endpoint: ftp://h/ cannot be used: the scheme ftp://",
        ),
        (&["--nonsense"], "error: unexpected argument '--nonsense' found"),
    ];
    for (args, start) in cases {
        let output = program(args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with(start), "{said}");
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn given_version_or_print_config_then_they_go_to_stdout() {
    let version = program(&["--version"]);
    assert_eq!(version.status.code(), Some(0));
    assert_eq!(String::from_utf8(version.stdout).unwrap().split(' ').next(), Some("tidegate-supervisor"));
    let args = ["--endpoint", "ws://h", "--agent-config", "/c", "--binary", "/bin/sh", "--state-dir", "/s"];
    let printed = program(&[&args[..], &["--print-config"]].concat());
    let said = String::from_utf8(printed.stdout).unwrap();
    assert!(said.contains("endpoint: ws://h/v1/opamp") && said.contains("heartbeat: 30s"), "{said}");
}
