//! Plain HTTP: one message in the request's body, one in the answer's (OpAMP S033–S051).

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use tidegate_fleet::agent::Transport;
use tidegate_fleet::offer::{self, Occasion};
use tidegate_fleet::session::Arrival;
use tidegate_opamp::body::{self, BodyError, Encoding};
use tidegate_opamp::{AgentToServer, CONTENT_TYPE, InstanceUid, Message, peek, wire};

use super::budget::{Charge, Exhausted, PATIENCE, SMALL};
use super::door::BUSY;
use super::{Plane, TOO_FAST, come_back, plain};
use crate::state::{Inbound, Peer};

/// How often gzip can repeat a byte that it has read.
const MOST_INFLATION: usize = 1_032;

/// How long an answer waits for room.
const REPLY_PATIENCE: Duration = Duration::from_secs(5);

/// Answers below this many bytes are not worth compressing.
const COMPRESS_FROM: usize = 512;

const CONTRADICTION: &str = "the header OpAMP-Instance-UID names another agent than the message";

const INSTANCE_UID: HeaderName = HeaderName::from_static("opamp-instance-uid");

type Refusal = Box<Response<Full<Bytes>>>;

/// Answers one POST.
pub(super) async fn exchange(plane: &Plane, peer: Peer, request: Request<Incoming>) -> Response<Full<Bytes>> {
    match Box::pin(taken(plane, peer, request)).await {
        Ok(response) => response,
        Err(response) => *response,
    }
}

async fn taken(
    plane: &Plane,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Refusal> {
    let (core, guard) = (&plane.core, &plane.guard);
    let (head, body) = request.into_parts();
    let encoding = encoding(&head.headers)?;
    let mut charge = Charge::default();
    let body = read(plane, body, &mut charge).await?;
    let body = inflate(plane, encoding, body, &mut charge).await?;
    let compress =
        header_text(&head.headers, &header::ACCEPT_ENCODING).is_some_and(|value| body::accepts_gzip(&value));
    let beat = peek::poll(&body).filter(|beat| !contradicts(&head.headers, beat.uid.as_bytes()));
    if let Some(beat) = &beat {
        rein(plane, beat.uid)?;
        if core.take_heartbeat(beat, None) {
            return Ok(protobuf(StatusCode::OK, core.poll_answer(&beat.uid), compress, Charge::default()));
        }
    }
    let undecodable = |error: String| {
        core.metrics.bad_requests.inc();
        let reply = offer::bad_request(Bytes::new(), format!("the message cannot be decoded: {error}"));
        protobuf(StatusCode::BAD_REQUEST, reply.encode_to_vec(), compress, Charge::default())
    };
    let weight = match wire::weigh::<AgentToServer>(&body) {
        Ok(weight) => weight,
        Err(error) => return Ok(undecodable(error.to_string())),
    };
    let bytes = body.len();
    guard
        .budget
        .grow(&mut charge, bytes + weight, PATIENCE)
        .await
        .map_err(|error| exhausted(plane, error))?;
    let message = match AgentToServer::decode(body) {
        Ok(message) => message,
        Err(error) => return Ok(undecodable(error.to_string())),
    };
    if contradicts(&head.headers, &message.instance_uid) {
        core.metrics.bad_requests.inc();
        let reply = offer::bad_request(message.instance_uid, CONTRADICTION.to_owned());
        return Ok(protobuf(StatusCode::OK, reply.encode_to_vec(), compress, Charge::default()));
    }
    if beat.is_none()
        && let Ok(uid) = InstanceUid::from_bytes(&message.instance_uid)
    {
        rein(plane, uid)?;
    }
    let Some(_place) = guard.begin().await else {
        core.metrics.refused_connections.inc();
        return Err(Box::new(come_back(StatusCode::SERVICE_UNAVAILABLE, BUSY, guard.retry_after())));
    };
    let arrival = Arrival { now: core.now(), transport: Transport::Http };
    let inbound = Inbound {
        message,
        arrival,
        connection: None,
        occasion: Occasion::Introduction,
        reached: peer.reached,
    };
    let reply = core.exchange(inbound).await;
    drop(charge);
    // Encoded, and again compressed. What was committed as sent leaves: it waits longer than a message that may be
    // refused, and leaves all the same when there is no room.
    let bytes = 2 * reply.encoded_len();
    let charge =
        if bytes > SMALL { guard.budget.charge(bytes, REPLY_PATIENCE).await } else { Ok(Charge::default()) };
    Ok(protobuf(StatusCode::OK, reply.encode_to_vec(), compress, charge.unwrap_or_default()))
}

fn refusal<T>(status: StatusCode, text: String) -> Result<T, Refusal> {
    Err(Box::new(plain(status, text + "\n")))
}

fn exhausted(plane: &Plane, error: Exhausted) -> Refusal {
    plane.core.metrics.throttled_messages.inc();
    let after = plane.guard.retry_after();
    Box::new(come_back(StatusCode::SERVICE_UNAVAILABLE, &error.to_string(), after))
}

fn too_large<T>(limit: usize) -> Result<T, Refusal> {
    refusal(StatusCode::PAYLOAD_TOO_LARGE, format!("a message has at most {limit} bytes"))
}

/// What the head says of the body.
fn encoding(headers: &HeaderMap) -> Result<Encoding, Refusal> {
    if !header_text(headers, &header::CONTENT_TYPE).is_some_and(|value| body::is_protobuf(&value)) {
        return refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("send Content-Type: {CONTENT_TYPE}"));
    }
    let encoding = header_text(headers, &header::CONTENT_ENCODING)
        .map_or(Ok(Encoding::Identity), |value| Encoding::parse(&value));
    encoding.map_err(|error| {
        let mut response = plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("{error}\n"));
        response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        Box::new(response)
    })
}

/// Reads a body within its limit, the budget and its time. What is charged grows with what has come.
async fn read(plane: &Plane, body: Incoming, charge: &mut Charge) -> Result<Bytes, Refusal> {
    let limit = plane.core.options.max_message_bytes;
    if body.size_hint().lower() > limit as u64 {
        return too_large(limit);
    }
    let mut body = Limited::new(body, limit);
    let deadline = tokio::time::sleep(plane.guard.times.body);
    let mut deadline = std::pin::pin!(deadline);
    let mut bytes = Vec::new();
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            () = deadline.as_mut() => {
                return refusal(StatusCode::REQUEST_TIMEOUT, "the body did not come in time".into());
            }
        };
        match frame {
            None => return Ok(bytes.into()),
            Some(Ok(frame)) => {
                let Ok(part) = frame.into_data() else { continue };
                if bytes.capacity() - bytes.len() < part.len() {
                    let room = (2 * bytes.len()).max(bytes.len() + part.len()).min(limit);
                    let grown = plane.guard.budget.grow(charge, room, PATIENCE).await;
                    grown.map_err(|error| exhausted(plane, error))?;
                    bytes.reserve_exact(room - bytes.len());
                }
                bytes.extend_from_slice(&part);
            }
            Some(Err(error)) if error.is::<LengthLimitError>() => return too_large(limit),
            Some(Err(error)) => {
                return refusal(StatusCode::BAD_REQUEST, format!("the body cannot be read: {error}"));
            }
        }
    }
}

/// Inflates a body. For that moment the most that it could inflate to is charged, then what it came to.
async fn inflate(
    plane: &Plane,
    encoding: Encoding,
    bytes: Bytes,
    charge: &mut Charge,
) -> Result<Bytes, Refusal> {
    if encoding == Encoding::Identity {
        return Ok(bytes);
    }
    let limit = plane.core.options.max_message_bytes;
    let most = bytes.len().saturating_mul(MOST_INFLATION).min(limit);
    let grown = plane.guard.budget.grow(charge, bytes.len() + most, PATIENCE).await;
    grown.map_err(|error| exhausted(plane, error))?;
    match body::decode(encoding, bytes, limit) {
        Ok(body) => {
            charge.shrink(body.len());
            Ok(body)
        }
        Err(BodyError::TooLarge { .. }) => too_large(limit),
        Err(error) => refusal(StatusCode::BAD_REQUEST, error.to_string()),
    }
}

/// Counts a message of an agent against what it may send.
fn rein(plane: &Plane, uid: InstanceUid) -> Result<(), Refusal> {
    plane.guard.throttle.take_from(uid).map_err(|_| {
        plane.core.metrics.throttled_messages.inc();
        Box::new(come_back(StatusCode::TOO_MANY_REQUESTS, TOO_FAST, plane.guard.retry_after()))
    })
}

/// The uid of the header is for routing alone; one that contradicts the message's is a mistake (OpAMP S045).
fn contradicts(headers: &HeaderMap, uid: &[u8]) -> bool {
    headers.get(INSTANCE_UID).is_some_and(|stated| {
        let stated = stated.to_str().ok().and_then(|text| text.parse::<InstanceUid>().ok());
        stated.is_none_or(|stated| stated.as_bytes()[..] != *uid)
    })
}

fn header_text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn protobuf(status: StatusCode, plain: Vec<u8>, compress: bool, charge: Charge) -> Response<Full<Bytes>> {
    let compress = compress && plain.len() >= COMPRESS_FROM;
    let body = if compress { body::gzip(&plain) } else { plain };
    let mut response = Response::new(Full::new(Bytes::from_owner(Charged { body, _charge: charge })));
    *response.status_mut() = status;
    // Exactly this, with no parameters: a known client compares the text (OpAMP S050).
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    if compress {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// A body that is charged until it is written.
struct Charged {
    body: Vec<u8>,
    _charge: Charge,
}

impl AsRef<[u8]> for Charged {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}
