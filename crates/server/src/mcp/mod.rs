//! The MCP server: tools for models, by streamable HTTP. The only module that knows rmcp; everything it does is a use
//! case.
//!
//! What an agent reported is data and never an instruction: it is told under `untrusted_text` alone ([`fence`]). What acts
//! goes in two steps, and a person confirms the second ([`execute`]).

mod answer;
mod arguments;
mod caller;
mod commands;
mod config;
mod confirm;
mod definitions;
mod detail;
mod door;
mod execute;
mod fence;
mod fleet;
mod handler;
mod problem;
mod view;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware;
use rmcp::model::{RequestStateCodec, Tool};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};

use crate::control::Control;
use crate::listen::Stopping;
use crate::rest::{Cursors, Limits};
use crate::token::Token;
use handler::Handler;

/// Where models may look and, confirmed by a person, act.
const PATH: &str = "/mcp";

/// Where models may only look, whatever they ask for.
const READ_ONLY_PATH: &str = "/mcp/readonly";

/// Largest message that is read: a config to be checked, escaped as JSON.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Silence after which a session ends: an assistant may be left alone for a while.
const SESSION_SILENCE: Duration = Duration::from_secs(60 * 60);

/// What a server of this kind may do at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    ReadOnly,
    Write,
}

/// What every call has.
pub(crate) struct Mcp {
    pub(crate) control: Control,
    pub(crate) token: Token,
    pub(crate) cursors: Cursors,
    pub(crate) limits: Limits,
    /// Whether the plane is reached from this machine alone.
    pub(crate) loopback: bool,
}

/// What the handlers of both paths share.
struct Shared {
    mcp: Mcp,
    seal: RequestStateCodec,
    tools: Vec<Tool>,
}

/// The routes of both servers.
///
/// # Errors
/// When there is no randomness for the key that seals what clients carry for us.
pub(crate) fn router(mcp: Mcp, stopping: &Stopping) -> Result<Router, String> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| format!("there is no randomness for MCP: {error}"))?;
    let seal = RequestStateCodec::try_new(key).map_err(|error| error.to_string())?;
    let shared = Arc::new(Shared { mcp, seal, tools: definitions::tools() });
    let [all, read_only] = [Mode::Write, Mode::ReadOnly].map(|mode| serve(&shared, mode, stopping));
    Ok(Router::new().merge(all).merge(read_only))
}

fn serve(shared: &Arc<Shared>, mode: Mode, stopping: &Stopping) -> Router {
    let config = StreamableHttpServerConfig::default()
        .with_json_response(true)
        .with_max_request_body_bytes(MAX_BODY_BYTES)
        // No page of a browser has any business here.
        .enforce_origin_validation();
    // The names by which a server is reached over the network are its operators' affair; there the token alone counts.
    let config = if shared.mcp.loopback { config } else { config.disable_allowed_hosts() };
    let (stop, mut stopping) = (config.cancellation_token.clone(), stopping.clone());
    tokio::spawn(async move {
        stopping.begun().await;
        stop.cancel();
    });
    let mut sessions = LocalSessionManager::default();
    sessions.session_config.keep_alive = Some(SESSION_SILENCE);
    let sessions = Arc::new(sessions);
    let door = door::Door { shared: Arc::clone(shared), sessions: Arc::clone(&sessions) };
    let handlers = Arc::clone(shared);
    let service = StreamableHttpService::new(
        move || Ok(Handler { shared: Arc::clone(&handlers), mode }),
        sessions,
        config,
    );
    let path = match mode {
        Mode::Write => PATH,
        Mode::ReadOnly => READ_ONLY_PATH,
    };
    Router::new()
        .route_service(path, service)
        .layer(middleware::from_fn_with_state(Arc::new(door), door::pass))
}
