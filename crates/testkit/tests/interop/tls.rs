//! Every peer under TLS, with the server's certificate in a file.

use serde_json::json;
use tidegate_server::settings::{TlsSettings, TlsVersion};

use crate::peer::Peer;
use crate::runtime::{self, Words};
use crate::story::Story;

/// The short script: connect, heartbeats, a config.
async fn script(name: &'static str, scheme: &str, words: Option<Words>) {
    let Some(words) = words else { return };
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let tls = TlsSettings { cert: cert.clone(), key, min_version: TlsVersion::V1_2 };
    let story = Story::begin_with(name, |settings| settings.agents.tls = Some(tls)).await;
    let mut peer = Peer::run(&words, story.scene.path());
    peer.start(&story.server.endpoint(scheme), name, json!({"ca": cert}));
    story.connected(if scheme == "wss" { "websocket" } else { "http" }).await;
    story.heartbeats().await;
    assert_eq!(story.pushed("under: tls\n").await.0, "unproven");
    assert_eq!(story.full_state_requests().await, 0);
}

/// S202: opamp-go over `wss://`.
#[tokio::test]
async fn given_opamp_go_when_it_speaks_wss_then_the_certificate_file_is_all_it_needs() {
    script("go-wss", "wss", runtime::go()).await;
}

/// S202: opamp-go over `https://`.
#[tokio::test]
async fn given_opamp_go_when_it_speaks_https_then_the_certificate_file_is_all_it_needs() {
    script("go-https", "https", runtime::go()).await;
}

/// S202: the Python client over `https://`.
#[tokio::test]
async fn given_the_python_client_when_it_speaks_https_then_the_certificate_file_is_all_it_needs() {
    script("python-https", "https", runtime::python()).await;
}

/// S202: the Node client over `https://`.
#[tokio::test]
async fn given_the_node_client_when_it_speaks_https_then_the_certificate_file_is_all_it_needs() {
    script("node-https", "https", runtime::node()).await;
}
