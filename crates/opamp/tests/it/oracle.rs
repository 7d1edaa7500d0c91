//! Our framing against tungstenite's, over memory, in both directions and for both roles.

use std::io::{Error, ErrorKind, Read, Result, Write};

use tidegate_opamp::ws::{Event, MessageKind, Role};
use tungstenite::protocol::{CloseFrame, Role as TheirRole, WebSocketConfig};
use tungstenite::{Message, WebSocket};

use super::rng::Rng;
use super::streams::{LIMIT, hear, say};

/// A connection whose bytes are already there; what is written to it is kept.
struct Memory {
    input: std::io::Cursor<Vec<u8>>,
    output: Vec<u8>,
}

impl Read for Memory {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        match self.input.read(buffer)? {
            0 => Err(Error::from(ErrorKind::WouldBlock)),
            count => Ok(count),
        }
    }
}

impl Write for Memory {
    fn write(&mut self, buffer: &[u8]) -> Result<usize> {
        self.output.write(buffer)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

fn theirs(role: TheirRole, input: Vec<u8>) -> WebSocket<Memory> {
    let config = WebSocketConfig::default().max_message_size(Some(LIMIT)).max_frame_size(Some(LIMIT));
    let memory = Memory { input: std::io::Cursor::new(input), output: Vec::new() };
    WebSocket::from_raw_socket(memory, role, Some(config))
}

fn their_role(role: Role) -> TheirRole {
    match role {
        Role::Server => TheirRole::Server,
        Role::Client => TheirRole::Client,
    }
}

/// What tungstenite hears, until a close, an error or the end of the bytes; and whether the error was text
/// that is not UTF-8.
fn they_hear(role: Role, stream: &[u8]) -> (Vec<Event<'static>>, bool) {
    let mut socket = theirs(their_role(role), stream.to_vec());
    let mut events = Vec::new();
    loop {
        let event = match socket.read() {
            Ok(Message::Text(text)) => {
                Event::Message { kind: MessageKind::Text, payload: text.as_bytes().to_vec().into() }
            }
            Ok(Message::Binary(bytes)) => {
                Event::Message { kind: MessageKind::Binary, payload: bytes.to_vec().into() }
            }
            Ok(Message::Ping(bytes)) => Event::Ping(bytes.to_vec().into()),
            Ok(Message::Pong(bytes)) => Event::Pong(bytes.to_vec().into()),
            Ok(Message::Close(frame)) => {
                events.push(Event::Close(frame.map(|frame| {
                    tidegate_opamp::ws::Close::new(frame.code.into(), frame.reason.to_string())
                })));
                return (events, false);
            }
            Err(tungstenite::Error::Utf8(_)) => return (events, true),
            Ok(Message::Frame(_)) | Err(_) => return (events, false),
        };
        events.push(event);
    }
}

#[test]
fn given_what_we_write_when_tungstenite_reads_it_then_it_hears_the_same() {
    let mut rng = Rng(11);
    for round in 0..2_000 {
        let role = if round % 2 == 0 { Role::Server } else { Role::Client };
        let (mut stream, mut said) = (Vec::new(), Vec::new());
        while said.len() < 4 && !matches!(said.last(), Some(Event::Close(_))) {
            said.push(say(&mut rng, role, &mut stream));
        }
        assert_eq!(they_hear(role, &stream), (said, false), "round {round}");
    }
}

#[test]
fn given_what_tungstenite_writes_when_we_read_it_then_we_hear_the_same() {
    let mut rng = Rng(12);
    for round in 0..1_000 {
        let (reads, writes) = if round % 2 == 0 {
            (Role::Server, TheirRole::Client)
        } else {
            (Role::Client, TheirRole::Server)
        };
        let mut socket = theirs(writes, Vec::new());
        let mut said = Vec::new();
        for _ in 0..3 {
            let length = [0, 1, 125, 126, LIMIT][rng.below(5)];
            let payload = rng.bytes(length);
            let small = payload[..length.min(125)].to_vec();
            match rng.below(4) {
                0 => {
                    socket.send(Message::Ping(small.clone().into())).unwrap();
                    said.push(Event::Ping(small.into()));
                }
                1 => {
                    let text = "ö".repeat(length / 2);
                    socket.send(Message::text(text.clone())).unwrap();
                    said.push(Event::Message { kind: MessageKind::Text, payload: text.into_bytes().into() });
                }
                _ => {
                    socket.send(Message::binary(payload.clone())).unwrap();
                    said.push(Event::Message { kind: MessageKind::Binary, payload: payload.into() });
                }
            }
        }
        socket.close(Some(CloseFrame { code: 1001.into(), reason: "bye".into() })).unwrap();
        said.push(Event::Close(Some(tidegate_opamp::ws::Close::new(1001, "bye"))));
        let most = [1, 10, 2_000][rng.below(3)];
        let heard = hear(reads, &socket.get_ref().output, || 1 + rng.below(most));
        assert_eq!((heard.events, heard.violation), (said, None), "round {round}");
    }
}

#[test]
fn given_mutated_streams_when_both_read_then_what_we_accept_they_hear_too() {
    let mut rng = Rng(13);
    for round in 0..10_000 {
        let role = if round % 2 == 0 { Role::Server } else { Role::Client };
        let mut stream = Vec::new();
        for _ in 0..1 + rng.below(3) {
            say(&mut rng, role, &mut stream);
        }
        rng.mutate(&mut stream);
        // tungstenite may be laxer, and hear on where we stop; it answers closes in its own way.
        let ours = hear(role, &stream, || usize::MAX);
        let (theirs, not_text) = they_hear(role, &stream);
        for (at, event) in ours.events.iter().enumerate() {
            match (event, theirs.get(at)) {
                (Event::Close(_), Some(Event::Close(_))) => {}
                // It judges text by the fragment, we by the message: a control frame may stand between.
                (_, None) if not_text => {}
                (ours, theirs) => assert_eq!(Some(ours), theirs, "round {round}, event {at}"),
            }
        }
    }
}
