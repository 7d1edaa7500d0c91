//! Which names say that what stands behind them is a secret: those of Fluent Bit's plugins (every property of 5.1.1 was
//! looked at), and what people call their environment variables and headers.

/// Words that make a name a secret's, wherever they stand in it.
const ALWAYS: [&str; 9] = [
    "passwd",
    "password",
    "passphrase",
    "pwd",
    "secret",
    "secrets",
    "apikey",
    "credentials",
    "authorization",
];

/// Words that make it one as the last.
const LAST: [&str; 6] = ["token", "tokens", "pass", "credential", "cookie", "pem"];

/// What makes a `key` at the end the secret that opens something, not the name of a field of a record.
const BEFORE_KEY: [&str; 14] = [
    "api",
    "access",
    "shared",
    "private",
    "license",
    "account",
    "secret",
    "auth",
    "encryption",
    "signing",
    "storage",
    "primary",
    "secondary",
    "master",
];

/// Names that are secrets by themselves.
const WHOLE: [&str; 5] = ["cloud_auth", "basic_auth", "security.users", "connection_string", "dsn"];

/// What a secret is named for and not itself: a file, a time, a format, the key of a record.
const NOT_LAST: [&str; 16] = [
    "file", "path", "dir", "url", "uri", "endpoint", "ttl", "command", "format", "length", "id", "type",
    "name", "key", "username", "header",
];

/// Names that look like a secret's and are none.
const NEVER: [&str; 3] = ["empty_shared_key", "google_service_credentials", "google_application_credentials"];

/// Whether a property, variable or parameter of this name holds a secret.
pub(super) fn is_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    if NEVER.contains(&lower.as_str()) {
        return false;
    }
    if WHOLE.contains(&lower.as_str()) {
        return true;
    }
    let words = words(name);
    let Some((last, before)) = words.split_last() else { return false };
    let last = last.as_str();
    let opens = last == "key" && before.last().is_some_and(|word| BEFORE_KEY.contains(&word.as_str()));
    if opens || LAST.contains(&last) || joined_key(last) {
        return true;
    }
    if words.len() >= 2 && last == "string" && before.last().is_some_and(|word| word == "connection") {
        return true;
    }
    !NOT_LAST.contains(&last) && words.iter().any(|word| ALWAYS.contains(&word.as_str()))
}

/// Such as `accesskey`.
fn joined_key(word: &str) -> bool {
    word.strip_suffix("key").is_some_and(|opens| BEFORE_KEY.contains(&opens))
}

/// Whether a header of this name carries one.
pub(super) fn is_secret_header(name: &str) -> bool {
    let words = words(name);
    let telling =
        ["authorization", "auth", "cookie", "token", "key", "secret", "signature", "password", "apikey"];
    words.iter().any(|word| telling.contains(&word.as_str()))
}

/// The words of a name in small letters: parted by what is no letter or digit, and before a capital in `camelCase`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_is_small = false;
    for letter in name.chars() {
        let starts = !letter.is_ascii_alphanumeric() || (before_is_small && letter.is_ascii_uppercase());
        if starts {
            words.push(String::new());
        }
        if letter.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(letter.to_ascii_lowercase());
        }
        before_is_small = letter.is_ascii_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}
