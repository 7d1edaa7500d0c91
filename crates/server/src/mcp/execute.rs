//! The tool that acts. It does what a plan says, for a person who confirmed it; where nobody can be asked, nothing is done
//! and the console is named.

use rmcp::RoleServer;
use rmcp::model::{CallToolRequestParams, CallToolResponse, ContentBlock};
use rmcp::service::RequestContext;
use serde_json::{Value, json};

use super::answer;
use super::arguments::{ExecutePlan, read};
use super::caller::Caller;
use super::confirm::{self, Said, Way};
use super::detail::Detail;
use super::problem::Problem;
use crate::control::{Confirmation, Operation, Standing};

/// Carries out a plan, or says what is missing.
pub(super) async fn execute_plan(
    caller: &Caller<'_>,
    request: CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> CallToolResponse {
    match execute(caller, request, context).await {
        Ok(response) => response,
        Err(problem) => answer::bad(&problem).into(),
    }
}

async fn execute(
    caller: &Caller<'_>,
    request: CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, Problem> {
    let CallToolRequestParams { arguments, input_responses, request_state, .. } = request;
    let arguments: ExecutePlan = read(arguments)?;
    let ExecutePlan { plan_id, plan_hash, reason } = &arguments;
    let control = caller.control();
    let plan = match control.plan_standing(&caller.actor, plan_id, plan_hash, reason).await? {
        Standing::Done(operation) => return Ok(started(&operation)),
        Standing::Ready(plan) => plan,
    };
    let said = match (&request_state, Way::of(context)) {
        (Some(sealed), _) => confirm::brought(caller, &arguments, &plan, sealed, input_responses.as_ref())?,
        (None, Way::ComesBack) => return Ok(confirm::ask(caller, &arguments, &plan)?.into()),
        (None, Way::Waits) => confirm::wait(context, &plan, reason).await?,
        (None, Way::None) => {
            control.explain_plan(&plan, reason);
            return Ok(approval_required(&caller.links.plan(&plan.id)));
        }
    };
    let (code, detail) = match said {
        Said::Typed(typed) if plan.confirm(&typed).is_ok() => {
            let confirmation = Confirmation { hash: plan_hash.clone(), typed, reason: Some(reason.clone()) };
            let nothing = Box::new(|_: &Operation| Vec::new());
            let done = control.execute_plan(&caller.actor, plan_id, confirmation, false, nothing).await?;
            return Ok(started(&done.id));
        }
        Said::Typed(_) => (
            "not-confirmed",
            "what the user typed is not the confirmation; nothing was done and the plan is discarded",
        ),
        Said::Declined => {
            ("declined", "the user did not confirm it; nothing was done and the plan is discarded")
        }
    };
    control.discard_plan(&caller.actor, plan_id, Box::new(|_| Vec::new())).await?;
    Ok(refused(code, detail))
}

fn started(operation: &str) -> CallToolResponse {
    let value = json!({ "status": "started", "operation_id": operation });
    answer::good(value, Detail::Brief).into()
}

fn approval_required(url: &str) -> CallToolResponse {
    let how = "this client cannot ask its user, so nothing was done; the user opens the url, reads the plan and confirms or \
               discards it there; execute_plan called again tells what became of it";
    let value = json!({ "status": "approval_required", "approval": { "url": url, "how": how } });
    answer::good(value, Detail::Brief).into()
}

fn refused(code: &str, detail: &str) -> CallToolResponse {
    let fix = "ask the user before you plan again";
    let value: Value =
        json!({ "status": "refused", "refusal": { "code": code, "detail": detail, "fix": fix } });
    let mut result = rmcp::model::CallToolResult::error(vec![ContentBlock::text(value.to_string())]);
    result.structured_content = Some(value);
    result.into()
}
