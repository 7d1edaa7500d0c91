//! `tidegate mcp …`: assistants.

mod clients;
mod doctor;
mod edit;
mod install;
mod message;
mod serve;

use crate::failure::Failure;
use crate::lowargs::{GlobalArgs, McpVerb};
use crate::output::Talk;
use crate::settings::{Environment, Settings};

pub(super) async fn run(
    verb: &McpVerb,
    global: &GlobalArgs,
    environment: &Environment,
    talk: &Talk,
) -> Result<(), Failure> {
    match verb {
        McpVerb::Install(args) => install::run(args, global, environment, talk),
        McpVerb::Serve(args) => {
            serve::run(Settings::resolve(global, environment)?.client()?, args.mode).await
        }
        McpVerb::Doctor => doctor::run(global, environment).await,
    }
}
