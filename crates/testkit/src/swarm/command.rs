//! The commands that drive a swarm, one a line.

use std::time::Duration;

use super::agent::Profile;

/// How long a command that waits does so unless it says.
const PATIENCE: Duration = Duration::from_secs(120);

/// One line of a script.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Command {
    /// `connect N [small|health|full] [mux K]`: so many agents more, K a socket; ends when each was answered.
    Connect {
        /// How many.
        agents: u32,
        /// What their first report holds.
        profile: Profile,
        /// Agents of one socket.
        mux: u32,
    },
    /// `idle D`: nothing but what is due anyway.
    Idle(Duration),
    /// `heartbeats RATE D`: so many a second, spread over the agents; ends when the last is answered.
    Heartbeats(Traffic),
    /// `statuses RATE D`: the same with reports of a component that fails or recovers.
    Statuses(Traffic),
    /// `digests RATE D`: the same with digests of metrics; the server takes one of an agent in five seconds.
    Digests(Traffic),
    /// `storm P%`: so many connections break and come back; ends when every agent was answered again.
    Storm(f64),
    /// `die P%`: so many connections break and stay away.
    Die(f64),
    /// `leave P%`: so many say farewell.
    Leave(f64),
    /// `wait-offers N [D]`: until so many configs were offered since the mark.
    WaitOffers(u64, Duration),
    /// `wait-settled N [D]`: until so many were applied or failed since the mark.
    WaitSettled(u64, Duration),
    /// `mark`: counts begin anew.
    Mark,
    /// `stats`: only the answer.
    Stats,
    /// `quit`: the sockets close and the process ends.
    Quit,
}

/// Messages at a rate for a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traffic {
    /// Messages a second.
    pub rate: f64,
    /// For so long.
    pub time: Duration,
}

impl std::str::FromStr for Command {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        Ok(match words.as_slice() {
            ["connect", agents, rest @ ..] => connect(agents, rest)?,
            ["idle", time] => Self::Idle(duration(time)?),
            ["heartbeats", rate, time] => Self::Heartbeats(traffic(rate, time)?),
            ["statuses", rate, time] => Self::Statuses(traffic(rate, time)?),
            ["digests", rate, time] => Self::Digests(traffic(rate, time)?),
            ["storm", part] => Self::Storm(share(part)?),
            ["die", part] => Self::Die(share(part)?),
            ["leave", part] => Self::Leave(share(part)?),
            ["wait-offers", many] => Self::WaitOffers(number(many)?, PATIENCE),
            ["wait-offers", many, time] => Self::WaitOffers(number(many)?, duration(time)?),
            ["wait-settled", many] => Self::WaitSettled(number(many)?, PATIENCE),
            ["wait-settled", many, time] => Self::WaitSettled(number(many)?, duration(time)?),
            ["mark"] => Self::Mark,
            ["stats"] => Self::Stats,
            ["quit"] => Self::Quit,
            _ => return Err(format!("`{line}` is no command, or it has not the arguments that it needs")),
        })
    }
}

fn connect(agents: &str, rest: &[&str]) -> Result<Command, String> {
    let (mut profile, mut mux) = (Profile::Full, 1_u32);
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        match *word {
            "small" => profile = Profile::Small,
            "health" => profile = Profile::Health,
            "full" => profile = Profile::Full,
            "mux" => mux = number::<u32>(rest.next().ok_or("mux needs a number")?)?.max(1),
            other => return Err(format!("`{other}` is none of small, health, full and mux")),
        }
    }
    Ok(Command::Connect { agents: number(agents)?, profile, mux })
}

fn traffic(rate: &str, time: &str) -> Result<Traffic, String> {
    let rate: f64 = rate.parse().map_err(|_| format!("`{rate}` is no rate: write messages a second"))?;
    if !(rate.is_finite() && rate > 0.0) {
        return Err(format!("the rate {rate} is not above 0"));
    }
    Ok(Traffic { rate, time: duration(time)? })
}

fn number<T: std::str::FromStr>(word: &str) -> Result<T, String> {
    word.parse().map_err(|_| format!("`{word}` is not a number that is taken here"))
}

/// `30s`, `500ms` or `2m`.
pub(super) fn duration(word: &str) -> Result<Duration, String> {
    let wrong = || format!("`{word}` is no time: write 500ms, 10s or 2m");
    let (digits, unit) = word.split_at(word.find(|c: char| c.is_alphabetic()).ok_or_else(wrong)?);
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    match unit {
        "ms" => Ok(Duration::from_millis(count)),
        "s" => Ok(Duration::from_secs(count)),
        "m" => Ok(Duration::from_secs(count.saturating_mul(60))),
        _ => Err(wrong()),
    }
}

/// `25%`, as a share from 0 to 1.
pub(super) fn share(word: &str) -> Result<f64, String> {
    let percent = word.strip_suffix('%').and_then(|digits| digits.parse::<f64>().ok());
    match percent {
        Some(percent) if (0.0..=100.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err(format!("`{word}` is no share: write 0% to 100%")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_lines_when_read_then_commands_pass_and_others_say_what_is_wrong() {
        let second = Duration::from_secs(1);
        for (line, command) in [
            ("connect 5", Command::Connect { agents: 5, profile: Profile::Full, mux: 1 }),
            (" connect 5  small mux 100", Command::Connect { agents: 5, profile: Profile::Small, mux: 100 }),
            ("idle 1s", Command::Idle(second)),
            ("heartbeats 2.5 1000ms", Command::Heartbeats(Traffic { rate: 2.5, time: second })),
            ("digests 2 1s", Command::Digests(Traffic { rate: 2.0, time: second })),
            ("storm 50%", Command::Storm(0.5)),
            ("wait-offers 7", Command::WaitOffers(7, PATIENCE)),
            ("wait-settled 7 1s", Command::WaitSettled(7, second)),
            ("quit", Command::Quit),
        ] {
            assert_eq!(line.parse(), Ok(command), "{line}");
        }
        for (line, part) in [
            ("", "no command"),
            ("connect", "no command"),
            ("connect x", "`x`"),
            ("connect 5 big", "`big`"),
            ("connect 5 mux", "mux needs"),
            ("idle 5", "write 500ms"),
            ("heartbeats 0 1s", "above 0"),
            ("heartbeats NaN 1s", "above 0"),
            ("storm 101%", "0% to 100%"),
            ("storm 0.5", "0% to 100%"),
        ] {
            let error = line.parse::<Command>().unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}
