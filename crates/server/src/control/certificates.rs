//! Certificates of connection settings, looked into before any agent is offered them (OpAMP S128).

use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::CertifiedKey;
use tidegate_fleet::Timestamp;
use tidegate_fleet::settings::{Finding, Own, Settings};
use tidegate_opamp::{TLSCertificate, TLSConnectionSettings};

/// Largest PEM that is read, in bytes.
const MAX_PEM: usize = 256 * 1024;

const VERSIONS: [&str; 5] = ["", "1.0", "1.1", "1.2", "1.3"];

/// What is wrong with the certificates, keys and authorities of settings.
pub(super) fn check(settings: &Settings, now: Timestamp) -> Vec<Finding> {
    let opamp = settings.opamp.iter().map(|it| ("/opamp".to_owned(), &it.certificate, &it.tls));
    let own = Own::ALL.into_iter().zip(&settings.own).filter_map(|(kind, own)| {
        own.as_ref().map(|it| (format!("/{}", kind.as_str()), &it.certificate, &it.tls))
    });
    let other = settings.other.iter();
    let other = other.map(|(name, it)| (format!("/other_connections/{name}"), &it.certificate, &it.tls));
    let mut found = Vec::new();
    for (pointer, certificate, tls) in opamp.chain(own).chain(other) {
        let mut refuse = |(place, message): (&str, String)| {
            found.push(Finding { pointer: format!("{pointer}/{place}"), message, is_warning: false });
        };
        if let Some(Err(wrong)) = certificate.as_ref().map(|certificate| client_certificate(certificate, now))
        {
            refuse(wrong);
        }
        if let Some(Err(wrong)) = tls.as_ref().map(use_of_tls) {
            refuse(wrong);
        }
    }
    found
}

type Checked = Result<(), (&'static str, String)>;

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    if pem.len() > MAX_PEM {
        return Err(format!("it is longer than {MAX_PEM} bytes"));
    }
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err("it holds no certificate; give PEM with BEGIN CERTIFICATE".to_owned()),
        Err(error) => Err(format!("it is not valid PEM: {error}")),
    }
}

/// A certificate and key that belong together, signed by themselves or by the authority that is given.
fn client_certificate(certificate: &TLSCertificate, now: Timestamp) -> Checked {
    const CERT: &str = "certificate/cert";
    const KEY: &str = "certificate/private_key";
    const CA: &str = "certificate/ca_cert";
    let chain = certificates(&certificate.cert).map_err(|message| (CERT, message))?;
    let key = PrivateKeyDer::from_pem_slice(&certificate.private_key).map_err(|_| {
        (KEY, "it holds no private key; give unencrypted PEM with BEGIN PRIVATE KEY".to_owned())
    })?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    CertifiedKey::from_der(chain.clone(), key, &provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => (KEY, "it does not belong to the certificate".to_owned()),
        error => (CERT, format!("it cannot be used: {error}")),
    })?;
    let Some((leaf, between)) = chain.split_first() else {
        return Err((CERT, "it holds no certificate".to_owned()));
    };
    if certificate.ca_cert.is_empty() {
        let read = webpki::EndEntityCert::try_from(leaf);
        let read = read.map_err(|error| (CERT, format!("it cannot be read: {error}")))?;
        if read.issuer() != read.subject() {
            return Err((CA, "the certificate was signed by an authority: give that one's here".to_owned()));
        }
        return Ok(());
    }
    let mut roots = RootCertStore::empty();
    for root in certificates(&certificate.ca_cert).map_err(|message| (CA, message))? {
        roots.add(root).map_err(|error| (CA, format!("it is no authority: {error}")))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| (CA, format!("it cannot be used: {error}")))?;
    let now = UnixTime::since_unix_epoch(Duration::from_millis(now.0));
    verifier
        .verify_client_cert(leaf, between, now)
        .map(|_| ())
        .map_err(|error| (CERT, format!("no server would take it, by the authority given: {error}")))
}

fn use_of_tls(tls: &TLSConnectionSettings) -> Checked {
    if !tls.ca_pem_contents.is_empty() {
        certificates(tls.ca_pem_contents.as_bytes()).map_err(|message| ("tls/ca", message))?;
    }
    for (place, version) in [("tls/min_version", &tls.min_version), ("tls/max_version", &tls.max_version)] {
        if !VERSIONS.contains(&version.as_str()) {
            return Err((place, format!("{version:?} is none of 1.0, 1.1, 1.2 and 1.3")));
        }
    }
    let both = !tls.min_version.is_empty() && !tls.max_version.is_empty();
    if both && tls.min_version > tls.max_version {
        return Err(("tls/min_version", "it is higher than max_version".to_owned()));
    }
    if tls.cipher_suites.len() > 64 || tls.cipher_suites.iter().any(|suite| suite.len() > 128) {
        return Err(("tls/cipher_suites", "at most 64 names of 128 bytes each are taken".to_owned()));
    }
    Ok(())
}
