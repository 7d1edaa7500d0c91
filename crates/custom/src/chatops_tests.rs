use serde_json::json;

use super::*;
use crate::{CHATOPS, MAX_DATA_BYTES};

fn data(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

fn value(message: &CustomMessage) -> Value {
    serde_json::from_slice(&message.data).unwrap()
}

#[test]
fn given_attributes_in_every_form_when_parsed_then_an_object_comes_out() {
    let cases = [
        (json!({"attributes": {"a": 1}}), json!({"a": 1})),
        (json!({"attributes": "{\"a\": 1}"}), json!({"a": 1})),
        (json!({"attributes": "not json"}), json!({})),
        (json!({"attributes": "[1]"}), json!({})),
        (json!({"attributes": [1]}), json!({})),
        (json!({"attributes": null}), json!({})),
        (json!({}), json!({})),
    ];
    for (payload, expected) in cases {
        let request = Request::parse(&data(&payload)).unwrap();
        assert_eq!(Value::Object(request.attributes), expected, "{payload}");
    }
}

#[test]
fn given_a_peers_request_when_parsed_and_written_then_nothing_is_lost() {
    let payload = json!({
        "classifier": "custom", "action": "chatopcommand", "tag": "cleanup", "attributes": {"who": "ana"},
        "user": "ana", "channel": {"id": 7}
    });
    let request = Request::parse(&data(&payload)).unwrap();
    assert_eq!(
        (request.tag.as_str(), request.id.as_ref(), request.reply),
        ("cleanup", None, Reply::OnFailure)
    );
    let message = request.to_message(CHATOPS).unwrap();
    assert_eq!((message.capability.as_str(), message.kind.as_str()), (CHATOPS, "request"));
    assert_eq!(value(&message), payload);
}

#[test]
fn given_our_own_fields_when_written_and_parsed_then_the_same_request_comes_out() {
    let request = Request {
        id: Some("op-1".to_owned()),
        deadline_ms: Some(1500),
        reply: Reply::Always,
        ..Request::new("a/b", Map::new())
    };
    assert_eq!(Request::parse(&request.to_data().unwrap()).unwrap(), request);
}

#[test]
fn given_a_wrong_field_when_parsed_then_the_error_names_it() {
    let long = "x".repeat(129);
    let cases = [
        (json!({"tag": 7}), "field `tag` must be text"),
        (json!({"classifier": {}}), "field `classifier` must be text"),
        (json!({"deadline_ms": -1}), "field `deadline_ms` must be a whole number, 0 or more"),
        (json!({"deadline_ms": "5"}), "field `deadline_ms` must be a whole number, 0 or more"),
        (json!({"deadline_ms": 0}), "field `deadline_ms` must be more than 0"),
        (json!({"id": ""}), "field `id` must be text that is not empty"),
        (json!({"id": [1]}), "field `id` must be text that is not empty"),
        (json!({"id": long}), "field `id` has 129 bytes, at most 128 are allowed"),
        (json!([1]), "the payload is not a JSON object"),
    ];
    for (payload, sentence) in cases {
        assert_eq!(Request::parse(&data(&payload)).unwrap_err().to_string(), sentence, "{payload}");
    }
    assert!(matches!(Request::parse(b"{"), Err(PayloadError::NotJson(_))));
    assert!(matches!(Request::parse(b""), Err(PayloadError::NotJson(_))));
}

#[test]
fn given_too_much_data_when_parsed_or_written_then_it_is_refused() {
    let big = json!({"attributes": {"text": "x".repeat(MAX_DATA_BYTES)}});
    assert!(matches!(Request::parse(&data(&big)), Err(PayloadError::TooLarge(_))));
    let attributes = big["attributes"].as_object().unwrap().clone();
    assert!(matches!(Request::new("", attributes).to_data(), Err(PayloadError::TooLarge(_))));
    assert!(matches!(Failure::parse(&data(&big)), Err(PayloadError::TooLarge(_))));
}

#[test]
fn given_a_request_without_an_id_when_it_fails_then_the_answer_has_the_peers_two_fields_only() {
    let failure =
        Failure { http_code: 404, err_msg: "not found".to_owned(), unknown: false, execution: None };
    let message = failure.to_message(CHATOPS).unwrap();
    assert_eq!(value(&message), json!({"http_code": "404", "err_msg": "not found"}));
    assert_eq!(Failure::parse(&message.data).unwrap(), failure);
}

#[test]
fn given_a_request_with_an_id_when_answered_then_the_execution_is_told() {
    let execution = Execution::new("op-1", "done", false, 12);
    let success = Success { http_code: 201, execution: execution.clone() };
    let message = success.to_message(CHATOPS).unwrap();
    let expected =
        json!({"http_code": "201", "id": "op-1", "body": "done", "truncated": false, "duration_ms": 12});
    assert_eq!((message.kind.as_str(), value(&message)), ("result", expected));
    assert_eq!(Success::parse(&message.data).unwrap(), success);

    let failure =
        Failure { http_code: 0, err_msg: "refused".to_owned(), unknown: true, execution: Some(execution) };
    assert_eq!(Failure::parse(&failure.to_message(CHATOPS).unwrap().data).unwrap(), failure);
    assert_eq!(Success::parse(br#"{"http_code": 200}"#), Err(PayloadError::Missing("id")));
}

#[test]
fn given_the_largest_bodies_when_answered_then_they_are_cut_and_fit() {
    // A control character becomes six bytes of JSON: the worst that can happen to a text.
    let execution = Execution::new("\u{1}".repeat(128), &"\u{1}".repeat(MAX_BODY_BYTES + 1), false, 1);
    assert_eq!((execution.body.len(), execution.truncated), (MAX_BODY_BYTES, true));
    let err_msg = "\u{1}".repeat(MAX_DATA_BYTES);
    let failure = Failure { http_code: 500, err_msg, unknown: false, execution: Some(execution) };
    let message = failure.to_message(CHATOPS).unwrap();
    assert_eq!(Failure::parse(&message.data).unwrap().err_msg.len(), MAX_TEXT_BYTES);
}

#[test]
fn given_http_codes_in_every_form_when_parsed_then_only_numbers_pass() {
    for (code, expected) in [(json!("503"), 503), (json!(503), 503), (json!("0"), 0)] {
        assert_eq!(Failure::parse(&data(&json!({"http_code": code}))).unwrap().http_code, expected);
    }
    for bad in [json!("abc"), json!(70000), json!("1000"), json!(-1), json!([])] {
        let error = Failure::parse(&data(&json!({"http_code": bad}))).unwrap_err();
        assert!(error.to_string().starts_with("field `http_code` must be"), "{error}");
    }
    assert_eq!(Failure::parse(b"{}"), Err(PayloadError::Missing("http_code")));
}

#[test]
fn given_tags_when_checked_then_only_harmless_paths_pass() {
    for good in ["", "cleanup", "a/b-c_d.e", "/lead"] {
        assert_eq!(check_tag(good), Ok(()), "{good}");
    }
    let long = "x".repeat(129);
    let cases = [
        ("a b", InvalidTag::Character),
        ("a?b=1", InvalidTag::Character),
        ("a%2e", InvalidTag::Character),
        ("a\r\nHost: x", InvalidTag::Character),
        ("ä", InvalidTag::Character),
        ("a/../b", InvalidTag::DotDot),
        (long.as_str(), InvalidTag::TooLong),
    ];
    for (tag, expected) in cases {
        assert_eq!(check_tag(tag), Err(expected), "{tag}");
    }
}
