//! Names of capabilities, and the two forms in which peers write them.

/// An action of the agent's own pipeline, started over a local HTTP input.
pub const CHATOPS: &str = "org.mp3monster.opamp_provider.chatopcommand";

/// Shuts the agent down.
pub const SHUTDOWN: &str = "org.mp3monster.opamp_provider.command_shutdown_agent";

/// Does nothing; shows that custom messages arrive.
pub const NULL_COMMAND: &str = "org.mp3monster.opamp_provider.nullcommand";

/// The counters of an agent's components, sent once an interval.
pub const METRICS: &str = "io.tidegate.metrics";

/// The last lines of the agent's log.
pub const LOGS: &str = "io.tidegate.logs";

/// What the agent would say to a config, without applying it.
pub const DRY_RUN: &str = "io.tidegate.dryrun";

/// What a person who is to help needs to know, without secrets.
pub const DIAGNOSTICS: &str = "io.tidegate.diagnostics";

/// What an agent's build says of its plugins and their properties, fetched once for each build.
pub const SCHEMA: &str = "io.tidegate.schema";

/// Beginnings of names that hosts cannot give to handlers of their own.
const RESERVED: [&str; 3] = ["io.tidegate.", "io.opentelemetry.", "org.mp3monster."];

/// Longest name of a host's own capability, in bytes.
pub const MAX_NAME_BYTES: usize = 128;

/// Why a host cannot give a capability of its own this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Empty, longer than [`MAX_NAME_BYTES`], or with other characters.
    #[error("a capability's name has 1 to {MAX_NAME_BYTES} letters, digits, `.`, `_`, `-` and `/`")]
    Form,
    /// Somebody else's.
    #[error("names that begin with {0} are reserved: use a domain of your own, as in com.example.flush")]
    Reserved(&'static str),
}

/// Checks the name of a capability that a host defines.
///
/// # Errors
/// [`InvalidName`].
pub fn check_name(name: &str) -> Result<(), InvalidName> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.bytes().all(fits) {
        return Err(InvalidName::Form);
    }
    // With a dot behind it, so that the bare prefix is reserved as well.
    let dotted = format!("{}.", name.to_ascii_lowercase());
    match RESERVED.into_iter().find(|reserved| dotted.starts_with(reserved)) {
        Some(reserved) => Err(InvalidName::Reserved(reserved)),
        None => Ok(()),
    }
}

/// What some supervisors put before each name that they announce.
pub const REQUEST_PREFIX: &str = "request:";

/// The name without [`REQUEST_PREFIX`], the form of the specification.
#[must_use]
pub fn bare(name: &str) -> &str {
    name.strip_prefix(REQUEST_PREFIX).unwrap_or(name)
}

/// The name with [`REQUEST_PREFIX`], once.
#[must_use]
pub fn prefixed(name: &str) -> String {
    format!("{REQUEST_PREFIX}{}", bare(name))
}

/// How a peer's list writes a capability: the bare form where it has both, `None` where it has neither.
#[must_use]
pub fn listed_as<'a>(list: &'a [String], name: &str) -> Option<&'a str> {
    let wanted = bare(name);
    let same = || list.iter().map(String::as_str).filter(|entry| bare(entry) == wanted);
    same().find(|entry| *entry == wanted).or_else(|| same().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_either_form_when_made_bare_or_prefixed_then_the_prefix_stands_once_at_most() {
        for form in [CHATOPS.to_owned(), prefixed(CHATOPS), prefixed(&prefixed(CHATOPS))] {
            assert_eq!(bare(&form), CHATOPS);
            assert_eq!(prefixed(&form), format!("request:{CHATOPS}"));
        }
    }

    #[test]
    fn given_names_of_a_hosts_own_when_checked_then_those_of_others_are_refused() {
        for name in ["com.example.flush", "x", "com.example/flush_now-2", "io.tidegatex"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["io.tidegate.x", "IO.Tidegate.x", "io.tidegate", "io.opentelemetry.x", CHATOPS, SHUTDOWN]
        {
            assert!(matches!(check_name(name), Err(InvalidName::Reserved(_))), "{name}");
        }
        for name in ["", "a b", "request:com.example", "ä", &"x".repeat(129)] {
            assert_eq!(check_name(name), Err(InvalidName::Form), "{name}");
        }
    }

    #[test]
    fn given_a_peers_list_when_asked_for_a_capability_then_its_own_form_is_found() {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let prefixed_chat = prefixed(CHATOPS);
        assert_eq!(listed_as(&list(&[SHUTDOWN, CHATOPS]), CHATOPS), Some(CHATOPS));
        assert_eq!(listed_as(&list(&[&prefixed_chat]), CHATOPS), Some(prefixed_chat.as_str()));
        assert_eq!(listed_as(&list(&[&prefixed_chat, CHATOPS]), &prefixed_chat), Some(CHATOPS));
        assert_eq!(listed_as(&list(&[SHUTDOWN]), CHATOPS), None);
    }
}
