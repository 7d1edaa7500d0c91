//! What the three judges make of a config: the table of fluent-bit.md, "Validation", as data.

/// One config and its verdicts.
///
/// `{taken}` in the text stands for a port that another process holds, `{service}` for the service
/// keys that a test needs (four spaces deep in classic, two in YAML).
#[derive(Debug)]
pub struct ConfigCase {
    /// The row's name.
    pub name: &'static str,
    /// The file's name; its extension decides the format.
    pub file: &'static str,
    /// The text.
    pub text: &'static str,
    /// The exit code of `--dry-run`.
    pub dry_run: i32,
    /// Text that the dry run must print on stderr.
    pub says: &'static str,
    /// What SIGHUP makes of it on a good running child.
    pub reload: Verdict,
    /// The exit code of a cold start; `None` runs.
    pub cold_start: Option<i32>,
}

/// How a reload of a config ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The old pipeline keeps running; the text stands in the log.
    Halted(&'static str),
    /// The process exits 255.
    Aborted,
    /// The new config runs, and can be reached.
    Accepted,
    /// The new config runs, and its HTTP server is gone.
    Lost,
    /// Not checked: the case is about the parser only.
    Unchecked,
}

const GOOD: &str = "configuration test is successful";
const FORMAT: Verdict = Verdict::Halted("reloaded config format is invalid. Reloading is halted");
const INVALID: Verdict = Verdict::Halted("reloaded config is invalid. Reloading is halted");

const fn case(name: &'static str, text: &'static str) -> ConfigCase {
    ConfigCase {
        name,
        file: "c.yaml",
        text,
        dry_run: 1,
        says: "configuration file contains errors, aborting.",
        reload: FORMAT,
        cold_start: Some(1),
    }
}

const fn good(name: &'static str, text: &'static str) -> ConfigCase {
    ConfigCase { dry_run: 0, says: GOOD, reload: Verdict::Accepted, cold_start: None, ..case(name, text) }
}

#[expect(clippy::needless_pass_by_value, reason = "a constant function builds a new case from it")]
const fn classic(case: ConfigCase) -> ConfigCase {
    ConfigCase { file: "c.conf", reload: Verdict::Unchecked, ..case }
}

macro_rules! pipeline {
    ($input:literal, $filters:literal, $output:literal) => {
        concat!(
            "service:\n{service}pipeline:\n  inputs:\n    - name: ",
            $input,
            "\n",
            $filters,
            "  outputs:\n    - name: ",
            $output,
            "\n      match: '*'\n"
        )
    };
}

/// Every case.
pub const CONFIG_CASES: &[ConfigCase] = &[
    good("a good config", pipeline!("dummy", "", "'null'")),
    ConfigCase {
        says: "[error] [config] invalid YAML in file",
        reload: Verdict::Halted("[error] [config] invalid YAML in file"),
        ..case("YAML syntax", "service:\n  flush: 1\n bad")
    },
    ConfigCase {
        says: "duplicated definition of 'service'",
        reload: Verdict::Halted("duplicated definition of 'service'"),
        ..case("second service in YAML", "service:\n  flush: 1\nservice:\n  flush: 2\n")
    },
    ConfigCase {
        says: "section 'nosuchplugin' tried to instance a plugin name that doesn't exist",
        ..case("unknown input", pipeline!("nosuchplugin", "", "'null'"))
    },
    ConfigCase {
        says: "section 'nosuchout' tried to instance a plugin name that doesn't exist",
        ..case("unknown output", pipeline!("dummy", "", "nosuchout"))
    },
    ConfigCase {
        says: "section 'input' is missing the 'name' property",
        ..case("plugin without name", "pipeline:\n  inputs:\n    - rate: 2\n")
    },
    ConfigCase {
        says: "error creating processor 'nosuch'",
        reload: Verdict::Unchecked,
        ..case(
            "unknown processor",
            pipeline!("dummy\n      processors:\n        logs:\n          - name: nosuch", "", "'null'"),
        )
    },
    ConfigCase { reload: Verdict::Unchecked, ..case("missing include", "includes:\n  - nope.yaml\n") },
    ConfigCase {
        says: "could not configure service property 'parsers_file'",
        ..case("missing parsers_file", "service:\n  parsers_file: nope.conf\n")
    },
    ConfigCase {
        says: "could not configure service property 'log_level'",
        ..case("bad log_level", "service:\n  log_level: bogus\n")
    },
    ConfigCase {
        says: "[config] dummy: unknown configuration property 'nosuchprop'. The following properties are allowed: samples, ",
        reload: INVALID,
        cold_start: Some(255),
        ..case("unknown property of an input", pipeline!("dummy\n      nosuchprop: 1", "", "'null'"))
    },
    ConfigCase {
        says: "[reload] check properties for output plugins is failed",
        reload: INVALID,
        cold_start: Some(255),
        ..case("unknown property of an output", pipeline!("dummy", "", "'null'\n      nosuchprop: 1"))
    },
    ConfigCase {
        says: "NO match rule for grep.0 filter instance, halting to reload.",
        reload: INVALID,
        cold_start: Some(255),
        ..case(
            "filter without match",
            pipeline!("dummy", "  filters:\n    - name: grep\n      regex: a b\n", "'null'"),
        )
    },
    ConfigCase {
        reload: Verdict::Aborted,
        cold_start: Some(255),
        ..good(
            "grep with a bad regex",
            pipeline!(
                "dummy",
                "  filters:\n    - name: grep\n      match: '*'\n      regex: a (\n",
                "'null'"
            ),
        )
    },
    ConfigCase {
        reload: Verdict::Aborted,
        cold_start: Some(255),
        ..good(
            "input port in use",
            pipeline!("forward\n      listen: 127.0.0.1\n      port: {taken}", "", "'null'"),
        )
    },
    ConfigCase {
        reload: Verdict::Aborted,
        cold_start: Some(255),
        ..good(
            "http port in use",
            "service:\n  http_server: on\n  http_listen: 127.0.0.1\n  http_port: {taken}\n  hot_reload: on\npipeline:\n  inputs:\n    - name: dummy\n",
        )
    },
    ConfigCase {
        says: "invalid flush value, aborting.",
        reload: Verdict::Accepted,
        ..case(
            "flush that is no number",
            "service:\n  flush: abc\n{service}pipeline:\n  inputs:\n    - name: dummy\n",
        )
    },
    good("integer that is no number", pipeline!("dummy\n      samples: abc", "", "'null'")),
    good(
        "unknown service key",
        "service:\n  nosuchkey: 1\n{service}pipeline:\n  inputs:\n    - name: dummy\n",
    ),
    good("no outputs", "service:\n{service}pipeline:\n  inputs:\n    - name: dummy\n"),
    ConfigCase { reload: Verdict::Lost, ..good("empty file", "") },
    classic(ConfigCase {
        says: "c.conf:3",
        ..case("tabs and spaces", "[INPUT]\n    Name dummy\n\tRate 1\n")
    }),
    classic(case("no indent", "[INPUT]\nName dummy\n")),
    classic(ConfigCase { says: "c.conf:2", ..case("key without value", "[INPUT]\n    Name\n") }),
    classic(ConfigCase { says: "c.conf:1", ..case("unclosed section", "[INPUT\n    Name dummy\n") }),
    classic(case("parser in the main file", "[PARSER]\n    Name x\n    Format json\n")),
    classic(case("missing @INCLUDE", "@INCLUDE nope.conf\n")),
    classic(case("glob without a match", "@INCLUDE nope*.conf\n")),
    classic(good("unknown section", "[FOO]\n    a b\n[INPUT]\n    Name dummy\n")),
    classic(good("two service sections", "[SERVICE]\n    Flush 1\n[SERVICE]\n    Flush 2\n")),
];
