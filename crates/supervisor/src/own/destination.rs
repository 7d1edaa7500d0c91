//! A destination of own telemetry, as it was offered and as it may be written into an agent's config.

use std::net::IpAddr;

use http::{HeaderName, HeaderValue, Uri};
use tidegate_opamp::{Headers, TLSConnectionSettings, TelemetryConnectionSettings};

/// Most headers that are taken, and most bytes of a value.
const MOST_HEADERS: usize = 64;
const HEADER_BYTES: usize = 8 * 1024;

/// Longest certificates that are taken, in bytes.
const PEM_BYTES: usize = 256 * 1024;

/// Headers that whoever sends writes by itself.
const TAKEN: [&str; 7] = [
    "host",
    "connection",
    "content-length",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "user-agent",
];

/// Where telemetry may go without TLS (OpAMP C121).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cleartext {
    /// To this host only.
    #[default]
    Loopback,
    /// Anywhere.
    Anywhere,
}

/// An OTLP/HTTP destination. No text in it holds control characters or refers to variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Whether TLS is spoken; the server is always verified.
    pub tls: bool,
    /// Name or address; an IPv6 address without its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query.
    pub path: String,
    /// Headers of each request. Values are secret.
    pub headers: Vec<(String, String)>,
    /// Authorities that are trusted in place of the host's, in PEM; empty for those of the host.
    pub authorities: String,
    /// Lowest and highest version of TLS, such as `TLSv1.2`.
    pub versions: [Option<&'static str>; 2],
}

impl Destination {
    /// Takes offered settings.
    ///
    /// # Errors
    /// Why they are refused. Values of headers stand in no error.
    pub fn parse(settings: &TelemetryConnectionSettings, cleartext: Cleartext) -> Result<Self, String> {
        if settings.certificate.is_some() {
            return Err("client certificates are not taken here".into());
        }
        if settings.proxy.is_some() {
            return Err("proxies are not taken here".into());
        }
        let (tls, host, port, path) = endpoint(&settings.destination_endpoint)?;
        if !tls && cleartext == Cleartext::Loopback && !is_loopback(&host) {
            return Err(format!(
                "http:// to {host} would go over the network in the clear, which this host does not allow \
                 (own-telemetry-http)"
            ));
        }
        let mut destination = Self {
            tls,
            host,
            port,
            path,
            headers: settings.headers.as_ref().map(headers).transpose()?.unwrap_or_default(),
            authorities: String::new(),
            versions: [None, None],
        };
        if let Some(settings) = &settings.tls {
            destination.with_tls(settings)?;
        }
        Ok(destination)
    }

    /// OpAMP C113, C114, as far as an agent can be told.
    fn with_tls(&mut self, settings: &TLSConnectionSettings) -> Result<(), String> {
        if settings.insecure_skip_verify {
            return Err(
                "this host speaks to nobody that it cannot verify: insecure_skip_verify is refused".into()
            );
        }
        if !settings.cipher_suites.is_empty() {
            return Err("cipher suites cannot be chosen for telemetry".into());
        }
        let pem = &settings.ca_pem_contents;
        if !pem.is_empty() && settings.include_system_ca_certs_pool {
            return Err("authorities of its own and those of the host cannot both be trusted here".into());
        }
        let is_pem = pem.is_empty() || pem.contains("-----BEGIN CERTIFICATE-----");
        if !is_pem || pem.len() > PEM_BYTES || pem.contains('\0') {
            return Err("ca_pem_contents are no certificates in PEM, or too many".into());
        }
        self.authorities.clone_from(pem);
        self.versions = [version(&settings.min_version)?, version(&settings.max_version)?];
        Ok(())
    }
}

fn endpoint(text: &str) -> Result<(bool, String, u16, String), String> {
    let form = || "the destination is no URL of the form https://HOST:PORT/PATH".to_owned();
    let uri: Uri = text.trim().parse().map_err(|_| form())?;
    let tls = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err(form()),
    };
    let authority = uri.authority().ok_or_else(form)?;
    if authority.as_str().contains('@') {
        return Err("the destination has a user name in it: send credentials in a header instead".into());
    }
    let host = authority.host();
    let port = match authority.as_str().strip_prefix(host).and_then(|rest| rest.strip_prefix(':')) {
        None => {
            if tls {
                443
            } else {
                80
            }
        }
        Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or_else(form)?,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    if host.is_empty() {
        return Err(form());
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    plain("the destination", &[&host, &path])?;
    Ok((tls, host, port, path))
}

fn headers(offered: &Headers) -> Result<Vec<(String, String)>, String> {
    if offered.headers.len() > MOST_HEADERS {
        return Err(format!("there are more than {MOST_HEADERS} headers"));
    }
    let header = |header: &tidegate_opamp::Header| {
        let name: HeaderName = header.key.parse().map_err(|_| "a header has no proper name")?;
        if TAKEN.contains(&name.as_str()) {
            return Err(format!("the header {name} is written by the agent itself"));
        }
        let proper = HeaderValue::from_str(&header.value).is_ok() && header.value.len() <= HEADER_BYTES;
        if !proper {
            return Err(format!("the value of the header {name} cannot be sent"));
        }
        plain(&format!("the value of the header {name}"), &[&header.value])?;
        // The name as it was written: some receivers care.
        Ok((header.key.clone(), header.value.trim().to_owned()))
    };
    offered.headers.iter().map(header).collect()
}

/// Agents replace `${NAME}` by what their environment says: nobody but the host may ask for that.
fn plain(what: &str, texts: &[&str]) -> Result<(), String> {
    let bad = |text: &&str| text.contains("${") || text.contains(char::is_control);
    if texts.iter().any(bad) { Err(format!("{what} refers to a variable, which is refused")) } else { Ok(()) }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn version(text: &str) -> Result<Option<&'static str>, String> {
    match text.strip_prefix("TLSv").unwrap_or(text) {
        "" => Ok(None),
        "1.2" => Ok(Some("TLSv1.2")),
        "1.3" => Ok(Some("TLSv1.3")),
        _ => Err(format!("the TLS version {} is not spoken here: 1.2 and 1.3 are", text.escape_debug())),
    }
}

#[cfg(test)]
mod tests {
    use tidegate_opamp::{Header, ProxyConnectionSettings, TLSCertificate};

    use super::*;

    fn to(endpoint: &str) -> TelemetryConnectionSettings {
        TelemetryConnectionSettings {
            destination_endpoint: endpoint.to_owned(),
            ..TelemetryConnectionSettings::default()
        }
    }

    fn with(headers: &[(&str, &str)]) -> TelemetryConnectionSettings {
        let header = |(key, value): &(&str, &str)| Header {
            key: (*key).into(),
            value: (*value).into(),
            ..Header::default()
        };
        let headers = headers.iter().map(header).collect();
        TelemetryConnectionSettings {
            headers: Some(Headers { headers, ..Headers::default() }),
            ..to("https://h/")
        }
    }

    fn tls(settings: TLSConnectionSettings) -> TelemetryConnectionSettings {
        TelemetryConnectionSettings { tls: Some(settings), ..to("https://h/") }
    }

    #[test]
    fn given_urls_when_taken_then_their_parts_are_there() {
        for (url, expect) in [
            ("https://otlp.example/v1/metrics?a=b", (true, "otlp.example", 443, "/v1/metrics?a=b")),
            ("https://otlp.example:4318", (true, "otlp.example", 4318, "/")),
            ("http://127.0.0.1:9/v1/logs", (false, "127.0.0.1", 9, "/v1/logs")),
            ("http://[::1]/v1/logs", (false, "::1", 80, "/v1/logs")),
            ("http://localhost/", (false, "localhost", 80, "/")),
        ] {
            let taken = Destination::parse(&to(url), Cleartext::Loopback).unwrap();
            assert_eq!((taken.tls, taken.host.as_str(), taken.port, taken.path.as_str()), expect, "{url}");
        }
    }

    /// C121: in the clear to this host only, unless the host says otherwise.
    #[test]
    fn given_a_destination_in_the_clear_when_it_is_another_host_then_the_hosts_word_decides() {
        let far = to("http://otlp.example:4318/v1/metrics");
        let refused = Destination::parse(&far, Cleartext::Loopback).unwrap_err();
        assert!(refused.contains("own-telemetry-http"), "{refused}");
        assert!(Destination::parse(&far, Cleartext::Anywhere).is_ok());
    }

    /// C113, C114: what is taken of TLS.
    #[test]
    fn given_tls_when_taken_then_versions_and_authorities_hold() {
        let taken = Destination::parse(
            &tls(TLSConnectionSettings {
                ca_pem_contents: "-----BEGIN CERTIFICATE-----\n".into(),
                min_version: "1.2".into(),
                max_version: "TLSv1.3".into(),
                ..TLSConnectionSettings::default()
            }),
            Cleartext::Loopback,
        )
        .unwrap();
        assert_eq!(taken.versions, [Some("TLSv1.2"), Some("TLSv1.3")]);
        assert!(taken.authorities.contains("BEGIN CERTIFICATE"));
    }

    /// C112–C114: what cannot be done is refused, never done by half.
    #[test]
    fn given_settings_that_cannot_be_kept_to_when_taken_then_the_reason_is_told_without_secrets() {
        let long = "x".repeat(HEADER_BYTES + 1);
        let cases = [
            (to("otlp.example:4317"), "no URL"),
            (to("grpc://otlp.example/"), "no URL"),
            (to("https://user:secret@otlp.example/"), "user name"),
            (to("https://h:0/"), "no URL"),
            (to("https://h/${HOME}"), "refers to a variable"),
            (with(&[("A B", "x")]), "proper name"),
            (with(&[("Host", "x")]), "written by the agent itself"),
            (with(&[("A", "secret\nB: c")]), "cannot be sent"),
            (with(&[("A", "secret ${HOME}")]), "refers to a variable"),
            (with(&[("A", &long)]), "cannot be sent"),
            (with(&[("A", "x"); 65]), "more than 64"),
            (
                tls(TLSConnectionSettings { insecure_skip_verify: true, ..TLSConnectionSettings::default() }),
                "insecure_skip_verify",
            ),
            (
                tls(TLSConnectionSettings { min_version: "1.1".into(), ..TLSConnectionSettings::default() }),
                "1.2 and 1.3",
            ),
            (
                tls(TLSConnectionSettings {
                    ca_pem_contents: "x".into(),
                    ..TLSConnectionSettings::default()
                }),
                "PEM",
            ),
            (
                tls(TLSConnectionSettings {
                    cipher_suites: vec!["x".into()],
                    ..TLSConnectionSettings::default()
                }),
                "cipher suites",
            ),
            (
                TelemetryConnectionSettings {
                    certificate: Some(TLSCertificate::default()),
                    ..to("https://h/")
                },
                "client certificates",
            ),
            (
                TelemetryConnectionSettings {
                    proxy: Some(ProxyConnectionSettings::default()),
                    ..to("https://h/")
                },
                "proxies",
            ),
        ];
        for (settings, expect) in cases {
            let refused = Destination::parse(&settings, Cleartext::Loopback).unwrap_err();
            assert!(refused.contains(expect) && !refused.contains("secret"), "{expect}: {refused}");
        }
    }
}
