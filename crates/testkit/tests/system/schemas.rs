//! The schema of an agent's build, from its binary to the operator.

use std::process::Command;

use tidegate_testkit::fleet::{
    SOON, Server, Stage, Supervisor, Wish, eventually, healthy, on_each, the_agent, tidegate,
};

/// C159, C160, C162: two agents of one build, and the document arrives once, byte by byte as the binary prints it.
#[tokio::test]
async fn given_two_agents_of_one_build_when_they_come_then_its_schema_is_held_once_and_shown() {
    on_each("schemas", async |stage: Stage| {
        let printed = Command::new(&stage.agent.binary).arg("-J").output().unwrap().stdout;
        let server = Server::start(stage.scene.path()).await;
        let mut supervisors = Vec::new();
        for name in ["a", "b"] {
            supervisors.push(Supervisor::start(&stage, Wish::new(name, server.endpoint("ws"))));
            healthy(&server.api, name, SOON).await;
        }
        let known = eventually("the schema", SOON, async || {
            let list = server.api.schemas().await.unwrap();
            list.items.first().cloned().ok_or_else(|| format!("{list:?}"))
        })
        .await;
        let document = server.api.schema(&known.hash).await.unwrap();
        assert_eq!(document.trim_ascii(), printed.trim_ascii(), "as it was printed");
        for name in ["a", "b"] {
            let shown = eventually("the hash", SOON, async || {
                the_agent(&server.api, name).await?.schema.ok_or_else(|| "none yet".to_owned())
            })
            .await;
            assert_eq!(shown, known.hash);
        }
        assert_eq!(server.api.schemas().await.unwrap().items, [known.clone()]);

        let (server_url, token) =
            (format!("http://{}", server.operators), server.data_dir().join("admin-token"));
        let flags = ["--server", &server_url, "--token-file", token.to_str().unwrap()];
        let listed = tidegate(stage.scene.path(), &[&["get", "schemas"][..], &flags].concat()).await;
        assert!(listed.stdout.contains(&known.hash[..12]) && listed.code == Some(0), "{listed:?}");
        let arguments = [&["get", "schema", &known.version, "dummy"][..], &flags].concat();
        let shown = tidegate(stage.scene.path(), &arguments).await;
        assert!(shown.stdout.starts_with("inputs dummy") && shown.stdout.contains("samples"), "{shown:?}");
    })
    .await;
}
