//! Rules for connection settings as operators write them.

use serde_json::{Value, json};

use crate::settings::{reporter, rule, set};
use crate::world::World;

fn every(seconds: u32) -> Value {
    json!({"target": {"all": true}, "heartbeat": {"interval_seconds": seconds}})
}

#[tokio::test]
async fn given_a_rule_when_it_is_written_then_a_condition_must_hold() {
    let world = World::new().await;
    let none = rule(&world, "PUT", "all", Some(("If-Match", "\"1\"")), Some(every(10))).await;
    none.problem(412, "stale");
    assert_eq!(none.header("etag"), None, "there is nothing");
    let created = rule(&world, "PUT", "all", None, Some(every(10))).await;
    assert_eq!((created.status, created.header("etag")), (201, Some("\"1\"")));
    rule(&world, "PUT", "all", None, Some(every(20))).await.problem(428, "precondition-required");
    rule(&world, "PUT", "all", Some(("If-None-Match", "*")), Some(every(20))).await.problem(412, "stale");
    let changed = rule(&world, "PUT", "all", Some(("If-Match", "\"1\"")), Some(every(20))).await;
    assert_eq!((changed.status, changed.header("etag")), (200, Some("\"2\"")));
    let stale = rule(&world, "PUT", "all", Some(("If-Match", "\"1\"")), Some(every(30))).await;
    stale.problem(412, "stale");
    assert_eq!(stale.header("etag"), Some("\"2\""), "what is there now");
    let read = world.get("/connection-settings/all").await;
    assert_eq!(read.header("etag"), Some("\"2\""));
    let read = read.expect(200);
    assert_eq!((&read["heartbeat"], &read["actor"]), (&json!({"interval_seconds": 20}), &json!("admin")));
    let list = world.get("/connection-settings").await.expect(200);
    assert_eq!((&list["items"], &list["total"]["value"]), (&json!([read]), &json!(1)));
    rule(&world, "DELETE", "all", None, None).await.problem(428, "precondition-required");
    rule(&world, "DELETE", "all", Some(("If-Match", "\"1\"")), None).await.problem(412, "stale");
    assert_eq!(rule(&world, "DELETE", "all", Some(("If-Match", "\"2\"")), None).await.status, 204);
    world.get("/connection-settings/all").await.problem(404, "not-found");
    rule(&world, "DELETE", "all", Some(("If-Match", "*")), None).await.problem(404, "not-found");
}

/// S119, S120, S127, S128: what cannot be used is refused with its place, and nothing is stored.
#[tokio::test]
async fn given_rules_that_cannot_be_used_when_written_then_the_answer_names_the_place() {
    let world = World::new().await;
    let certified = |cert: &str| json!({"opamp": {"certificate": {"cert": cert, "private_key": "x"}}, "target": {"all": true}});
    let with = |part: &str, value: Value| json!({"target": {"all": true}, part: value});
    for (name, body, pointer) in [
        ("Bad_Name", every(10), "name"),
        ("a", every(0), "/heartbeat/interval_seconds"),
        ("a", every(86_401), "/heartbeat/interval_seconds"),
        ("a", with("heartbeat", json!({})), "/heartbeat"),
        ("a", with("heartbeat", json!({"off": true, "interval_seconds": 3})), "/heartbeat"),
        ("a", json!({"target": {"all": true}}), ""),
        ("a", json!({"target": {}, "heartbeat": {"off": true}}), "/target"),
        ("a", json!({"target": {"all": true, "q": "x"}, "heartbeat": {"off": true}}), "/target"),
        ("a", json!({"target": {"q": "health:healthy"}, "heartbeat": {"off": true}}), "/target/q"),
        ("a", json!({"target": {"q": "nothing:x"}, "heartbeat": {"off": true}}), "/target/q"),
        ("a", json!({"target": {"agent": "web"}, "heartbeat": {"off": true}}), "uid"),
        ("a", with("own_metrics", json!({"endpoint": "host:4317"})), "/own_metrics/endpoint"),
        ("a", with("own_logs", json!({"endpoint": "https://host:4318"})), "/own_logs/endpoint"),
        ("a", with("own_traces", json!({})), "/own_traces/endpoint"),
        ("a", with("opamp", json!({"endpoint": "b.example:4320"})), "/opamp/endpoint"),
        ("a", with("opamp", json!({"proxy": {"url": ""}})), "/opamp/proxy/url"),
        ("a", with("opamp", json!({"headers": {"a b": "c"}})), "/opamp/headers/a b"),
        ("a", with("opamp", json!({"headers": {"X": "(redacted)"}})), "/opamp/headers/X"),
        ("a", with("opamp", json!({"tls": {"ca": "x"}})), "/opamp/tls/ca"),
        ("a", with("opamp", json!({"tls": {"min_version": "9"}})), "/opamp/tls/min_version"),
        ("a", with("opamp", json!({"settings": {"x": "y"}})), "/opamp/settings"),
        ("a", certified("no pem"), "/opamp/certificate/cert"),
        ("a", with("other_connections", json!({"db": {}})), "/other_connections/db/endpoint"),
    ] {
        let answer = rule(&world, "PUT", name, None, Some(body.clone())).await;
        let problem = answer.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}: {problem:#}");
    }
    let unknown = rule(&world, "PUT", "a", None, Some(json!({"target": {"all": true}, "beat": 1}))).await;
    unknown.problem(400, "json");
    assert_eq!(world.get("/connection-settings").await.expect(200)["items"], json!([]));
}

/// S119: a destination that is not encrypted is taken, with a warning.
#[tokio::test]
async fn given_a_destination_without_encryption_when_written_then_it_is_taken_with_a_warning() {
    let world = World::new().await;
    let body =
        json!({"target": {"all": true}, "own_metrics": {"endpoint": "http://otlp.example:4318/v1/metrics"}});
    let written = set(&world, "otlp", body).await;
    assert_eq!(written["warnings"][0]["pointer"], "/own_metrics/endpoint");
}

/// S143: secrets go to agents and to nobody else; an operator who writes back what they read keeps them.
#[tokio::test]
async fn given_secrets_when_a_rule_is_read_then_they_are_hidden_and_survive_the_way_back() {
    let world = World::new().await;
    let mut agent = reporter(1, 0x140);
    let body = json!({
        "target": {"all": true},
        "opamp": {
            "headers": {"Authorization": "Bearer tell-nobody"},
            "proxy": {"url": "http://proxy:3128", "headers": {"Proxy-Authorization": "tell-nobody"}},
        },
        "own_metrics": {
            "endpoint": "https://otlp.example/v1/metrics", "headers": {"Api-Key": "tell-nobody"},
        },
        "other_connections": {"db": {"endpoint": "db:1", "headers": {"X": "tell-nobody"}}},
    });
    set(&world, "all", body).await;
    world.poll(&agent.full()).await;
    for path in ["/connection-settings", "/connection-settings/all", "/agents", "/events"] {
        let shown = world.get(path).await.expect(200).to_string();
        assert!(!shown.contains("tell-nobody"), "{path}: {shown}");
    }
    let shown = world.agent(&agent).await.to_string();
    assert!(!shown.contains("tell-nobody"), "{shown}");
    let mut read = world.get("/connection-settings/all").await.expect(200);
    assert_eq!(read["opamp"]["headers"]["Authorization"], "(redacted)");
    for server_side in ["name", "revision", "actor", "at", "agents", "warnings"] {
        read.as_object_mut().unwrap().remove(server_side);
    }
    read["heartbeat"] = json!({"interval_seconds": 10});
    set(&world, "all", read).await;
    let offer = world.poll(&agent.heartbeat()).await.connection_settings.unwrap();
    let opamp = offer.opamp.unwrap();
    assert_eq!(opamp.headers.unwrap().headers[0].value, "Bearer tell-nobody");
    assert_eq!(opamp.proxy.unwrap().connect_headers.unwrap().headers[0].value, "tell-nobody");
    assert_eq!(offer.own_metrics.unwrap().headers.unwrap().headers[0].value, "tell-nobody");
}

/// A certificate authority, and a client certificate that it signed, in PEM: authority, certificate, key.
fn certificates() -> (String, String, String) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    authority.distinguished_name.push(rcgen::DnType::CommonName, "authority");
    let authority_cert = authority.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let mut client = rcgen::CertificateParams::new(vec!["agent.example".to_owned()]).unwrap();
    client.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let cert = client.signed_by(&key, &issuer).unwrap();
    (authority_cert.pem(), cert.pem(), key.serialize_pem())
}

/// S121, S125, S126, S128: a certificate is offered whole where it holds together; without one in the rule the offer has
/// none, and what the rule leaves out of TLS stays as the agent has it.
#[tokio::test]
async fn given_a_certificate_when_it_holds_together_then_it_is_offered_and_otherwise_refused() {
    let world = World::new().await;
    let mut agent = reporter(1, 0x100);
    let (ca, cert, key) = certificates();
    let (other_ca, _, other_key) = certificates();
    let body = |cert: &str, key: &str, ca: &str| {
        json!({
            "target": {"all": true},
            "opamp": {
                "certificate": {"cert": cert, "private_key": key, "ca_cert": ca}, "tls": {"ca": ca},
            },
        })
    };
    for (cert, key, authority, pointer) in [
        (&cert, &other_key, &ca, "/opamp/certificate/private_key"),
        (&cert, &cert, &ca, "/opamp/certificate/private_key"),
        (&cert, &key, &other_ca, "/opamp/certificate/cert"),
        (&cert, &key, &String::new(), "/opamp/certificate/ca_cert"),
    ] {
        let answer = rule(&world, "PUT", "mtls", None, Some(body(cert, key, authority))).await;
        assert_eq!(answer.problem(422, "invalid")["errors"][0]["pointer"], pointer);
    }
    let written = set(&world, "mtls", body(&cert, &key, &ca)).await;
    assert_eq!(written["opamp"]["certificate"]["private_key"], "(redacted)");
    let offer = world.poll(&agent.full()).await.connection_settings.unwrap().opamp.unwrap();
    let offered = offer.certificate.unwrap();
    assert_eq!((&offered.cert[..], &offered.private_key[..]), (cert.as_bytes(), key.as_bytes()));
    assert_eq!((&offered.ca_cert[..], offer.tls.unwrap().ca_pem_contents), (ca.as_bytes(), ca.clone()));
    assert!(!offer.destination_endpoint.is_empty() && offer.heartbeat_interval_seconds > 0);
    let without = json!({"target": {"all": true}, "opamp": {"headers": {"X": "y"}}});
    set(&world, "mtls", without).await;
    let offer = world.poll(&agent.heartbeat()).await.connection_settings.unwrap().opamp.unwrap();
    assert!(offer.certificate.is_none() && offer.tls.is_none() && offer.proxy.is_none());
}
