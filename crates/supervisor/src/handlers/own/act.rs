//! Carrying out what a handler does, within its bounds.

use std::path::Path;

use bytes::Bytes;
use http_body_util::Full;
use tidegate_custom::Answer;

use super::{Act, HandlerSettings, is_json};
use crate::child::{CommandLine, Exit, RunError, feed};
use crate::handlers::local;
use crate::text;

/// Most of a program's complaints that an answer tells, in bytes.
const MOST_COMPLAINTS: usize = 1024;

/// Carries an act out; the answer has neither id nor duration yet.
pub(super) async fn carry_out(entry: &HandlerSettings, input: Bytes) -> Answer {
    let mut answer = match &entry.act {
        Act::Http { .. } => call(entry, input).await,
        Act::Program { program, args } => run(entry, program, args, input).await,
    };
    if answer.error.is_none()
        && !answer.truncated
        && !answer.body.trim().is_empty()
        && let Err(error) = is_json(answer.body.as_bytes())
    {
        answer.error = Some(format!("what it gave back is not JSON: {error}"));
    }
    answer
}

async fn call(entry: &HandlerSettings, input: Bytes) -> Answer {
    let none = |error: String| Answer { http_code: Some(0), error: Some(error), ..Answer::default() };
    let Act::Http { place, method, path, content_type } = &entry.act else { return Answer::default() };
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header(http::header::CONTENT_TYPE, content_type)
        .body(Full::new(input));
    let request = match request {
        Ok(request) => request,
        Err(error) => return none(format!("the call cannot be made: {error}")),
    };
    let calling = local::call(place, "the local service", request, entry.max_output_bytes);
    match tokio::time::timeout(entry.timeout, calling).await {
        Err(_) => none(format!("the local service did not answer within {} ms", entry.timeout.as_millis())),
        Ok(Err(error)) => none(error),
        Ok(Ok(answered)) => Answer {
            http_code: Some(answered.status),
            error: (!(200..300).contains(&answered.status))
                .then(|| format!("the local service answered with HTTP status {}", answered.status)),
            body: answered.body,
            truncated: answered.truncated,
            ..Answer::default()
        },
    }
}

async fn run(entry: &HandlerSettings, program: &Path, args: &[String], input: Bytes) -> Answer {
    let line = CommandLine {
        program: program.to_owned(),
        args: args.iter().map(Into::into).collect(),
        cwd: "/".into(),
    };
    let ran = match feed(&line, input, entry.max_output_bytes, entry.timeout).await {
        Ok(ran) => ran,
        Err(RunError::Deadline { .. }) => {
            let millis = entry.timeout.as_millis();
            return Answer::refused(None, format!("it did not end within {millis} ms and was killed"));
        }
        Err(error) => return Answer::refused(None, error.to_string()),
    };
    let error = (ran.exit != Exit::Code(0)).then(|| {
        let complaints = String::from_utf8_lossy(&ran.errors);
        match text::tail(complaints.trim(), MOST_COMPLAINTS) {
            "" => format!("it {}", ran.exit),
            said => format!("it {}: {said}", ran.exit),
        }
    });
    Answer {
        error,
        exit_code: match ran.exit {
            Exit::Code(code) => Some(code),
            Exit::Signal(_) | Exit::Unknown => None,
        },
        body: String::from_utf8_lossy(&ran.output).into_owned(),
        truncated: ran.truncated,
        ..Answer::default()
    }
}
