//! Secrets stay out of what is logged and told.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tidegate_opamp::Message as _;
use tokio::time::timeout;

use crate::peer::{Listener, PATIENCE};
use crate::world::Setup;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).unwrap()
    }

    /// Waits until something is logged.
    async fn says(&self, event: &str) {
        let said = async {
            while !self.text().contains(event) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, said).await.unwrap_or_else(|_| panic!("no {event} in:\n{}", self.text()));
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// C185: headers with credentials are in the requests and nowhere else, however much is logged and whatever goes wrong.
#[tokio::test]
async fn given_a_token_when_all_is_logged_then_it_stands_in_the_requests_alone() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // For this thread, on which everything here runs.
    let _logging = tracing::subscriber::set_default(subscriber);
    for (scheme, status) in [("ws", "401"), ("http", "403"), ("http", "500")] {
        let listener = Listener::new().await;
        let world = Setup::new(scheme, listener.port()).start();
        let asked = listener.asked().await;
        assert_eq!(asked.header("Authorization"), Some("Bearer token"));
        drop(asked.answer(&format!("{status} No"), "", b"").await);
        log.says(&format!("HTTP status {status}")).await;
        world.stop();
    }
    let listener = Listener::new().await;
    let _world = Setup::new("ws", listener.port()).start();
    let message = listener.connection().await.message().await.encode_to_vec();
    assert!(!String::from_utf8_lossy(&message).contains("Bearer"));
    log.says("connected").await;
    let log = log.text();
    assert!(!log.contains("Bearer") && !log.contains("authorization"), "{log}");
}
