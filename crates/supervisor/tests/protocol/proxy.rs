//! Proxies on the way to the server (OpAMP C115): of the host's settings, and offered.

use std::sync::Arc;

use parking_lot::Mutex;
use tidegate_opamp::{
    ConnectionSettingsOffers, ConnectionSettingsStatuses, Header, Headers, OpAMPConnectionSettings,
    ProxyConnectionSettings, ServerToAgent,
};
use tidegate_supervisor::client::{Proxy, TlsSettings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::peer::Listener;
use crate::tls::{before, trusting};
use crate::world::Setup;

/// A proxy that passes everything on, and what it was asked for.
struct Passing {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Passing {
    /// One by HTTP, which answers with this status line.
    async fn http(status: &'static str) -> Self {
        Self::start(move |stream| http(stream, status)).await
    }

    async fn start<F: Future<Output = Option<(TcpStream, String, String)>> + Send>(
        greet: impl Fn(TcpStream) -> F + Clone + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (greet, noted) = (greet.clone(), Arc::clone(&noted));
                tokio::spawn(async move {
                    let Some((mut near, to, said)) = greet(stream).await else { return };
                    noted.lock().push(said);
                    if to.is_empty() {
                        return;
                    }
                    let Ok(mut far) = TcpStream::connect(&to).await else { return };
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().clone()
    }
}

async fn http(mut stream: TcpStream, status: &str) -> Option<(TcpStream, String, String)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let head = String::from_utf8(head).unwrap();
    stream.write_all(format!("HTTP/1.1 {status}\r\nX-Proxy: y\r\n\r\n").as_bytes()).await.ok()?;
    let to = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let to = if status.starts_with("200") { to } else { String::new() };
    Some((stream, to, head))
}

/// SOCKS 5 with the name `me` and the password `pw` (RFC 1928, RFC 1929).
async fn socks(mut stream: TcpStream) -> Option<(TcpStream, String, String)> {
    let mut greeting = [0; 2];
    stream.read_exact(&mut greeting).await.ok()?;
    let mut methods = vec![0; usize::from(greeting[1])];
    stream.read_exact(&mut methods).await.ok()?;
    assert!(greeting[0] == 5 && methods.contains(&2));
    stream.write_all(&[5, 2]).await.ok()?;
    let mut login = [0; 7];
    stream.read_exact(&mut login).await.ok()?;
    assert_eq!(&login, b"\x01\x02me\x02pw");
    stream.write_all(&[1, 0]).await.ok()?;
    let mut request = [0; 5];
    stream.read_exact(&mut request).await.ok()?;
    let (name, address) = match request[3] {
        // The first byte of four was read.
        1 => {
            let mut rest = [0; 3];
            stream.read_exact(&mut rest).await.ok()?;
            ("address", format!("{}.{}.{}.{}", request[4], rest[0], rest[1], rest[2]))
        }
        3 => {
            let mut rest = vec![0; usize::from(request[4])];
            stream.read_exact(&mut rest).await.ok()?;
            ("name", String::from_utf8(rest).unwrap())
        }
        other => panic!("address of type {other}"),
    };
    let port = stream.read_u16().await.ok()?;
    stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 9]).await.ok()?;
    Some((stream, format!("{address}:{port}"), format!("{name} {address}:{port}")))
}

fn proxy(url: &str) -> Option<Proxy> {
    Some(Proxy::new(url, Vec::new()).unwrap())
}

/// By either transport, and what is asked of the proxy.
#[tokio::test]
async fn given_a_http_proxy_in_the_settings_then_both_transports_go_through_it_with_its_password() {
    for scheme in ["ws", "http"] {
        let listener = Listener::new().await;
        let passing = Passing::http("200 Connection established").await;
        let url = format!("http://me:pw@127.0.0.1:{}", passing.port);
        let world = Setup { proxy: proxy(&url), ..Setup::new(scheme, listener.port()) }.start();
        let mut asked = listener.asked().await;
        assert_eq!(asked.header("Authorization"), Some("Bearer token"), "{scheme}");
        if scheme == "http" {
            assert!(asked.message().await.agent_description.is_some());
        } else {
            assert!(asked.upgrade().await.message().await.agent_description.is_some());
        }
        let first = passing.asked().remove(0);
        let to = format!("CONNECT 127.0.0.1:{} HTTP/1.1\r\n", listener.port());
        assert!(first.starts_with(&to), "{first}");
        assert!(first.contains("Proxy-Authorization: Basic bWU6cHc=\r\n"), "{first}");
        assert!(!first.contains("Bearer token"), "what is the server's is not told to the proxy: {first}");
        drop(world);
    }
}

#[tokio::test]
async fn given_a_socks_proxy_then_it_is_told_the_servers_name_and_looks_it_up_itself() {
    let listener = Listener::new().await;
    let passing = Passing::start(socks).await;
    let setup = Setup::new("ws", listener.port());
    let endpoint = setup.endpoint.replace("127.0.0.1", "localhost");
    let url = format!("socks5://me:pw@127.0.0.1:{}", passing.port);
    let _world = Setup { endpoint, proxy: proxy(&url), ..setup }.start();
    let mut connection = listener.connection().await;
    assert!(connection.message().await.agent_description.is_some());
    assert_eq!(passing.asked(), [format!("name localhost:{}", listener.port())]);
}

/// C116: one pair of TLS settings for the proxy and the server behind it.
#[tokio::test]
async fn given_a_proxy_and_a_server_under_tls_then_both_are_verified_and_one_that_is_not_is_not_used() {
    let listener = Listener::new().await;
    let (secure, server_pem) = before(listener.port(), "127.0.0.1").await;
    let passing = Passing::http("200 OK").await;
    let (proxy_port, proxy_pem) = before(passing.port, "127.0.0.1").await;
    let url = format!("https://127.0.0.1:{proxy_port}");
    let both = trusting(format!("{server_pem}{proxy_pem}"));
    let _world = Setup { proxy: proxy(&url), tls: both, ..Setup::new("wss", secure) }.start();
    let mut connection = listener.connection().await;
    assert!(connection.message().await.agent_description.is_some());

    let half = Setup { proxy: proxy(&url), tls: trusting(server_pem), ..Setup::new("wss", secure) };
    let asked = passing.asked().len();
    let half = half.start();
    assert!(!listener.is_asked_within(std::time::Duration::from_millis(500)).await);
    assert_eq!(passing.asked().len(), asked, "it is asked for nothing");
    drop(half);
}

fn offer(hash: &'static str, proxy: ProxyConnectionSettings) -> ServerToAgent {
    let opamp = OpAMPConnectionSettings { proxy: Some(proxy), ..OpAMPConnectionSettings::default() };
    let offers = ConnectionSettingsOffers {
        hash: hash.as_bytes().into(),
        opamp: Some(opamp),
        ..ConnectionSettingsOffers::default()
    };
    ServerToAgent { connection_settings: Some(offers), ..ServerToAgent::default() }
}

fn through(port: u16) -> ProxyConnectionSettings {
    let header = Header { key: "X-Site".into(), value: "north".into(), ..Header::default() };
    ProxyConnectionSettings {
        // Without a scheme it is one by HTTP.
        url: format!("127.0.0.1:{port}"),
        connect_headers: Some(Headers { headers: vec![header], ..Headers::default() }),
        ..ProxyConnectionSettings::default()
    }
}

/// C103, C104, C115: verified by connecting, with the headers that were offered; one that refuses is given up.
#[tokio::test]
async fn given_a_proxy_that_is_offered_then_it_is_proven_by_an_answer_and_one_that_refuses_is_given_up() {
    let listener = Listener::new().await;
    let world = Setup { tls: TlsSettings::default(), ..Setup::new("ws", listener.port()) }.start();
    let mut connection = listener.connection().await;
    connection.message().await;
    let refusing = Passing::http("407 Who are you").await;
    connection.send(&offer("h1", through(refusing.port))).await;
    let mut connection = listener.connection().await;
    let status = connection.message().await.connection_settings_status.unwrap();
    assert_eq!(status.status, ConnectionSettingsStatuses::Failed);
    let why = &status.error_message;
    assert!(why.contains("cannot pass the proxy http://127.0.0.1:") && why.contains("407"), "{why}");
    assert!(!refusing.asked().is_empty());

    let passing = Passing::http("200 OK").await;
    connection.send(&offer("h2", through(passing.port))).await;
    let mut connection = listener.connection().await;
    let status = connection.message().await.connection_settings_status.unwrap();
    assert_eq!(status.status, ConnectionSettingsStatuses::Applying);
    connection.send(&ServerToAgent::default()).await;
    let status = connection.message().await.connection_settings_status.unwrap();
    assert_eq!(
        (status.status, &*status.last_connection_settings_hash),
        (ConnectionSettingsStatuses::Applied, &b"h2"[..])
    );
    assert!(passing.asked()[0].contains("\r\nx-site: north\r\n"), "{:?}", passing.asked());

    let bad = ProxyConnectionSettings { url: "ftp://p".to_owned(), ..ProxyConnectionSettings::default() };
    connection.send(&offer("h3", bad)).await;
    let status = connection.message().await.connection_settings_status.unwrap();
    assert_eq!(status.status, ConnectionSettingsStatuses::Failed);
    assert!(status.error_message.contains("the scheme ftp://"), "{}", status.error_message);
    drop(world);
}
