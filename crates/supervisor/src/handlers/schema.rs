//! The schema of the agent's build, piece by piece. Always on: it holds nothing of this host, only what anyone who has
//! the binary can have it print. Nothing of it is kept: each piece is cut from what the binary says now.

use tidegate_custom::schema::{Chunk, FETCH, Fetch, SchemaHash, Unavailable};
use tidegate_custom::{Message, ParseError, SCHEMA, message_id, parse};
use tidegate_opamp::{CustomMessage, body};
use tokio::sync::mpsc;

use super::ask::Asker;
use super::{Handler, Handling, Refusal};
use crate::agent::{AgentCommand, Question};

/// Answers requests for pieces.
#[derive(Clone, Debug)]
pub struct Schema {
    asker: Asker,
}

impl Schema {
    /// A handler that asks the process side behind `commands`.
    #[must_use]
    pub const fn new(commands: mpsc::Sender<AgentCommand>) -> Self {
        Self { asker: Asker::new(commands) }
    }

    async fn piece(&self, fetch: &Fetch) -> Result<Chunk, String> {
        let document = self.asker.ask(Question::Schema).await??;
        if SchemaHash::of(document.as_bytes()) != fetch.hash {
            return Err(
                "the agent's binary has another schema: it was exchanged, or never had this one".to_owned()
            );
        }
        let packed = body::gzip(document.as_bytes());
        Chunk::cut(&packed, fetch)
            .ok_or_else(|| format!("the schema has {} bytes, packed: none begin there", packed.len()))
    }
}

impl Handler for Schema {
    fn capability(&self) -> &str {
        SCHEMA
    }

    fn handle(&self, message: CustomMessage) -> Handling {
        let this = self.clone();
        Box::pin(async move {
            let answer = match parse(&message) {
                Ok(Message::SchemaFetch(fetch)) => match this.piece(&fetch).await {
                    Ok(chunk) => chunk.to_message(),
                    Err(reason) => Unavailable { hash: Some(fetch.hash), reason, id: fetch.id }.to_message(),
                },
                Err(error @ ParseError::Payload { kind: FETCH, .. }) => {
                    let id = message_id(&message.data);
                    Unavailable { hash: None, reason: error.to_string(), id }.to_message()
                }
                // OpAMP C160.
                _ => return None,
            };
            answer.inspect_err(|error| tracing::warn!(%error, "an answer cannot be written")).ok()
        })
    }

    fn is_idempotent(&self, _message: &CustomMessage) -> bool {
        true
    }

    fn refuse(&self, message: &CustomMessage, refusal: Refusal<'_>) -> Option<CustomMessage> {
        let (Refusal::NotDone(why) | Refusal::Unknown(why)) = refusal;
        let hash = Fetch::parse(&message.data).ok().map(|fetch| fetch.hash);
        Unavailable { hash, reason: why.to_owned(), id: message_id(&message.data) }.to_message().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{"fluent-bit":{"version":"5.1.1"},"inputs":[{"name":"dummy"}]}"#;

    /// What comes of a request while the process side says this.
    async fn handled(fetch: &Fetch, said: Result<&str, &str>) -> Message {
        let (commands, mut asked) = mpsc::channel(1);
        let said = said.map(ToOwned::to_owned).map_err(ToOwned::to_owned);
        let handling = Schema::new(commands).handle(fetch.to_message().unwrap());
        let answering = async {
            let Some(AgentCommand::Ask(Question::Schema(reply))) = asked.recv().await else {
                panic!("another question")
            };
            reply.send(said).unwrap();
        };
        parse(&tokio::join!(handling, answering).0.unwrap()).unwrap()
    }

    fn fetch(document: &str, offset: usize) -> Fetch {
        Fetch { hash: SchemaHash::of(document.as_bytes()), offset, id: None }
    }

    #[tokio::test]
    async fn given_a_request_when_the_binary_has_that_schema_then_the_piece_unpacks_to_it() {
        let Message::SchemaChunk(chunk) = handled(&fetch(DOCUMENT, 0), Ok(DOCUMENT)).await else {
            panic!("no piece")
        };
        let unpacked = body::decode(body::Encoding::Gzip, chunk.data.clone(), 1000).unwrap();
        assert_eq!((&unpacked[..], chunk.total), (DOCUMENT.as_bytes(), chunk.data.len()));
    }

    #[tokio::test]
    async fn given_requests_that_cannot_be_met_then_the_reason_is_told_with_the_hash() {
        for (fetch, said, part) in [
            (fetch("another", 0), Ok(DOCUMENT), "another schema"),
            (fetch(DOCUMENT, 5000), Ok(DOCUMENT), "none begin there"),
            (fetch(DOCUMENT, 0), Err("it exited with code 1"), "exited with code 1"),
        ] {
            let Message::SchemaUnavailable(told) = handled(&fetch, said).await else { panic!("no reason") };
            assert!(told.reason.contains(part), "{}", told.reason);
            assert_eq!(told.hash, Some(fetch.hash));
        }
    }

    /// C160: what is no request is not answered; a request without a hash is, with what is wrong.
    #[tokio::test]
    async fn given_messages_that_are_no_request_then_only_a_broken_request_is_answered() {
        let (commands, _asked) = mpsc::channel(1);
        let schema = Schema::new(commands);
        let message = |kind: &str, data: &'static str| CustomMessage {
            kind: kind.to_owned(),
            data: data.into(),
            ..fetch(DOCUMENT, 0).to_message().unwrap()
        };
        for kind in ["chunk", "failure", "other"] {
            assert_eq!(schema.handle(message(kind, "{}")).await, None, "{kind}");
        }
        let broken = schema.handle(message("fetch", r#"{"id":"q"}"#)).await.unwrap();
        let Ok(Message::SchemaUnavailable(told)) = parse(&broken) else { panic!("{broken:?}") };
        assert!(told.reason.contains("`hash` is missing") && told.id.as_deref() == Some("q"), "{told:?}");
        let refused = schema.refuse(&fetch(DOCUMENT, 0).to_message().unwrap(), Refusal::NotDone("full"));
        let Ok(Message::SchemaUnavailable(told)) = parse(&refused.unwrap()) else { panic!("no reason") };
        assert_eq!((told.reason.as_str(), told.hash.is_some()), ("full", true));
    }
}
