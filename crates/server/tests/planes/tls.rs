//! The agents' plane under TLS (OpAMP S202).

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{
    ClientConfig, HandshakeKind, ProtocolVersion, RootCertStore, SupportedProtocolVersion, version,
};
use tidegate_opamp::Message as _;
use tidegate_server::run;
use tidegate_server::settings::{Settings, TlsSettings, TlsVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::http::{self, Request};
use crate::report::Reporter;
use crate::socket::Socket;
use crate::world::{PATIENCE, World, settings};

/// A certificate of its own authority, with its files in a folder.
pub(crate) struct Identity {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

impl Identity {
    /// A new certificate for 127.0.0.1 in the files `cert.pem` and `key.pem` of a folder.
    pub(crate) fn write(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let identity = Self { cert: folder.join("cert.pem"), key: folder.join("key.pem") };
        std::fs::write(&identity.cert, made.cert.pem()).unwrap();
        std::fs::write(&identity.key, made.signing_key.serialize_pem()).unwrap();
        identity
    }

    pub(crate) fn settings(&self) -> TlsSettings {
        TlsSettings { cert: self.cert.clone(), key: self.key.clone(), min_version: TlsVersion::V1_2 }
    }

    /// A client that trusts this certificate and speaks these versions.
    pub(crate) fn client(&self, versions: &[&'static SupportedProtocolVersion]) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.cert).unwrap()).unwrap();
        let config =
            ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
                .with_protocol_versions(versions)
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
        Client(TlsConnector::from(Arc::new(config)))
    }
}

pub(crate) const BOTH: &[&SupportedProtocolVersion] = &[&version::TLS12, &version::TLS13];

pub(crate) struct Client(TlsConnector);

impl Client {
    pub(crate) async fn connect(&self, address: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(address).await?;
        timeout(PATIENCE, self.0.connect(ServerName::from(address.ip()), stream))
            .await
            .expect("no handshake in time")
    }
}

/// A server whose agents' plane speaks TLS, and its certificate.
pub(crate) async fn secure_world(change: impl FnOnce(&mut Settings)) -> (World, Identity) {
    let folder = tempfile::tempdir().unwrap();
    let identity = Identity::write(&folder.path().join("tls"));
    let world = World::at(folder, |settings| {
        settings.agents.tls = Some(identity.settings());
        change(settings);
    })
    .await;
    (world, identity)
}

/// S202, S028: a socket and a POST under TLS, by both versions; a push arrives unasked, whatever its size.
#[tokio::test]
async fn given_a_certificate_when_agents_come_by_wss_and_https_then_both_are_served() {
    let (world, identity) = secure_world(|_| {}).await;
    let address = world.server.agents;
    for (index, version) in (1..).step_by(2).zip(BOTH) {
        let client = identity.client(&[*version]);
        let (mut by_socket, mut by_http) = (Reporter::new(index), Reporter::new(index + 1));
        let stream = client.connect(address).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        let mut socket = Socket::over(stream, &[]).await.unwrap();
        assert_eq!(socket.exchange(&by_socket.full()).await.error_response, None);
        for size in [10, 300_000] {
            world.push(&format!("name:{}", by_socket.name), &"x".repeat(size)).await;
            let files = socket.message().await.remote_config.unwrap().config.unwrap().config_map;
            assert_eq!(files["fluent-bit.yaml"].body.len(), size);
        }
        let request = Request::opamp(by_http.full().encode_to_vec());
        let answer = http::send_over(client.connect(address).await.unwrap(), &request.bytes()).await;
        assert_eq!(answer.message(200).error_response, None);
    }
    assert_eq!(world.get("/agents").await.expect(200)["total"]["value"], 4);
}

/// S202, S021: reports larger than a TLS record, and larger than the read buffer, arrive whole.
#[tokio::test]
async fn given_large_reports_when_sent_under_tls_then_each_is_taken() {
    let (world, identity) = secure_world(|_| {}).await;
    let mut agent = Reporter::new(1);
    let mut socket =
        Socket::over(identity.client(BOTH).connect(world.server.agents).await.unwrap(), &[]).await.unwrap();
    for size in [1, 15_000, 17_000, 32_768, 40_000, 400_000] {
        let text = "x".repeat(size);
        let report = tidegate_opamp::AgentToServer {
            effective_config: Some(crate::report::effective([("a.yaml", text.as_bytes())])),
            ..agent.full()
        };
        assert_eq!(socket.exchange(&report).await.error_response, None, "{size}");
    }
}

/// S202: nothing below TLS 1.2 is spoken, and nothing below 1.3 where the settings say so.
#[tokio::test]
async fn given_old_versions_when_clients_offer_them_then_the_handshake_fails() {
    let (world, identity) = secure_world(|settings| {
        settings.agents.tls.as_mut().unwrap().min_version = TlsVersion::V1_3;
    })
    .await;
    assert!(identity.client(&[&version::TLS12]).connect(world.server.agents).await.is_err());
    let stream = identity.client(BOTH).connect(world.server.agents).await.unwrap();
    assert_eq!(stream.get_ref().1.protocol_version(), Some(ProtocolVersion::TLSv1_3));

    let (world, _) = secure_world(|_| {}).await;
    // A ClientHello of TLS 1.1: random, no session, one cipher suite, no compression, one kind of signature.
    let mut hello = vec![0x16, 3, 1, 0, 55, 1, 0, 0, 51, 3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0xC0, 0x13, 1, 0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3]);
    let mut stream = TcpStream::connect(world.server.agents).await.unwrap();
    stream.write_all(&hello).await.unwrap();
    let mut alert = [0; 7];
    timeout(PATIENCE, stream.read_exact(&mut alert)).await.unwrap().unwrap();
    assert_eq!((alert[0], alert[5], alert[6]), (0x15, 2, 70), "no fatal protocol_version: {alert:?}");
}

/// S202: what speaks no TLS is told so in a sentence, and gets nothing else.
#[tokio::test]
async fn given_plain_http_when_sent_to_a_tls_port_then_the_answer_names_tls() {
    let (world, _) = secure_world(|_| {}).await;
    let answer = http::post(world.server.agents, &Reporter::new(1).full()).await;
    assert_eq!(answer.status, 400);
    assert!(String::from_utf8(answer.body).unwrap().contains("wss://"));
    assert_eq!(world.get("/agents").await.expect(200)["total"]["value"], 0);
}

/// S203: a handshake that stalls, at whatever byte, is cut; so is a request that never comes after it.
#[tokio::test]
async fn given_handshakes_that_stall_when_their_time_is_up_then_the_connection_ends() {
    let (world, identity) =
        secure_world(|settings| settings.agents.handshake_timeout = Duration::from_millis(900)).await;
    for begun in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
        let mut stream = TcpStream::connect(world.server.agents).await.unwrap();
        stream.write_all(begun).await.unwrap();
        let mut rest = [0; 64];
        let end = timeout(PATIENCE, stream.read(&mut rest)).await.expect("the connection was not cut");
        assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    }
    let mut shaken = identity.client(BOTH).connect(world.server.agents).await.unwrap();
    let mut rest = [0; 64];
    let end = timeout(PATIENCE, shaken.read(&mut rest)).await.expect("the silent connection was not cut");
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
}

/// Files that cannot be used end the start with one sentence that names the file and what is wrong with it.
#[tokio::test]
async fn given_wrong_certificate_files_when_the_server_starts_then_the_error_names_file_and_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, other) =
        (Identity::write(&folder.path().join("a")), Identity::write(&folder.path().join("b")));
    let nowhere = folder.path().join("nowhere.pem");
    let text = folder.path().join("text.pem");
    std::fs::write(&text, "no pem\n").unwrap();
    let broken = folder.path().join("broken.pem");
    std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    for (cert, key, named, reason) in [
        (&nowhere, &ours.key, &nowhere, "cannot read"),
        (&ours.cert, &nowhere, &nowhere, "cannot read"),
        (&text, &ours.key, &text, "holds no certificate"),
        (&ours.cert, &text, &text, "holds no private key"),
        (&ours.cert, &ours.cert, &ours.cert, "holds no private key"),
        (&ours.cert, &other.key, &other.key, "does not belong"),
        (&broken, &ours.key, &broken, "cannot be used"),
    ] {
        let mut settings = settings(&folder.path().join("data"));
        settings.agents.tls =
            Some(TlsSettings { cert: cert.clone(), key: key.clone(), min_version: TlsVersion::V1_2 });
        let error = run::start(settings).await.err().expect("it started").to_string();
        assert!(error.contains(reason) && error.contains(&named.display().to_string()), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

/// Certificates that change are taken up without a restart; broken ones leave the last in force; tickets outlive both.
#[tokio::test]
async fn given_new_certificate_files_when_they_are_read_then_new_handshakes_show_them_and_old_tickets_resume()
{
    let (world, old) =
        secure_world(|settings| settings.agents.reload_interval = Duration::from_millis(20)).await;
    let address = world.server.agents;
    let trusts_old = old.client(BOTH);
    let held = trusts_old.connect(address).await.unwrap();
    assert_eq!(held.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
    let mut agent = Reporter::new(1);
    let mut socket = Socket::over(held, &[]).await.unwrap();
    socket.exchange(&agent.full()).await;

    let new = Identity::write(&world.folder.path().join("tls"));
    let trusts_new = new.client(BOTH);
    let begun = Instant::now();
    while trusts_new.connect(address).await.is_err() {
        assert!(begun.elapsed() < PATIENCE, "the new certificate is not shown");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let resumed = trusts_old.connect(address).await.expect("a ticket given under the old certificate");
    assert_eq!(resumed.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed));
    assert_eq!(
        socket.exchange(&agent.heartbeat()).await.error_response,
        None,
        "an open socket is left alone"
    );

    std::fs::write(&new.key, "broken").unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let fresh = new.client(BOTH).connect(address).await.unwrap();
    assert_eq!(fresh.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
}
