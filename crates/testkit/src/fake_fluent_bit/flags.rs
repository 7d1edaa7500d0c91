//! The command line of Fluent Bit 5.1.1: getopt's dialect, and what each flag asks for.

use std::path::PathBuf;

/// What one command line asks the program to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Start the engine.
    Run(Flags),
    /// Judge the config and leave (`--dry-run`).
    DryRun(Flags),
    /// Print the version (`-V`): rc 0.
    Version,
    /// Print the plugin schema as JSON (`-J`): rc 0.
    Schema,
    /// Print the help (`-h`): rc 0.
    Help,
    /// A flag that the real one refuses; the sentence goes to stderr and the help to stdout: rc 1.
    Refused(String),
    /// A flag that the real one knows and the fake does not play. Said aloud rather than ignored.
    NotPlayed(String),
}

/// The flags that a supervisor uses. They lose to the config file (fluent-bit.md, section 2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `-c`: the config file, opened anew at each reload.
    pub config: Option<PathBuf>,
    /// `-w`: the working directory to change to.
    pub workdir: Option<PathBuf>,
    /// `-q`: no banner, and no engine log lines unless the file sets `log_level`.
    pub quiet: bool,
    /// Service keys set by flags, in the file's own words: they hold where the file is silent.
    pub service: Vec<(&'static str, String)>,
}

struct Spec {
    short: char,
    long: &'static [&'static str],
    takes_value: bool,
}

const fn spec(short: char, long: &'static [&'static str], takes_value: bool) -> Spec {
    Spec { short, long, takes_value }
}

const SPECS: &[Spec] = &[
    spec('b', &["storage_path"], true),
    spec('c', &["config"], true),
    spec('d', &["daemon"], false),
    spec('D', &["dry-run"], false),
    spec('f', &["flush"], true),
    spec('H', &["http", "http_server"], false),
    spec('l', &["log_file"], true),
    spec('P', &["port", "http_port"], true),
    spec('L', &["http_listen"], true),
    spec('C', &["custom"], true),
    spec('i', &["input"], true),
    spec('r', &["processor"], true),
    spec('F', &["filter"], true),
    spec('o', &["output"], true),
    spec('m', &["match"], true),
    spec('R', &["parser"], true),
    spec('p', &["prop"], true),
    spec('e', &["plugin"], true),
    spec('t', &["tag"], true),
    spec('T', &["sp-task"], true),
    spec('V', &["version"], false),
    spec('v', &["verbose"], false),
    spec('w', &["workdir"], true),
    spec('q', &["quiet"], false),
    spec('h', &["help"], false),
    spec('J', &["help-json"], false),
    spec('s', &["coro_stack_size"], true),
    spec('S', &["sosreport"], false),
    spec('Y', &["enable-hot-reload"], false),
    spec('Z', &["enable-chunk-trace"], false),
    spec('W', &["disable-thread-safety-on-hot-reload"], false),
];

/// Reads the arguments after the program's name; `program` is what the refusal is signed with.
#[must_use]
pub fn parse(program: &str, args: &[String]) -> Ask {
    let mut reading = Reading::default();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        if arg == "--" {
            break;
        }
        let outcome = if let Some(long) = arg.strip_prefix("--") {
            reading.long(program, long, &mut rest)
        } else if let Some(cluster) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            reading.cluster(program, cluster, &mut rest)
        } else {
            Ok(())
        };
        if let Err(ask) = outcome {
            return ask;
        }
    }
    match (reading.dry_run, reading.flags) {
        (true, flags) => Ask::DryRun(flags),
        (false, flags) => Ask::Run(flags),
    }
}

#[derive(Default)]
struct Reading {
    flags: Flags,
    dry_run: bool,
}

type Rest<'a> = std::slice::Iter<'a, String>;

impl Reading {
    fn long(&mut self, program: &str, text: &str, rest: &mut Rest<'_>) -> Result<(), Ask> {
        let (name, inline) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        let Some(spec) = find_long(name) else {
            return Err(Ask::Refused(format!("{program}: unrecognized option '--{name}'")));
        };
        let value = match (spec.takes_value, inline) {
            (true, Some(value)) => value,
            (true, None) => rest
                .next()
                .cloned()
                .ok_or_else(|| Ask::Refused(format!("{program}: option '--{name}' requires an argument")))?,
            (false, Some(_)) => {
                return Err(Ask::Refused(format!("{program}: option '--{name}' doesn't allow an argument")));
            }
            (false, None) => String::new(),
        };
        self.apply(spec.short, value)
    }

    fn cluster(&mut self, program: &str, letters: &str, rest: &mut Rest<'_>) -> Result<(), Ask> {
        let mut left = letters.chars();
        while let Some(letter) = left.next() {
            let Some(spec) = SPECS.iter().find(|spec| spec.short == letter) else {
                return Err(Ask::Refused(format!("{program}: invalid option -- '{letter}'")));
            };
            if !spec.takes_value {
                self.apply(letter, String::new())?;
                continue;
            }
            let glued = left.as_str();
            let value = if glued.is_empty() {
                rest.next().cloned().ok_or_else(|| {
                    Ask::Refused(format!("{program}: option requires an argument -- '{letter}'"))
                })?
            } else {
                glued.to_owned()
            };
            return self.apply(letter, value);
        }
        Ok(())
    }

    fn apply(&mut self, letter: char, value: String) -> Result<(), Ask> {
        let service = &mut self.flags.service;
        match letter {
            'c' => self.flags.config = Some(PathBuf::from(value)),
            'w' => self.flags.workdir = Some(PathBuf::from(value)),
            'q' => self.flags.quiet = true,
            'D' => self.dry_run = true,
            'H' => service.push(("http_server", "on".to_owned())),
            'P' => service.push(("http_port", value)),
            'L' => service.push(("http_listen", value)),
            'Y' => service.push(("hot_reload", "on".to_owned())),
            'W' => service.push(("hot_reload.ensure_thread_safety", "off".to_owned())),
            'f' => service.push(("flush", value)),
            'l' => service.push(("log_file", value)),
            'b' => service.push(("storage.path", value)),
            'v' => service.push(("log_level", "debug".to_owned())),
            'Z' => service.push(("enable_chunk_trace", "on".to_owned())),
            's' => service.push(("coro_stack_size", value)),
            'R' => service.push(("parsers_file", value)),
            'V' => return Err(Ask::Version),
            'J' => return Err(Ask::Schema),
            'h' => return Err(Ask::Help),
            other => return Err(Ask::NotPlayed(format!("-{other}"))),
        }
        Ok(())
    }
}

/// The flag of that name, or the only one that begins so (getopt accepts unambiguous prefixes).
fn find_long(name: &str) -> Option<&'static Spec> {
    let exact = SPECS.iter().find(|spec| spec.long.contains(&name));
    if exact.is_some() {
        return exact;
    }
    let mut matching = SPECS.iter().filter(|spec| spec.long.iter().any(|long| long.starts_with(name)));
    let only = matching.next()?;
    matching.next().is_none().then_some(only)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(line: &str) -> Ask {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse("fluent-bit", &args)
    }

    #[test]
    fn given_each_spelling_of_the_config_flag_when_parsed_then_it_names_the_file() {
        for line in ["-c a.conf", "-ca.conf", "--config=a.conf", "--config a.conf", "-qc a.conf"] {
            let Ask::Run(flags) = ask(line) else {
                panic!("{line} does not run");
            };
            assert_eq!(flags.config, Some(PathBuf::from("a.conf")), "{line}");
        }
    }

    #[test]
    fn given_unknown_flags_when_parsed_then_the_refusal_reads_as_getopt_writes_it() {
        let cases = [
            ("--nosuch", "fluent-bit: unrecognized option '--nosuch'"),
            ("-@", "fluent-bit: invalid option -- '@'"),
            ("-c", "fluent-bit: option requires an argument -- 'c'"),
        ];
        for (line, said) in cases {
            assert_eq!(ask(line), Ask::Refused(said.to_owned()), "{line}");
        }
    }

    #[test]
    fn given_the_supervisors_flags_when_parsed_then_they_become_service_keys() {
        let Ask::Run(flags) = ask("-H -L 127.0.0.1 -P 2107 -Y -W -q") else {
            panic!("does not run");
        };
        assert!(flags.quiet);
        let keys: Vec<&str> = flags.service.iter().map(|(key, _)| *key).collect();
        assert!(keys.contains(&"http_listen") && keys.contains(&"hot_reload"), "{keys:?}");
    }
}
