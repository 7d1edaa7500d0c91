//! Plans.

use reqwest::Method;

use super::{Client, ClientError};
use crate::{Operation, Plan, PlanExecution};

impl Client {
    /// A plan as it is now.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn plan(&self, id: &str) -> Result<Plan, ClientError> {
        self.call(self.request(Method::GET, &format!("/plans/{id}"))).await
    }

    /// Carries a plan out that a person confirmed.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn execute_plan(
        &self,
        id: &str,
        execution: &PlanExecution,
        dry_run: bool,
    ) -> Result<Operation, ClientError> {
        let query = if dry_run { "?dry_run=all" } else { "" };
        self.call(self.act(&format!("/plans/{id}/actions/execute{query}")).json(execution)).await
    }

    /// Discards a plan; as it was.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn discard_plan(&self, id: &str) -> Result<Plan, ClientError> {
        self.call(self.act(&format!("/plans/{id}/actions/discard"))).await
    }
}
