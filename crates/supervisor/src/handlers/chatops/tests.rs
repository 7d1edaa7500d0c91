use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// A local input that gives one canned answer and tells what it was asked.
async fn input(answer: &'static str) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !String::from_utf8_lossy(&asked).contains('}') {
            assert!(stream.read_buf(&mut asked).await.unwrap() > 0, "the caller hung up");
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        if answer.is_empty() {
            // Never answers: waits until the caller gives up.
            let _ = stream.read_buf(&mut asked).await;
        }
        String::from_utf8_lossy(&asked).into_owned()
    });
    (port, task)
}

fn handler(port: u16, tags: &[&str]) -> ChatOps {
    ChatOps::new(ChatOpsSettings { port, tags: tags.iter().map(|tag| (*tag).to_owned()).collect() })
}

async fn handle(handler: &ChatOps, payload: Value) -> Option<(String, Value)> {
    let message = CustomMessage {
        capability: CHATOPS.to_owned(),
        kind: "request".to_owned(),
        data: serde_json::to_vec(&payload).unwrap().into(),
        ..CustomMessage::default()
    };
    let answer = handler.handle(message).await?;
    assert_eq!(answer.capability, CHATOPS);
    Some((answer.kind, serde_json::from_slice(&answer.data).unwrap()))
}

#[tokio::test]
async fn given_a_peers_request_when_it_succeeds_then_the_input_is_called_and_nothing_is_answered() {
    let (port, asked) = input("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").await;
    let payload = json!({"tag": "cleanup/now", "attributes": "{\"who\": \"ana\"}"});
    assert_eq!(handle(&handler(port, &[]), payload).await, None);
    let asked = asked.await.unwrap();
    assert!(asked.starts_with("POST /cleanup/now HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("content-type: application/json\r\n"), "{asked}");
    assert!(asked.ends_with("\r\n\r\n{\"who\":\"ana\"}"), "{asked}");
}

#[tokio::test]
async fn given_a_peers_request_when_it_fails_then_the_answer_has_their_two_fields() {
    let (port, asked) = input("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope").await;
    let (kind, data) = handle(&handler(port, &[]), json!({})).await.unwrap();
    assert_eq!(kind, "failure");
    let sentence = "the local input answered with HTTP status 404";
    assert_eq!(data, json!({"http_code": "404", "err_msg": sentence}));
    assert!(asked.await.unwrap().starts_with("POST / HTTP/1.1\r\n"));
}

#[tokio::test]
async fn given_reply_always_when_it_succeeds_then_the_result_tells_the_body() {
    let (port, _asked) = input("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone").await;
    let payload = json!({"tag": "a", "id": "op-1", "reply": "always"});
    let (kind, mut data) = handle(&handler(port, &["/a"]), payload).await.unwrap();
    assert!(data["duration_ms"].take().is_u64());
    let expected =
        json!({"http_code": "200", "id": "op-1", "body": "done", "truncated": false, "duration_ms": null});
    assert_eq!((kind.as_str(), data), ("result", expected));
}

#[tokio::test]
async fn given_an_id_without_reply_always_when_it_succeeds_then_nothing_is_answered() {
    let (port, _asked) = input("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone").await;
    assert_eq!(handle(&handler(port, &[]), json!({"id": "op-1"})).await, None);
}

#[tokio::test]
async fn given_an_endless_body_when_called_then_only_its_beginning_is_kept() {
    let body: &'static str = Box::leak(
        format!("HTTP/1.1 500 Oops\r\nContent-Length: 9999999\r\n\r\n{}", "x".repeat(9000)).into_boxed_str(),
    );
    let (port, _asked) = input(body).await;
    let (_, data) = handle(&handler(port, &[]), json!({"id": 7})).await.unwrap();
    assert_eq!(data["body"].as_str().map(str::len), Some(MAX_BODY_BYTES));
    assert_eq!(
        (&data["truncated"], &data["id"], &data["http_code"]),
        (&json!(true), &json!("7"), &json!("500"))
    );
}

#[tokio::test]
async fn given_an_input_that_never_answers_when_called_then_the_deadline_holds() {
    let (port, _asked) = input("").await;
    let (kind, data) = handle(&handler(port, &[]), json!({"id": "x", "deadline_ms": 50})).await.unwrap();
    let sentence = format!("the local input on port {port} did not answer within 50 ms");
    assert_eq!((kind.as_str(), data["err_msg"].as_str()), ("failure", Some(sentence.as_str())));
    assert_eq!(data["http_code"], "0");
}

#[tokio::test]
async fn given_no_input_when_called_then_the_failure_says_where_it_was_looked_for() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let (_, data) = handle(&handler(port, &[]), json!({})).await.unwrap();
    let sentence = format!("cannot connect to the local input at 127.0.0.1:{port}: ");
    assert!(data["err_msg"].as_str().unwrap().starts_with(&sentence), "{data}");
}

#[tokio::test]
async fn given_requests_that_are_not_allowed_when_handled_then_no_call_is_made() {
    // Port 9 of this host has no listener in these tests: a call would fail with another sentence.
    let cases = [
        (json!({"tag": "../x"}), "the tag has `..` in it"),
        (json!({"tag": "a b"}), "the tag has a character other than letters, digits, `.`, `_`, `-` and `/`"),
        (json!({"tag": "other"}), "the tag `other` is not among those that this host allows"),
        (json!({"tag": 7}), "field `tag` must be text"),
    ];
    for (payload, sentence) in cases {
        let (kind, data) = handle(&handler(9, &["cleanup"]), payload).await.unwrap();
        assert_eq!(kind, "failure");
        assert!(data["err_msg"].as_str().unwrap().ends_with(sentence), "{data}");
    }
}
