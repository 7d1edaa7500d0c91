//! Agents that show a bearer token.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use tidegate_opamp::Message as _;
use tidegate_server::run;

use crate::http::{self, Request};
use crate::report::Reporter;
use crate::socket::Socket;
use crate::world::{PATIENCE, World, settings};

const TOKEN: &str = "edge-0123456789abcdef";
const OTHER: &str = "core-fedcba9876543210";

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

async fn guarded_world(text: &str) -> World {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens");
    write(&path, text);
    World::at(folder, |settings| {
        settings.agents.tokens_file = Some(path);
        settings.agents.reload_interval = Duration::from_millis(20);
    })
    .await
}

/// A report with what it shows as authorization.
fn report(index: u16, shows: Option<&str>) -> Request {
    let request = Request::opamp(Reporter::new(index).full().encode_to_vec());
    match shows {
        Some(value) => request.header("Authorization", value),
        None => request,
    }
}

/// S197, S198: without a token, or with a wrong one, 401 and a way to authenticate, before anything is read or upgraded; with one,
/// service, by either transport.
#[tokio::test]
async fn given_tokens_when_agents_show_one_or_none_then_only_those_with_one_are_served() {
    let world = guarded_world(&format!("# fleet\nedge {TOKEN}\n{OTHER}\n")).await;
    let address = world.server.agents;
    let bearer = |token: &str| format!("Bearer {token}");
    let cases = [
        (None, "Authorization"),
        (Some(bearer("edge")), "none of this server's"),
        (Some(bearer(&TOKEN[..20])), "none of this server's"),
        (Some(bearer(&TOKEN.to_uppercase())), "none of this server's"),
        (Some(format!("Basic {TOKEN}")), "Authorization"),
    ];
    for (shows, reason) in &cases {
        let answer = http::call(address, &report(9, shows.as_deref())).await;
        assert_eq!(answer.status, 401, "{shows:?}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        assert!(String::from_utf8_lossy(&answer.body).contains(reason), "{shows:?}");
        let headers: Vec<_> = shows.iter().map(|value| ("Authorization", value.as_str())).collect();
        let refused = Socket::connect(address, &headers).await.err().expect("it was upgraded").0;
        assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
        assert!(refused.to_lowercase().contains("www-authenticate: bearer"), "{refused}");
    }
    assert_eq!(world.get("/agents").await.expect(200)["total"]["value"], 0);
    assert!(world.metrics().await.contains("tidegate_unauthenticated_requests_total 10"));

    for (index, token) in [(1, TOKEN), (2, OTHER)] {
        let answer = http::call(address, &report(index, Some(&bearer(token)))).await;
        assert_eq!(answer.message(200).error_response, None);
        let mut agent = Reporter::new(10 + index);
        let mut socket = Socket::connect(address, &[("Authorization", &bearer(token))]).await.unwrap();
        assert_eq!(socket.exchange(&agent.full()).await.error_response, None);
    }
}

/// S204: a browser cannot speak for anybody: nothing but the header authenticates, so a page of elsewhere that opens a
/// socket with whatever cookies there are is refused.
#[tokio::test]
async fn given_a_page_of_elsewhere_when_it_upgrades_with_cookies_then_it_is_refused() {
    let world = guarded_world(&format!("{TOKEN}\n")).await;
    let cookie = format!("Authorization=Bearer {TOKEN}; token={TOKEN}");
    let headers = [("Origin", "https://elsewhere.example"), ("Cookie", cookie.as_str())];
    let refused = Socket::connect(world.server.agents, &headers).await.err().expect("it was upgraded").0;
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
}

/// A file that changes counts from then on; one that cannot be used leaves the last in force.
#[tokio::test]
async fn given_another_file_of_tokens_when_it_is_read_then_new_ones_count_and_old_ones_do_not() {
    let world = guarded_world(&format!("{TOKEN}\n")).await;
    let (address, path) = (world.server.agents, world.folder.path().join("tokens"));
    let status = async |index, token: &str| {
        http::call(address, &report(index, Some(&format!("Bearer {token}")))).await.status
    };
    assert_eq!((status(1, TOKEN).await, status(2, OTHER).await), (200, 401));
    write(&path, &format!("core {OTHER}\n"));
    let begun = Instant::now();
    while status(2, OTHER).await != 200 {
        assert!(begun.elapsed() < PATIENCE, "the new token does not count");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(status(1, TOKEN).await, 401);
    write(&path, "");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!((status(1, TOKEN).await, status(2, OTHER).await), (401, 200));
}

/// Files that cannot be used end the start with a sentence that names file and line, and no token.
#[tokio::test]
async fn given_wrong_token_files_when_the_server_starts_then_the_error_names_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens");
    for (text, mode, reason) in [
        (None, 0, "cannot read"),
        (Some("# none\n".to_owned()), 0o600, "no token"),
        (Some("edge short\n".to_owned()), 0o600, "line 1"),
        (Some(format!("{TOKEN}\n")), 0o644, "chmod o-rwx"),
    ] {
        if let Some(text) = text {
            write(&path, &text);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let mut settings = settings(&folder.path().join("data"));
        settings.agents.tokens_file = Some(path.clone());
        let error = run::start(settings).await.err().expect("it started").to_string();
        assert!(error.contains(reason) && error.contains(&path.display().to_string()), "{error}");
        assert!(!error.contains(TOKEN) && !error.contains('\n'), "{error}");
    }
}
