//! Plain HTTP: one message in the request's body, one in the answer's (OpAMP S033–S051).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use tidegate_fleet::agent::Transport;
use tidegate_fleet::offer::{self, Occasion};
use tidegate_fleet::session::Arrival;
use tidegate_opamp::body::{self, BodyError, Encoding};
use tidegate_opamp::{AgentToServer, CONTENT_TYPE, InstanceUid, Message, ServerToAgent};

use super::plain;
use crate::state::{Core, Inbound};

/// How long a client may take for the body of a request.
const BODY_DEADLINE: Duration = Duration::from_secs(30);

/// Answers below this many bytes are not worth compressing.
const COMPRESS_FROM: usize = 512;

const INSTANCE_UID: HeaderName = HeaderName::from_static("opamp-instance-uid");

/// Answers one POST.
pub(super) async fn exchange(core: &Arc<Core>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = match read(core, &head.headers, body).await {
        Ok(body) => body,
        Err(response) => return *response,
    };
    let compress =
        header_text(&head.headers, &header::ACCEPT_ENCODING).is_some_and(|value| body::accepts_gzip(&value));
    let message = match AgentToServer::decode(body) {
        Ok(message) => message,
        Err(error) => {
            core.metrics.bad_requests.inc();
            let reply = offer::bad_request(Bytes::new(), format!("the message cannot be decoded: {error}"));
            return protobuf(StatusCode::BAD_REQUEST, &reply, compress);
        }
    };
    if let Some(reason) = uid_mismatch(&head.headers, &message) {
        core.metrics.bad_requests.inc();
        return protobuf(StatusCode::OK, &offer::bad_request(message.instance_uid, reason), compress);
    }
    let arrival = Arrival { now: core.now(), transport: Transport::Http };
    let inbound = Inbound { message, arrival, connection: None, occasion: Occasion::Introduction };
    protobuf(StatusCode::OK, &core.exchange(inbound).await, compress)
}

async fn read(core: &Core, headers: &HeaderMap, body: Incoming) -> Result<Bytes, Box<Response<Full<Bytes>>>> {
    let refuse = |status, text: String| Err(Box::new(plain(status, text + "\n")));
    if !header_text(headers, &header::CONTENT_TYPE).is_some_and(|value| body::is_protobuf(&value)) {
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("send Content-Type: {CONTENT_TYPE}"));
    }
    let encoding = header_text(headers, &header::CONTENT_ENCODING)
        .map_or(Ok(Encoding::Identity), |v| Encoding::parse(&v));
    let encoding = match encoding {
        Ok(encoding) => encoding,
        Err(error) => {
            let mut response = plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("{error}\n"));
            response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
            return Err(Box::new(response));
        }
    };
    let limit = core.options.max_message_bytes;
    let too_large = || refuse(StatusCode::PAYLOAD_TOO_LARGE, format!("a message has at most {limit} bytes"));
    #[expect(clippy::disallowed_methods, reason = "bounded by Limited")]
    let collected = tokio::time::timeout(BODY_DEADLINE, Limited::new(body, limit).collect()).await;
    let bytes = match collected {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return too_large(),
        Ok(Err(error)) => {
            return refuse(StatusCode::BAD_REQUEST, format!("the body cannot be read: {error}"));
        }
        Err(_) => return refuse(StatusCode::REQUEST_TIMEOUT, "the body did not come in time".into()),
    };
    match body::decode(encoding, bytes, limit) {
        Ok(body) => Ok(body),
        Err(BodyError::TooLarge { .. }) => too_large(),
        Err(error) => refuse(StatusCode::BAD_REQUEST, error.to_string()),
    }
}

/// The uid of the header is for routing alone; one that contradicts the message's is a mistake (OpAMP S045).
fn uid_mismatch(headers: &HeaderMap, message: &AgentToServer) -> Option<String> {
    let stated = header_text(headers, &INSTANCE_UID)?;
    let same = stated.parse::<InstanceUid>().is_ok_and(|uid| uid.as_bytes()[..] == message.instance_uid[..]);
    (!same).then(|| "the header OpAMP-Instance-UID names another agent than the message".to_owned())
}

fn header_text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn protobuf(status: StatusCode, message: &ServerToAgent, compress: bool) -> Response<Full<Bytes>> {
    let plain = message.encode_to_vec();
    let compress = compress && plain.len() >= COMPRESS_FROM;
    let body = if compress { body::gzip(&plain) } else { plain };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    // Exactly this, with no parameters: a known client compares the text (OpAMP S050).
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    if compress {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}
