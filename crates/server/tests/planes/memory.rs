//! How much memory a server of its own process takes at most under what hostile agents can send.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tidegate_opamp::body;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::http::{self, Request};
use crate::report::Reporter;
use crate::socket::Socket;
use crate::world::PATIENCE;

const MIB: usize = 1024 * 1024;

/// Most mebibytes that the process may ever have held: what is in work has 32, the rest is the program itself, in a
/// build without optimization. Without bounds one message of the test takes 700.
const MOST_MIB: u64 = 160;

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn start(folder: &Path) -> (Process, SocketAddr) {
    let config = folder.join("server.yaml");
    let text = "agents: {listen: 127.0.0.1:0}\noperators: {listen: 127.0.0.1:0}\n\
                limits: {max_message_bytes: 16777216, max_bytes_in_flight: 33554432}\n";
    std::fs::write(&config, text).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_tidegate-server"))
        .args([Path::new("--config"), &config, Path::new("--data-dir"), folder])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let process = Process(child);
    let begun = Instant::now();
    loop {
        let address = std::fs::read_to_string(folder.join("agents-address")).unwrap_or_default();
        if let Ok(address) = address.trim().parse() {
            return (process, address);
        }
        assert!(begun.elapsed() < PATIENCE, "the server does not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The most memory that a process has held so far, in MiB.
fn peak(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.0.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// S040, S021, S203: bombs of 100 MiB, 16 MiB of empty attributes and half messages without end, from many clients at
/// once, leave memory flat and the server answering.
#[tokio::test(flavor = "multi_thread")]
async fn given_bombs_and_half_messages_from_many_clients_when_all_come_at_once_then_memory_stays_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let (server, address) = start(folder.path()).await;
    // Ten members of ten mebibytes each: together some 100 kB.
    let bomb = body::gzip(&vec![0; 10 * MIB]).repeat(10);
    assert!(bomb.len() < MIB / 2, "{}", bomb.len());
    let attributes = [0x0A, 0].repeat(7 * MIB);
    let mut empty = vec![0x1A];
    let mut length = attributes.len();
    while length >= 0x80 {
        empty.push(u8::try_from(length % 0x80).unwrap() | 0x80);
        length /= 0x80;
    }
    empty.push(u8::try_from(length).unwrap());
    empty.extend(attributes);

    let mut attacks = Vec::new();
    for _ in 0..6 {
        let request = Request::opamp(bomb.clone()).header("Content-Encoding", "gzip");
        attacks.push(tokio::spawn(async move {
            let status = http::call(address, &request).await.status;
            assert!([413, 503].contains(&status), "{status}");
        }));
        let request = Request::opamp(body::gzip(&empty)).header("Content-Encoding", "gzip");
        attacks.push(tokio::spawn(async move {
            let status = http::call(address, &request).await.status;
            assert!([400, 503].contains(&status), "{status}");
        }));
    }
    let mut halves = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /v1/opamp HTTP/1.1\r\nHost: s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").await.unwrap();
        // A frame of 15 MiB, of which 14 are sent.
        stream.write_all(&[0x82, 0xFF, 0, 0, 0, 0, 0, 0xF0, 0, 0, 0, 0, 0, 0]).await.unwrap();
        halves.push(tokio::spawn(async move {
            // The server closes what there is no room for.
            let _ = tokio::time::timeout(PATIENCE, stream.write_all(&vec![0; 14 * MIB])).await;
            stream
        }));
    }
    for attack in attacks {
        attack.await.unwrap();
    }
    let mut held = Vec::new();
    for half in halves {
        held.push(half.await.unwrap());
    }
    let mut agent = Reporter::new(1);
    let mut socket = Socket::connect(address, &[]).await.unwrap();
    assert_eq!(socket.exchange(&agent.full()).await.error_response, None);
    assert_eq!(http::post(address, &Reporter::new(2).full()).await.message(200).error_response, None);
    let peak = peak(&server);
    assert!(peak > 10 && peak <= MOST_MIB, "{peak} MiB");
    drop(held);
}
