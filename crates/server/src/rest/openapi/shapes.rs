//! What a schema says beyond the type: forms and ranges that the server holds callers to.

use serde_json::{Map, Value, json};
use tidegate_fleet::CommandState;
use tidegate_fleet::agent::Labels;
use tidegate_fleet::agent::axes::Attention;

/// The schema of a parameter: equal names mean the same everywhere.
pub(super) fn parameter(name: &str, kind: &str) -> Value {
    match name {
        "uid" | "agent" | "Idempotency-Key" => json!({"type": "string", "format": "uuid"}),
        "limit" => json!({"type": "integer", "minimum": 1, "maximum": 500}),
        "hash" => json!({"type": "string", "pattern": "^[0-9a-fA-F]{64}$"}),
        "from" | "to" => json!({"type": "string", "format": "date-time"}),
        "since" => json!({"type": "integer", "minimum": 0}),
        "dry_run" => json!({"type": "string", "enum": ["all"]}),
        "state" => json!({"type": "string", "enum": CommandState::ALL.map(CommandState::as_str)}),
        // Of a rule for connection settings.
        "name" => json!({"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}),
        _ => json!({"type": kind}),
    }
}

/// Schemas that no type of ours has.
pub(super) fn extend(schemas: &mut Map<String, Value>) {
    let text = || json!({"type": "string"});
    let or_null = || json!({"type": ["string", "null"]});
    let key = format!("^[a-z0-9]([a-z0-9_./-]{{0,{}}}[a-z0-9])?$", Labels::MAX_KEY_BYTES - 2);
    let value = format!("^[A-Za-z0-9_./:@-]{{0,{}}}$", Labels::MAX_VALUE_BYTES);
    let labels = |mut one: Value| {
        one["pattern"] = json!(value);
        json!({"type": "object", "propertyNames": {"pattern": key}, "additionalProperties": one})
    };
    schemas.insert("Labels".into(), labels(text()));
    schemas.insert("LabelPatch".into(), labels(or_null()));
    let search = json!({
        "type": "object",
        "additionalProperties": false,
        "description": "What a list asks; each as the parameter of its name.",
        "properties": {
            "q": text(),
            "cursor": or_null(),
            "limit": {"type": ["integer", "null"], "minimum": 1, "maximum": 500},
            "sort": text(),
            "fields": text(),
            "facets": text(),
        },
    });
    schemas.insert("AgentSearch".into(), search);
}

/// Says what the types cannot.
pub(super) fn refine(schemas: &mut Map<String, Value>) {
    // A rule as it stands is one as it is written and more: nothing could be both, were the first closed.
    if let Some(mut content) = schemas.get("SettingsRequest").cloned() {
        content.as_object_mut().and_then(|members| members.remove("additionalProperties"));
        schemas.insert("SettingsContent".into(), content);
    }
    if let Some(part) = schemas.get_mut("SettingsRule").and_then(|rule| rule.pointer_mut("/allOf/0/$ref")) {
        *part = json!("#/components/schemas/SettingsContent");
    }
    // Who acts on agents names them: an empty query is none.
    for name in ["BulkRequest", "PushRequest"] {
        if let Some(query) = schemas.get_mut(name).and_then(|one| one.pointer_mut("/properties/q")) {
            query["pattern"] = json!("\\S");
        }
    }
    if let Some(files) = schemas.get_mut("PushRequest").and_then(|one| one.pointer_mut("/properties/files")) {
        files["minItems"] = json!(1);
    }
    if let Some(level) =
        schemas.get_mut("AttentionSentence").and_then(|one| one.pointer_mut("/properties/level"))
    {
        let calling = [Attention::Act, Attention::Watch].map(Attention::as_str);
        level["enum"] = json!(calling);
    }
    let states = ["waiting", "under-way", "done", "stale", "expired", "discarded"];
    if let Some(state) = schemas.get_mut("Plan").and_then(|one| one.pointer_mut("/properties/state")) {
        state["enum"] = json!(states);
    }
    // Each kind of act takes its own fields and no other.
    for name in ["BulkAction", "CommandRequest"] {
        let kinds = schemas.get_mut(name).and_then(|one| one["oneOf"].as_array_mut());
        for kind in kinds.into_iter().flatten() {
            kind["additionalProperties"] = json!(false);
            if let Some(deadline) = kind.pointer_mut("/properties/deadline_seconds") {
                deadline["minimum"] = json!(1);
                deadline["maximum"] = json!(crate::control::MAX_DEADLINE.as_secs());
            }
            for (field, least) in [("capability", 1), ("type", 0)] {
                if let Some(text) = kind["properties"].get_mut(field) {
                    text["minLength"] = json!(least);
                    text["maxLength"] = json!(256);
                }
            }
            if let Some(labels) = kind.pointer_mut("/properties/labels") {
                *labels = json!({"$ref": "#/components/schemas/LabelPatch"});
            }
        }
    }
}
