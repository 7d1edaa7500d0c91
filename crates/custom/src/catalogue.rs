//! What there is: every capability with its messages and the shape of their payloads, for people and forms.

use serde::Serialize;

use crate::name::{CHATOPS, DIAGNOSTICS, DRY_RUN, LOGS, METRICS, NULL_COMMAND, SCHEMA, SHUTDOWN, bare};
use crate::{chatops, inspect, metrics, order, schema};

/// A custom capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// Its bare name.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Whether carrying an order out twice does no more than once.
    pub idempotent: bool,
    /// Its messages.
    pub messages: &'static [MessageType],
}

impl Capability {
    /// Whether its requests are answered.
    #[must_use]
    pub fn answers(&self) -> bool {
        self.messages.iter().any(|message| message.direction == Direction::ToServer)
    }
}

/// A type of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MessageType {
    /// The value of `CustomMessage.type`.
    pub kind: &'static str,
    /// Who sends it.
    pub direction: Direction,
    /// What it means, in one sentence.
    pub summary: &'static str,
    /// The fields of its payload, a JSON object.
    pub fields: &'static [Field],
}

/// Who sends a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The server, to an agent.
    ToAgent,
    /// An agent, to the server.
    ToServer,
}

/// A field of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its form in JSON.
    pub form: JsonForm,
    /// Whether a sender must set it.
    pub required: bool,
    /// What it means.
    pub meaning: &'static str,
}

/// The form of a field in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonForm {
    /// Text.
    Text,
    /// A whole number, 0 or more.
    Number,
    /// True or false.
    Flag,
    /// An object.
    Object,
    /// A list.
    List,
}

const fn required(name: &'static str, form: JsonForm, meaning: &'static str) -> Field {
    Field { name, form, required: true, meaning }
}

const fn optional(name: &'static str, form: JsonForm, meaning: &'static str) -> Field {
    Field { name, form, required: false, meaning }
}

const CLASSIFIER: Field = optional("classifier", JsonForm::Text, "kind of order, by convention `custom`");
const ACTION: Field = optional("action", JsonForm::Text, "the sender's word for the action");
const ID: Field = optional("id", JsonForm::Text, "correlates the answer; carried out once per id");
const CODE: Field = required("http_code", JsonForm::Text, "HTTP status as text, `0` without an answer");
const BODY: Field = optional("body", JsonForm::Text, "beginning of the answer's body");
const TRUNCATED: Field = optional("truncated", JsonForm::Flag, "whether the body is only the beginning");
const OUTCOME: Field =
    optional("outcome", JsonForm::Text, "`unknown`: nobody knows whether the request was carried out");
const DURATION: Field = optional("duration_ms", JsonForm::Number, "milliseconds that the call took");

const SCHEMA_HASH: Field =
    required("hash", JsonForm::Text, "SHA-256 of the whole document, in 64 hexadecimal digits");

const NOT_INSPECTED: MessageType = MessageType {
    kind: chatops::FAILURE,
    direction: Direction::ToServer,
    summary: "Nothing was found out.",
    fields: &[required("err_msg", JsonForm::Text, "what went wrong"), ID],
};

const CATALOGUE: &[Capability] = &[
    Capability {
        name: CHATOPS,
        summary: "Starts an action of the agent's pipeline through its local HTTP input.",
        idempotent: false,
        messages: &[
            MessageType {
                kind: chatops::REQUEST,
                direction: Direction::ToAgent,
                summary: "Posts the attributes to the input's path that the tag names.",
                fields: &[
                    CLASSIFIER,
                    ACTION,
                    required("tag", JsonForm::Text, "path of the local HTTP input; empty means `/`"),
                    optional("attributes", JsonForm::Object, "body of the call"),
                    ID,
                    optional("deadline_ms", JsonForm::Number, "milliseconds that the call may take"),
                    optional("reply", JsonForm::Text, "`always`: success is answered too"),
                ],
            },
            MessageType {
                kind: chatops::FAILURE,
                direction: Direction::ToServer,
                summary: "The call did not end with a 2xx status.",
                fields: &[
                    CODE,
                    required("err_msg", JsonForm::Text, "what went wrong"),
                    OUTCOME,
                    ID,
                    BODY,
                    TRUNCATED,
                    DURATION,
                ],
            },
            MessageType {
                kind: chatops::RESULT,
                direction: Direction::ToServer,
                summary: "The call ended with a 2xx status; sent only on `reply: always`.",
                fields: &[
                    CODE,
                    required("id", JsonForm::Text, "the request's id"),
                    BODY,
                    TRUNCATED,
                    DURATION,
                ],
            },
        ],
    },
    Capability {
        name: SHUTDOWN,
        summary: "Shuts the agent and its supervisor down.",
        idempotent: true,
        messages: &[MessageType {
            kind: order::SHUTDOWN_AGENT,
            direction: Direction::ToAgent,
            summary: "Stops the agent for good.",
            fields: &[CLASSIFIER, ACTION, ID],
        }],
    },
    Capability {
        name: NULL_COMMAND,
        summary: "Does nothing; shows that custom messages arrive.",
        idempotent: true,
        messages: &[MessageType {
            kind: order::DO_NOTHING,
            direction: Direction::ToAgent,
            summary: "Is logged by the supervisor.",
            fields: &[CLASSIFIER, ACTION, optional("dummyValue", JsonForm::Text, "any text"), ID],
        }],
    },
    Capability {
        name: METRICS,
        summary: "Tells the counters of the agent's components once an interval; nothing is asked or answered.",
        idempotent: true,
        messages: &[MessageType {
            kind: metrics::DIGEST,
            direction: Direction::ToServer,
            summary: "The counters as they stand.",
            fields: &[
                required("pid", JsonForm::Number, "the process; counters begin anew with another"),
                optional("reloads", JsonForm::Number, "its reload count; counters begin anew with each"),
                optional("uptime", JsonForm::Number, "seconds for which its config has run"),
                optional("every", JsonForm::Number, "seconds from one digest to the next"),
                required(
                    "components",
                    JsonForm::Object,
                    "by name, an array of records, bytes, errors, retries, dropped records and backlog in chunks; \
                     zeros at its end are left out",
                ),
                optional(
                    "left_out",
                    JsonForm::Number,
                    "components that are not in it, for there are too many",
                ),
            ],
        }],
    },
    Capability {
        name: LOGS,
        summary: "Tells the last lines of the agent's log.",
        idempotent: true,
        messages: &[
            MessageType {
                kind: inspect::REQUEST,
                direction: Direction::ToAgent,
                summary: "Asks for the last lines.",
                fields: &[optional("lines", JsonForm::Number, "how many, 1 to 500; 100 unless said"), ID],
            },
            MessageType {
                kind: chatops::RESULT,
                direction: Direction::ToServer,
                summary: "The lines.",
                fields: &[
                    required("lines", JsonForm::List, "the lines as text, the oldest first"),
                    required("truncated", JsonForm::Flag, "whether older ones were left out for their size"),
                    ID,
                ],
            },
            NOT_INSPECTED,
        ],
    },
    Capability {
        name: DRY_RUN,
        summary: "Has the agent check a config without applying it.",
        idempotent: true,
        messages: &[
            MessageType {
                kind: inspect::REQUEST,
                direction: Direction::ToAgent,
                summary: "Asks what the agent would say to the config.",
                fields: &[
                    required(
                        "files",
                        JsonForm::List,
                        "objects with `name`, `body`, `content_type`? and `role`?",
                    ),
                    ID,
                ],
            },
            MessageType {
                kind: chatops::RESULT,
                direction: Direction::ToServer,
                summary: "What the agent said.",
                fields: &[
                    required("accepted", JsonForm::Flag, "whether the config passed"),
                    optional("proof", JsonForm::Text, "the proof of an apply that did not hold"),
                    required("errors", JsonForm::List, "what is wrong, with file and line, as text"),
                    required("warnings", JsonForm::List, "what else should be known, as text"),
                    ID,
                ],
            },
            NOT_INSPECTED,
        ],
    },
    Capability {
        name: DIAGNOSTICS,
        summary: "Tells what a person who is to help needs to know, without secrets.",
        idempotent: true,
        messages: &[
            MessageType {
                kind: inspect::REQUEST,
                direction: Direction::ToAgent,
                summary: "Asks for it.",
                fields: &[CLASSIFIER, ACTION, ID],
            },
            MessageType {
                kind: chatops::RESULT,
                direction: Direction::ToServer,
                summary: "Supervisor, settings, host, agent, config journal, log, disk and connection.",
                fields: &[required("diagnostics", JsonForm::Object, "by part"), ID],
            },
            NOT_INSPECTED,
        ],
    },
    Capability {
        name: SCHEMA,
        summary: "Tells what the agent's build says of its plugins and their properties, in pieces.",
        idempotent: true,
        messages: &[
            MessageType {
                kind: schema::FETCH,
                direction: Direction::ToAgent,
                summary: "Asks for a piece of the document, which is packed with gzip.",
                fields: &[
                    SCHEMA_HASH,
                    optional("offset", JsonForm::Number, "where the piece begins, in bytes; 0 unless said"),
                    ID,
                ],
            },
            MessageType {
                kind: schema::CHUNK,
                direction: Direction::ToServer,
                summary: "A piece of it.",
                fields: &[
                    SCHEMA_HASH,
                    required("offset", JsonForm::Number, "where the piece begins, in bytes"),
                    required("total", JsonForm::Number, "bytes of the whole packed document"),
                    required("data", JsonForm::Text, "the piece in base64, at most 32 KiB of bytes"),
                    ID,
                ],
            },
            MessageType {
                kind: chatops::FAILURE,
                direction: Direction::ToServer,
                summary: "There is no such piece.",
                fields: &[
                    required("err_msg", JsonForm::Text, "what went wrong"),
                    Field { required: false, ..SCHEMA_HASH },
                    ID,
                ],
            },
        ],
    },
];

/// Every capability that this crate knows.
#[must_use]
pub const fn catalogue() -> &'static [Capability] {
    CATALOGUE
}

/// The capability of a name in either form.
#[must_use]
pub fn describe(name: &str) -> Option<&'static Capability> {
    CATALOGUE.iter().find(|capability| capability.name == bare(name))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};
    use tidegate_opamp::CustomMessage;

    use super::*;

    /// A payload made from the catalogue alone.
    fn payload(fields: &[Field]) -> Value {
        let value = |field: &Field| match (field.name, field.form) {
            ("http_code", _) => Value::from("200"),
            ("hash", _) => Value::from("ab".repeat(32)),
            ("total", _) => Value::from(100),
            (_, JsonForm::Text) => Value::from("text"),
            (_, JsonForm::Number) => Value::from(5),
            (_, JsonForm::Flag) => Value::from(true),
            (_, JsonForm::Object) => Value::Object(Map::new()),
            ("files", _) => serde_json::json!([{ "name": "a", "body": "b" }]),
            (_, JsonForm::List) => Value::Array(Vec::new()),
        };
        fields.iter().map(|field| (field.name.to_owned(), value(field))).collect::<Map<_, _>>().into()
    }

    #[test]
    fn given_a_payload_made_from_the_catalogue_when_parsed_then_every_message_is_understood() {
        for capability in catalogue() {
            for kind in capability.messages {
                for only_required in [false, true] {
                    let fields: Vec<_> =
                        kind.fields.iter().filter(|f| f.required || !only_required).copied().collect();
                    let message = CustomMessage {
                        capability: capability.name.to_owned(),
                        kind: kind.kind.to_owned(),
                        data: serde_json::to_vec(&payload(&fields)).unwrap().into(),
                        ..CustomMessage::default()
                    };
                    assert!(crate::parse(&message).is_ok(), "{} {}", capability.name, kind.kind);
                }
            }
        }
    }

    #[test]
    fn given_either_form_of_a_name_when_described_then_it_is_found() {
        assert_eq!(describe(&crate::prefixed(SHUTDOWN)).map(|c| c.name), Some(SHUTDOWN));
        assert_eq!(describe("com.example.other"), None);
    }
}
