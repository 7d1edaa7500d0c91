use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixListener};

use super::*;

fn entry(act: Act) -> HandlerSettings {
    HandlerSettings {
        capability: "com.example.cache".to_owned(),
        kind: "flush".to_owned(),
        act,
        idempotent: false,
        timeout: Duration::from_secs(10),
        max_output_bytes: 1000,
        concurrency: 1,
    }
}

fn shell(script: &str) -> HandlerSettings {
    entry(Act::Program { program: "/bin/sh".into(), args: vec!["-c".into(), script.into()] })
}

fn service(place: Place) -> HandlerSettings {
    let content_type = http::HeaderValue::from_static("application/json");
    entry(Act::Http { place, method: http::Method::PUT, path: "/flush?all=1".into(), content_type })
}

fn message(data: &str) -> CustomMessage {
    CustomMessage {
        capability: "com.example.cache".to_owned(),
        kind: "flush".to_owned(),
        data: data.to_owned().into(),
        ..CustomMessage::default()
    }
}

async fn handle(settings: HandlerSettings, data: &str) -> (String, Value) {
    let [own] = &Own::all(&[settings])[..] else { panic!("one capability") };
    let answer = own.handle(message(data)).await.unwrap();
    assert_eq!(answer.capability, "com.example.cache");
    let mut data: Value = serde_json::from_slice(&answer.data).unwrap();
    assert!(data["duration_ms"].take().is_u64());
    (answer.kind, data)
}

#[tokio::test]
async fn given_a_program_when_it_succeeds_then_its_json_is_the_body_of_the_result() {
    let (kind, data) =
        handle(shell("read -r line; echo \"{\\\"got\\\": $line}\""), r#"{"id":"a1","n":7}"#).await;
    let expected = json!({"id": "a1", "exit_code": 0, "body": "{\"got\": {\"id\":\"a1\",\"n\":7}}\n",
                          "truncated": false, "duration_ms": null});
    assert_eq!((kind.as_str(), data), ("result", expected));
    let (kind, data) = handle(shell("cat"), "").await;
    assert_eq!((kind.as_str(), &data["body"]), ("result", &json!("{}")), "no payload is an empty object");
}

#[tokio::test]
async fn given_a_program_when_it_fails_then_exit_complaints_and_output_are_told() {
    let (kind, data) = handle(shell("echo half; echo 'no such cache' >&2; exit 3"), "{}").await;
    let expected = json!({"err_msg": "it exited with code 3: no such cache", "exit_code": 3, "body": "half\n",
                          "truncated": false, "duration_ms": null});
    assert_eq!((kind.as_str(), data), ("failure", expected));
    let (_, data) = handle(shell("kill -TERM $$"), "{}").await;
    assert_eq!(
        (data["exit_code"].clone(), &data["err_msg"]),
        (Value::Null, &json!("it was killed by SIGTERM (signal 15)"))
    );
}

#[tokio::test]
async fn given_what_is_no_json_at_either_end_then_it_is_a_failure_that_says_so() {
    let (kind, data) = handle(shell("touch /nonexistent/never"), "{\"id\":").await;
    assert_eq!(kind, "failure");
    assert!(data["err_msg"].as_str().unwrap().starts_with("the payload is not JSON: "), "{data}");
    assert_eq!(data["exit_code"], Value::Null, "it was not run");
    let (kind, data) = handle(shell("echo done"), r#"{"id":5}"#).await;
    assert_eq!((kind.as_str(), &data["body"], &data["id"]), ("failure", &json!("done\n"), &json!("5")));
    assert!(data["err_msg"].as_str().unwrap().starts_with("what it gave back is not JSON: "), "{data}");
}

#[tokio::test]
async fn given_bounds_when_a_program_goes_beyond_them_then_they_hold() {
    let (kind, data) = handle(shell("head -c 5000 /dev/zero | tr '\\0' x"), "{}").await;
    assert_eq!((kind.as_str(), &data["truncated"]), ("result", &json!(true)));
    assert_eq!(data["body"].as_str().map(str::len), Some(1000));
    let slow = HandlerSettings { timeout: Duration::from_millis(200), ..shell("sleep 600") };
    let (kind, data) = handle(slow, "{}").await;
    assert_eq!(
        (kind.as_str(), &data["err_msg"]),
        ("failure", &json!("it did not end within 200 ms and was killed"))
    );
    let gone = entry(Act::Program { program: "/nonexistent/program".into(), args: Vec::new() });
    let (_, data) = handle(gone, "{}").await;
    assert!(data["err_msg"].as_str().unwrap().starts_with("cannot start /nonexistent/program: "), "{data}");
}

#[tokio::test]
async fn given_one_under_way_when_another_comes_then_it_is_refused_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let gate = folder.path().join("gate");
    rustix::fs::mkfifoat(rustix::fs::CWD, &gate, rustix::fs::Mode::RWXU).unwrap();
    let [own] = &Own::all(&[shell(&format!("cat {}", gate.display()))])[..] else { panic!("one capability") };
    let first = tokio::spawn(own.handle(message("{}")));
    // Opens once the program has it open too.
    let path = gate.clone();
    let writer = tokio::task::spawn_blocking(move || std::fs::OpenOptions::new().write(true).open(path));
    let writer = writer.await.unwrap().unwrap();
    let refused = own.handle(message("{}")).await.unwrap();
    assert_eq!(refused.kind, "failure");
    assert!(String::from_utf8_lossy(&refused.data).contains("1 of these are under way: try later"));
    drop(writer);
    assert_eq!(first.await.unwrap().unwrap().kind, "result");
}

/// Answers one connection, and tells what it was asked.
async fn answered(
    mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    answer: &str,
) -> String {
    let mut asked = Vec::new();
    while !String::from_utf8_lossy(&asked).contains('}') {
        assert!(stream.read_buf(&mut asked).await.unwrap() > 0, "the caller hung up");
    }
    stream.write_all(answer.as_bytes()).await.unwrap();
    String::from_utf8(asked).unwrap()
}

#[tokio::test]
async fn given_services_on_a_port_and_on_a_socket_when_called_then_their_answers_are_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let calling = tokio::spawn(handle(service(Place::Port(port)), r#"{"id":"x"}"#));
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"done\": 1}";
    let asked = answered(listener.accept().await.unwrap().0, answer).await;
    assert!(
        asked.starts_with("PUT /flush?all=1 HTTP/1.1\r\n") && asked.ends_with("\r\n\r\n{\"id\":\"x\"}"),
        "{asked}"
    );
    assert!(asked.contains(&format!("host: localhost:{port}\r\n")), "{asked}");
    let expected = json!({"id": "x", "http_code": "200", "body": "{\"done\": 1}", "truncated": false,
                          "duration_ms": null});
    assert_eq!(calling.await.unwrap(), ("result".to_owned(), expected));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let calling = tokio::spawn(handle(service(Place::Socket(path)), "{}"));
    let answer = "HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno";
    answered(listener.accept().await.unwrap().0, answer).await;
    let (kind, data) = calling.await.unwrap();
    assert_eq!((kind.as_str(), &data["http_code"], &data["body"]), ("failure", &json!("503"), &json!("no")));
    assert_eq!(data["err_msg"], "the local service answered with HTTP status 503");
}

#[tokio::test]
async fn given_a_service_that_is_away_or_never_answers_then_the_failure_has_no_status() {
    let gone = service(Place::Socket("/nonexistent/socket".into()));
    let (kind, data) = handle(gone, "{}").await;
    assert_eq!((kind.as_str(), &data["http_code"]), ("failure", &json!("0")));
    assert!(
        data["err_msg"]
            .as_str()
            .unwrap()
            .starts_with("cannot connect to the local service at /nonexistent/socket: ")
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = Place::Port(listener.local_addr().unwrap().port());
    let slow = HandlerSettings { timeout: Duration::from_millis(100), ..service(place) };
    let (_, data) = handle(slow, "{}").await;
    assert_eq!(data["err_msg"], "the local service did not answer within 100 ms");
}

#[tokio::test]
async fn given_several_types_of_one_capability_then_each_has_its_own_act_and_others_are_ignored() {
    let other = HandlerSettings { kind: "warm".into(), idempotent: true, ..shell("echo 2") };
    let all = Own::all(&[shell("echo 1"), other, HandlerSettings { capability: "b".into(), ..shell("cat") }]);
    assert_eq!(all.iter().map(Handler::capability).collect::<Vec<_>>(), ["com.example.cache", "b"]);
    let of = |kind: &str| CustomMessage { kind: kind.to_owned(), ..message("{}") };
    let body = |answer: Option<CustomMessage>| {
        answer.map(|answer| serde_json::from_slice::<Value>(&answer.data).unwrap()["body"].clone())
    };
    assert_eq!(body(all[0].handle(of("flush")).await), Some(json!("1\n")));
    assert_eq!(body(all[0].handle(of("warm")).await), Some(json!("2\n")));
    assert_eq!(body(all[0].handle(of("result")).await), None, "C160");
    let idempotent = ["flush", "warm", "other"].map(|kind| all[0].is_idempotent(&of(kind)));
    assert_eq!(idempotent, [false, true, true]);
}

#[test]
fn given_a_message_that_is_not_carried_out_then_its_failure_has_its_id_and_says_whether_that_is_known() {
    let [own] = &Own::all(&[shell("cat")])[..] else { panic!("one capability") };
    let said = |refusal| {
        let answer = own.refuse(&message(r#"{"id":"q"}"#), refusal).unwrap();
        serde_json::from_slice::<Value>(&answer.data).unwrap()
    };
    let known = said(Refusal::NotDone("full"));
    assert_eq!((&known["id"], &known["err_msg"], known.get("outcome")), (&json!("q"), &json!("full"), None));
    assert_eq!(said(Refusal::Unknown("lost"))["outcome"], "unknown");
}
