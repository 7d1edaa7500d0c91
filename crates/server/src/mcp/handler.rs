//! One MCP server: what it says of itself, its tools, and their calls.

use std::sync::Arc;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ErrorData, Implementation, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};
use tidegate_fleet::{Actor, Face, Scope};

use super::answer;
use super::arguments::read;
use super::caller::{Caller, Told};
use super::problem::Problem;
use super::view::Links;
use super::{Mode, Shared, definitions};

/// The handler of one path.
#[derive(Clone)]
pub(super) struct Handler {
    pub(super) shared: Arc<Shared>,
    pub(super) mode: Mode,
}

impl Handler {
    fn tools(&self) -> impl Iterator<Item = &Tool> {
        let mode = self.mode;
        self.shared.tools.iter().filter(move |tool| mode == Mode::Write || definitions::only_looks(tool))
    }

    fn caller(&self, context: &RequestContext<RoleServer>) -> Caller<'_> {
        let parts = context.extensions.get::<http::request::Parts>();
        // The door puts the actor there; one who came by another way may do nothing.
        let nobody = || Actor { scope: Scope::Nothing, ..Actor::admin(Face::Mcp) };
        let actor = parts.and_then(|parts| parts.extensions.get::<Actor>()).cloned().unwrap_or_else(nobody);
        let client = context.client_info().map(|client| format!("{} {}", client.name, client.version));
        let links =
            parts.map_or_else(|| Links::of(&http::HeaderMap::new()), |parts| Links::of(&parts.headers));
        Caller { shared: &self.shared, actor: actor.through(&client.unwrap_or_default()), links }
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        let mut info = ServerConfig::new(ServerCapabilities::builder().enable_tools().build());
        info.server_info = Implementation::new("tidegate", env!("CARGO_PKG_VERSION"));
        info.instructions = Some(definitions::INSTRUCTIONS.to_owned());
        info
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools().cloned().collect()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.tools().find(|tool| tool.name == name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        // Held here, whatever the list showed: a tool that acts is no tool of a server that only looks.
        let Some(tool) = self.get_tool(&request.name) else {
            return Err(ErrorData::invalid_params(format!("there is no tool {:?} here", request.name), None));
        };
        let caller = self.caller(&context);
        if tool.name == definitions::EXECUTE_PLAN {
            return Ok(super::execute::execute_plan(&caller, request, &context).await);
        }
        let told = look(&caller, &tool.name, request.arguments).await;
        Ok(told
            .map_or_else(|problem| answer::bad(&problem), |(value, detail)| answer::good(value, detail))
            .into())
    }
}

async fn look(caller: &Caller<'_>, name: &str, arguments: Option<rmcp::model::JsonObject>) -> Told {
    use super::{commands, config, fleet};
    match name {
        "fleet_summary" => fleet::summary(caller, read(arguments)?).await,
        "list_agents" => fleet::list(caller, read(arguments)?).await,
        "get_agent" => fleet::get(caller, &read(arguments)?),
        "list_events" => fleet::events(caller, &read(arguments)?),
        "explain_query" => fleet::explain(caller, read(arguments)?).await,
        "diff_agent_config" => config::diff(caller, &read(arguments)?),
        "validate_config" => config::validate(caller, read(arguments)?).await,
        "list_commands" => commands::list(caller, &read(arguments)?),
        "plan_command" => commands::plan(caller, read(arguments)?).await,
        other => Err(Problem::invalid("name", format!("{other} is not built"))),
    }
}
