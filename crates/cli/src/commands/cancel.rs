//! `tidegate cancel command`.

use super::{Context, show};
use crate::failure::Failure;
use crate::lowargs::CancelArgs;
use crate::sanitise;

pub(super) async fn run(context: &Context, args: &CancelArgs) -> Result<(), Failure> {
    // An id is one word of a path; anything else would be another call.
    if args.id.is_empty() || !args.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(Failure::Argument(format!("{:?} is no id of a command", args.id)));
    }
    let command = context.client.cancel_command(&args.id).await?;
    show(&command, args.output, || {
        Ok(format!("command {} {}\n", sanitise::line(&command.id), sanitise::line(&command.state)))
    })
}
