//! Every peer under TLS, with the server's certificate in a file and a bearer token in its header.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use tidegate_server::settings::{TlsSettings, TlsVersion};
use tidegate_testkit::fleet::{SOON, eventually};

use crate::peer::Peer;
use crate::runtime::{self, Words};
use crate::story::{Story, counter};

/// What the server knows an agent by.
const TOKEN: &str = "interop-0123456789abcdef";

/// The short script: refused with a wrong token, then connect, heartbeats, a config.
async fn script(name: &'static str, scheme: &str, words: Option<Words>) {
    let Some(words) = words else { return };
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, format!("peers {TOKEN}\n")).unwrap();
    std::fs::set_permissions(&tokens, std::fs::Permissions::from_mode(0o600)).unwrap();
    let tls = TlsSettings { cert: cert.clone(), key, min_version: TlsVersion::V1_2 };
    let story = Story::begin_with(name, |settings| {
        settings.agents.tls = Some(tls);
        settings.agents.tokens_file = Some(tokens);
    })
    .await;
    let endpoint = story.server.endpoint(scheme);
    let mut stranger = Peer::run(&words, story.scene.path());
    stranger.start(&endpoint, name, json!({"ca": cert, "token": "wrong-0123456789abcdef"}));
    eventually("refusal", SOON, async || {
        match counter(&story.server, "tidegate_unauthenticated_requests_total").await {
            0 => Err("nobody was refused".to_owned()),
            _ => Ok(()),
        }
    })
    .await;
    assert!(story.server.api.all_agents("name:*").await.unwrap().is_empty());
    drop(stranger);
    let mut peer = Peer::run(&words, story.scene.path());
    peer.start(&endpoint, name, json!({"ca": cert, "token": TOKEN}));
    story.connected(if scheme == "wss" { "websocket" } else { "http" }).await;
    story.heartbeats().await;
    assert_eq!(story.pushed("under: tls\n").await.0, "unproven");
    assert_eq!(story.full_state_requests().await, 0);
}

/// S202: opamp-go over `wss://`.
#[tokio::test]
async fn given_opamp_go_when_it_speaks_wss_then_a_certificate_file_and_a_token_are_all_it_needs() {
    script("go-wss", "wss", runtime::go()).await;
}

/// S202: opamp-go over `https://`.
#[tokio::test]
async fn given_opamp_go_when_it_speaks_https_then_a_certificate_file_and_a_token_are_all_it_needs() {
    script("go-https", "https", runtime::go()).await;
}

/// S202: the Python client over `https://`.
#[tokio::test]
async fn given_the_python_client_when_it_speaks_https_then_a_certificate_file_and_a_token_are_all_it_needs() {
    script("python-https", "https", runtime::python()).await;
}

/// S202: the Node client over `https://`.
#[tokio::test]
async fn given_the_node_client_when_it_speaks_https_then_a_certificate_file_and_a_token_are_all_it_needs() {
    script("node-https", "https", runtime::node()).await;
}
