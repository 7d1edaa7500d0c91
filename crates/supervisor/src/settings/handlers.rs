//! Handlers that the host's owner defines. They stand in the settings file alone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::uri::PathAndQuery;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;
use tidegate_custom::{MAX_ANSWER_BODY_BYTES, MAX_BODY_BYTES, check_name};

use super::{Host, SettingsError, duration};
use crate::handlers::{Act, HandlerSettings, Place};

/// Most entries of one list.
const MOST: usize = 64;

/// Longest type of message, in bytes, and most arguments of a program.
const MOST_TYPE_BYTES: usize = 128;
const MOST_ARGS: usize = 64;

/// Time that an act may take; the server gives a command up after a minute.
const TIMES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(50));
const TIMEOUT: Duration = Duration::from_secs(10);

/// Methods of a call.
const METHODS: [&str; 5] = ["POST", "PUT", "PATCH", "DELETE", "GET"];

/// An entry as it was written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Entry {
    capability: Option<Spanned<String>>,
    r#type: Option<Spanned<String>>,
    http: Option<Http>,
    program: Option<Spanned<String>>,
    args: Vec<Spanned<String>>,
    idempotent: bool,
    timeout: Option<Spanned<String>>,
    max_output_bytes: Option<Spanned<u64>>,
    concurrency: Option<Spanned<u64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Http {
    port: Option<Spanned<u64>>,
    socket: Option<Spanned<String>>,
    method: Option<Spanned<String>>,
    path: Option<Spanned<String>>,
    content_type: Option<Spanned<String>>,
}

/// Where an entry stands, for errors.
struct At<'a> {
    file: &'a Path,
    line: u64,
    /// `handlers[0]`, with the agent's before it.
    entry: String,
}

impl At<'_> {
    fn wrong<T>(&self, field: &str, value: &Spanned<T>, why: impl Into<String>) -> SettingsError {
        self.error(value.referenced.line(), field, why)
    }

    fn missing(&self, field: &str, why: &str) -> SettingsError {
        self.error(self.line, field, why)
    }

    fn error(&self, line: u64, field: &str, why: impl Into<String>) -> SettingsError {
        let origin = format!("{}:{line}: {}.{field}", self.file.display(), self.entry);
        SettingsError::Value { origin, why: why.into() }
    }

    fn number(
        &self,
        field: &str,
        value: Option<&Spanned<u64>>,
        default: u64,
        most: u64,
    ) -> Result<u64, SettingsError> {
        let Some(value) = value else { return Ok(default) };
        if (1..=most).contains(&value.value) {
            return Ok(value.value);
        }
        Err(self.wrong(field, value, format!("{} is not a number from 1 to {most}", value.value)))
    }
}

/// The handlers of a list; `prefix` stands before its name in errors.
pub(super) fn handlers(
    file: &Path,
    prefix: &str,
    entries: Vec<Spanned<Entry>>,
    host: &Host<'_>,
) -> Result<Vec<HandlerSettings>, SettingsError> {
    let mut handlers: Vec<HandlerSettings> = Vec::new();
    for (number, entry) in entries.into_iter().enumerate() {
        let at = At { file, line: entry.referenced.line(), entry: format!("{prefix}handlers[{number}]") };
        if number == MOST {
            return Err(at.missing("capability", &format!("there are more than {MOST} handlers")));
        }
        let handler = handler(&at, entry.value, host)?;
        let same = |other: &HandlerSettings| {
            (&other.capability, &other.kind) == (&handler.capability, &handler.kind)
        };
        if handlers.iter().any(same) {
            let why = format!("another handler takes {:?} of {} already", handler.kind, handler.capability);
            return Err(at.missing("type", &why));
        }
        handlers.push(handler);
    }
    Ok(handlers)
}

fn handler(at: &At<'_>, entry: Entry, host: &Host<'_>) -> Result<HandlerSettings, SettingsError> {
    let capability = entry
        .capability
        .ok_or_else(|| at.missing("capability", "name the capability, as in com.example.flush"))?;
    check_name(&capability.value).map_err(|error| at.wrong("capability", &capability, error.to_string()))?;
    let kind = entry.r#type.ok_or_else(|| at.missing("type", "name the type of message that it takes"))?;
    if kind.value.is_empty() || kind.value.len() > MOST_TYPE_BYTES || kind.value.chars().any(char::is_control)
    {
        let why = format!("a type has 1 to {MOST_TYPE_BYTES} bytes and no control characters");
        return Err(at.wrong("type", &kind, why));
    }
    let act = match (entry.http, entry.program) {
        (Some(http), None) => {
            if let Some(arg) = entry.args.first() {
                return Err(at.wrong(
                    "args",
                    arg,
                    "they belong to a program; this handler makes an HTTP call",
                ));
            }
            call(at, http)?
        }
        (None, Some(program)) => run(at, &program, entry.args, host)?,
        (Some(_), Some(program)) => {
            return Err(at.wrong("program", &program, "a handler has either `http` or `program`, not both"));
        }
        (None, None) => return Err(at.missing("http", "say what is done: give `http` or `program`")),
    };
    let timeout = match &entry.timeout {
        None => TIMEOUT,
        Some(written) => duration::parse(&written.value)
            .filter(|time| (TIMES.0..=TIMES.1).contains(time))
            .ok_or_else(|| {
                let (least, most) = (duration::write(TIMES.0), duration::write(TIMES.1));
                let why = format!("{:?} is not a duration from {least} to {most}, as in 10s", written.value);
                at.wrong("timeout", written, why)
            })?,
    };
    let most = at.number(
        "max_output_bytes",
        entry.max_output_bytes.as_ref(),
        MAX_BODY_BYTES as u64,
        MAX_ANSWER_BODY_BYTES as u64,
    )?;
    let concurrency = at.number("concurrency", entry.concurrency.as_ref(), 1, 4)?;
    Ok(HandlerSettings {
        capability: capability.value,
        kind: kind.value,
        act,
        idempotent: entry.idempotent,
        timeout,
        max_output_bytes: usize::try_from(most).unwrap_or(MAX_BODY_BYTES),
        concurrency: usize::try_from(concurrency).unwrap_or(1),
    })
}

fn call(at: &At<'_>, http: Http) -> Result<Act, SettingsError> {
    let place = match (http.port, http.socket) {
        (Some(port), None) => {
            let number = at.number("http.port", Some(&port), 0, u64::from(u16::MAX))?;
            Place::Port(u16::try_from(number).unwrap_or_default())
        }
        (None, Some(socket)) => Place::Socket(absolute(at, "http.socket", &socket)?),
        (Some(port), Some(_)) => {
            return Err(at.wrong("http.port", &port, "give either `port` or `socket`, not both"));
        }
        (None, None) => {
            let why = "say where the service listens: `port` of 127.0.0.1, or the path of a Unix `socket`";
            return Err(at.missing("http", why));
        }
    };
    let method = match http.method {
        None => http::Method::POST,
        Some(method) if METHODS.contains(&method.value.as_str()) => {
            method.value.parse().map_err(|_| at.wrong("http.method", &method, "not a method"))?
        }
        Some(method) => {
            let why = format!("{:?} is none of {}", method.value, METHODS.join(", "));
            return Err(at.wrong("http.method", &method, why));
        }
    };
    let path = match http.path {
        None => "/".to_owned(),
        Some(path) => match path.value.parse::<PathAndQuery>() {
            Ok(_) if path.value.starts_with('/') => path.value,
            _ => {
                return Err(at.wrong(
                    "http.path",
                    &path,
                    format!("{:?} is not a path from the slash", path.value),
                ));
            }
        },
    };
    let content_type = match http.content_type {
        None => http::HeaderValue::from_static("application/json"),
        Some(written) => http::HeaderValue::from_str(&written.value)
            .map_err(|_| at.wrong("http.content_type", &written, "it cannot stand in a header"))?,
    };
    Ok(Act::Http { place, method, path, content_type })
}

fn run(
    at: &At<'_>,
    program: &Spanned<String>,
    args: Vec<Spanned<String>>,
    host: &Host<'_>,
) -> Result<Act, SettingsError> {
    let path = absolute(at, "program", program)?;
    if !(host.is_file)(&path) {
        return Err(at.wrong("program", program, format!("there is no program at {}", path.display())));
    }
    if let Some(arg) = args.get(MOST_ARGS) {
        return Err(at.wrong("args", arg, format!("there are more than {MOST_ARGS} arguments")));
    }
    Ok(Act::Program { program: path, args: args.into_iter().map(|arg| arg.value).collect() })
}

fn absolute(at: &At<'_>, field: &str, written: &Spanned<String>) -> Result<PathBuf, SettingsError> {
    let path = PathBuf::from(&written.value);
    if path.is_absolute() {
        return Ok(path);
    }
    Err(at.wrong(field, written, format!("{:?} is not an absolute path", written.value)))
}

/// A handler in the form of a settings file.
#[derive(Serialize)]
pub(super) struct Printed<'a> {
    capability: &'a str,
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<PrintedHttp<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    args: &'a [String],
    idempotent: bool,
    timeout: String,
    max_output_bytes: usize,
    concurrency: usize,
}

#[derive(Serialize)]
struct PrintedHttp<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    socket: Option<String>,
    method: &'a str,
    path: &'a str,
    content_type: String,
}

impl<'a> Printed<'a> {
    pub(super) fn of(handler: &'a HandlerSettings) -> Self {
        let (http, program, args) = match &handler.act {
            Act::Http { place, method, path, content_type } => {
                let (port, socket) = match place {
                    Place::Port(port) => (Some(*port), None),
                    Place::Socket(socket) => (None, Some(socket.display().to_string())),
                };
                let content_type = String::from_utf8_lossy(content_type.as_bytes()).into_owned();
                (
                    Some(PrintedHttp { port, socket, method: method.as_str(), path, content_type }),
                    None,
                    &[][..],
                )
            }
            Act::Program { program, args } => (None, Some(program.display().to_string()), &args[..]),
        };
        Self {
            capability: &handler.capability,
            r#type: &handler.kind,
            http,
            program,
            args,
            idempotent: handler.idempotent,
            timeout: duration::write(handler.timeout),
            max_output_bytes: handler.max_output_bytes,
            concurrency: handler.concurrency,
        }
    }
}
