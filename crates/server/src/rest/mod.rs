//! The REST API. The only module that knows its JSON; everything it does is a use case.

mod agent_config;
mod agents;
mod attention;
mod auth;
mod commands;
mod completions;
mod convert;
mod cursor;
mod etag;
mod idempotency;
mod inspect;
mod json;
mod labels;
mod limits;
mod metrics;
mod openapi;
mod operations;
mod plans;
mod problem;
mod pushes;
mod report;
mod repush;
mod request_id;
mod schemas;
mod server;
mod session;
mod settings;
mod settings_convert;
mod time;
mod watch;

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Request;
use axum::middleware;
use axum::routing::{get, post};
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

use crate::console;
use crate::control::Control;
use crate::listen::{self, Serving, Stopping};
use crate::session::{Hosts, Peer, Sessions};
use crate::token::Token;
pub(crate) use cursor::Cursors;
pub(crate) use idempotency::UnderWay;
pub(crate) use limits::Limits;
pub(crate) use session::path as login_path;

/// Most bytes of the head of a call.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Largest body of a call: a push of the largest size, escaped as JSON.
const MAX_BODY_BYTES: usize = 20 * 1024 * 1024;

/// What every route has.
#[derive(Clone)]
pub(crate) struct Face {
    pub(crate) control: Control,
    pub(crate) token: Token,
    pub(crate) sessions: Sessions,
    pub(crate) hosts: Hosts,
    pub(crate) cursors: Cursors,
    pub(crate) under_way: UnderWay,
    pub(crate) limits: Limits,
    pub(crate) stopping: Stopping,
}

/// The routes of the operators' plane.
pub(crate) fn router(face: Face) -> Router {
    let face = Arc::new(face);
    // Under a key, once: what acts and is no PUT, PATCH or DELETE.
    let once = || middleware::from_fn_with_state(Arc::clone(&face), idempotency::once);
    // With a tag of what is told: what is one thing, and has no revision of its own.
    let tagged = || middleware::from_fn(etag::tagged);
    let api = Router::new()
        .route("/agents", get(agents::list))
        .route("/agents/search", post(agents::search))
        .route("/agents/completions", get(completions::get))
        .route("/agents/{uid}", get(agents::get).route_layer(tagged()))
        .route("/agents/{uid}/config", get(agent_config::get).route_layer(tagged()))
        .route("/agents/{uid}/report", get(inspect::report).route_layer(tagged()))
        .route("/agents/{uid}/timeline", get(inspect::timeline))
        .route("/agents/{uid}/capabilities", get(inspect::capabilities))
        .route("/agents/{uid}/metrics", get(metrics::get))
        .route("/agents/{uid}/labels", get(labels::get).patch(labels::patch))
        .route("/bulk-operations", post(operations::bulk).route_layer(once()))
        .route("/operations/{id}", get(operations::get).route_layer(tagged()))
        .route("/operations/{id}/actions/cancel", post(operations::cancel).route_layer(once()))
        .route("/fleet/summary", get(agents::summary))
        .route("/fleet/attention", get(attention::get))
        .route("/agents/{uid}/commands", post(commands::create).route_layer(once()))
        .route("/commands", get(commands::list))
        .route("/commands/{id}", get(commands::get).route_layer(tagged()))
        .route("/commands/{id}/actions/cancel", post(commands::cancel).route_layer(once()))
        .route("/connection-settings", get(settings::list))
        .route("/connection-settings/{name}", get(settings::get).put(settings::put).delete(settings::delete))
        .route("/pushes", post(pushes::create).route_layer(once()).get(pushes::list))
        .route("/pushes/{id}", get(pushes::get).route_layer(tagged()))
        .route("/pushes/{id}/actions/retry", post(repush::retry).route_layer(once()))
        .route("/pushes/{id}/actions/roll-back", post(repush::roll_back).route_layer(once()))
        .route("/plans/{id}", get(plans::get))
        .route("/plans/{id}/actions/execute", post(plans::execute).route_layer(once()))
        .route("/plans/{id}/actions/discard", post(plans::discard).route_layer(once()))
        .route("/events", get(watch::events))
        .route("/watch", get(watch::watch))
        .route("/schemas", get(schemas::list))
        .route("/schemas/{hash}", get(schemas::get))
        .route("/capabilities", get(server::capabilities))
        .route("/server", get(server::server))
        .route("/login-links", post(session::link))
        .route("/session", get(session::get).delete(session::log_out));
    Router::new()
        .nest(tidegate_api::BASE, api)
        .route("/metrics", get(server::metrics))
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::no_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&face), limits::count))
        .layer(middleware::from_fn_with_state(Arc::clone(&face), auth::require))
        // What says nothing of the fleet needs no token, nor does who brings one.
        .route("/api/v1/session", post(session::log_in))
        .route("/openapi.json", get(openapi::json))
        .route("/docs", get(openapi::docs))
        .route("/healthz", get(server::alive))
        .route("/readyz", get(server::ready))
        .layer(middleware::from_fn(console::serve))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn_with_state(Arc::clone(&face), request_id::name))
        .with_state(face)
}

/// Serves the plane until it is told to stop.
pub(crate) async fn serve(
    listener: TcpListener,
    max_connections: usize,
    router: Router,
    stopping: Stopping,
    serving: Serving,
) {
    let stop = stopping.clone();
    listen::accept(listener, max_connections, stopping, move |stream, permit| {
        let (stopping, serving) = (stop.clone(), serving.clone());
        // Who left already calls from nowhere.
        let address = stream.peer_addr().map_or(Ipv4Addr::UNSPECIFIED.into(), |address| address.ip());
        let (peer, router) = (Peer::of(address), TowerToHyperService::new(router.clone()));
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            router.call(request)
        });
        async move {
            Box::pin(listen::serve_http(stream, service, MAX_HEAD_BYTES, stopping)).await;
            drop((permit, serving));
        }
    })
    .await;
}
