//! `tidegate cancel command` and `tidegate cancel operation`.

use super::confirm::agents;
use super::{Context, show};
use crate::failure::Failure;
use crate::lowargs::CancelArgs;
use crate::sanitise;

pub(super) async fn command(context: &Context, args: &CancelArgs) -> Result<(), Failure> {
    let command = context.client.cancel_command(id(&args.id, "a command")?).await?;
    show(&command, args.output, || {
        Ok(format!("command {} {}\n", sanitise::line(&command.id), sanitise::line(&command.state)))
    })
}

pub(super) async fn operation(context: &Context, args: &CancelArgs) -> Result<(), Failure> {
    let operation = context.client.cancel_operation(id(&args.id, "an operation")?).await?;
    show(&operation, args.output, || {
        let cancelled = operation.targets.iter().filter(|target| target.outcome == "cancelled").count();
        let cancelled = agents(u64::try_from(cancelled).unwrap_or(u64::MAX));
        Ok(format!("operation {}: cancelled for {cancelled}\n", sanitise::line(&operation.id)))
    })
}

/// An id is one word of a path; anything else would be another call.
pub(super) fn id<'a>(id: &'a str, what: &str) -> Result<&'a str, Failure> {
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
        return Err(Failure::Argument(format!("{id:?} is no id of {what}")));
    }
    Ok(id)
}
