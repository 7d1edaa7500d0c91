//! One message by POST and its answer: the request, redirections, what the answer means.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HOST, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tidegate_opamp::body::{self, Encoding};
use tidegate_opamp::{AgentToServer, CONTENT_TYPE as OPAMP, InstanceUid, Message as _, ServerToAgent};

use super::effect::Loss;
use super::handshake::{OpenError, connect, status_reason};
use super::{Endpoint, INSTANCE_UID_HEADER, Reason, Target, USER_AGENT, retry_after};

/// Most time that one request may take, answer included (OpAMP C039).
const DEADLINE: Duration = Duration::from_secs(30);

/// Most redirections of one request that are followed (OpAMP C040).
const REDIRECTIONS: usize = 3;

/// Why a message was not answered as it should be.
#[derive(Debug, thiserror::Error)]
pub(super) enum PostError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the connection broke after the request was sent on it, and then: {0}")]
    Reopen(OpenError),
    #[error("cannot build the request")]
    Build,
    #[error("cannot exchange the request: {0}")]
    Exchange(hyper::Error),
    #[error("the server did not answer in time")]
    Deadline,
    #[error("the server answered with HTTP status {status}")]
    Status { status: StatusCode, retry_after: Option<Duration> },
    #[error("the server redirects the request to its path {path}")]
    Redirected { path: String },
    #[error("the server redirected the request {REDIRECTIONS} times, and on")]
    Redirections,
    #[error("the server redirects to {0:?}, which is not followed: name the right address as the endpoint")]
    Elsewhere(String),
    #[error("the server's answer cannot be used: {0}")]
    Answer(String),
}

impl PostError {
    /// What becomes of the message.
    pub(super) fn loss(&self) -> Loss {
        match self {
            Self::Open(_) | Self::Build => Loss::NotSent,
            Self::Status { status, .. } if *status == StatusCode::PAYLOAD_TOO_LARGE => Loss::TooLarge,
            _ => Loss::Unanswered,
        }
    }

    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::Status { status, retry_after } => status_reason(status.as_u16(), *retry_after),
            _ => Reason::Lost,
        }
    }

    /// Whether trying again soon is of no use: the server understood and refused.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            Self::Status { status, .. } => status.is_client_error() || status.is_redirection(),
            Self::Redirections | Self::Elsewhere(_) => true,
            _ => false,
        }
    }
}

/// Posts messages to one server.
pub(super) struct Poster {
    target: Target,
    /// How TLS is spoken, once it was needed.
    tls: Option<Arc<ClientConfig>>,
    max_message_bytes: usize,
    /// The connection of the last request, while the server keeps it open.
    sender: Option<SendRequest<Full<Bytes>>>,
    deadline: Duration,
}

impl Poster {
    pub(super) const fn new(target: Target, max_message_bytes: usize) -> Self {
        Self { target, tls: None, max_message_bytes, sender: None, deadline: DEADLINE }
    }

    /// Posts a message and gives the answer. Redirections are followed on the same server; another one would be handed
    /// our secrets (OpAMP C040).
    pub(super) async fn post(
        &mut self,
        uid: InstanceUid,
        message: &AgentToServer,
    ) -> Result<ServerToAgent, PostError> {
        let body = Bytes::from(message.encode_to_vec());
        let deadline = self.deadline;
        let posting = async {
            let mut path = self.target.endpoint.path.clone();
            let mut sent = false;
            for _ in 0..=REDIRECTIONS {
                match self.post_to(uid, &path, body.clone(), &mut sent).await {
                    Err(PostError::Redirected { path: next }) => path = next,
                    other => return other,
                }
            }
            Err(PostError::Redirections)
        };
        tokio::time::timeout(deadline, posting).await.map_err(|_| PostError::Deadline)?
    }

    /// Posts to a path; `sent` once a connection took the request, for from then on it may have arrived: its number is no
    /// other message's.
    async fn post_to(
        &mut self,
        uid: InstanceUid,
        path: &str,
        body: Bytes,
        sent: &mut bool,
    ) -> Result<ServerToAgent, PostError> {
        if let Some(sender) = self.sender.take().filter(|sender| !sender.is_closed()) {
            // A server may close a kept connection just as it is used: then a fresh one is tried, with the same bytes.
            let request = request(&self.target, uid, path, body.clone()).map_err(|_| PostError::Build)?;
            *sent = true;
            match self.exchange(sender, request).await {
                Err(PostError::Exchange(_)) => {}
                other => return other,
            }
        }
        let opened = connect(&self.target, &mut self.tls).await;
        let stream = opened.map_err(if *sent { PostError::Reopen } else { PostError::Open })?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(PostError::Exchange)?;
        tokio::spawn(connection);
        let request = request(&self.target, uid, path, body).map_err(|_| PostError::Build)?;
        *sent = true;
        self.exchange(sender, request).await
    }

    async fn exchange(
        &mut self,
        mut sender: SendRequest<Full<Bytes>>,
        request: Request<Full<Bytes>>,
    ) -> Result<ServerToAgent, PostError> {
        sender.ready().await.map_err(PostError::Exchange)?;
        let response = sender.send_request(request).await.map_err(PostError::Exchange)?;
        let (head, body) = response.into_parts();
        if matches!(head.status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT)
            && let Some(location) = head.headers.get(LOCATION)
        {
            return Err(redirected(&self.target.endpoint, location.to_str().unwrap_or_default()));
        }
        if !head.status.is_success() {
            let header = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let retry_after = header.and_then(|value| retry_after::parse(value, SystemTime::now()));
            return Err(PostError::Status { status: head.status, retry_after });
        }
        let answer = read(&head.headers, body, self.max_message_bytes).await?;
        self.sender = Some(sender);
        Ok(answer)
    }
}

/// Where a redirection leads: to another path of the server that we speak to, or away from it.
fn redirected(endpoint: &Endpoint, location: &str) -> PostError {
    if location.starts_with('/') && !location.starts_with("//") {
        return PostError::Redirected { path: location.to_owned() };
    }
    let Endpoint { authority, path, .. } = endpoint.clone();
    match location.parse::<Endpoint>() {
        Ok(there) if (Endpoint { authority, path, ..there.clone() }) == *endpoint => {
            PostError::Redirected { path: there.path }
        }
        _ => PostError::Elsewhere(tidegate_custom::excerpt(location, 256).0.to_string()),
    }
}

fn request(
    target: &Target,
    uid: InstanceUid,
    path: &str,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, http::Error> {
    let mut request = Request::post(path)
        .header(HOST, &target.endpoint.authority)
        .header(CONTENT_TYPE, OPAMP)
        .header(ACCEPT_ENCODING, "gzip")
        .header(http::header::USER_AGENT, USER_AGENT)
        .header(INSTANCE_UID_HEADER, uid.to_string());
    for (name, value) in &target.headers {
        request = request.header(HeaderName::clone(name), value.clone());
    }
    request.body(Full::new(body))
}

/// Reads and decodes an answer; no body at all is an answer without content (OpAMP C034, C038).
async fn read(headers: &HeaderMap, body: Incoming, limit: usize) -> Result<ServerToAgent, PostError> {
    let encoding = headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?"));
    let unusable = |error: &dyn std::fmt::Display| PostError::Answer(error.to_string());
    let encoding = Encoding::parse(encoding.unwrap_or_default()).map_err(|error| unusable(&error))?;
    #[expect(clippy::disallowed_methods, reason = "bounded by Limited")]
    let collected = Limited::new(body, limit).collect().await.map_err(|error| unusable(&error))?;
    let bytes = collected.to_bytes();
    if bytes.is_empty() {
        return Ok(ServerToAgent::default());
    }
    let bytes = body::decode(encoding, bytes, limit).map_err(|error| unusable(&error))?;
    ServerToAgent::decode(bytes).map_err(|error| unusable(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::TlsSettings;

    /// C039: a server that accepts and is silent costs half a minute; the message counts as unanswered.
    #[tokio::test]
    async fn given_a_server_that_hangs_when_posted_to_then_the_request_ends_at_its_deadline() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/v1/opamp", listener.local_addr().unwrap()).parse().unwrap();
        let target = Target { endpoint, headers: Vec::new(), tls: TlsSettings::default(), proxy: None };
        let mut poster = Poster::new(target, 1000);
        assert_eq!(poster.deadline, Duration::from_secs(30));
        poster.deadline = Duration::from_millis(100);
        let uid = InstanceUid::v7(1, [1; 10]);
        let message = AgentToServer::default();
        let posting = poster.post(uid, &message);
        let (posted, accepted) = tokio::join!(posting, listener.accept());
        let error = posted.unwrap_err();
        assert!(matches!(error, PostError::Deadline), "{error}");
        assert_eq!((error.loss(), error.reason()), (Loss::Unanswered, Reason::Lost));
        drop(accepted);
    }

    /// C057: a request that was read and not answered may have arrived, whether the server can be reached again or not.
    #[tokio::test]
    async fn given_a_kept_connection_that_breaks_after_a_request_when_no_other_opens_then_it_counts_as_unanswered()
     {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/v1/opamp", listener.local_addr().unwrap()).parse().unwrap();
        let target = Target { endpoint, headers: Vec::new(), tls: TlsSettings::default(), proxy: None };
        let mut poster = Poster::new(target, 1000);
        let uid = InstanceUid::v7(1, [1; 10]);
        let message = AgentToServer { sequence_num: 7, ..AgentToServer::default() };
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
            drop(listener);
            // The second request arrives whole, and then everything is gone.
            let mut seen = 0;
            while !request.get(..seen).is_some_and(|seen| seen.ends_with(&[16, 7])) {
                seen += stream.read(request.get_mut(seen..).unwrap()).await.unwrap();
            }
        });
        poster.post(uid, &message).await.unwrap();
        let error = poster.post(uid, &message).await.unwrap_err();
        assert_eq!(error.loss(), Loss::Unanswered, "{error}");
        server.await.unwrap();
        let nobody = poster.post(uid, &message).await.unwrap_err();
        assert_eq!(nobody.loss(), Loss::NotSent, "what no connection took was not sent: {nobody}");
    }

    /// C040: the same server by whatever spelling, and no other.
    #[test]
    fn given_locations_when_judged_then_only_paths_of_the_same_server_are_followed() {
        let endpoint: Endpoint = "http://host.example:80/v1/opamp".parse().unwrap();
        let cases = [
            ("/x?y=1", Some("/x?y=1")),
            ("http://host.example/x", Some("/x")),
            ("http://host.example:80/x", Some("/x")),
            ("http://host.example", Some("/v1/opamp")),
            ("//other.example/x", None),
            ("http://host.example:81/x", None),
            ("http://other.example/x", None),
            ("http://host.example@other.example/x", None),
            ("ws://host.example/x", None),
            ("https://host.example/x", None),
            ("x", None),
            ("", None),
        ];
        for (location, expected) in cases {
            let followed = match redirected(&endpoint, location) {
                PostError::Redirected { path } => Some(path),
                error => {
                    assert!(error.is_refusal(), "{location}");
                    None
                }
            };
            assert_eq!(followed.as_deref(), expected, "{location}");
        }
    }
}
