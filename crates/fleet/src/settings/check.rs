//! What can be seen to be wrong with settings before any agent is offered them. Certificates are looked into by the
//! server, which has the libraries for it.

use http::Uri;
use tidegate_opamp::{Headers, ProxyConnectionSettings, TelemetryConnectionSettings};

use super::{Heartbeat, MAX_INTERVAL_SECONDS, Own, Settings};

/// Most headers of one destination.
const MAX_HEADERS: usize = 64;

/// Most bytes of a header's name and value together.
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// Most other connections of a rule, and most further settings of each.
const MAX_OTHERS: usize = 64;

/// Most bytes of a URL, a name or a further setting.
const MAX_TEXT: usize = 4 * 1024;

/// Schemes of an OpAMP endpoint (OpAMP S120).
const OPAMP_SCHEMES: &[&str] = &["ws", "wss", "http", "https"];

/// Schemes of an OTLP/HTTP destination (OpAMP S119).
const OTLP_SCHEMES: &[&str] = &["http", "https"];

/// Something about settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where: a JSON pointer into the rule.
    pub pointer: String,
    /// What, and what to do.
    pub message: String,
    /// True when the settings can be used all the same.
    pub is_warning: bool,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn refuse(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.0.push(Finding { pointer: pointer.into(), message: message.into(), is_warning: false });
    }

    fn warn(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.0.push(Finding { pointer: pointer.into(), message: message.into(), is_warning: true });
    }

    fn url(&mut self, pointer: String, text: &str, schemes: &[&str]) -> Option<Uri> {
        match check_url(text, schemes) {
            Ok(uri) => {
                if matches!(uri.scheme_str(), Some("http" | "ws")) {
                    self.warn(pointer, format!("{text} is not encrypted; anyone on the way can read it"));
                }
                Some(uri)
            }
            Err(message) => {
                self.refuse(pointer, message);
                None
            }
        }
    }

    fn headers(&mut self, pointer: &str, headers: Option<&Headers>) {
        let Some(Headers { headers, .. }) = headers else {
            return;
        };
        if headers.len() > MAX_HEADERS {
            self.refuse(pointer, format!("{} headers, at most {MAX_HEADERS} are taken", headers.len()));
        }
        for header in headers {
            let at = format!("{pointer}/{}", escape(&header.key));
            if http::HeaderName::from_bytes(header.key.as_bytes()).is_err() {
                self.refuse(at, format!("{:?} is no name of an HTTP header", header.key));
            } else if http::HeaderValue::from_str(&header.value).is_err() {
                self.refuse(at, "the value holds characters that no HTTP header can");
            } else if header.key.len() + header.value.len() > MAX_HEADER_BYTES {
                self.refuse(at, format!("longer than {MAX_HEADER_BYTES} bytes"));
            }
        }
    }

    fn proxy(&mut self, pointer: &str, proxy: Option<&ProxyConnectionSettings>) {
        let Some(proxy) = proxy else {
            return;
        };
        // OpAMP S127.
        let url = format!("{pointer}/proxy/url");
        match check_url(&proxy.url, &["http", "https", "socks5", "socks5h"]) {
            Ok(_) => {}
            Err(message) => self.refuse(url, message),
        }
        self.headers(&format!("{pointer}/proxy/headers"), proxy.connect_headers.as_ref());
    }

    fn telemetry(&mut self, pointer: &str, settings: &TelemetryConnectionSettings) {
        let endpoint = format!("{pointer}/endpoint");
        if let Some(uri) = self.url(endpoint.clone(), &settings.destination_endpoint, OTLP_SCHEMES)
            && matches!(uri.path(), "" | "/")
        {
            let message =
                "an OTLP/HTTP destination is a URL with its path, such as https://host:4318/v1/metrics";
            self.refuse(endpoint, message);
        }
        self.headers(&format!("{pointer}/headers"), settings.headers.as_ref());
        self.proxy(pointer, settings.proxy.as_ref());
    }
}

/// Checks settings: intervals, URLs, headers, proxies, sizes.
#[must_use]
pub fn check(settings: &Settings) -> Vec<Finding> {
    let mut found = Findings::default();
    if settings.is_empty() {
        found.refuse(
            "",
            "it sets nothing; give heartbeat, opamp, own_metrics, own_traces, own_logs or other_connections",
        );
    }
    if let Some(heartbeat) = settings.heartbeat
        && let Heartbeat::Every(seconds) = heartbeat.interval
        && !(1..=MAX_INTERVAL_SECONDS).contains(&seconds)
    {
        found.refuse(
            "/heartbeat/interval_seconds",
            format!(
                "{seconds} does not lie between 1 and {MAX_INTERVAL_SECONDS}; {{\"off\": true}} turns heartbeats off"
            ),
        );
    }
    if let Some(opamp) = &settings.opamp {
        if !opamp.destination_endpoint.is_empty() {
            found.url("/opamp/endpoint".into(), &opamp.destination_endpoint, OPAMP_SCHEMES);
        }
        found.headers("/opamp/headers", opamp.headers.as_ref());
        found.proxy("/opamp", opamp.proxy.as_ref());
    }
    for (kind, own) in Own::ALL.into_iter().zip(&settings.own) {
        if let Some(own) = own {
            found.telemetry(&format!("/{}", kind.as_str()), own);
        }
    }
    if settings.other.len() > MAX_OTHERS {
        found.refuse(
            "/other_connections",
            format!("{} connections, at most {MAX_OTHERS} are taken", settings.other.len()),
        );
    }
    for (name, other) in &settings.other {
        let pointer = format!("/other_connections/{}", escape(name));
        if name.is_empty() || name.len() > 255 {
            found.refuse(&pointer, "a connection has a name of 1 to 255 bytes");
        }
        if other.destination_endpoint.is_empty() || other.destination_endpoint.len() > MAX_TEXT {
            let message = format!("give the endpoint in the agent's own form, at most {MAX_TEXT} bytes");
            found.refuse(format!("{pointer}/endpoint"), message);
        }
        let sizes = other.other_settings.iter().map(|(name, value)| name.len() + value.len());
        if other.other_settings.len() > MAX_OTHERS || sizes.max().unwrap_or(0) > MAX_TEXT {
            let message = format!("at most {MAX_OTHERS} settings of {MAX_TEXT} bytes each are taken");
            found.refuse(format!("{pointer}/settings"), message);
        }
        found.headers(&format!("{pointer}/headers"), other.headers.as_ref());
        found.proxy(&pointer, other.proxy.as_ref());
    }
    found.0
}

/// Checks the URL of an OpAMP endpoint (OpAMP S120).
///
/// # Errors
/// What is wrong with it, and an example.
pub fn check_endpoint(text: &str) -> Result<(), String> {
    check_url(text, OPAMP_SCHEMES).map(|_| ())
}

fn check_url(text: &str, schemes: &[&str]) -> Result<Uri, String> {
    let example = schemes.get(1).copied().unwrap_or("https");
    let wrong = |why: &str| {
        let shown: String = text.chars().take(200).collect();
        Err(format!("{shown:?} {why}; give a URL such as {example}://host.example:443/path"))
    };
    if text.len() > MAX_TEXT {
        return wrong("is too long");
    }
    let Ok(uri) = text.parse::<Uri>() else {
        return wrong("is no URL");
    };
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => {
            if !schemes.contains(&scheme) {
                return wrong(&format!("has none of the schemes {}", schemes.join(", ")));
            }
            if authority.as_str().contains('@') {
                return wrong("holds a user or password, which would be shown; use headers");
            }
            if authority.host().is_empty() {
                return wrong("names no host");
            }
            Ok(uri)
        }
        _ => wrong("has no scheme or no host"),
    }
}

/// A name as a part of a JSON pointer (RFC 6901).
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
