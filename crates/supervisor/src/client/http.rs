//! The plain HTTP transport: a POST per message, one at a time (OpAMP C024–C039).

use std::pin::pin;
use std::time::{Duration, Instant};

use tidegate_opamp::{AgentToServer, InstanceUid, ServerToAgent};

use super::member::{Leave, Member};
use super::post::{PostError, Poster};
use super::session::{Session, Turn, Wake, random};
use super::{Left, Reason};

/// Most time for the farewell (OpAMP C180).
const FAREWELL_DEADLINE: Duration = Duration::from_secs(3);

/// Most time that a request under way has for its answer once the client is to stop.
const ANSWER_GRACE: Duration = Duration::from_secs(1);

/// Posts what is due, until it is told to stop or the target is another one.
pub(super) async fn run(session: &mut Session) -> Left {
    let mut poster = Poster::new(session.target().clone(), session.settings.max_message_bytes);
    session.connected();
    loop {
        // A poll may be due as well; what changed during the last request goes with it.
        session.catch_up();
        let now = Instant::now();
        let Some((uid, message)) = session.take(now) else {
            let due = session.due(now);
            if session.wake(due).await == Wake::Leave && !part(session, &mut poster).await {
                return Left::Stopped;
            }
            continue;
        };
        let mut all_leave = session.all_leave();
        let (answer, ends) = {
            let posting = poster.post(uid, &message);
            tokio::pin!(posting);
            tokio::select! {
                biased;
                () = all_leave.wait() => {
                    let answer = tokio::time::timeout(ANSWER_GRACE, posting).await;
                    (answer.unwrap_or(Err(PostError::Deadline)), true)
                }
                answer = &mut posting => (answer, false),
            }
        };
        let then = judge(session, uid, answer);
        if ends {
            part(session, &mut poster).await;
            return Left::Stopped;
        }
        match then {
            Then::Go => {}
            Then::Rest { pause, asked } => {
                let until = Instant::now() + pause;
                let mut wanted = pin!(session.wanted());
                while Instant::now() < until {
                    let wake = tokio::select! {
                        wake = session.wake(until) => wake,
                        () = &mut wanted, if !asked => {
                            session.backoff.reset();
                            break;
                        }
                    };
                    if wake == Wake::Leave && !part(session, &mut poster).await {
                        return Left::Stopped;
                    }
                }
            }
            Then::Move => {
                let mut heard = true;
                for (uid, message) in session.farewells() {
                    // One that is not heard is enough.
                    heard = heard && say_farewell(&mut poster, uid, &message).await;
                }
                session.lost();
                return Left::Moved;
            }
            // Nobody is there to say farewell to.
            Then::Back => {
                session.lost();
                return Left::Moved;
            }
        }
    }
}

/// Leaves the agents that are to be left; false when none is left.
async fn part(session: &mut Session, poster: &mut Poster) -> bool {
    while let Some((leave, mut member)) = session.leaving() {
        if leave == Leave::Farewell {
            let message = member.core.farewell();
            say_farewell(poster, member.core.uid(), &message).await;
        }
        Member::end(member);
    }
    session.has_agents()
}

async fn say_farewell(poster: &mut Poster, uid: InstanceUid, message: &AgentToServer) -> bool {
    let posting = poster.post(uid, message);
    let heard = matches!(tokio::time::timeout(FAREWELL_DEADLINE, posting).await, Ok(Ok(_)));
    if !heard {
        tracing::info!(%uid, "the farewell did not reach the server");
    }
    heard
}

/// What comes after an answer, or after none.
enum Then {
    /// What is due.
    Go,
    /// Silence, which the server may have asked for.
    Rest { pause: Duration, asked: bool },
    /// Farewell: the target is another one.
    Move,
    /// The offered server is given up.
    Back,
}

/// Takes the answer to an agent's request in and says what comes next.
fn judge(session: &mut Session, uid: InstanceUid, answer: Result<ServerToAgent, PostError>) -> Then {
    let error = match answer {
        Ok(message) => {
            session.heard();
            return match session.received(message, Some(uid)) {
                Some(Turn::Retreat(after)) => {
                    let pause = session.backoff.after_request(Reason::Unavailable(after), random());
                    Then::Rest { pause, asked: true }
                }
                Some(Turn::Move) => Then::Move,
                None => {
                    session.backoff.reset();
                    Then::Go
                }
            };
        }
        Err(error) => error,
    };
    if error.reason() != Reason::Lost {
        session.heard();
    }
    let decides = session.uid() == Some(uid);
    let mut own = Duration::ZERO;
    if let Some(member) = session.member(uid) {
        member.core.lost(error.loss());
        own = member.core.heartbeat().unwrap_or(member.own_heartbeat);
        if error.is_refusal() && !decides {
            // What is refused of one agent says nothing of the others.
            member.rests_until = Some(Instant::now() + own.max(Duration::from_secs(1)));
            tracing::warn!(%error, %uid, "a message was refused");
            return Then::Go;
        }
    }
    if session.failed(&error.to_string(), error.reason() == Reason::Denied) {
        return Then::Back;
    }
    let pause = session.backoff.after_request(error.reason(), random());
    let pause = pause.max(if error.is_refusal() { own } else { Duration::ZERO });
    tracing::warn!(%error, ?pause, "a message was not delivered");
    Then::Rest { pause, asked: error.reason() != Reason::Lost }
}
