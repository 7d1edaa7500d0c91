//! One connection of the monitoring server: request, answer, and the faults in between.

use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use super::request::send;
use super::{Act, Answer, Backend, DOOR_IDLE, Next, Request, answer, next_request};
use crate::fake_fluent_bit::control::HttpFault;

/// The body that `http=huge` announces.
const HUGE: usize = 1024 * 1024 * 1024;

/// Serves a connection until either side has had enough.
pub(super) fn serve(mut stream: TcpStream, backend: &dyn Backend) {
    let mut buffer = Vec::new();
    drop(stream.set_nodelay(true));
    loop {
        let request = match next_request(&mut stream, &mut buffer, DOOR_IDLE) {
            Next::Request(request) => request,
            Next::Gone | Next::Unanswerable => return,
        };
        let fault = backend.control().current().http;
        let goes_on = match fault {
            HttpFault::HugeMetrics if request.path.starts_with("/api/v2/metrics") => flood(&mut stream),
            HttpFault::Normal | HttpFault::Late(_) | HttpFault::Refuse | HttpFault::HugeMetrics => {
                let bytes = reply(&request, backend).bytes();
                send(&mut stream, &bytes)
            }
            HttpFault::Silent => {
                // Nothing comes back, but what the peer sends is still read.
                while next_request(&mut stream, &mut buffer, Duration::from_secs(600)) != Next::Gone {}
                false
            }
            HttpFault::SlowDrip => drip(&mut stream, &reply(&request, backend).bytes()),
            HttpFault::Malformed => {
                send(&mut stream, b"\x00\xffHTTP? 2OO\r\ncontent-length: -7\r\n\r\n{\"uptime_sec\":");
                false
            }
            HttpFault::Huge => flood(&mut stream),
        };
        if !goes_on || request.closes {
            return;
        }
    }
}

fn reply(request: &Request, backend: &dyn Backend) -> Answer {
    let (answer, act) = answer(&request.method, &request.path, &backend.snapshot());
    match act {
        Act::Nothing => {}
        Act::Reload => backend.reload(),
    }
    answer
}

fn drip(stream: &mut TcpStream, bytes: &[u8]) -> bool {
    let until = Instant::now() + Duration::from_secs(600);
    bytes.chunks(1).all(|byte| {
        thread::sleep(Duration::from_millis(50));
        Instant::now() < until && send(stream, byte)
    })
}

fn flood(stream: &mut TcpStream) -> bool {
    let head = format!(
        "HTTP/1.1 200\r\nserver: Fluent Bit\r\ncontent-type: application/json\r\ncontent-length: {HUGE}\r\n\r\n"
    );
    let block = [b'a'; 64 * 1024];
    let begun = send(stream, head.as_bytes());
    begun && (0..HUGE / block.len()).all(|_| send(stream, &block))
}
