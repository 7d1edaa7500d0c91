//! TLS for agents: the certificate, and the handshake (OpAMP S202).

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, ProducesTickets};
use rustls::{ServerConfig, SupportedProtocolVersion, version};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::reload::Reloaded;
use super::stream::Stream;
use crate::settings::{TlsSettings, TlsVersion};

/// Most bytes that rustls holds for a peer that does not read.
const WRITE_BUFFER: usize = 16 * 1024;

/// Largest certificate or key file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// First byte of a TLS record that carries a handshake.
const HANDSHAKE_RECORD: u8 = 0x16;

/// What a client that does not speak TLS is told.
const NOT_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 54\r\nConnection: close\r\n\r\nthis port speaks TLS: connect with wss:// or https://\n";

/// Reads a certificate, and again whenever its files change.
pub(crate) fn load(settings: &TlsSettings) -> Result<Reloaded<ServerConfig>, String> {
    // One for all configs: a ticket given under the last certificate resumes under the next, and a fleet that comes
    // back at once costs no signatures.
    let ticketer =
        aws_lc_rs::Ticketer::new().map_err(|error| format!("cannot make keys for TLS tickets: {error}"))?;
    let paths = vec![settings.cert.clone(), settings.key.clone()];
    let settings = settings.clone();
    Reloaded::new("the agents' certificate files", paths, move || config(&settings, &ticketer))
}

fn config(settings: &TlsSettings, ticketer: &Arc<dyn ProducesTickets>) -> Result<ServerConfig, String> {
    const BOTH: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];
    const NEWEST: &[&SupportedProtocolVersion] = &[&version::TLS13];
    let (cert, key) = (settings.cert.display(), settings.key.display());
    let bytes =
        read(&settings.cert).map_err(|e| format!("cannot read the agents' certificate {cert}: {e}"))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("the agents' certificate {cert} is not valid PEM: {error}"))?;
    if chain.is_empty() {
        return Err(format!("{cert} holds no certificate; it must be PEM with BEGIN CERTIFICATE"));
    }
    let bytes = read(&settings.key).map_err(|e| format!("cannot read the agents' key {key}: {e}"))?;
    let private = PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| {
        format!("{key} holds no private key; it must be unencrypted PEM with BEGIN PRIVATE KEY")
    })?;
    if std::fs::metadata(&settings.key).is_ok_and(|found| found.permissions().mode() & 0o007 != 0) {
        tracing::warn!("everyone can read or change the agents' key {key}; run: chmod o-rwx {key}");
    }
    let versions = match settings.min_version {
        TlsVersion::V1_2 => BOTH,
        TlsVersion::V1_3 => NEWEST,
    };
    let refused = |error: rustls::Error| match error {
        rustls::Error::InconsistentKeys(_) => {
            format!("the key {key} does not belong to the certificate {cert}")
        }
        error => format!("the agents' certificate {cert} with the key {key} cannot be used: {error}"),
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .map_err(refused)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(refused)?;
    config.ticketer = Arc::clone(ticketer);
    config.send_tls13_tickets = 1;
    // Sessions live in tickets: the server holds nothing for an agent that is gone.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    #[expect(clippy::disallowed_methods, reason = "bounded by take")]
    File::open(path)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Waits until a client has begun to speak, and makes sure that it speaks TLS; one that does not is told so. False
/// when there is nothing to go on with.
pub(super) async fn begins(stream: &mut TcpStream) -> bool {
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1..) if first == [HANDSHAKE_RECORD] => true,
        Ok(1..) => {
            tracing::debug!("a client of the agents' plane does not speak TLS");
            // What it sent is read first: closing with unread bytes would cut the answer off.
            let mut rest = [0; 1024];
            let _ = stream.try_read(&mut rest);
            let _ = stream.write_all(NOT_TLS).await;
            let _ = stream.shutdown().await;
            false
        }
        Ok(0) | Err(_) => false,
    }
}

/// Shakes hands with a client that has begun.
pub(super) async fn shake(config: Arc<ServerConfig>, stream: TcpStream) -> std::io::Result<Stream> {
    let limit = |connection: &mut rustls::ServerConnection| connection.set_buffer_limit(Some(WRITE_BUFFER));
    let stream = TlsAcceptor::from(config).accept_with(stream, limit).await?;
    Ok(Stream::tls(stream))
}
