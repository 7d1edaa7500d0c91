//! Which values of a config are secret, by the names of their keys.

use tidegate_fluent::Value;

use super::{Source, render};

/// Parts of keys whose values are secret.
const PARTS: [&str; 12] = [
    "passw",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "apikey",
    "access_key",
    "shared_key",
    "license_key",
    "private_key",
    "credential",
    "connection_string",
];

/// Keys of headers: all but the name may be secret, word by word.
const HEADERS: [&str; 3] = ["header", "headers", "add_header"];

/// The secret values of a config and of what it includes, the longest first, so that none hides a part of another.
pub(super) fn secrets(source: &Source) -> Vec<String> {
    let (config, _) = render::read(source);
    let mut found = Vec::new();
    for entry in config.plugins().iter().flat_map(|plugin| &plugin.properties) {
        walk(&entry.key, &entry.value, &mut found);
    }
    for entry in config.service().entries() {
        walk(&entry.key, &entry.value, &mut found);
    }
    for variable in config.variables() {
        walk(&variable.name, &Value::Text(variable.value.clone()), &mut found);
    }
    found.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    found.dedup();
    found
}

fn walk(key: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::List(values) => values.iter().for_each(|value| walk(key, value, found)),
        Value::Map(pairs) => pairs.iter().for_each(|(key, value)| walk(key, value, found)),
        Value::Text(text) => {
            let key = key.to_ascii_lowercase();
            // A file is named there, and no secret told.
            let names_file = key.ends_with("_file") || key.ends_with(".file");
            if HEADERS.contains(&key.as_str()) {
                let words =
                    text.split_whitespace().skip(1).filter(|word| !matches!(*word, "Bearer" | "Basic"));
                found.extend(words.map(ToOwned::to_owned));
            } else if !names_file && PARTS.iter().any(|part| key.contains(part)) {
                found.push(text.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_config_when_read_then_what_is_secret_in_it_is_known_and_what_is_not_stays() {
        let text = "env:\n  DB_PASSWORD: env-pass\npipeline:\n  inputs:\n    - name: dummy\n      tag: plain-tag\n  outputs:\n    \
                    - name: http\n      http_user: someone\n      HTTP_Passwd: out-pass\n      tls.key_passwd: key-pass\n      \
                    header:\n        - Authorization Bearer abc.def\n        - X-Site north\n      bearer_token_file: /run/token\n";
        let source = Source { path: "/x/main.yaml".into(), text: text.into() };
        let mut found = secrets(&source);
        found.sort();
        assert_eq!(found, ["abc.def", "env-pass", "key-pass", "north", "out-pass"]);
    }
}
