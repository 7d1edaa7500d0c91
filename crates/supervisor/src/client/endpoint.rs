//! Where the server is.

use http::Uri;

/// How messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// One connection for all messages.
    WebSocket,
    /// A POST per message.
    Http,
}

/// The URL of an OpAMP server, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// From the scheme.
    pub transport: Transport,
    /// Whether TLS is spoken, from the scheme.
    pub secure: bool,
    /// Name or address; an IPv6 address without its brackets.
    pub host: String,
    /// 80, or 443 under TLS, unless the URL says otherwise.
    pub port: u16,
    /// The value of the `Host` header.
    pub authority: String,
    /// Path and query; the OpAMP default path when the URL has none.
    pub path: String,
}

/// Why a URL cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndpoint {
    /// Not a URL, or without scheme or host.
    #[error("it is not a URL of the form wss://HOST:PORT/v1/opamp or https://HOST:PORT/v1/opamp")]
    Form,
    /// Another scheme.
    #[error("the scheme {0}:// is not known: use wss:// or https://, or ws:// or http:// without TLS")]
    Scheme(String),
    /// Name and password in the URL, where logs would show them.
    #[error("it has a user name in it: send credentials in a header instead (server.headers)")]
    UserInfo,
}

impl std::str::FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        let uri: Uri = text.trim().parse().map_err(|_| InvalidEndpoint::Form)?;
        let scheme = uri.scheme_str().ok_or(InvalidEndpoint::Form)?;
        let transport = match scheme {
            "ws" | "wss" => Transport::WebSocket,
            "http" | "https" => Transport::Http,
            _ => return Err(InvalidEndpoint::Scheme(scheme.to_owned())),
        };
        let secure = matches!(scheme, "wss" | "https");
        let authority = uri.authority().ok_or(InvalidEndpoint::Form)?;
        if authority.as_str().contains('@') {
            return Err(InvalidEndpoint::UserInfo);
        }
        let host = authority.host();
        let port = match authority.as_str().strip_prefix(host).and_then(|rest| rest.strip_prefix(':')) {
            None if secure => 443,
            None => 80,
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(InvalidEndpoint::Form)?,
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(InvalidEndpoint::Form);
        }
        let path = match uri.path_and_query().map(http::uri::PathAndQuery::as_str) {
            None | Some("" | "/") => tidegate_opamp::DEFAULT_PATH.to_owned(),
            Some(path) => path.to_owned(),
        };
        Ok(Self { transport, secure, host, port, authority: authority.as_str().to_owned(), path })
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = match (self.transport, self.secure) {
            (Transport::WebSocket, false) => "ws",
            (Transport::WebSocket, true) => "wss",
            (Transport::Http, false) => "http",
            (Transport::Http, true) => "https",
        };
        write!(f, "{scheme}://{}{}", self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_urls_when_parsed_then_their_parts_or_a_clear_sentence_come_out() {
        let good = [
            ("ws://127.0.0.1:4320/v1/opamp", ("127.0.0.1", 4320, "/v1/opamp"), Transport::WebSocket),
            ("http://fleet.example", ("fleet.example", 80, "/v1/opamp"), Transport::Http),
            ("ws://[::1]:99/x?y=1", ("::1", 99, "/x?y=1"), Transport::WebSocket),
            ("wss://host/", ("host", 443, "/v1/opamp"), Transport::WebSocket),
            ("https://host:8443/o", ("host", 8443, "/o"), Transport::Http),
        ];
        for (text, (host, port, path), transport) in good {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!((endpoint.host.as_str(), endpoint.port, endpoint.path.as_str()), (host, port, path));
            assert_eq!(endpoint.transport, transport);
            assert_eq!(endpoint.secure, text.starts_with("wss:") || text.starts_with("https:"), "{text}");
            assert_eq!(endpoint.to_string().parse(), Ok(endpoint));
        }
        let bad = [
            ("", InvalidEndpoint::Form),
            ("localhost:4320", InvalidEndpoint::Form),
            ("/v1/opamp", InvalidEndpoint::Form),
            ("ws://host:99999/", InvalidEndpoint::Form),
            ("ws://host:/", InvalidEndpoint::Form),
            ("ftp://host/", InvalidEndpoint::Scheme("ftp".to_owned())),
            ("ws://me:secret@host/", InvalidEndpoint::UserInfo),
        ];
        for (text, expected) in bad {
            assert_eq!(text.parse::<Endpoint>(), Err(expected), "{text}");
        }
    }
}
