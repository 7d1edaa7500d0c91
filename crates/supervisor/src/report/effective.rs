//! The config that the agent runs, as shown to the server (decision D6).

use std::collections::BTreeMap;

use bytes::Bytes;
use tidegate_fluent::redact::{self, Key};
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

/// The report of what runs: the files under their own names and the rendered main file, each secret in them replaced by
/// its mark under `key`; `None` shows them as they are.
#[must_use]
pub fn effective_config(
    files: &[ShownFile],
    rendered: &str,
    content_type: &str,
    key: Option<&Key>,
) -> EffectiveConfig {
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
                body: redact(&file.body, key),
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

/// The one place through which each config passes before it is reported: secrets are taken out here (OpAMP C085).
#[must_use]
fn redact(body: &Bytes, key: Option<&Key>) -> Bytes {
    match (key, std::str::from_utf8(body)) {
        (Some(key), Ok(text)) => redact::redact(text, key).into(),
        // What is no text is no config that Fluent Bit reads.
        _ => body.clone(),
    }
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
        let map = effective_config(&[file], "b", "text/plain", None).config_map.unwrap().config_map;
        assert_eq!(map.keys().collect::<Vec<_>>(), ["", RENDERED_NAME]);
        assert_eq!((&map[""].body[..], map[""].role.as_str()), (&b"a"[..], "main"));
        assert_eq!(&map[RENDERED_NAME].body[..], b"b");
        assert_eq!([&map[""].content_type, &map[RENDERED_NAME].content_type], ["text/yaml", "text/plain"]);
    }

    /// C085: no secret is reported, and equal ones can be told from others.
    #[test]
    fn given_secrets_when_reported_then_marks_stand_in_their_places_unless_the_host_wants_them_shown() {
        let file = ShownFile {
            name: "a.conf".into(),
            body: Bytes::from_static(b"[OUTPUT]\n    http_passwd s3cr3t\n"),
            content_type: String::new(),
            role: String::new(),
        };
        let rendered = "outputs:\n  - http_passwd: s3cr3t\n";
        let shown = |key: Option<&Key>| {
            let map = effective_config(std::slice::from_ref(&file), rendered, "", key).config_map.unwrap();
            let text = |name| String::from_utf8(map.config_map[name].body.to_vec()).unwrap();
            (text("a.conf"), text(RENDERED_NAME))
        };
        let key = Key::new(b"1");
        let (own, main) = shown(Some(&key));
        let mark = key.mark("s3cr3t");
        assert_eq!(own, format!("[OUTPUT]\n    http_passwd {mark}\n"));
        assert_eq!(main, format!("outputs:\n  - http_passwd: {mark}\n"));
        assert!(shown(None).0.contains("s3cr3t") && shown(None).1.contains("s3cr3t"));
    }
}
