//! Settings from the environment: `TIDEGATE_SUPERVISOR_` and the flag's name. Lists are separated by commas.

use super::written::{Key, Layer};

/// Before every variable.
const PREFIX: &str = "TIDEGATE_SUPERVISOR_";

/// The variable of a flag.
pub(super) fn variable(flag: &str) -> String {
    format!("{PREFIX}{}", flag.to_ascii_uppercase().replace('-', "_"))
}

/// What the environment says; an empty variable says nothing.
pub(super) fn layer(lookup: &dyn Fn(&str) -> Option<String>) -> Layer {
    let mut layer = Layer::default();
    for (key, flag) in Key::FLAGS {
        let variable = variable(flag);
        let Some(value) = lookup(&variable).filter(|value| !value.trim().is_empty()) else { continue };
        if key.is_list() {
            for part in value.split(',').map(str::trim).filter(|part| !part.is_empty()) {
                layer.put_text(key, part, &variable);
            }
        } else {
            layer.put_text(key, value.trim(), &variable);
        }
    }
    layer
}
