//! Random configs, good and bad ones, of every kind that Fluent Bit was seen to treat in its own way (fluent-bit.md,
//! "Validation"), each with what must become of it.

use tidegate_api::PushFile;

use crate::fleet::{bad_regex, classic, unknown_property, yaml};
use crate::swarm::random::Random;

/// What must become of a config that nothing disturbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is proven and runs.
    Runs,
    /// It fails one of these proofs.
    Fails(&'static [&'static str]),
}

/// A config that was made up.
#[derive(Clone, Debug)]
pub struct Made {
    /// What kind of config it is.
    pub kind: &'static str,
    /// Its files, the main one first.
    pub files: Vec<PushFile>,
    /// What must become of it.
    pub verdict: Verdict,
    /// The input by which it is known when it runs.
    pub alias: String,
}

/// What configs may name.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings {
    /// A port that another program listens on.
    pub taken: u16,
    /// A port that nobody listens on.
    pub dead: u16,
    /// Whether outputs may hang: what comes after such a config takes the deadline of a reload.
    pub hangs: bool,
}

const BEFORE: Verdict = Verdict::Fails(&["readable", "dry-run"]);
const LATER: Verdict = Verdict::Fails(&["reload", "process"]);

/// The kinds of config, good ones first; the last is one that makes the next reload hang.
const KINDS: [(&str, Verdict); 22] = [
    ("yaml", Verdict::Runs),
    ("classic", Verdict::Runs),
    ("several files", Verdict::Runs),
    ("tail with a database", Verdict::Runs),
    ("taken API port", Verdict::Runs),
    ("API off", Verdict::Runs),
    ("bad integer", Verdict::Runs),
    ("unknown service key", Verdict::Runs),
    ("large", Verdict::Runs),
    ("syntax", BEFORE),
    ("unknown plugin", BEFORE),
    ("unknown property", BEFORE),
    ("missing include", BEFORE),
    ("duplicate service", BEFORE),
    ("missing parsers file", BEFORE),
    ("filter without match", BEFORE),
    ("bad flush", BEFORE),
    ("no pipeline", Verdict::Fails(&["pipeline"])),
    ("nothing but a comment", Verdict::Fails(&["pipeline"])),
    ("bad regex", LATER),
    ("taken input port", LATER),
    ("dead output", Verdict::Runs),
];

/// Makes one up; `number` tells it from all others.
#[must_use]
pub fn make(random: &mut Random, number: u32, around: Surroundings) -> Made {
    let count = KINDS.len() - usize::from(!around.hangs);
    // Every other one is good: what fails must have something to fall back to.
    let at =
        if random.chance(0.4) { random.below(9) } else { random.below(u64::try_from(count).unwrap_or(1)) };
    let (kind, verdict) = KINDS[usize::try_from(at).unwrap_or_default() % count];
    let alias = format!("step_{number}");
    let files = files(kind, &alias, around).into_iter().map(|(name, body)| PushFile {
        name: name.to_owned(),
        content_type: String::new(),
        role: String::new(),
        body,
    });
    Made { kind, files: files.collect(), verdict, alias }
}

fn files(kind: &str, alias: &str, around: Surroundings) -> Vec<(&'static str, String)> {
    let good = yaml(alias, "");
    let one = |body: String| vec![("fluent-bit.yaml", body)];
    let service = |line: &str| one(good.replacen("flush: 1", line, 1));
    let filter = |lines: &str| one(yaml(alias, &format!("  filters:\n{lines}")));
    match kind {
        "classic" => vec![("main.conf", classic(alias))],
        "several files" => vec![
            (
                "main.conf",
                format!(
                    "[SERVICE]\n    flush 1\n    grace 1\n    parsers_file parsers.conf\n[INPUT]\n    name dummy\n    \
                     alias {alias}\n@INCLUDE d/*.conf\n"
                ),
            ),
            ("parsers.conf", "[PARSER]\n    name p\n    format json\n".to_owned()),
            ("d/out.conf", "[OUTPUT]\n    name null\n    alias sink\n    match *\n".to_owned()),
        ],
        "tail with a database" => one(yaml(
            alias,
            "    - name: tail\n      alias: files\n      path: followed*.log\n      db: followed.db\n",
        )),
        "taken API port" => service(&format!("flush: 1\n  http_server: on\n  http_port: {}", around.taken)),
        "API off" => service("flush: 1\n  http_server: off\n  hot_reload: off"),
        "bad integer" => one(yaml(alias, "      samples: abc\n")),
        "unknown service key" => service("flush: 1\n  nosuch: 1"),
        "large" => one(format!("{good}{}", "# padding\n".repeat(20_000))),
        "syntax" => one(good.replacen("inputs:", "inputs: [", 1)),
        "unknown plugin" => one(good.replacen("name: dummy", "name: nosuch", 1)),
        "unknown property" => one(unknown_property(alias)),
        "missing include" => one(format!("includes:\n  - missing.yaml\n{good}")),
        "duplicate service" => {
            vec![
                ("fluent-bit.yaml", format!("includes:\n  - more.yaml\n{good}")),
                ("more.yaml", "service:\n  flush: 2\n".to_owned()),
            ]
        }
        "missing parsers file" => service("flush: 1\n  parsers_file: missing.conf"),
        "filter without match" => filter("    - name: grep\n      regex: log x\n"),
        "bad flush" => service("flush: abc"),
        "no pipeline" => one("service:\n  flush: 1\n".to_owned()),
        "nothing but a comment" => one("# nothing\n".to_owned()),
        "bad regex" => one(bad_regex(alias)),
        "taken input port" => {
            let port = around.taken;
            one(yaml(alias, &format!("    - name: tcp\n      listen: 127.0.0.1\n      port: {port}\n")))
        }
        "dead output" => {
            let port = around.dead;
            one(format!(
                "{good}    - name: http\n      alias: dead\n      match: \"*\"\n      host: 127.0.0.1\n      port: {port}\n      \
                 retry_limit: no_limits\n"
            ))
        }
        _ => one(good),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_seed_when_configs_are_made_then_all_kinds_come_and_the_same_ones_again() {
        let around = Surroundings { taken: 1, dead: 2, hangs: true };
        let made = |seed| {
            let mut random = Random::new(seed, 0);
            (0..400).map(|number| make(&mut random, number, around).kind).collect::<Vec<_>>()
        };
        let first = made(7);
        assert_eq!(first, made(7));
        for (kind, _) in KINDS {
            assert!(first.contains(&kind), "{kind}");
            let files = files(kind, "a", around);
            let is_plain = kind != "yaml" && files[0].1 == yaml("a", "");
            assert!(!is_plain, "{kind} is not written out");
        }
    }
}
