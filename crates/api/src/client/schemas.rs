//! Schemas of plugins.

use reqwest::Method;

use super::{Client, ClientError, DEADLINE};
use crate::{List, PluginSchema};

impl Client {
    /// Every schema of plugins that the server has.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn schemas(&self) -> Result<List<PluginSchema>, ClientError> {
        self.call(self.request(Method::GET, "/schemas")).await
    }

    /// The document of a schema, as the agent's binary printed it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn schema(&self, hash: &str) -> Result<Vec<u8>, ClientError> {
        let request = self.request(Method::GET, &format!("/schemas/{hash}"));
        let response = self.send(request.timeout(DEADLINE)).await?;
        self.body(response).await
    }
}
