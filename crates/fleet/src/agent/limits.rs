//! How much an agent may make the server keep (decision D9).

use tidegate_opamp::{AgentToServer, AnyValue, ComponentDetails, ComponentHealth, KeyValue, Message, Value};

/// Bounds on one report. A report beyond them is refused whole with BAD_REQUEST, so that nothing is kept by half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Attributes of a description, both lists together.
    pub attributes: usize,
    /// Bytes of one attribute's name and value together.
    pub attribute_bytes: usize,
    /// Components of a health tree, all levels together.
    pub components: usize,
    /// Bytes of one text of a health tree.
    pub text_bytes: usize,
    /// Files of an effective config.
    pub config_files: usize,
    /// Bytes of an effective config, all files together.
    pub config_bytes: usize,
    /// Custom capabilities.
    pub custom_capabilities: usize,
    /// Bytes of a custom message's payload.
    pub custom_message_bytes: usize,
    /// Entries of the lists of packages and available components, all levels together.
    pub entries: usize,
    /// Bytes of any one part but the effective config, encoded, with all that this version does not name.
    pub part_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attributes: 256,
            attribute_bytes: 8 * 1024,
            components: 2_000,
            text_bytes: 16 * 1024,
            config_files: 64,
            config_bytes: 8 * 1024 * 1024,
            custom_capabilities: 128,
            custom_message_bytes: 1024 * 1024,
            entries: 4_000,
            part_bytes: 2 * 1024 * 1024,
        }
    }
}

/// A report is larger than it may be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {found}, at most {limit} are taken")]
pub struct LimitExceeded {
    /// What is too much, as the start of a sentence.
    pub what: &'static str,
    /// How much there is; for trees, where counting stopped.
    pub found: usize,
    /// How much may be.
    pub limit: usize,
}

fn check(what: &'static str, found: usize, limit: usize) -> Result<(), LimitExceeded> {
    if found > limit { Err(LimitExceeded { what, found, limit }) } else { Ok(()) }
}

impl Limits {
    /// Checks a report before any of it is kept.
    ///
    /// # Errors
    /// [`LimitExceeded`], naming the first bound that is broken.
    pub fn check(&self, message: &AgentToServer) -> Result<(), LimitExceeded> {
        self.sizes(message)?;
        if let Some(description) = &message.agent_description {
            let all =
                description.identifying_attributes.iter().chain(&description.non_identifying_attributes);
            check("agent_description: attributes number", all.clone().count(), self.attributes)?;
            all.clone().try_for_each(|pair| self.attribute(pair))?;
        }
        if let Some(health) = &message.health {
            self.health(health, &mut 0)?;
        }
        if let Some(config) = message.effective_config.as_ref().and_then(|c| c.config_map.as_ref()) {
            check("effective_config: files number", config.config_map.len(), self.config_files)?;
            let bytes = config.config_map.iter().map(|(name, file)| name.len() + file.body.len()).sum();
            check("effective_config: bytes number", bytes, self.config_bytes)?;
        }
        if let Some(status) = &message.remote_config_status {
            check(
                "remote_config_status: bytes of error_message number",
                status.error_message.len(),
                self.text_bytes,
            )?;
            check(
                "remote_config_status: bytes of the hash number",
                status.last_remote_config_hash.len(),
                256,
            )?;
        }
        if let Some(custom) = &message.custom_capabilities {
            check("custom_capabilities: names number", custom.capabilities.len(), self.custom_capabilities)?;
            custom
                .capabilities
                .iter()
                .try_for_each(|name| check("custom_capabilities: bytes of a name number", name.len(), 512))?;
        }
        if let Some(custom) = &message.custom_message {
            check("custom_message: bytes of data number", custom.data.len(), self.custom_message_bytes)?;
            check(
                "custom_message: bytes of its names number",
                custom.capability.len() + custom.kind.len(),
                1024,
            )?;
        }
        if let Some(packages) = &message.package_statuses {
            check("package_statuses: packages number", packages.packages.len(), self.entries)?;
        }
        if let Some(components) = &message.available_components {
            self.details(components.components.values(), &mut 0)?;
        }
        Ok(())
    }

    /// The size of each part whole: it holds what is not counted by itself, unknown fields among it.
    fn sizes(&self, message: &AgentToServer) -> Result<(), LimitExceeded> {
        fn size<M: Message>(part: Option<&M>) -> usize {
            part.map_or(0, Message::encoded_len)
        }
        for (what, found) in [
            ("agent_description: bytes number", size(message.agent_description.as_ref())),
            ("health: bytes number", size(message.health.as_ref())),
            ("remote_config_status: bytes number", size(message.remote_config_status.as_ref())),
            ("package_statuses: bytes number", size(message.package_statuses.as_ref())),
            ("custom_capabilities: bytes number", size(message.custom_capabilities.as_ref())),
            ("available_components: bytes number", size(message.available_components.as_ref())),
            ("connection_settings_status: bytes number", size(message.connection_settings_status.as_ref())),
        ] {
            check(what, found, self.part_bytes)?;
        }
        let effective = size(message.effective_config.as_ref());
        check("effective_config: bytes number", effective, self.config_bytes + self.part_bytes)
    }

    fn attribute(&self, pair: &KeyValue) -> Result<(), LimitExceeded> {
        let bytes = pair.key.len() + pair.value.as_ref().map_or(0, value_bytes);
        check("agent_description: bytes of an attribute number", bytes, self.attribute_bytes)
    }

    fn health(&self, health: &ComponentHealth, seen: &mut usize) -> Result<(), LimitExceeded> {
        *seen += 1;
        check("health: components number", *seen, self.components)?;
        check("health: bytes of last_error number", health.last_error.len(), self.text_bytes)?;
        check("health: bytes of status number", health.status.len(), self.text_bytes)?;
        check("health: attributes number", health.attributes.len(), self.attributes)?;
        health.attributes.iter().try_for_each(|pair| self.attribute(pair))?;
        for (name, component) in &health.component_health_map {
            check("health: bytes of a component's name number", name.len(), 1024)?;
            self.health(component, seen)?;
        }
        Ok(())
    }

    fn details<'a>(
        &self,
        entries: impl Iterator<Item = &'a ComponentDetails>,
        seen: &mut usize,
    ) -> Result<(), LimitExceeded> {
        for entry in entries {
            *seen += 1;
            check("available_components: entries number", *seen, self.entries)?;
            self.details(entry.sub_component_map.values(), seen)?;
        }
        Ok(())
    }
}

fn value_bytes(value: &AnyValue) -> usize {
    match &value.value {
        None => 0,
        Some(Value::String(text)) => text.len(),
        Some(Value::Bytes(bytes)) => bytes.len(),
        Some(Value::Bool(_) | Value::Int(_) | Value::Double(_)) => 8,
        Some(Value::Array(list)) => 8 + list.values.iter().map(|value| 8 + value_bytes(value)).sum::<usize>(),
        Some(Value::Kvlist(map)) => {
            8 + map
                .values
                .iter()
                .map(|pair| pair.key.len() + pair.value.as_ref().map_or(0, value_bytes))
                .sum::<usize>()
        }
    }
}
