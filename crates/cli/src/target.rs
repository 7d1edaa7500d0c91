//! Which agent a uid or a name means.

use tidegate_api::Agent;
use tidegate_api::client::{Client, ClientError};

use crate::failure::Failure;

/// Fewest hex digits that stand for the start of a uid.
const MIN_PREFIX: usize = 4;

/// Most candidates that a refusal lists.
const MAX_CANDIDATES: usize = 10;

/// An agent that a command acts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Its uid as a lowercase UUID.
    pub(crate) uid: String,
    /// Its name, as the agent gave it.
    pub(crate) name: String,
}

/// What was typed, before the server is asked.
#[derive(Debug, PartialEq, Eq)]
enum Reference {
    /// A whole uid, as a lowercase UUID.
    Uid(String),
    /// A name, and the start of a uid when it may be one too.
    Loose { name: String, prefix: Option<String> },
}

impl Reference {
    fn of(text: &str) -> Self {
        let digits: String = text.chars().filter(|character| *character != '-').collect();
        let hex = digits.chars().all(|character| character.is_ascii_hexdigit());
        let uuid = uuid_form(&digits.to_lowercase());
        let written_as_uuid = !text.contains('-') || uuid.starts_with(&text.to_lowercase());
        if !hex || !written_as_uuid || digits.len() < MIN_PREFIX || digits.len() > 32 {
            return Self::Loose { name: text.to_owned(), prefix: None };
        }
        if digits.len() == 32 {
            return Self::Uid(uuid);
        }
        Self::Loose { name: text.to_owned(), prefix: Some(uuid) }
    }
}

/// Puts the dashes of a UUID into hex digits; the last group may be cut, a dash at the end is left out.
fn uuid_form(digits: &str) -> String {
    let mut uuid = String::with_capacity(36);
    for (index, digit) in digits.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            uuid.push('-');
        }
        uuid.push(digit);
    }
    uuid
}

/// The query that finds a name, whatever is in it.
fn name_query(name: &str) -> String {
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
    format!("name=\"{escaped}\"")
}

/// Finds the agent that `text` means.
///
/// # Errors
/// [`Failure::NoAgent`], [`Failure::Ambiguous`] or [`Failure::Call`].
pub(crate) async fn find(client: &Client, text: &str) -> Result<Target, Failure> {
    let (name, prefix) = match Reference::of(text) {
        Reference::Uid(uid) => return by_uid(client, text, &uid).await,
        Reference::Loose { name, prefix } => (name, prefix),
    };
    if name.is_empty() {
        return Err(Failure::NoAgent { name });
    }
    let mut found = client.all_agents(&name_query(&name)).await?;
    found.retain(|agent| agent.name == name);
    if let Some(prefix) = prefix {
        let page = client.list_agents(&format!("uid:{prefix}*"), None, 50).await?;
        found.extend(page.items.into_iter().filter(|agent| agent.uid.starts_with(&prefix)));
    }
    choose(text, found)
}

async fn by_uid(client: &Client, text: &str, uid: &str) -> Result<Target, Failure> {
    match client.agent(uid).await {
        Ok(detail) => Ok(Target { uid: detail.agent.uid, name: detail.agent.name }),
        Err(ClientError::Refused(problem)) if problem.status == 404 => {
            Err(Failure::NoAgent { name: text.to_owned() })
        }
        Err(error) => Err(error.into()),
    }
}

fn choose(text: &str, mut found: Vec<Agent>) -> Result<Target, Failure> {
    found.sort_by(|a, b| a.uid.cmp(&b.uid));
    found.dedup_by(|a, b| a.uid == b.uid);
    match <[Agent; 1]>::try_from(found) {
        Ok([agent]) => Ok(Target { uid: agent.uid, name: agent.name }),
        Err(none) if none.is_empty() => Err(Failure::NoAgent { name: text.to_owned() }),
        Err(several) => {
            let more = several.len().saturating_sub(MAX_CANDIDATES);
            let candidates = several
                .iter()
                .take(MAX_CANDIDATES)
                .map(|agent| format!("{} ({})", agent.uid, crate::sanitise::cell(&agent.name, 40)))
                .collect();
            Err(Failure::Ambiguous { name: text.to_owned(), candidates, more })
        }
    }
}

/// Finds several agents, each once, before anything is done to one of them.
///
/// # Errors
/// As [`find`].
pub(crate) async fn find_all(client: &Client, texts: &[String]) -> Result<Vec<Target>, Failure> {
    let mut targets: Vec<Target> = Vec::new();
    for text in texts {
        let target = find(client, text).await?;
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::examples::agent;

    const UID: &str = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";

    #[test]
    fn given_what_was_typed_then_uids_prefixes_and_names_are_told_apart() {
        let loose = |name: &str, prefix: Option<&str>| Reference::Loose {
            name: name.into(),
            prefix: prefix.map(str::to_owned),
        };
        for (text, expected) in [
            (UID, Reference::Uid(UID.into())),
            ("0190A1B2-C3D4-7E5F-8A9B-0C1D2E3F4A5B", Reference::Uid(UID.into())),
            ("0190a1b2c3d47e5f8a9b0c1d2e3f4a5b", Reference::Uid(UID.into())),
            ("0190", loose("0190", Some("0190"))),
            ("0190a1b2c3", loose("0190a1b2c3", Some("0190a1b2-c3"))),
            ("0190A1B2-c3", loose("0190A1B2-c3", Some("0190a1b2-c3"))),
            ("019", loose("019", None)),
            ("01-90", loose("01-90", None)),
            ("web-1", loose("web-1", None)),
            ("../agents", loose("../agents", None)),
            ("", loose("", None)),
        ] {
            assert_eq!(Reference::of(text), expected, "{text}");
        }
    }

    #[test]
    fn given_a_name_with_quotes_when_asked_for_then_the_query_can_be_read() {
        assert_eq!(name_query("web 1"), "name=\"web 1\"");
        assert_eq!(name_query("a\"b"), r#"name="a\"b""#);
    }

    #[test]
    fn given_candidates_then_only_a_single_one_is_chosen() {
        let (first, second) = (agent("0190aaaa", "web"), agent("0190bbbb", "web"));
        let once = choose("web", vec![first.clone(), first.clone()]).unwrap();
        assert_eq!(once.uid, "0190aaaa");
        assert!(matches!(choose("web", vec![]), Err(Failure::NoAgent { .. })));
        let Err(Failure::Ambiguous { candidates, more: 0, .. }) = choose("web", vec![second, first]) else {
            panic!("two agents must be ambiguous");
        };
        assert_eq!(candidates, ["0190aaaa (web)", "0190bbbb (web)"]);
    }
}
