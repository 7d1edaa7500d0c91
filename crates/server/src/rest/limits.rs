//! How often one credential may call: a bucket each for looking, for acting and for opening streams. Every answer says
//! what is left of its own, as `draft-ietf-httpapi-ratelimit-headers` has it.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use tidegate_fleet::Actor;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Face;
use super::problem::Failure;
use crate::rate::{Allowance, Rate, TooFast};
use crate::settings::LimitSettings;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// Seconds after which someone with too many streams may try again: nobody knows when one of theirs will end.
const STREAM_RETRY_SECONDS: u64 = 5;

/// What a call is counted among.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bucket {
    Reads,
    Writes,
    Watches,
}

impl Bucket {
    /// That of a call, by what it asks for.
    fn of(method: &Method, path: &str) -> Self {
        match path.strip_prefix(tidegate_api::BASE) {
            Some("/watch") => Self::Watches,
            // A look whose question is too long for an address.
            Some("/agents/search") => Self::Reads,
            _ if matches!(*method, Method::GET | Method::HEAD) => Self::Reads,
            _ => Self::Writes,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Watches => "watches",
        }
    }
}

/// What every credential may do, and what each has done. There are as many as the server knows: nobody else comes here.
#[derive(Clone, Debug)]
pub(crate) struct Limits(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// By [`Bucket`].
    allowances: [Allowance; 3],
    max_watches: usize,
    begun: Instant,
    callers: Mutex<HashMap<String, Caller>>,
}

#[derive(Debug)]
struct Caller {
    /// By [`Bucket`].
    rates: [Rate; 3],
    watches: Arc<Semaphore>,
}

/// What is left of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    left: u64,
    whole_in: u64,
}

impl Limits {
    pub(crate) fn new(settings: &LimitSettings) -> Self {
        let allowances = [
            Allowance::new(settings.reads_per_second, settings.read_burst),
            Allowance::new(settings.writes_per_second, settings.write_burst),
            Allowance::new(settings.watches_per_second, settings.watch_burst),
        ];
        let (begun, callers) = (Instant::now(), Mutex::default());
        Self(Arc::new(Inner { allowances, max_watches: settings.max_watches, begun, callers }))
    }

    /// Counts a call at `now`, in microseconds of a steady clock.
    fn take(&self, caller: &str, bucket: Bucket, now: u64) -> (Result<(), TooFast>, Standing) {
        let allowance = self.0.allowances[bucket as usize];
        self.with(caller, |caller| {
            let rate = &mut caller.rates[bucket as usize];
            let taken = rate.take(now, allowance);
            (taken, Standing { left: rate.left(now, allowance), whole_in: rate.whole_in(now) })
        })
    }

    /// Counts a look of an actor who came by another face, at this moment.
    ///
    /// # Errors
    /// The seconds after which they may look again.
    pub(crate) fn look(&self, actor: &Actor) -> Result<(), u64> {
        let now = self.now();
        let (taken, _) = self.take(&actor.name, Bucket::Reads, now);
        taken.map_err(|TooFast { wait }| wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
    }

    /// This moment, in microseconds of a steady clock.
    fn now(&self) -> u64 {
        u64::try_from(self.0.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// A place for a stream, until it is dropped.
    pub(super) fn stream(&self, actor: &Actor) -> Result<OwnedSemaphorePermit, Failure> {
        let watches = self.with(&actor.name, |caller| Arc::clone(&caller.watches));
        watches.try_acquire_owned().map_err(|_| {
            let detail = format!("{} streams are open with this token; close some", self.0.max_watches);
            Failure::later("too-many-streams", "Too many streams", detail, STREAM_RETRY_SECONDS)
        })
    }

    fn with<T>(&self, name: &str, act: impl FnOnce(&mut Caller) -> T) -> T {
        let mut callers = self.0.callers.lock();
        if let Some(caller) = callers.get_mut(name) {
            return act(caller);
        }
        let watches = Arc::new(Semaphore::new(self.0.max_watches.min(Semaphore::MAX_PERMITS)));
        act(callers.entry(name.to_owned()).or_insert(Caller { rates: Default::default(), watches }))
    }
}

/// Lets a call through that its credential has left, and says on every answer what there is.
pub(super) async fn count(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    request: Request,
    next: Next,
) -> Response {
    let bucket = Bucket::of(request.method(), request.uri().path());
    let now = face.limits.now();
    let (taken, standing) = face.limits.take(&actor.name, bucket, now);
    let mut response = match taken {
        Ok(()) => next.run(request).await,
        Err(TooFast { wait }) => {
            face.control.count_throttled_call();
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            let detail =
                format!("too many {} are made with this token; wait for {seconds} s", bucket.as_str());
            Failure::later("rate-limited", "Too many calls", detail, seconds).into_response()
        }
    };
    let allowance = face.limits.0.allowances[bucket as usize];
    let (name, quota, window) = (bucket.as_str(), allowance.quota(), allowance.window());
    let mut tell = |header: HeaderName, value: &dyn Display| {
        if let Ok(value) = HeaderValue::try_from(value.to_string()) {
            response.headers_mut().insert(header, value);
        }
    };
    tell(POLICY, &format_args!("\"{name}\";q={quota};w={window}"));
    tell(LEFT, &format_args!("\"{name}\";r={};t={}", standing.left, standing.whole_in));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_calls_when_sorted_then_looking_acting_and_watching_are_told_apart() {
        for (method, path, bucket) in [
            (Method::GET, "/api/v1/agents", Bucket::Reads),
            (Method::HEAD, "/api/v1/agents", Bucket::Reads),
            (Method::POST, "/api/v1/agents/search", Bucket::Reads),
            (Method::GET, "/metrics", Bucket::Reads),
            (Method::GET, "/api/v1/watch", Bucket::Watches),
            (Method::POST, "/api/v1/pushes", Bucket::Writes),
            (Method::PATCH, "/api/v1/agents/x/labels", Bucket::Writes),
            (Method::DELETE, "/nowhere", Bucket::Writes),
        ] {
            assert_eq!(Bucket::of(&method, path), bucket, "{method} {path}");
        }
    }

    #[test]
    fn given_two_credentials_when_one_is_used_up_then_the_other_and_the_other_buckets_are_whole() {
        let slow = LimitSettings { reads_per_second: 1, read_burst: 2, ..LimitSettings::default() };
        let limits = Limits::new(&slow);
        for left in [1, 0] {
            assert_eq!(limits.take("a", Bucket::Reads, 0), (Ok(()), Standing { left, whole_in: 2 - left }));
        }
        let (refused, standing) = limits.take("a", Bucket::Reads, 0);
        assert!(refused.is_err() && standing == Standing { left: 0, whole_in: 2 }, "{standing:?}");
        assert!(
            limits.take("a", Bucket::Writes, 0).0.is_ok() && limits.take("b", Bucket::Reads, 0).0.is_ok()
        );
    }
}
