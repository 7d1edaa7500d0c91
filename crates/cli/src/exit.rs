//! The exit codes, all of them in this one place.

use tidegate_api::Problem;
use tidegate_api::client::ClientError;

use crate::failure::Failure;

/// It worked.
pub(crate) const SUCCESS: u8 = 0;
/// The command line or a local file is wrong.
pub(crate) const USAGE: u8 = 2;
/// There is no such thing.
pub(crate) const NOT_FOUND: u8 = 3;
/// The server does not know us, or does not let us.
pub(crate) const FORBIDDEN: u8 = 4;
/// The state is another than was assumed.
pub(crate) const CONFLICT: u8 = 5;
/// What was given is invalid.
pub(crate) const INVALID: u8 = 6;
/// The wait came to its deadline.
pub(crate) const TIMED_OUT: u8 = 7;
/// A person has to confirm.
pub(crate) const UNCONFIRMED: u8 = 8;
/// Some succeeded, some did not.
pub(crate) const PARTIAL: u8 = 9;
/// What was asked for failed.
pub(crate) const FAILED: u8 = 10;
/// The server or the way to it failed.
pub(crate) const SERVER: u8 = 20;
/// Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;

/// The code of a finished command. A reader of our output that went away (`| head`) ends it quietly.
pub(crate) fn of_result(result: &Result<(), Failure>) -> u8 {
    match result {
        Ok(()) => SUCCESS,
        Err(failure) if failure.is_broken_pipe() => SUCCESS,
        Err(failure) => of_failure(failure),
    }
}

/// The code of a command line that cannot be read, or that asked for help.
pub(crate) fn of_usage(error: &clap::Error) -> u8 {
    if error.use_stderr() { USAGE } else { SUCCESS }
}

fn of_failure(failure: &Failure) -> u8 {
    match failure {
        Failure::Setting { .. }
        | Failure::Argument(_)
        | Failure::Read { .. }
        | Failure::Change { .. }
        | Failure::Ambiguous { .. }
        | Failure::Write(_)
        | Failure::Encode(_) => USAGE,
        Failure::NoAgent { .. } | Failure::NoMatch { .. } => NOT_FOUND,
        Failure::NoToken { .. } => FORBIDDEN,
        Failure::Config { .. } | Failure::NotAccepted { .. } => INVALID,
        Failure::TimedOut { .. } => TIMED_OUT,
        Failure::Unconfirmed(_) => UNCONFIRMED,
        Failure::Partial { .. } => PARTIAL,
        Failure::AllFailed { .. } | Failure::Unsound(_) => FAILED,
        Failure::Call(error) => of_call(error),
        Failure::Start(_) => SERVER,
        Failure::Interrupted => INTERRUPTED,
    }
}

fn of_call(error: &ClientError) -> u8 {
    match error {
        ClientError::Address { .. } => USAGE,
        ClientError::Refused(problem) => of_problem(problem),
        ClientError::Unreachable { .. } | ClientError::Answer { .. } => SERVER,
    }
}

fn of_problem(problem: &Problem) -> u8 {
    match problem.status {
        404 => NOT_FOUND,
        401 | 403 => FORBIDDEN,
        409 | 412 | 428 => CONFLICT,
        400 | 422 => INVALID,
        _ => SERVER,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn refused(status: u16) -> Failure {
        Failure::Call(ClientError::Refused(Box::new(Problem { status, ..Problem::default() })))
    }

    #[test]
    fn given_a_failure_then_its_code_is_the_documented_one() {
        let file = || io::Error::from(io::ErrorKind::NotFound);
        let address = ClientError::Address { server: "x".into(), reason: "y".into() };
        let answer = ClientError::Answer { server: "x".into(), reason: "y".into() };
        for (failure, expected) in [
            (Failure::Setting { name: "a".into(), reason: "b".into() }, 2),
            (Failure::Argument("a".into()), 2),
            (Failure::Read { path: "a".into(), source: file() }, 2),
            (Failure::Ambiguous { name: "a".into(), candidates: vec![], more: 0 }, 2),
            (Failure::Write(file()), 2),
            (Failure::Change { path: "a".into(), reason: "b".into() }, 2),
            (Failure::Unsound("a".into()), 10),
            (Failure::NoAgent { name: "a".into() }, 3),
            (Failure::NoMatch { q: "a".into() }, 3),
            (Failure::NoToken { place: "a".into() }, 4),
            (Failure::Config { errors: 1 }, 6),
            (Failure::TimedOut { seconds: 1.0, missing: "a".into() }, 7),
            (Failure::Unconfirmed("a".into()), 8),
            (Failure::Partial { failed: 1, total: 2, what: "a" }, 9),
            (Failure::AllFailed { total: 2, what: "a" }, 10),
            (Failure::Call(address), 2),
            (Failure::Call(answer), 20),
            (refused(400), 6),
            (refused(401), 4),
            (refused(403), 4),
            (refused(404), 3),
            (refused(409), 5),
            (refused(412), 5),
            (refused(422), 6),
            (refused(429), 20),
            (refused(500), 20),
            (Failure::Interrupted, 130),
        ] {
            assert_eq!(of_result(&Err(failure)), expected);
        }
        assert_eq!(of_result(&Ok(())), 0);
    }

    #[test]
    fn given_a_reader_that_went_away_then_the_end_is_quiet() {
        let gone = Failure::Write(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(of_result(&Err(gone)), 0);
    }
}
