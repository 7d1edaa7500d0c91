//! Secrets in configs.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tidegate_fluent::redact::{Key, redact, secrets};

/// The text with each secret replaced by `X`.
fn shown(text: &str) -> String {
    let key = Key::new(b"k");
    let mut shown = redact(text, &key);
    for secret in secrets(text) {
        shown = shown.replace(&key.mark(secret), "X");
    }
    shown
}

/// C085: every property of Fluent Bit 5.1.1 that holds a secret is known by its name, and no other is taken for one.
#[test]
fn given_every_property_of_fluent_bit_when_redacted_then_those_that_hold_secrets_are_and_no_others() {
    let names = include_str!("../data/properties-5.1.1.txt").lines();
    let found: BTreeSet<&str> = names
        .filter(|name| shown(&format!("    {name}   s3cr3t-value")) == format!("    {name}   X"))
        .collect();
    let expected = [
        "api_key",
        "apikey",
        "auth_token",
        "authorization_endpoint_bearer_token",
        "authorization_endpoint_password",
        "bearer_token",
        "client_secret",
        "cloud_auth",
        "configuration_endpoint_bearer_token",
        "configuration_endpoint_password",
        "http_api_key",
        "http_passwd",
        "http_token",
        "license_key",
        "nightfall_api_key",
        "oauth2.client_secret",
        "password",
        "sas_token",
        "security.users",
        "shared_key",
        "splunk_token",
        "tls.key_passwd",
    ];
    assert_eq!(found, expected.into_iter().collect());
}

/// C085: in every place where a config can hold one.
#[test]
fn given_secrets_wherever_they_can_stand_when_redacted_then_each_is_gone_and_the_rest_is_as_it_was() {
    for (text, expected) in [
        (
            "[OUTPUT]\n    Name http\n    HTTP_Passwd  a b #c\n",
            "[OUTPUT]\n    Name http\n    HTTP_Passwd  X\n",
        ),
        (
            "    - name: http\n      http_passwd: abc # why\n      tls: on\n",
            "    - name: http\n      http_passwd: X # why\n      tls: on\n",
        ),
        ("  - http_passwd: 'it''s' # x\n    tls: on\n", "  - http_passwd: 'X' # x\n    tls: on\n"),
        ("password: \"a\\\"b\"\n", "password: \"X\"\n"),
        ("\"password\": \"abc\",\n", "\"password\": \"X\",\n"),
        ("# shared_key abc\n  next: 1\n", "# shared_key X\n  next: 1\n"),
        ("  # - passwd: abc\n      deeper: 1\n", "  # - passwd: X\n      deeper: 1\n"),
        ("token: |\n  one\n  two\nname: x\n", "token: |\n  X\n  X\nname: x\n"),
        ("token:\n  abc\nname: x\n", "token:\n  X\nname: x\n"),
        ("token: abc\n  def\nname: x\n", "token: X\n  X\nname: x\n"),
        ("token: \"abc\n  def\"\nname: x\n", "token: \"X\n  X\"\nname: x\n"),
        ("security.users:\n- bob abc\n- eve def\nname: x\n", "security.users:\n- X\n- X\nname: x\n"),
        ("- {name: http, passwd: abc, port: 1}\n", "- {name: http, passwd: X, port: 1}\n"),
        ("- {passwd: abc, port: 1}\n- b: 1\n", "- {passwd: X, port: 1}\n- b: 1\n"),
        ("  header Authorization Bearer abc.def\n", "  header Authorization X\n"),
        ("  header: Authorization Basic abc\n", "  header: Authorization X\n"),
        ("  header: [\"X-Api-Key abc\", \"X-Scope a\"]\n", "  header: [\"X-Api-Key X\"]\n"),
        (
            "  header:\n    - X-Api-Key abc\n    - X-Scope-OrgID t1\n",
            "  header:\n    - X-Api-Key X\n    - X-Scope-OrgID t1\n",
        ),
        ("  url: https://bob:abc@h/p\n", "  url: https://bob:X@h/p\n"),
        ("  proxy http://tok3n@h:1\n", "  proxy http://X@h:1\n"),
        ("  uri /v1?api_key=abc&x=1\n", "  uri /v1?api_key=X&x=1\n"),
        ("  c: Endpoint=sb://h/;SharedAccessKey=abc;x=1\n", "  c: Endpoint=sb://h/;SharedAccessKey=X;x=1\n"),
        ("env:\n  DB_PASSWORD: abc\n  HOST: h\n", "env:\n  DB_PASSWORD: X\n  HOST: h\n"),
        ("@SET my_token=abc\n@SET host=h\n", "@SET my_token=X\n@SET host=h\n"),
        ("    Record api_key abc\n    Record host h\n", "    Record api_key X\n    Record host h\n"),
        (
            "    rdkafka.sasl.password abc\r\n    rdkafka.x y\r\n",
            "    rdkafka.sasl.password X\r\n    rdkafka.x y\r\n",
        ),
        ("local token = \"abc\"\n", "local token = \"X\"\n"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

/// C085: what is no secret is shown.
#[test]
fn given_names_references_and_switches_when_redacted_then_they_stay() {
    for text in [
        "  http_passwd ${PASSWORD}\n",
        "  http_passwd: \"${PASSWORD}\"\n",
        "  header Authorization Bearer ${TOKEN}\n",
        "  - Authorization Bearer ${TOKEN}\n",
        "env:\n  TOKEN: file:///run/secrets/token\n",
        "  empty_shared_key: true\n",
        "  splunk_token_key: hec_token\n",
        "  kube_token_file /var/run/token\n",
        "  google_service_credentials /etc/key.json\n",
        "[PARSER]\n    Name token\n    Format regex\n    Regex ^(?<token>[^ ]*) (?<password>.*)$\n    Time_Key time\n",
        "pipeline:\n  filters:\n    - name: modify\n      remove: password\n      match: secret.*\n",
        "key: token\nname: passwd\n",
        "token:\n",
        "",
    ] {
        assert_eq!(redact(text, &Key::new(b"k")), text);
    }
}

#[test]
fn given_a_secret_when_it_or_the_key_changes_then_so_does_the_mark_and_quotes_change_nothing() {
    let marked = |text: &str, key: &[u8]| redact(text, &Key::new(key));
    let first = marked("passwd: abc", b"1");
    assert_eq!(marked("passwd: abc", b"1"), first);
    assert_ne!(marked("passwd: abd", b"1"), first);
    assert_ne!(marked("passwd: abc", b"2"), first);
    assert_eq!(marked("passwd: \"abc\"", b"1").replace('"', ""), first);
    assert_eq!(first.len(), "passwd: redacted-".len() + 16);
}

proptest! {
    /// Whatever a text is: nothing breaks, and lines without secrets stay.
    #[test]
    fn given_any_text_when_redacted_then_nothing_breaks(text in "([a-z_]{0,8}[ :=\\-#{\\[\"'|>]{0,3}(passwd|token|header|é)?[ :=]{0,2}[a-zé\"'{}$ ]{0,9}\n?){0,12}") {
        let key = Key::new(b"k");
        let found: Vec<_> = secrets(&text).map(str::to_owned).collect();
        let redacted = redact(&text, &key);
        prop_assert_eq!(found.is_empty(), redacted == text);
        prop_assert_eq!(redacted.lines().count(), text.lines().count());
    }
}
