//! A supervisor under TLS that is moved from one server to another, and to one that does not take it.

use serde_json::json;
use tidegate_api::SettingsRequest;
use tidegate_server::settings::{TlsSettings, TlsVersion};
use tidegate_testkit::fleet::{
    SOON, Scene, Server, Stage, Supervisor, Wish, eventually, healthy, on_each, settings, the_agent,
};

/// A server with a certificate of its own.
async fn secure(scene: &Scene, name: &str) -> (Server, String) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let cert = scene.write(&format!("{name}.pem"), &made.cert.pem());
    let key = scene.write(&format!("{name}-key.pem"), &made.signing_key.serialize_pem());
    let mut settings = settings(&scene.path().join(name), 0, 0);
    settings.agents.tls = Some(TlsSettings { cert, key, min_version: TlsVersion::V1_2 });
    (Server::start_with(settings).await, made.cert.pem())
}

async fn rule(server: &Server, name: &str, opamp: serde_json::Value) {
    let request = json!({"target": {"all": true}, "opamp": opamp});
    let request: SettingsRequest = serde_json::from_value(request).unwrap();
    server.api.put_settings(name, &request, None).await.unwrap();
}

#[tokio::test]
async fn given_a_supervisor_under_tls_when_it_is_moved_then_it_arrives_and_from_a_wrong_server_it_comes_back()
{
    on_each("moves", async |stage: Stage| {
        let (first, first_pem) = secure(&stage.scene, "first").await;
        let (second, second_pem) = secure(&stage.scene, "second").await;
        let wish = Wish {
            allow: "connection-settings".to_owned(),
            ca_file: Some(stage.scene.write("trusted.pem", &first_pem)),
            ..Wish::new("a", first.endpoint("wss"))
        };
        let mut supervisor = Supervisor::start(&stage, wish);
        let agent = healthy(&first.api, "a", SOON).await;
        assert_eq!(agent.agent.transport.as_deref(), Some("websocket"));

        // The certificate of the second server is not trusted: the agent tries, comes back, and says why.
        rule(&first, "too-soon", json!({"endpoint": second.endpoint("wss")})).await;
        eventually("failed move", SOON, async || {
            let offered =
                the_agent(&first.api, "a").await?.connection_settings.ok_or("nothing was offered")?;
            let failed = offered.state == "failed" && offered.reason.contains("TLS");
            if failed { Ok(()) } else { Err(format!("{offered:?}")) }
        })
        .await;
        assert_eq!(second.api.all_agents("").await.unwrap(), []);

        let current = first.api.settings_rule("too-soon").await.unwrap().unwrap();
        first.api.delete_settings("too-soon", current.revision).await.unwrap();
        rule(&first, "move", json!({"endpoint": second.endpoint("wss"), "tls": {"ca": second_pem}})).await;
        healthy(&second.api, "a", SOON).await;
        let left = the_agent(&first.api, "a").await.unwrap();
        assert_eq!(left.agent.connection.value, "departed");
        assert_eq!(left.connection_settings.unwrap().moved_to, Some(second.endpoint("wss")));

        // A restart of the supervisor goes where it was sent, though its settings name the first.
        supervisor.stop().await;
        supervisor.start_again();
        healthy(&second.api, "a", SOON).await;
        assert_eq!(the_agent(&first.api, "a").await.unwrap().agent.connection.value, "departed");
    })
    .await;
}
