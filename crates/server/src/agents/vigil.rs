//! What a socket waits for, and until when: one timer for all of it. Times are milliseconds since the socket opened.

/// How long a socket waits for things, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    /// For the first message.
    pub(crate) first_message: u64,
    /// For the rest of a message that has begun.
    pub(crate) message: u64,
    /// In silence before a ping, and again before the peer is given up (OpAMP S029).
    pub(crate) ping: u64,
}

/// What a socket waits for.
#[derive(Debug, Default)]
pub(crate) struct Vigil {
    heard_at: u64,
    /// When the message began of which a part is here.
    begun_at: Option<u64>,
    /// Nothing is read until then.
    resume_at: Option<u64>,
    /// The socket is closed then.
    leave_at: Option<u64>,
    pinged: bool,
    spoken: bool,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// Ask whether the peer is there.
    Ping,
    /// The peer is not there.
    Gone,
    /// No message came.
    Silent,
    /// A message began and did not end.
    Stalled,
    /// The server stops.
    Leave,
}

/// What bytes that arrived brought.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    /// The end of a message.
    pub(crate) message: bool,
    /// The beginning of one, or more of it.
    pub(crate) partial: bool,
}

impl Vigil {
    /// Bytes came.
    pub(crate) fn heard(&mut self, now: u64, progress: Progress) {
        self.heard_at = now;
        self.pinged = false;
        self.spoken |= progress.message;
        self.begun_at = match self.begun_at {
            _ if !progress.partial => None,
            Some(begun) if !progress.message => Some(begun),
            _ => Some(now),
        };
    }

    /// Nothing is read for a while.
    pub(crate) fn pause(&mut self, now: u64, milliseconds: u64) {
        self.resume_at = Some(now + milliseconds);
    }

    pub(crate) const fn is_paused(&self) -> bool {
        self.resume_at.is_some()
    }

    /// The socket is to be closed after a while.
    pub(crate) fn leave(&mut self, now: u64, milliseconds: u64) {
        self.leave_at = Some(now + milliseconds);
    }

    pub(crate) const fn is_leaving(&self) -> bool {
        self.leave_at.is_some()
    }

    /// When to look next, at the latest.
    pub(crate) fn next(&self, waits: Waits) -> u64 {
        let ping = self.heard_at + waits.ping * if self.pinged { 2 } else { 1 };
        let first = if self.spoken { u64::MAX } else { waits.first_message };
        let message = self.begun_at.map_or(u64::MAX, |begun| begun + waits.message);
        let resume = self.resume_at.unwrap_or(u64::MAX);
        ping.min(first).min(message).min(resume).min(self.leave_at.unwrap_or(u64::MAX))
    }

    /// Looks at what is due.
    pub(crate) fn look(&mut self, now: u64, waits: Waits) -> Due {
        if self.resume_at.is_some_and(|at| now >= at) {
            self.resume_at = None;
            // What the peer said meanwhile was not read.
            self.heard_at = now;
            self.begun_at = self.begun_at.map(|_| now);
        }
        let silence = now.saturating_sub(self.heard_at);
        if self.leave_at.is_some_and(|at| now >= at) {
            Due::Leave
        } else if !self.spoken && now >= waits.first_message {
            Due::Silent
        } else if !self.is_paused() && self.begun_at.is_some_and(|begun| now >= begun + waits.message) {
            Due::Stalled
        } else if self.pinged && silence >= 2 * waits.ping {
            Due::Gone
        } else if !self.pinged && silence >= waits.ping {
            self.pinged = true;
            Due::Ping
        } else {
            Due::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITS: Waits = Waits { first_message: 60_000, message: 20_000, ping: 30_000 };
    const MESSAGE: Progress = Progress { message: true, partial: false };
    const PART: Progress = Progress { message: false, partial: true };
    const NEITHER: Progress = Progress { message: false, partial: false };

    /// Walks from one look to the next until something but a ping is due.
    fn end(vigil: &mut Vigil) -> (u64, Due) {
        loop {
            let now = vigil.next(WAITS);
            match vigil.look(now, WAITS) {
                Due::Nothing | Due::Ping => {}
                due => return (now, due),
            }
        }
    }

    #[test]
    fn given_a_peer_that_is_not_there_when_it_was_pinged_in_vain_then_it_is_gone() {
        let mut vigil = Vigil::default();
        vigil.heard(1_000, MESSAGE);
        assert_eq!(vigil.next(WAITS), 31_000);
        assert_eq!(vigil.look(31_000, WAITS), Due::Ping);
        assert_eq!(vigil.look(31_000, WAITS), Due::Nothing, "one ping is enough");
        assert_eq!(end(&mut vigil), (61_000, Due::Gone));
        // A pong in time is a sign of life.
        vigil.heard(60_000, NEITHER);
        assert_eq!(end(&mut vigil), (120_000, Due::Gone));
    }

    #[test]
    fn given_a_peer_that_answers_pings_when_it_never_speaks_then_it_is_silent() {
        let mut vigil = Vigil::default();
        vigil.heard(50_000, NEITHER);
        assert_eq!(end(&mut vigil), (60_000, Due::Silent));
    }

    #[test]
    fn given_a_message_that_trickles_when_its_time_is_up_then_it_has_stalled() {
        let mut vigil = Vigil::default();
        vigil.heard(1_000, MESSAGE);
        for at in (2_000..20_000).step_by(1_000) {
            vigil.heard(at, PART);
        }
        assert_eq!(end(&mut vigil), (22_000, Due::Stalled));
        // One message after another is never stalled, though none ends where a read does.
        for at in (22_000..90_000).step_by(10_000) {
            vigil.heard(at, Progress { message: true, partial: true });
        }
        assert_eq!(vigil.look(90_000, WAITS), Due::Nothing);
    }

    #[test]
    fn given_a_pause_when_it_is_over_then_the_peer_has_its_time_anew() {
        let mut vigil = Vigil::default();
        vigil.heard(1_000, Progress { message: true, partial: true });
        vigil.pause(1_000, 19_999);
        assert!(vigil.is_paused());
        assert_eq!(vigil.next(WAITS), 20_999);
        assert_eq!((vigil.look(20_999, WAITS), vigil.is_paused()), (Due::Nothing, false));
        assert_eq!(end(&mut vigil), (40_999, Due::Stalled));
    }

    #[test]
    fn given_a_server_that_stops_then_the_socket_leaves_at_its_time() {
        let mut vigil = Vigil::default();
        vigil.heard(1_000, MESSAGE);
        vigil.leave(2_000, 500);
        assert!(vigil.is_leaving());
        assert_eq!(end(&mut vigil), (2_500, Due::Leave));
    }
}
