//! Asking a person to confirm a plan, through the client of the model: by a form in which the plan's phrase is typed.

use std::collections::BTreeMap;
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{
    ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema, InputRequest,
    InputRequiredResult, InputResponses, JsonObject, ProtocolVersion, SealOptions,
};
use rmcp::service::RequestContext;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tidegate_fleet::plan::Plan;

use super::arguments::ExecutePlan;
use super::caller::Caller;
use super::fence;
use super::problem::Problem;

/// How long a person may take, over a connection that stays open.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long what the client carries for us holds, where it asks and comes back.
const CARRIED: Duration = Duration::from_secs(10 * 60);

/// Names the one form in what is asked.
const FORM: &str = "confirm";

/// The field that is typed into.
const FIELD: &str = "confirmation";

/// How a client can ask its person.
pub(super) enum Way {
    /// It is told what to ask, and comes back with the answer (revision 2026-07-28).
    ComesBack,
    /// It is asked while the call waits (earlier revisions).
    Waits,
    /// It cannot.
    None,
}

impl Way {
    pub(super) fn of(context: &RequestContext<RoleServer>) -> Self {
        let elicits = context.client_capabilities().and_then(|capabilities| capabilities.elicitation);
        // A client that names no mode means forms.
        if !elicits.is_some_and(|modes| modes.form.is_some() || modes.url.is_none()) {
            return Self::None;
        }
        let version = context.protocol_version();
        if version.is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str()) {
            Self::ComesBack
        } else {
            Self::Waits
        }
    }
}

/// What a person made of the question.
pub(super) enum Said {
    /// They typed this.
    Typed(String),
    /// They would not.
    Declined,
}

/// The question.
fn form(plan: &Plan, reason: &str) -> Result<ElicitRequestParams, Problem> {
    let phrase = plan.phrase();
    let message = format!(
        "{} for {}, found by {}. Reason given: {}. To let it happen type: {phrase}",
        fence::line(&plan.command.summary(), 160),
        plan.agents(),
        fence::line(&plan.query, 400),
        fence::line(reason, 300),
    );
    let schema = json!({
        "type": "object",
        "properties": { FIELD: { "type": "string", "title": "Confirmation", "description": format!("Type: {phrase}") } },
        "required": [FIELD],
    });
    let schema: JsonObject = serde_json::from_value(schema).unwrap_or_default();
    let requested_schema = ElicitationSchema::from_json_schema(schema)
        .map_err(|error| Problem::new(500, "form", "The form cannot be made", error.to_string()))?;
    Ok(ElicitRequestParams::FormElicitationParams { meta: None, message, requested_schema })
}

/// What binds that which a client carries to the actor, the call and its arguments.
fn bound(caller: &Caller<'_>, arguments: &ExecutePlan) -> Vec<u8> {
    let ExecutePlan { plan_id, plan_hash, reason } = arguments;
    let call = json!(["tools/call", "execute_plan", caller.actor.name, plan_id, plan_hash, reason]);
    Sha256::digest(call.to_string().as_bytes()).to_vec()
}

/// Tells a client what to ask, and gives it what it must bring back.
pub(super) fn ask(
    caller: &Caller<'_>,
    arguments: &ExecutePlan,
    plan: &Plan,
) -> Result<InputRequiredResult, Problem> {
    let form = InputRequest::Elicitation(ElicitRequest::new(form(plan, &arguments.reason)?));
    let bound = bound(caller, arguments);
    let options = SealOptions::new().associated_data(&bound).ttl(CARRIED);
    let sealed = caller.shared.seal.seal_json_with(&plan.hash(), &options);
    let sealed = sealed
        .map_err(|error| Problem::new(500, "seal", "The question cannot be sealed", error.to_string()))?;
    Ok(InputRequiredResult::new(Some(BTreeMap::from([(FORM.to_owned(), form)])), Some(sealed)))
}

/// What a client brought back: the answer to the question about this plan, and to no other. That it is used once is held
/// by the plan, which is carried out once or discarded.
pub(super) fn brought(
    caller: &Caller<'_>,
    arguments: &ExecutePlan,
    plan: &Plan,
    sealed: &str,
    responses: Option<&InputResponses>,
) -> Result<Said, Problem> {
    let bound = bound(caller, arguments);
    let opened: Result<String, _> = caller.shared.seal.open_json_with(sealed, &bound);
    if opened.ok().is_none_or(|hash| hash != plan.hash()) {
        return Err(Problem::new(
            409,
            "confirmation",
            "Not the confirmation of this plan",
            "the confirmation is too old, or was given for another call",
        )
        .fix("call execute_plan again without it"));
    }
    let answer = responses.and_then(|responses| responses.get(FORM)).cloned().unwrap_or_default();
    Ok(serde_json::from_value::<ElicitResult>(answer).map_or(Said::Declined, |answer| said(&answer)))
}

/// Asks while the call waits.
pub(super) async fn wait(
    context: &RequestContext<RoleServer>,
    plan: &Plan,
    reason: &str,
) -> Result<Said, Problem> {
    let asked = context.peer.create_elicitation_with_timeout(form(plan, reason)?, Some(PATIENCE)).await;
    // No answer is none: nothing is ever let through because nobody answered.
    Ok(asked.map_or(Said::Declined, |answer| said(&answer)))
}

fn said(answer: &ElicitResult) -> Said {
    let typed = answer.content.as_ref().and_then(|content| content.get(FIELD)).and_then(Value::as_str);
    match (&answer.action, typed) {
        (ElicitationAction::Accept, Some(typed)) => Said::Typed(typed.to_owned()),
        _ => Said::Declined,
    }
}
