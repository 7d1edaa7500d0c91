//! A typed client of the REST API.

mod attention;
mod error;
mod mcp;
mod plans;
mod schemas;
mod watch;

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;

use crate::{
    Agent, AgentDetail, AgentMetrics, BASE, BulkRequest, Command, CommandRequest, Event, List, LoginLink,
    Operation, Problem, Push, PushRequest, RetryRequest, RollBack, RollBackRequest, SettingsRequest,
    SettingsRule,
};

pub use error::ClientError;
pub use mcp::{McpReply, SESSION_HEADER};
pub use watch::Watch;

/// Largest body that is read, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// Longest time for a call, streams apart.
const DEADLINE: Duration = Duration::from_secs(30);

/// Longest query that is sent in an address, in bytes; a longer one goes in a body.
const MAX_ADDRESS_QUERY: usize = 2000;

/// What to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct AgentList {
    /// The query.
    pub q: String,
    /// The order, such as `name,-last_seen`; by uid when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sort: String,
    /// The keys whose values are counted, with commas between.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub facets: String,
    /// Rows of a page, at most 500.
    pub limit: u32,
    /// The page; the first when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A client of one server.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    server: String,
    token: String,
}

impl Client {
    /// A client of the server at `server` (such as `http://127.0.0.1:4321`) that shows `token`.
    ///
    /// # Errors
    /// [`ClientError::Address`] when `server` is no `http` URL.
    pub fn new(server: &str, token: &str) -> Result<Self, ClientError> {
        let url =
            reqwest::Url::parse(server).map_err(|error| ClientError::address(server, error.to_string()))?;
        if url.scheme() != "http" {
            let reason = "only http:// is spoken so far; reach a remote server through a tunnel".to_owned();
            return Err(ClientError::address(server, reason));
        }
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .user_agent(concat!("tidegate/", env!("CARGO_PKG_VERSION")))
            // Redirects are never sent by our server, and a token must not follow one.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|source| ClientError::Unreachable { server: server.to_owned(), source })?;
        Ok(Self { http, server: server.trim_end_matches('/').to_owned(), token: token.to_owned() })
    }

    /// The server's address.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// One page of the agents that match a query.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_agents(
        &self,
        q: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<List<Agent>, ClientError> {
        let cursor = cursor.map(ToOwned::to_owned);
        self.list(&AgentList { q: q.to_owned(), limit, cursor, ..AgentList::default() }).await
    }

    /// One page of agents.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list(&self, list: &AgentList) -> Result<List<Agent>, ClientError> {
        let request = if list.q.len() > MAX_ADDRESS_QUERY {
            self.request(Method::POST, "/agents/search").json(list)
        } else {
            self.request(Method::GET, "/agents").query(list)
        };
        self.call(request).await
    }

    /// Acts on all agents that match.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn bulk(&self, request: &BulkRequest, dry_run: bool) -> Result<Operation, ClientError> {
        let path = if dry_run { "/bulk-operations?dry_run=all" } else { "/bulk-operations" };
        self.call(self.act(path).json(request)).await
    }

    /// An act on many agents, as it is now.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn operation(&self, id: &str) -> Result<Operation, ClientError> {
        self.call(self.request(Method::GET, &format!("/operations/{id}"))).await
    }

    /// Withdraws those commands of an operation that have not been sent.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn cancel_operation(&self, id: &str) -> Result<Operation, ClientError> {
        self.call(self.act(&format!("/operations/{id}/actions/cancel"))).await
    }

    /// Withdraws a command that has not been sent.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn cancel_command(&self, id: &str) -> Result<Command, ClientError> {
        self.call(self.act(&format!("/commands/{id}/actions/cancel"))).await
    }

    /// Makes a link that logs in to the console once; its whole address.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn login_link(&self) -> Result<(String, LoginLink), ClientError> {
        let link: LoginLink = self.call(self.act("/login-links")).await?;
        Ok((format!("{}{}", self.server.trim_end_matches('/'), link.path), link))
    }

    /// Every agent that matches a query, page by page.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn all_agents(&self, q: &str) -> Result<Vec<Agent>, ClientError> {
        let mut agents = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.list_agents(q, cursor.as_deref(), 500).await?;
            agents.extend(page.items);
            if page.next_cursor.is_none() {
                return Ok(agents);
            }
            if page.next_cursor == cursor {
                let reason = "it names the same page twice".to_owned();
                return Err(ClientError::Answer { server: self.server.clone(), reason });
            }
            cursor = page.next_cursor;
        }
    }

    /// All that is known of one agent.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn agent(&self, uid: &str) -> Result<AgentDetail, ClientError> {
        self.call(self.request(Method::GET, &format!("/agents/{uid}"))).await
    }

    /// What an agent's components count. `query` has the parameters of the call, such as `from`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn metrics(&self, uid: &str, query: &[(&str, String)]) -> Result<AgentMetrics, ClientError> {
        self.call(self.request(Method::GET, &format!("/agents/{uid}/metrics")).query(query)).await
    }

    /// Queues a command for one agent.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn send_command(&self, uid: &str, request: &CommandRequest) -> Result<Command, ClientError> {
        self.call(self.act(&format!("/agents/{uid}/commands")).json(request)).await
    }

    /// A command as it is now.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn command(&self, id: &str) -> Result<Command, ClientError> {
        self.call(self.request(Method::GET, &format!("/commands/{id}"))).await
    }

    /// Every rule for connection settings.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn settings_rules(&self) -> Result<List<SettingsRule>, ClientError> {
        self.call(self.request(Method::GET, "/connection-settings")).await
    }

    /// One rule for connection settings; `None` when there is none of this name.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn settings_rule(&self, name: &str) -> Result<Option<SettingsRule>, ClientError> {
        match self.call(self.request(Method::GET, &format!("/connection-settings/{name}"))).await {
            Err(ClientError::Refused(problem)) if problem.code == "not-found" => Ok(None),
            result => result.map(Some),
        }
    }

    /// Writes a rule in the place of its `revision`, or a new one; fails when someone else wrote it meanwhile.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn put_settings(
        &self,
        name: &str,
        request: &SettingsRequest,
        revision: Option<u64>,
    ) -> Result<SettingsRule, ClientError> {
        let call = self.request(Method::PUT, &format!("/connection-settings/{name}")).json(request);
        self.call(match revision {
            Some(revision) => call.header("if-match", format!("\"{revision}\"")),
            None => call.header("if-none-match", "*"),
        })
        .await
    }

    /// Removes a rule of this revision.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn delete_settings(&self, name: &str, revision: u64) -> Result<(), ClientError> {
        let call = self.request(Method::DELETE, &format!("/connection-settings/{name}"));
        let call = call.header("if-match", format!("\"{revision}\""));
        self.send(call.timeout(DEADLINE)).await.map(|_| ())
    }

    /// Pushes a config.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn push(&self, request: &PushRequest) -> Result<Push, ClientError> {
        self.call(self.act("/pushes").json(request)).await
    }

    /// A push as it is now.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn push_state(&self, id: &str) -> Result<Push, ClientError> {
        self.call(self.request(Method::GET, &format!("/pushes/{id}"))).await
    }

    /// Gives the files of a push once more to those of its agents that failed, by a new push.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn retry_push(
        &self,
        id: &str,
        request: RetryRequest,
        dry_run: bool,
    ) -> Result<Push, ClientError> {
        let dry_run = if dry_run { "?dry_run=all" } else { "" };
        self.call(self.act(&format!("/pushes/{id}/actions/retry{dry_run}")).json(&request)).await
    }

    /// Gives agents of a push the config that each ran before it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn roll_back_push(
        &self,
        id: &str,
        request: RollBackRequest,
        dry_run: bool,
    ) -> Result<RollBack, ClientError> {
        let dry_run = if dry_run { "?dry_run=all" } else { "" };
        self.call(self.act(&format!("/pushes/{id}/actions/roll-back{dry_run}")).json(&request)).await
    }

    /// The newest events of the agents that match a query, oldest first; `limit` is at most 500.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn events(&self, q: &str, limit: u32) -> Result<List<Event>, ClientError> {
        let query = [("q", q.to_owned()), ("limit", limit.to_string())];
        self.call(self.request(Method::GET, "/events").query(&query)).await
    }

    /// Follows the fleet; `kinds` are `agents` and `events`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn watch(
        &self,
        q: &str,
        kinds: &[&str],
        last_event: Option<&str>,
    ) -> Result<Watch, ClientError> {
        let query = [("q", q.to_owned()), ("kinds", kinds.join(","))];
        let mut request = self.request(Method::GET, "/watch").query(&query);
        if let Some(id) = last_event {
            request = request.header("last-event-id", id);
        }
        Ok(Watch::new(self.send(request).await?, self.server.clone()))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{BASE}{path}", self.server)).bearer_auth(&self.token)
    }

    /// A POST that does something: under a key of its own, so that whatever repeats it on its way does it once.
    fn act(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path).header("idempotency-key", new_key())
    }

    async fn call<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let response = self.send(request.timeout(DEADLINE)).await?;
        let body = self.body(response).await?;
        serde_json::from_slice(&body)
            .map_err(|error| ClientError::Answer { server: self.server.clone(), reason: error.to_string() })
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let unreachable = |source| ClientError::Unreachable { server: self.server.clone(), source };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = self.body(response).await?;
        let problem = serde_json::from_slice(&body).unwrap_or_else(|_| Problem {
            status: status.as_u16(),
            title: status.to_string(),
            detail: format!("{} answered {status}; is it a Tidegate server?", self.server),
            ..Problem::default()
        });
        Err(ClientError::Refused(Box::new(problem)))
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, ClientError> {
        let mut body = Vec::new();
        let unreachable = |source| ClientError::Unreachable { server: self.server.clone(), source };
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > MAX_BODY_BYTES {
                let reason = format!("it is longer than {MAX_BODY_BYTES} bytes");
                return Err(ClientError::Answer { server: self.server.clone(), reason });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// A UUID of version 4.
fn new_key() -> String {
    let mut bytes = [0; 16];
    // Without randomness there is no TLS and no token either; the server then sees the same key twice and says so.
    let _ = getrandom::fill(&mut bytes);
    let number = u128::from_be_bytes(bytes);
    let number = number & !(0xF << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let digits = format!("{number:032x}");
    let part = |range: std::ops::Range<usize>| digits.get(range).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}
