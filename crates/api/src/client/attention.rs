//! What in the fleet calls for a person.

use reqwest::Method;

use super::{Client, ClientError};
use crate::FleetAttention;

impl Client {
    /// What calls for a person among the agents that match a query, the gravest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn attention(&self, q: &str) -> Result<FleetAttention, ClientError> {
        self.call(self.request(Method::GET, "/fleet/attention").query(&[("q", q)])).await
    }
}
