//! `tidegate login-link`.

use serde::Serialize;

use super::{Context, show};
use crate::failure::Failure;
use crate::lowargs::LoginLinkArgs;
use crate::sanitise;

#[derive(Serialize)]
struct Told<'a> {
    url: &'a str,
    expires_at: String,
}

pub(super) async fn run(context: &Context, args: &LoginLinkArgs) -> Result<(), Failure> {
    let (url, link) = context.client.login_link().await?;
    let told = Told { url: &url, expires_at: link.expires_at.to_string() };
    show(&told, args.output, || Ok(format!("{}\n", sanitise::line(&url))))
}
