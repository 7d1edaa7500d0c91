//! Requests that are no requests, on either plane: whatever comes, the next caller is served.

use std::net::SocketAddr;

use tidegate_opamp::Message as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::http::{self, Request};
use crate::report::Reporter;
use crate::world::World;

/// Writes bytes and leaves without waiting for anything.
async fn leave_after(address: SocketAddr, bytes: &[u8]) {
    TcpStream::connect(address).await.unwrap().write_all(bytes).await.unwrap();
}

/// Requests cut off at every place leave nothing behind and hurt nobody.
#[tokio::test]
async fn given_requests_that_are_cut_off_when_the_client_leaves_then_others_are_served() {
    let world = World::new().await;
    let report = Request::opamp(Reporter::new(9).full().encode_to_vec()).bytes();
    let list = Request::new("GET", "/api/v1/agents").header("Authorization", "Bearer x").bytes();
    for length in (0..report.len()).step_by(7) {
        leave_after(world.server.agents, &report[..length]).await;
    }
    for length in (0..list.len()).step_by(7) {
        leave_after(world.server.operators, &list[..length]).await;
    }
    assert_eq!(world.poll(&Reporter::new(1).full()).await.error_response, None);
    assert_eq!(world.get("/agents").await.expect(200)["total"]["value"], 1, "half a report was taken");
}

/// A client that never ends its request holds up nobody else.
#[tokio::test]
async fn given_clients_that_stay_in_the_middle_of_a_request_when_others_come_then_they_are_served() {
    let world = World::new().await;
    let mut held = Vec::new();
    for _ in 0..50 {
        for (address, bytes) in [
            (world.server.agents, &b"POST /v1/opamp HTTP/1.1\r\nHost: s\r\nX-Slow: "[..]),
            (world.server.agents, b"POST /v1/opamp HTTP/1.1\r\nHost: s\r\nContent-Type: application/x-protobuf\r\nContent-Length: 100\r\n\r\nhalf"),
            (world.server.operators, b"GET /api/v1/agents HT"),
        ] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            held.push(stream);
        }
    }
    assert_eq!(world.poll(&Reporter::new(1).full()).await.error_response, None);
    assert_eq!(world.get("/agents").await.expect(200)["total"]["value"], 1);
    drop(held);
}

/// S047: what is no HTTP is refused with a status, on both planes.
#[tokio::test]
async fn given_bytes_that_are_no_http_when_sent_then_the_answer_is_a_refusal() {
    let world = World::new().await;
    let headers: String = (0..100).map(|index| format!("X-{index}: a\r\n")).collect();
    let many = format!("GET / HTTP/1.1\r\nHost: s\r\n{headers}\r\n");
    let long = format!("GET /{} HTTP/1.1\r\nHost: s\r\n\r\n", "a".repeat(100_000));
    let fat = format!("GET / HTTP/1.1\r\nHost: s\r\nX-Fat: {}\r\n\r\n", "a".repeat(1_000_000));
    let cases: [(&str, &[u8], &[u16]); 7] = [
        ("noise", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", &[400]),
        ("no version", b"GET /\r\n\r\n", &[400]),
        ("a header without a name", b"GET / HTTP/1.1\r\n: x\r\n\r\n", &[400]),
        (
            "two lengths",
            b"POST /v1/opamp HTTP/1.1\r\nHost: s\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            &[400],
        ),
        ("a hundred headers", many.as_bytes(), &[431]),
        ("a long path", long.as_bytes(), &[414, 431]),
        ("a fat header", fat.as_bytes(), &[431]),
    ];
    for address in [world.server.agents, world.server.operators] {
        for (case, bytes, statuses) in cases {
            let status = http::send(address, bytes).await.status;
            assert!(statuses.contains(&status), "{case}: {status}");
        }
    }
    assert_eq!(world.poll(&Reporter::new(1).full()).await.error_response, None);
}

/// S040, S041: the limit holds for a body that does not say how long it is.
#[tokio::test]
async fn given_a_chunked_body_when_it_passes_the_limit_then_it_is_refused_with_413() {
    let world = World::with(|settings| settings.limits.max_message_bytes = 4096).await;
    let head = "POST /v1/opamp HTTP/1.1\r\nHost: s\r\nConnection: close\r\nContent-Type: application/x-protobuf\r\n\
                Transfer-Encoding: chunked\r\n\r\n";
    let chunked = |body: &[u8]| {
        let mut bytes = head.as_bytes().to_vec();
        for part in body.chunks(100) {
            bytes.extend(format!("{:x}\r\n", part.len()).bytes().chain(part.iter().copied()).chain(*b"\r\n"));
        }
        bytes.extend(b"0\r\n\r\n");
        bytes
    };
    let report = Reporter::new(1).full().encode_to_vec();
    assert_eq!(http::send(world.server.agents, &chunked(&report)).await.message(200).error_response, None);
    assert_eq!(http::send(world.server.agents, &chunked(&vec![0; 8192])).await.status, 413);
}

/// S186, S022: half a frame is no message; its socket's end is its agents' end.
#[tokio::test]
async fn given_half_a_frame_when_the_client_leaves_then_its_agents_are_disconnected_and_nothing_else_changed()
{
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let path = format!("/agents/{}", agent.uid);
    let mut socket = world.connected(&mut agent).await;
    // A binary frame of 126 bytes, of which five arrive.
    socket.write(&[0x82, 0xFE, 0, 126, 0, 0, 0, 0, 0, 0x0A, 0x10, 1, 2]).await;
    drop(socket);
    let shown = world.eventually(&path, |agent| agent["connection"]["value"] == "disconnected").await;
    assert_eq!(shown["name"], "host-1");
    assert_eq!(world.get("/agents").await.expect(200)["total"]["value"], 1);
}
