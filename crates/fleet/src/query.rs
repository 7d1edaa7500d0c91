//! The search language: so far terms `key:value` that must all hold.
//!
//! `key:value` compares without regard to case, `*` stands for anything, quotes keep spaces together; a bare word
//! matches a part of the name or the uid. Keys: `uid`, `name`, `connection`, `health`, `config`, `attention`,
//! `service`, `version`, `os`, `capability`, `transport`, and `attr.NAME` for any attribute.

use std::time::Duration;

use crate::agent::{Link, axes};
use crate::{Agent, Timestamp};

/// The keys of the language, `attr.…` apart.
pub const KEYS: [&str; 11] = [
    "uid",
    "name",
    "connection",
    "health",
    "config",
    "attention",
    "service",
    "version",
    "os",
    "capability",
    "transport",
];

/// Longest query that is read, in bytes.
pub const MAX_QUERY_BYTES: usize = 4096;

/// A query, ready to be asked of agents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    key: Key,
    pattern: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    Word,
    Named(&'static str),
    Attribute(String),
}

/// Why a query cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {position}: {message}")]
pub struct QueryError {
    /// The character at which the trouble starts, from 1.
    pub position: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl Query {
    /// Reads a query; an empty one matches every agent.
    ///
    /// # Errors
    /// [`QueryError`] for an unknown key, an empty value, an open quote, or a query that is too long.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        if text.len() > MAX_QUERY_BYTES {
            let message = format!("the query is longer than {MAX_QUERY_BYTES} bytes");
            return Err(QueryError { position: MAX_QUERY_BYTES, message });
        }
        let terms = split(text)?
            .into_iter()
            .map(|(position, token)| term(position, &token))
            .collect::<Result<_, _>>()?;
        Ok(Self { terms })
    }

    /// True when the query names nothing, so that it matches the whole fleet.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.terms.is_empty()
    }

    /// True when it asks only for what an agent is, not for how it fares or whether it is there.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        const PASSING: [&str; 5] = ["connection", "health", "config", "attention", "transport"];
        !self.terms.iter().any(|term| matches!(term.key, Key::Named(name) if PASSING.contains(&name)))
    }

    /// Asks the query of one agent.
    #[must_use]
    pub fn matches(&self, agent: &Agent, now: Timestamp, interval: Duration) -> bool {
        self.terms.iter().all(|term| term.matches(agent, now, interval))
    }
}

/// Splits at spaces outside quotes; positions count characters from 1.
fn split(text: &str) -> Result<Vec<(usize, String)>, QueryError> {
    let mut tokens = Vec::new();
    let mut token: Option<(usize, String)> = None;
    let mut quote: Option<usize> = None;
    for (index, character) in text.chars().enumerate() {
        if character == '"' {
            quote = if quote.is_some() { None } else { Some(index + 1) };
            token.get_or_insert_with(|| (index + 1, String::new()));
        } else if character.is_whitespace() && quote.is_none() {
            tokens.extend(token.take());
        } else {
            token.get_or_insert_with(|| (index + 1, String::new())).1.push(character);
        }
    }
    if let Some(position) = quote {
        return Err(QueryError { position, message: "this quote is never closed".into() });
    }
    tokens.extend(token);
    Ok(tokens)
}

fn term(position: usize, token: &str) -> Result<Term, QueryError> {
    let Some((key, value)) = token.split_once(':') else {
        return Ok(Term { key: Key::Word, pattern: token.to_lowercase() });
    };
    let key = if let Some(name) = key.strip_prefix("attr.") {
        Key::Attribute(name.to_owned())
    } else if let Some(known) = KEYS.iter().find(|known| **known == key) {
        Key::Named(known)
    } else {
        let message = format!(
            "unknown key {key:?}; known are {} and attr.NAME (an attribute such as attr.host.name)",
            KEYS.join(", ")
        );
        return Err(QueryError { position, message });
    };
    if value.is_empty() {
        return Err(QueryError {
            position,
            message: "a value must follow the colon; * stands for any".into(),
        });
    }
    Ok(Term { key, pattern: value.to_lowercase() })
}

impl Term {
    fn matches(&self, agent: &Agent, now: Timestamp, interval: Duration) -> bool {
        let is = |text: &str| glob(&self.pattern, &text.to_lowercase());
        let attribute = |name: &str| agent.attributes().get(name).is_some_and(is);
        let named = match &self.key {
            Key::Word => {
                return agent.name().to_lowercase().contains(&self.pattern)
                    || agent.uid.to_string().contains(&self.pattern);
            }
            Key::Attribute(name) => return attribute(name),
            Key::Named(name) => *name,
        };
        match named {
            "uid" => is(&agent.uid.to_string()),
            "name" => is(&agent.name()),
            "connection" => is(axes::connection(agent, now, interval).value.as_str()),
            "health" => is(axes::health(agent).value.as_str()),
            "config" => is(axes::config(agent).0.value.as_str()),
            "attention" => {
                let connection = axes::connection(agent, now, interval);
                is(axes::attention(&connection, &axes::health(agent), &axes::config(agent).0).0.as_str())
            }
            "service" => attribute("service.name"),
            "version" => attribute("service.version"),
            "os" => attribute("os.type"),
            "capability" => {
                agent.capabilities.names().any(|name| is(&name))
                    || agent.custom_capabilities().iter().any(|name| is(name))
            }
            "transport" => matches!(agent.link, Link::Up { transport, .. } if is(transport.as_str())),
            _ => false,
        }
    }
}

/// Compares with `*` for any run of characters, in time that is at worst the product of the two lengths.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_globs_when_compared_then_stars_stand_for_anything() {
        for (pattern, text, expected) in [
            ("web-*", "web-1", true),
            ("web-*", "db-1", false),
            ("*", "", true),
            ("*-1", "web-1", true),
            ("w*b*1", "web-1", true),
            ("w*x*1", "web-1", false),
            ("web", "web-1", false),
            ("a*a", "a", false),
            ("web-1", "web-1", true),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn given_queries_that_cannot_be_read_then_the_error_names_the_place() {
        for (text, position, part) in [
            ("healthy:yes", 1, "unknown key"),
            ("health:healthy  foo:bar", 17, "unknown key \"foo\""),
            ("name:", 1, "a value must follow"),
            ("name:\"web 1", 6, "never closed"),
        ] {
            let error = Query::parse(text).unwrap_err();
            assert_eq!(error.position, position, "{text}");
            assert!(error.message.contains(part), "{text}: {error}");
        }
        assert_eq!(Query::parse(&"x".repeat(MAX_QUERY_BYTES + 1)).unwrap_err().position, MAX_QUERY_BYTES);
    }

    #[test]
    fn given_quotes_when_split_then_spaces_inside_stay() {
        let query = Query::parse("attr.site:\"north sea\" web").unwrap();
        assert_eq!(query.terms.len(), 2);
        assert_eq!(query.terms[0].pattern, "north sea");
        assert!(Query::parse("  ").unwrap().is_everything());
    }
}
