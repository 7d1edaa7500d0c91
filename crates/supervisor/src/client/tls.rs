//! TLS to the server: whom to trust, and which versions and suites to speak. A server that cannot be verified is not
//! spoken to; there is no switch against that.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::link::Link;

/// Largest file of authorities, in bytes.
pub const MOST_PEM_BYTES: u64 = 1024 * 1024;

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 1.2
    Tls12,
    /// 1.3
    Tls13,
}

/// How TLS is spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// Authorities that are trusted, in PEM; empty for none but the host's.
    pub authorities: String,
    /// Whether the authorities of the host are trusted.
    pub system: bool,
    /// Lowest and highest version.
    pub versions: (Version, Version),
    /// IANA names of the suites that may be used; empty for all that are known.
    pub suites: Vec<String>,
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            authorities: String::new(),
            system: true,
            versions: (Version::Tls12, Version::Tls13),
            suites: Vec::new(),
        }
    }
}

/// Why TLS cannot be spoken as it is set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTls {
    /// A certificate of an authority cannot be used.
    #[error("the certificates of authorities cannot be used: {0}")]
    Authorities(String),
    /// Nobody is trusted.
    #[error(
        "no authority is trusted: this host has no certificates of authorities, or they cannot be read; name a file of them"
    )]
    Nobody,
    /// No such suite.
    #[error("the cipher suite {0} is not known here")]
    Suite(String),
    /// No suite is left for the versions.
    #[error("no cipher suite fits the versions of TLS: {0}")]
    Unfit(String),
}

impl TlsSettings {
    /// Checks what can be checked without the host.
    ///
    /// # Errors
    /// [`InvalidTls`] but for [`InvalidTls::Nobody`].
    pub fn check(&self) -> Result<(), InvalidTls> {
        let mut roots = RootCertStore::empty();
        add_authorities(&mut roots, &self.authorities)?;
        self.with_roots(roots).map(drop)
    }

    /// The settings as rustls takes them; reads the host's authorities.
    ///
    /// # Errors
    /// [`InvalidTls`].
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, InvalidTls> {
        let mut roots = RootCertStore::empty();
        add_authorities(&mut roots, &self.authorities)?;
        if self.system {
            let found = rustls_native_certs::load_native_certs();
            if let Some(error) = found.errors.first() {
                tracing::warn!(%error, "some certificates of this host's authorities cannot be read");
            }
            roots.add_parsable_certificates(found.certs);
        }
        if roots.is_empty() { Err(InvalidTls::Nobody) } else { self.with_roots(roots).map(Arc::new) }
    }

    fn with_roots(&self, roots: RootCertStore) -> Result<ClientConfig, InvalidTls> {
        let (least, most) = self.versions;
        let versions: Vec<&'static SupportedProtocolVersion> =
            [(Version::Tls12, &rustls::version::TLS12), (Version::Tls13, &rustls::version::TLS13)]
                .into_iter()
                .filter(|(version, _)| (least..=most).contains(version))
                .map(|(_, version)| version)
                .collect();
        let builder = ClientConfig::builder_with_provider(Arc::new(self.provider()?))
            .with_protocol_versions(&versions)
            .map_err(|error| InvalidTls::Unfit(error.to_string()))?;
        Ok(builder.with_root_certificates(roots).with_no_client_auth())
    }

    fn provider(&self) -> Result<CryptoProvider, InvalidTls> {
        let mut provider = aws_lc_rs::default_provider();
        if self.suites.is_empty() {
            return Ok(provider);
        }
        let known: Vec<String> = provider.cipher_suites.iter().map(iana).collect();
        if let Some(unknown) = self.suites.iter().find(|suite| !known.contains(suite)) {
            return Err(InvalidTls::Suite(unknown.escape_debug().to_string()));
        }
        provider.cipher_suites.retain(|suite| self.suites.contains(&iana(suite)));
        Ok(provider)
    }
}

/// A suite's name as IANA has it; rustls names those of version 1.3 otherwise.
fn iana(suite: &rustls::SupportedCipherSuite) -> String {
    let mut name = String::new();
    // Writing to a String cannot fail.
    let _ = write!(name, "{:?}", suite.suite());
    name.replacen("TLS13_", "TLS_", 1)
}

fn add_authorities(roots: &mut RootCertStore, pem: &str) -> Result<(), InvalidTls> {
    if pem.is_empty() {
        return Ok(());
    }
    let wrong = |error: &dyn std::fmt::Display| InvalidTls::Authorities(error.to_string());
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| wrong(&error))?;
        roots.add(certificate).map_err(|error| wrong(&error))?;
    }
    if roots.is_empty() { Err(wrong(&"there is no certificate in them")) } else { Ok(()) }
}

/// Shakes hands on an open connection.
pub(super) async fn shake(
    config: Arc<ClientConfig>,
    host: &str,
    stream: Link,
) -> io::Result<TlsStream<Link>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(config).connect(name, stream).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(suites: &[&str]) -> TlsSettings {
        let suites = suites.iter().map(|suite| (*suite).to_owned()).collect();
        TlsSettings { suites, ..TlsSettings::default() }
    }

    #[test]
    fn given_suites_when_checked_then_iana_names_of_either_version_are_known_and_others_named() {
        assert_eq!(settings(&[]).check(), Ok(()));
        let known = ["TLS_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"];
        assert_eq!(settings(&known).check(), Ok(()));
        let unknown = InvalidTls::Suite("TLS_RSA_WITH_RC4_128_MD5".to_owned());
        assert_eq!(settings(&[known[0], "TLS_RSA_WITH_RC4_128_MD5"]).check(), Err(unknown));
        let unfit = TlsSettings { versions: (Version::Tls12, Version::Tls12), ..settings(&known[..1]) };
        assert!(matches!(unfit.check(), Err(InvalidTls::Unfit(_))));
    }

    #[test]
    fn given_authorities_that_are_none_when_checked_then_the_error_says_so() {
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for pem in ["nonsense", broken] {
            let settings = TlsSettings { authorities: pem.to_owned(), ..TlsSettings::default() };
            assert!(matches!(settings.check(), Err(InvalidTls::Authorities(_))), "{pem}");
        }
        let nobody = TlsSettings { system: false, ..TlsSettings::default() };
        assert_eq!(nobody.check(), Ok(()));
        assert!(matches!(nobody.config(), Err(InvalidTls::Nobody)));
    }
}
