//! The config that the agent runs, as shown to the server (decision D6).

use std::collections::BTreeMap;

use bytes::Bytes;
use tidegate_opamp::{AgentConfigMap, AgentConfigObject, EffectiveConfig};

/// The name under which the file that the agent really loads is shown.
pub const RENDERED_NAME: &str = "tidegate/rendered";

/// A config file as it is shown: under the name that it was offered with, or its own name on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownFile {
    /// Its name.
    pub name: String,
    /// Its content.
    pub body: Bytes,
    /// Its media type.
    pub content_type: String,
    /// Its role, as offered.
    pub role: String,
}

/// The report of what runs: the files under their own names and the rendered main file.
#[must_use]
pub fn effective_config(files: &[ShownFile], rendered: &str, content_type: &str) -> EffectiveConfig {
    let main = ShownFile {
        name: RENDERED_NAME.to_owned(),
        body: Bytes::copy_from_slice(rendered.as_bytes()),
        content_type: content_type.to_owned(),
        role: String::new(),
    };
    let config_map: BTreeMap<_, _> = files
        .iter()
        .chain([&main])
        .map(|file| {
            let object = AgentConfigObject {
                body: redact(&file.body),
                content_type: file.content_type.clone(),
                role: file.role.clone(),
                ..AgentConfigObject::default()
            };
            (file.name.clone(), object)
        })
        .collect();
    let map = AgentConfigMap { config_map, ..AgentConfigMap::default() };
    EffectiveConfig { config_map: Some(map), ..EffectiveConfig::default() }
}

/// The one place through which each config passes before it is reported: secrets are to be taken out here
/// (OpAMP C085). It takes out nothing yet.
#[must_use]
pub fn redact(body: &Bytes) -> Bytes {
    body.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C084: names, media types and roles are kept.
    #[test]
    fn given_files_when_reported_then_each_keeps_its_name_and_the_rendered_one_joins() {
        let file = ShownFile {
            name: String::new(),
            body: Bytes::from_static(b"a"),
            content_type: "text/yaml".into(),
            role: "main".into(),
        };
        let map = effective_config(&[file], "b", "text/plain").config_map.unwrap().config_map;
        assert_eq!(map.keys().collect::<Vec<_>>(), ["", RENDERED_NAME]);
        assert_eq!((&map[""].body[..], map[""].role.as_str()), (&b"a"[..], "main"));
        assert_eq!(&map[RENDERED_NAME].body[..], b"b");
        assert_eq!([&map[""].content_type, &map[RENDERED_NAME].content_type], ["text/yaml", "text/plain"]);
    }
}
