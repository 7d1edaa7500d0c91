//! A proxy on the way to the server (OpAMP C115, C116): a tunnel by HTTP's CONNECT, bare or under TLS, or by SOCKS 5.

use std::fmt;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, Uri};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_socks::tcp::Socks5Stream;

use super::link::Link;

/// Largest head of a proxy's answer, in bytes, and most headers in it.
const MAX_HEAD_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;

/// Longest name or password, in bytes: the limit of SOCKS.
const MOST_CREDENTIAL_BYTES: usize = 255;

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// CONNECT.
    Http,
    /// CONNECT under TLS, with the authorities of the connection (OpAMP C116).
    Https,
    /// SOCKS 5; the proxy looks the server's name up.
    Socks5,
}

impl ProxyKind {
    const SCHEMES: [(Self, &'static str, u16); 4] = [
        (Self::Http, "http", 80),
        (Self::Https, "https", 443),
        (Self::Socks5, "socks5", 1080),
        (Self::Socks5, "socks5h", 1080),
    ];
}

/// A proxy. Its name and password, and the values of its headers, are secret and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// How it is spoken to.
    pub kind: ProxyKind,
    /// Name or address; an IPv6 address without its brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Name and password.
    credentials: Option<(String, String)>,
    /// Sent with CONNECT.
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Why a proxy cannot be used; says nothing of what is secret in its URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProxy {
    /// Not a URL of a proxy.
    #[error("it is not the URL of a proxy, such as http://HOST:3128 or socks5://NAME:PASSWORD@HOST")]
    Form,
    /// Another scheme.
    #[error("proxies of the scheme {0}:// are not known: use http, https or socks5")]
    Scheme(String),
    /// A name without a password, or one that is too long.
    #[error("its name and password must have 1 to {MOST_CREDENTIAL_BYTES} bytes each")]
    Credentials,
    /// SOCKS has no headers.
    #[error("headers can be sent to http and https proxies only")]
    Headers,
}

/// Why there is no way through a proxy.
#[derive(Debug, thiserror::Error)]
pub(super) enum TunnelError {
    #[error(transparent)]
    Exchange(#[from] io::Error),
    #[error("it closed the connection without an answer")]
    Closed,
    #[error("its answer is not HTTP, or its head is larger than {MAX_HEAD_BYTES} bytes")]
    Head,
    #[error("it answered with HTTP status {0}{hint}", hint = hint(*.0))]
    Status(u16),
    #[error("it sent something before the server could")]
    Early,
    #[error("{0}")]
    Socks(#[from] tokio_socks::Error),
}

const fn hint(status: u16) -> &'static str {
    match status {
        401 | 407 => ": it wants a name and a password",
        403 => ": it does not let this host reach that server and port",
        _ => "",
    }
}

impl Proxy {
    /// Takes the URL of a proxy apart; `HOST:PORT` alone is one by HTTP.
    ///
    /// # Errors
    /// [`InvalidProxy`].
    pub fn new(url: &str, headers: Vec<(HeaderName, HeaderValue)>) -> Result<Self, InvalidProxy> {
        let url = url.trim();
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let known = ProxyKind::SCHEMES.into_iter().find(|(_, known, _)| scheme.eq_ignore_ascii_case(known));
        let (kind, _, port) = known.ok_or_else(|| {
            // A secret may stand before what looks like a scheme.
            InvalidProxy::Scheme(if scheme.len() > 16 {
                "…".to_owned()
            } else {
                scheme.escape_debug().to_string()
            })
        })?;
        let uri: Uri = format!("http://{rest}").parse().map_err(|_| InvalidProxy::Form)?;
        if !matches!(uri.path_and_query().map(http::uri::PathAndQuery::as_str), None | Some("" | "/")) {
            return Err(InvalidProxy::Form);
        }
        let authority = uri.authority().ok_or(InvalidProxy::Form)?;
        let place = authority.as_str().rsplit_once('@').map_or(authority.as_str(), |(_, place)| place);
        let port = match place.strip_prefix(authority.host()).and_then(|rest| rest.strip_prefix(':')) {
            None => port,
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(InvalidProxy::Form)?,
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(InvalidProxy::Form);
        }
        if kind == ProxyKind::Socks5 && !headers.is_empty() {
            return Err(InvalidProxy::Headers);
        }
        let credentials = match authority.as_str().rsplit_once('@') {
            None => None,
            Some((user, _)) => Some(credentials(user).ok_or(InvalidProxy::Credentials)?),
        };
        Ok(Self { kind, host, port, credentials, headers })
    }

    /// Has the proxy connect to a server; everything that follows on the connection is between it and us.
    pub(super) async fn tunnel(
        &self,
        mut to_proxy: Link,
        host: &str,
        port: u16,
    ) -> Result<Link, TunnelError> {
        match (self.kind, &self.credentials) {
            (ProxyKind::Socks5, None) => {
                Ok(Socks5Stream::connect_with_socket(to_proxy, (host, port)).await?.into_inner())
            }
            (ProxyKind::Socks5, Some((name, password))) => {
                let tunnel =
                    Socks5Stream::connect_with_password_and_socket(to_proxy, (host, port), name, password);
                Ok(tunnel.await?.into_inner())
            }
            (ProxyKind::Http | ProxyKind::Https, _) => {
                to_proxy.write_all(&self.request(host, port)).await?;
                to_proxy.flush().await?;
                accepted(&mut to_proxy).await?;
                Ok(to_proxy)
            }
        }
    }

    fn request(&self, host: &str, port: u16) -> Vec<u8> {
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes();
        let mut header = |name: &str, value: &[u8]| {
            request.extend_from_slice(name.as_bytes());
            request.extend_from_slice(b": ");
            request.extend_from_slice(value);
            request.extend_from_slice(b"\r\n");
        };
        let said = self.headers.iter().any(|(name, _)| name == http::header::PROXY_AUTHORIZATION);
        if let (Some((name, password)), false) = (&self.credentials, said) {
            let basic = STANDARD.encode(format!("{name}:{password}"));
            header("Proxy-Authorization", format!("Basic {basic}").as_bytes());
        }
        for (name, value) in &self.headers {
            header(name.as_str(), value.as_bytes());
        }
        request.extend_from_slice(b"\r\n");
        request
    }

    /// Its URL, with what is secret in it hidden, in a form that reads back.
    #[must_use]
    pub fn shown(&self) -> String {
        let shown = self.to_string();
        if self.credentials.is_none() { shown } else { shown.replacen("://", "://(hidden):(hidden)@", 1) }
    }

    /// What stands for the proxy where it is compared: everything, secrets too.
    pub(super) fn identity(&self) -> Vec<u8> {
        let mut identity = format!("{self} {:?}", self.credentials).into_bytes();
        identity.extend(self.request("", 0));
        identity
    }
}

/// Reads the answer to CONNECT to its end, and not a byte beyond.
async fn accepted(stream: &mut Link) -> Result<(), TunnelError> {
    let mut head = Vec::with_capacity(512);
    loop {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(TunnelError::Closed);
        }
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        match response.parse(&head) {
            Ok(httparse::Status::Complete(length)) => {
                let status = response.code.unwrap_or_default();
                return match status {
                    200..=299 if length == head.len() => Ok(()),
                    200..=299 => Err(TunnelError::Early),
                    _ => Err(TunnelError::Status(status)),
                };
            }
            Ok(httparse::Status::Partial) if head.len() < MAX_HEAD_BYTES => {}
            _ => return Err(TunnelError::Head),
        }
    }
}

/// Name and password of a URL's user part.
fn credentials(user: &str) -> Option<(String, String)> {
    let (name, password) = user.split_once(':')?;
    let fits = |text: &String| (1..=MOST_CREDENTIAL_BYTES).contains(&text.len());
    Some((decoded(name)?, decoded(password)?)).filter(|(name, password)| fits(name) && fits(password))
}

/// Text with `%41` and the like read.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after.get(2..)?;
    }
    String::from_utf8(bytes).ok()
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            ProxyKind::Http => "http",
            ProxyKind::Https => "https",
            ProxyKind::Socks5 => "socks5",
        };
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{scheme}://{open}{}{close}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(url: &str) -> Result<Proxy, InvalidProxy> {
        Proxy::new(url, Vec::new())
    }

    /// C115: the schemes, and a bare host and port.
    #[test]
    fn given_urls_of_proxies_when_read_then_their_parts_come_out_and_nothing_secret_is_shown() {
        for (url, kind, host, port) in [
            ("proxy:3128", ProxyKind::Http, "proxy", 3128),
            ("http://proxy.example", ProxyKind::Http, "proxy.example", 80),
            ("HTTPS://proxy.example/", ProxyKind::Https, "proxy.example", 443),
            ("socks5://me:s3cret@[::1]", ProxyKind::Socks5, "::1", 1080),
            ("socks5h://10.0.0.1:99", ProxyKind::Socks5, "10.0.0.1", 99),
        ] {
            let read = proxy(url).unwrap();
            assert_eq!((read.kind, read.host.as_str(), read.port), (kind, host, port), "{url}");
            assert!(!format!("{read} {read:?}").contains("s3cret"));
            assert_eq!(proxy(&read.shown()).unwrap().shown(), read.shown());
        }
        let read = proxy("http://m%40e:s3%3Acret@p:1").unwrap();
        assert_eq!(read.credentials, Some(("m@e".to_owned(), "s3:cret".to_owned())));
    }

    #[test]
    fn given_what_is_no_proxy_when_read_then_the_sentence_says_why_without_the_secret() {
        for (url, expected) in [
            ("", InvalidProxy::Form),
            ("http://", InvalidProxy::Form),
            ("http://p:0", InvalidProxy::Form),
            ("http://p:99999", InvalidProxy::Form),
            ("http://p/path", InvalidProxy::Form),
            ("ftp://p", InvalidProxy::Scheme("ftp".to_owned())),
            ("http://me@p", InvalidProxy::Credentials),
            ("http://me:@p", InvalidProxy::Credentials),
            ("http://me:%zz@p", InvalidProxy::Credentials),
        ] {
            assert_eq!(proxy(url), Err(expected), "{url}");
        }
        let long = format!("http://me:{}@p", "s3cret".repeat(50));
        assert_eq!(proxy(&long), Err(InvalidProxy::Credentials));
        let headers = vec![(HeaderName::from_static("x-a"), HeaderValue::from_static("b"))];
        assert_eq!(Proxy::new("socks5://p", headers), Err(InvalidProxy::Headers));
    }

    #[test]
    fn given_credentials_and_headers_when_a_tunnel_is_asked_for_then_they_go_with_it_once() {
        let text = |proxy: &Proxy| String::from_utf8(proxy.request("::1", 4320)).unwrap();
        let own = proxy("http://me:secret@p").unwrap();
        assert_eq!(
            text(&own),
            "CONNECT [::1]:4320 HTTP/1.1\r\nHost: [::1]:4320\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n"
        );
        let header = |value| vec![(http::header::PROXY_AUTHORIZATION, HeaderValue::from_static(value))];
        let given = Proxy::new("http://me:secret@p", header("Bearer x")).unwrap();
        assert!(text(&given).contains("\r\nproxy-authorization: Bearer x\r\n"), "{}", text(&given));
        assert!(!text(&given).contains("Basic"));
        assert_ne!(own.identity(), proxy("http://me:other@p").unwrap().identity());
    }
}
