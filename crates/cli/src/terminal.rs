//! What stands at the other end of our streams.

use std::io::IsTerminal as _;

use crate::settings::Environment;

/// Which streams are terminals, and whether data may be coloured.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Terminal {
    /// A person can answer: stdin and stderr are terminals.
    pub(crate) can_ask: bool,
    /// Stderr is a terminal, so that a line can be rewritten.
    pub(crate) rewrites: bool,
    /// Data on stdout is coloured.
    pub(crate) colour: bool,
}

impl Terminal {
    /// As this process was started.
    pub(crate) fn of_process(environment: &Environment) -> Self {
        let stderr = std::io::stderr().is_terminal();
        let dumb = environment.get("TERM").as_deref() == Some("dumb");
        Self {
            can_ask: stderr && std::io::stdin().is_terminal(),
            rewrites: stderr && !dumb,
            colour: colours(std::io::stdout().is_terminal(), environment),
        }
    }
}

/// Colour is for terminals that can show it and people who do not object (no-color.org).
fn colours(terminal: bool, environment: &Environment) -> bool {
    terminal && environment.get("NO_COLOR").is_none() && environment.get("TERM").as_deref() != Some("dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_terminal_when_no_color_is_set_then_nothing_is_coloured() {
        for (terminal, variables, expected) in [
            (true, &[][..], true),
            (true, &[("NO_COLOR", "")], true),
            (true, &[("NO_COLOR", "1")], false),
            (true, &[("TERM", "dumb")], false),
            (false, &[], false),
        ] {
            assert_eq!(colours(terminal, &Environment::of(variables)), expected, "{terminal} {variables:?}");
        }
    }
}
