//! Secrets in configs: nobody on the way sees them, and the server still knows what runs.

use tidegate_opamp::{Message as _, RemoteConfigStatuses};
use tidegate_testkit::fleet::{SOON, Server, Stage, Supervisor, Wish, healthy, on_each, the_agent, yaml};

use crate::recorder::recorded;
use crate::steps::pushed;

/// A config with secrets of this word; nobody listens where it would send.
fn with_secrets(alias: &str, word: &str) -> String {
    let output = format!(
        "    - name: http\n      alias: web\n      match: \"*\"\n      host: 127.0.0.1\n      port: 1\n      \
         http_user: bob\n      http_passwd: {word}-passwd\n      header: Authorization Bearer {word}-bearer\n      \
         retry_limit: no_retries\n"
    );
    format!("# token: {word}-comment\nenv:\n  MY_TOKEN: {word}-env\n{}{output}", yaml(alias, ""))
}

/// C085: no secret of the host's own config, of an offered one or of one that fails is in any message; each keeps its
/// place, and a change of it shows.
#[tokio::test]
async fn given_configs_with_secrets_when_they_run_or_fail_then_no_message_has_one_and_marks_tell_them_apart()
{
    on_each("secrets", async |stage: Stage| {
        let own = with_secrets("own", "s3cr3t-own");
        let (mut recorder, supervisor) =
            recorded(&stage, |wish| Wish { config: own.clone(), log: "debug".to_owned(), ..wish }).await;
        recorder.runs("output:web").await;
        let shown = recorder.effective();
        for (name, text) in &shown {
            assert_eq!(text.matches("redacted-").count(), 4, "{name}: {text}");
            assert!(text.contains("http_user: bob") || name.contains("rendered"), "{text}");
        }
        assert_eq!(shown[0].1.lines().count(), own.lines().count());
        let mut marks = Vec::new();
        for word in ["s3cr3t-one", "s3cr3t-two", "s3cr3t-one"] {
            let hash = format!("good-{}", marks.len()).into_bytes();
            recorder.offer(&hash, &[("a.yaml", &with_secrets("offered", word))]).await;
            assert_eq!(recorder.settled(&hash).await.status, RemoteConfigStatuses::Applied);
            recorder.heartbeats(1).await;
            marks.push(recorder.effective()[0].1.clone());
        }
        assert_ne!(marks[0], marks[1]);
        assert_eq!(marks[0], marks[2]);
        // What fails is quoted: by the reader of the config, by the agent's own check, by its log.
        let bad = with_secrets("bad", "s3cr3t-bad");
        for (number, broken) in [
            bad.replace("http_user: bob", "nosuch: s3cr3t-bad-passwd"),
            bad.replace(
                "http_user: bob",
                "tls.verify: s3cr3t-bad-passwd\n      http_user: [s3cr3t-bad-passwd",
            ),
        ]
        .iter()
        .enumerate()
        {
            let hash = format!("bad-{number}");
            recorder.offer(hash.as_bytes(), &[("a.yaml", broken)]).await;
            let status = recorder.settled(hash.as_bytes()).await;
            assert_eq!(status.status, RemoteConfigStatuses::Failed, "{broken}");
        }
        recorder.heartbeats(2).await;
        for message in &recorder.said {
            let bytes = message.encode_to_vec();
            assert!(!bytes.windows(6).any(|window| window == b"s3cr3t"), "{message:#?}");
        }
        let log = supervisor.log();
        assert!(!log.contains("s3cr3t"), "the supervisor's own log has a secret: {log}");
    })
    .await;
}

/// C085: the server calls an agent proven whose config has secrets, also when its host shows them.
#[tokio::test]
async fn given_an_agent_with_secrets_when_a_config_is_pushed_then_it_is_proven_with_marks_and_without() {
    on_each("secrets proven", async |stage: Stage| {
        let server = Server::start(stage.scene.path()).await;
        for (settings, shows) in [("", false), ("redact: false\n", true)] {
            let wish = Wish { settings: settings.to_owned(), ..Wish::new("a", server.endpoint("ws")) };
            let mut supervisor = Supervisor::start(&stage, wish);
            healthy(&server.api, "a", SOON).await;
            let (state, reason) = pushed(&server.api, "a.yaml", &with_secrets("pushed", "s3cr3t")).await;
            assert_eq!(state, "proven", "{reason}");
            let detail = the_agent(&server.api, "a").await.unwrap();
            assert_eq!(
                (detail.agent.config.axis.value.as_str(), detail.agent.config.proof.as_deref()),
                ("in-sync", Some("proven"))
            );
            let effective = format!("{:?}", detail.effective_config);
            assert_eq!(effective.contains("s3cr3t"), shows, "{effective}");
            supervisor.stop().await;
            drop(supervisor);
            std::fs::remove_dir_all(stage.scene.path().join("a/run")).ok();
        }
    })
    .await;
}
