use super::*;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    fn text(&self) -> String {
        self.path().display().to_string()
    }
}

fn check(global: &GlobalArgs, variables: &[(&'static str, &str)], expected: (&str, &str)) {
    let settings = Settings::resolve(global, &Environment::of(variables));
    let settings = settings.unwrap_or_else(|failure| panic!("{:?}", failure.lines()));
    assert_eq!((settings.server.as_str(), settings.token.as_str()), expected, "{global:?} {variables:?}");
}

fn refusal(global: &GlobalArgs, variables: &[(&'static str, &str)]) -> (u8, String) {
    let Err(failure) = Settings::resolve(global, &Environment::of(variables)) else {
        panic!("{global:?} {variables:?} resolved");
    };
    let told = failure.lines().join("\n");
    (crate::exit::of_result(&Err(failure)), told)
}

#[test]
fn given_a_local_server_when_nothing_is_said_then_its_address_and_token_are_found() {
    let local = Folder::new(&[("admin-token", "local\n"), ("operators-address", "127.0.0.1:5000\n")]);
    let none = GlobalArgs::default();
    check(&none, &[("TIDEGATE_SERVER_DATA_DIR", &local.text())], ("http://127.0.0.1:5000", "local"));

    let state = Folder::new(&[]);
    std::fs::create_dir(state.path().join("tidegate")).unwrap();
    std::fs::write(state.path().join("tidegate/admin-token"), "state").unwrap();
    check(&none, &[("XDG_STATE_HOME", &state.text())], (DEFAULT_SERVER, "state"));

    let home = Folder::new(&[]);
    std::fs::create_dir_all(home.path().join(".local/state/tidegate")).unwrap();
    std::fs::write(home.path().join(".local/state/tidegate/admin-token"), "home").unwrap();
    check(&none, &[("HOME", &home.text()), ("XDG_STATE_HOME", "relative")], (DEFAULT_SERVER, "home"));
}

#[test]
fn given_flags_and_variables_when_both_speak_then_flags_win() {
    let local = Folder::new(&[("admin-token", "local"), ("operators-address", "0.0.0.0:5000")]);
    let other = Folder::new(&[("token", " other \n")]);
    let environment = [("TIDEGATE_SERVER", "http://env:1"), ("TIDEGATE_TOKEN", "env")];
    check(&GlobalArgs::default(), &environment, ("http://env:1", "env"));

    let named = GlobalArgs { data_dir: Some(local.path()), ..GlobalArgs::default() };
    check(&named, &environment, ("http://127.0.0.1:5000", "local"));

    let flags = GlobalArgs {
        server: Some("http://flag:1".into()),
        token_file: Some(other.path().join("token")),
        ..GlobalArgs::default()
    };
    check(&flags, &environment, ("http://flag:1", "other"));

    let bare = Folder::new(&[]);
    let bare = GlobalArgs { data_dir: Some(bare.path()), ..GlobalArgs::default() };
    check(&bare, &environment, (DEFAULT_SERVER, "env"));
}

#[test]
fn given_another_machine_when_only_a_local_token_is_there_then_it_is_not_shown() {
    let local = Folder::new(&[("admin-token", "local")]);
    let text = local.text();
    let variables = [("TIDEGATE_SERVER_DATA_DIR", text.as_str())];
    for (server, shown) in [
        ("http://127.0.0.1:4321", true),
        ("http://127.9.9.9", true),
        ("http://localhost:9/", true),
        ("http://[::1]:4321", true),
        ("http://[::1]/", true),
        ("http://example.com", false),
        ("http://10.0.0.1:4321", false),
        ("http://127.0.0.1.example.com", false),
        ("http://localhost@example.com", false),
        ("http://localhost:x@example.com", false),
        ("http://example.com\\@127.0.0.1", false),
    ] {
        let global = GlobalArgs { server: Some(server.into()), ..GlobalArgs::default() };
        if shown {
            check(&global, &variables, (server, "local"));
        } else {
            let (code, told) = refusal(&global, &variables);
            assert_eq!(code, 4, "{server}");
            assert!(told.contains("not shown to another machine"), "{told}");
        }
    }
}

#[test]
fn given_settings_that_cannot_be_used_then_the_refusal_says_which() {
    let none = GlobalArgs::default();
    let broken = Folder::new(&[("operators-address", "nonsense"), ("admin-token", "a b")]);
    let words = Folder::new(&[("admin-token", "a b")]);
    let empty = Folder::new(&[("admin-token", "\n")]);
    let absent = GlobalArgs { token_file: Some("/nonexistent/token".into()), ..GlobalArgs::default() };
    for (global, variables, code, part) in [
        (&none, ("TIDEGATE_SERVER_DATA_DIR", broken.text()), 2, "operators-address"),
        (&none, ("TIDEGATE_SERVER_DATA_DIR", words.text()), 2, "visible ASCII"),
        (&none, ("TIDEGATE_SERVER_DATA_DIR", empty.text()), 2, "it is empty"),
        (&none, ("HOME", "/nonexistent".into()), 4, "/nonexistent/.local/state/tidegate/admin-token"),
        (&none, ("TERM", "xterm".into()), 4, "no HOME"),
        (&absent, ("TIDEGATE_TOKEN", "env".into()), 2, "cannot read /nonexistent/token"),
    ] {
        let (got, told) = refusal(global, &[(variables.0, &variables.1)]);
        assert_eq!(got, code, "{told}");
        assert!(told.contains(part), "{told}");
        assert!(!told.contains("a b"), "{told}");
    }
}
