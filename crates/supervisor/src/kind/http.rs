//! Questions to an agent's own HTTP server on 127.0.0.1: small, bounded, one connection per probe.

use std::{net::Ipv4Addr, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Empty};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};

/// Largest answer that is read, in bytes (hard-cases.md, 24).
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// Why a question failed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Nobody answers on the port.
    #[error("cannot connect to 127.0.0.1:{port}: {source}")]
    Connect {
        /// The port.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The exchange broke off.
    #[error("the agent's API broke off at {path}: {source}")]
    Exchange {
        /// What was asked.
        path: &'static str,
        /// What was wrong.
        source: hyper::Error,
    },
    /// The answer is too large.
    #[error("the agent's answer to {0} is larger than {BODY_LIMIT} bytes")]
    TooLarge(&'static str),
    /// No answer in time.
    #[error("the agent's API did not answer within {} s", .0.as_secs_f32())]
    Deadline(Duration),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The whole body.
    pub body: Bytes,
}

impl Response {
    /// The body of a success as text; `None` for another status.
    #[must_use]
    pub fn text(&self) -> Option<std::borrow::Cow<'_, str>> {
        (self.status == 200).then(|| String::from_utf8_lossy(&self.body))
    }
}

/// One connection to an agent's HTTP server.
#[derive(Debug)]
pub struct Client {
    sender: http1::SendRequest<Empty<Bytes>>,
    driver: JoinHandle<()>,
}

impl Drop for Client {
    fn drop(&mut self) {
        // The agent ignores `Connection: close`: closing is up to us.
        self.driver.abort();
    }
}

impl Client {
    /// Runs `questions` over one connection, all within `deadline`.
    ///
    /// # Errors
    /// [`HttpError`] of the connection, of a question, or for the deadline.
    pub async fn within<T, F, E>(port: u16, deadline: Duration, questions: F) -> Result<T, E>
    where
        F: AsyncFnOnce(&mut Self) -> Result<T, E>,
        E: From<HttpError>,
    {
        let all = async {
            let mut client = Self::connect(port).await?;
            questions(&mut client).await
        };
        timeout(deadline, all).await.unwrap_or_else(|_| Err(HttpError::Deadline(deadline).into()))
    }

    async fn connect(port: u16) -> Result<Self, HttpError> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(|source| HttpError::Connect { port, source })?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|source| HttpError::Exchange { path: "the connection", source })?;
        // How the connection ends shows in the question that it breaks.
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, driver })
    }

    /// Asks with GET and reads the whole answer.
    ///
    /// # Errors
    /// [`HttpError`] when the exchange breaks off or the answer is too large.
    pub async fn get(&mut self, path: &'static str) -> Result<Response, HttpError> {
        let broken = |source| HttpError::Exchange { path, source };
        self.sender.ready().await.map_err(broken)?;
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = http::Uri::from_static(path);
        request.headers_mut().insert(http::header::HOST, http::HeaderValue::from_static("127.0.0.1"));
        let mut response = self.sender.send_request(request).await.map_err(broken)?;
        let mut body = BytesMut::new();
        while let Some(frame) = response.frame().await {
            if let Ok(data) = frame.map_err(broken)?.into_data() {
                if body.len() + data.len() > BODY_LIMIT {
                    return Err(HttpError::TooLarge(path));
                }
                body.extend_from_slice(&data);
            }
        }
        Ok(Response { status: response.status().as_u16(), body: body.freeze() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    /// A server that answers one connection with the same bytes to each request.
    async fn server(answer: Vec<u8>) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 4096];
            while stream.read(&mut buffer).await.unwrap_or(0) > 0 {
                if stream.write_all(&answer).await.is_err() {
                    return;
                }
            }
        });
        port
    }

    async fn ask(port: u16, deadline: Duration) -> Result<Response, HttpError> {
        Client::within(port, deadline, async |client: &mut Client| {
            client.get("/api/v1/uptime").await?;
            client.get("/api/v1/uptime").await
        })
        .await
    }

    #[tokio::test]
    async fn given_the_agents_dialect_when_asked_twice_then_one_connection_serves_both() {
        let captured = include_bytes!("../../tests/data/fluent-bit/v1_uptime.txt");
        let port = server(captured.to_vec()).await;
        let response = ask(port, Duration::from_secs(10)).await.unwrap();
        assert!(response.text().unwrap().starts_with("{\"uptime_sec\":10"));
    }

    #[tokio::test]
    async fn given_a_server_that_misbehaves_when_asked_then_the_answer_is_an_error_in_time() {
        let huge =
            [b"HTTP/1.1 200\r\ncontent-length: 9000000\r\n\r\n".to_vec(), vec![b'x'; 9_000_000]].concat();
        assert!(matches!(
            ask(server(huge).await, Duration::from_secs(20)).await,
            Err(HttpError::TooLarge(_))
        ));
        let silent = server(Vec::new()).await;
        assert!(matches!(ask(silent, Duration::from_millis(50)).await, Err(HttpError::Deadline(_))));
        let noise = server(b"\x16\x03\x01 hello\r\n\r\n".to_vec()).await;
        assert!(matches!(ask(noise, Duration::from_secs(10)).await, Err(HttpError::Exchange { .. })));
        let closed = crate::child::free_port().unwrap();
        assert!(matches!(ask(closed, Duration::from_secs(10)).await, Err(HttpError::Connect { .. })));
    }
}
