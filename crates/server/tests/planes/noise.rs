//! Messages that chance has changed (OpAMP S203).

use tidegate_opamp::{AgentToServer, Message as _};

use crate::report::{Reporter, assert_ack, effective};
use crate::socket::{Said, Socket};
use crate::world::World;

/// A small generator of the xorshift kind: the same noise in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    /// Changes, removes, repeats or adds bytes at one to four places.
    fn mutate(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(5) {
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes[at] = u8::try_from(self.below(256)).unwrap(),
                2 => bytes.truncate(at + 1),
                3 => bytes.insert(at, u8::try_from(self.below(256)).unwrap()),
                _ => bytes.extend_from_within(at..),
            }
        }
        bytes
    }
}

/// Three thousand of them over one connection: each is answered, and every good message between them is taken.
#[tokio::test]
async fn given_3000_mutated_messages_when_sent_on_one_connection_then_each_is_answered_and_the_server_lives()
{
    let world = World::new().await;
    let (mut agent, mut victim) = (Reporter::new(1), Reporter::new(2));
    let mut socket = world.connected(&mut agent).await;
    let base = AgentToServer {
        effective_config: Some(effective([("a.yaml", &b"service:\n  flush: 1\n"[..])])),
        health: victim.health(true, 1, "none").health,
        ..victim.full()
    };
    let base = [&[0], &base.encode_to_vec()[..]].concat();
    let mut noise = Noise(0x9E37_79B9_7F4A_7C15);
    let (mut refused, mut taken) = (0, 0);
    for _ in 0..600 {
        for _ in 0..5 {
            socket.send_payload(&noise.mutate(&base)).await;
        }
        socket.send(&agent.heartbeat()).await;
        for _ in 0..5 {
            match socket.message().await.error_response {
                Some(_) => refused += 1,
                None => taken += 1,
            }
        }
        assert_ack(&socket.message().await, &agent);
    }
    socket.quiet().await;
    assert!(refused > 200 && taken > 200, "the noise tests nothing: {refused} refused, {taken} taken");
    assert_eq!(world.agent(&agent).await["name"], "host-1");
    let known = world.get("/agents?limit=500").await.expect(200)["total"]["value"].as_u64().unwrap();
    assert!(known <= 3 + taken, "{known}");
    let world = world.restart().await;
    assert_eq!(world.agent(&agent).await["name"], "host-1", "what noise wrote could not be read back");
}

/// Frames, not messages: a socket may be closed for it, the server never.
#[tokio::test]
async fn given_mutated_frames_when_sent_on_many_connections_then_the_server_lives() {
    let world = World::new().await;
    // A name that makes the frame long enough for a length of two bytes.
    let mut agent = Reporter { name: "n".repeat(100), ..Reporter::new(1) };
    let mut frame = vec![0x82, 0xFE, 0, 0, 0, 0, 0, 0, 0];
    frame.extend(agent.full().encode_to_vec());
    let length = u16::try_from(frame.len() - 8).unwrap().to_be_bytes();
    frame[2..4].copy_from_slice(&length);
    let mut socket = world.socket().await;
    socket.write(&frame).await;
    assert_eq!(socket.message().await.error_response, None, "the frame is good before it is changed");
    let mut noise = Noise(42);
    for _ in 0..200 {
        let mut socket = Socket::connect(world.server.agents, &[]).await.unwrap();
        // Whether anything is answered is chance; that the connection ends is not.
        socket.write(&noise.mutate(&frame)).await;
        socket.close_write().await;
        while socket.next().await != Said::End {}
    }
    let reply = socket.exchange(&agent.heartbeat()).await;
    assert_eq!(reply.error_response, None);
    world.eventually("/server", |server| server["connections"] == 1).await;
}
