//! The way to a server under TLS (OpAMP C185): one that cannot be verified is not spoken to.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tidegate_supervisor::client::TlsSettings;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::peer::Listener;
use crate::world::Setup;

/// Takes TLS off in front of a port; gives its port and its certificate, which is its own authority.
pub(crate) async fn before(behind: u16, name: &str) -> (u16, String) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = front.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = front.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that trusts somebody else hangs up here.
                let Ok(mut tls) = acceptor.accept(stream).await else { return };
                let mut plain = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut tls, &mut plain).await;
            });
        }
    });
    (port, made.cert.pem())
}

pub(crate) fn trusting(pem: String) -> TlsSettings {
    TlsSettings { authorities: pem, system: false, ..TlsSettings::default() }
}

/// C184, C185: by either transport.
#[tokio::test]
async fn given_a_server_under_tls_when_its_authority_is_trusted_then_both_transports_work() {
    for scheme in ["wss", "https"] {
        let listener = Listener::new().await;
        let (port, pem) = before(listener.port(), "127.0.0.1").await;
        let world = Setup { tls: trusting(pem), ..Setup::new(scheme, port) }.start();
        let mut asked = listener.asked().await;
        assert_eq!(asked.header("Authorization"), Some("Bearer token"), "C184");
        if scheme == "https" {
            assert!(asked.message().await.agent_description.is_some());
            continue;
        }
        let mut connection = asked.upgrade().await;
        assert!(connection.message().await.agent_description.is_some());
        world.change("degraded");
        assert_eq!(connection.message().await.health.unwrap().status, "degraded");
    }
}

/// C185: not a byte of HTTP goes to one that is not verified.
#[tokio::test]
async fn given_a_server_of_another_authority_or_name_when_asked_then_nothing_is_said_to_it() {
    let listener = Listener::new().await;
    let (port, _) = before(listener.port(), "127.0.0.1").await;
    let (_, another) = before(listener.port(), "127.0.0.1").await;
    let (misnamed, its_own) = before(listener.port(), "elsewhere.example").await;
    let mut worlds = Vec::new();
    for (port, tls) in
        [(port, trusting(another)), (port, TlsSettings::default()), (misnamed, trusting(its_own))]
    {
        for scheme in ["wss", "https"] {
            worlds.push(Setup { tls: tls.clone(), ..Setup::new(scheme, port) }.start());
        }
    }
    assert!(!listener.is_asked_within(Duration::from_secs(2)).await);
}
