//! What a reader has is not sent again.

use serde_json::json;

use crate::lists::{call, fleet};
use crate::world::World;

#[tokio::test]
async fn given_one_thing_that_was_read_when_asked_for_again_then_304_until_it_changes() {
    let world = World::new().await;
    let (mut agents, mut socket) = fleet(&world, 1).await;
    let agent = &mut agents[0];
    let push = world.push("name:host-1", "[SERVICE]").await;
    socket.message().await;
    let restart = json!({"kind": "restart"});
    let bulk = json!({"q": "name:host-1", "expected_count": 1, "action": restart.clone()});
    let bulk = world.post("/bulk-operations", bulk).await.expect(202);
    socket.message().await;
    let command = world.command(agent, restart).await;
    socket.message().await;
    for path in [
        format!("/agents/{}", agent.uid),
        format!("/pushes/{}", push["id"].as_str().unwrap()),
        format!("/operations/{}", bulk["id"].as_str().unwrap()),
        format!("/commands/{}", command["id"].as_str().unwrap()),
    ] {
        let first = world.get(&path).await;
        first.expect(200);
        let tag = first.header("etag").unwrap_or_else(|| panic!("{path} has no tag")).to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"'), "it is strong: {tag}");
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = call(&world, "GET", &path, &[("If-None-Match", &known)], None).await;
            assert_eq!((again.status, again.body.len()), (304, 0), "{path}: {known}");
            assert_eq!(again.header("etag"), Some(&*tag));
        }
        let other = call(&world, "GET", &path, &[("If-None-Match", "\"other\"")], None).await;
        assert_eq!((other.status, &other.body), (200, &first.body), "{path}");
    }
    let path = format!("/agents/{}", agent.uid);
    let tag = world.get(&path).await.header("etag").unwrap().to_owned();
    socket.exchange(&agent.health(false, 1, "disk full")).await;
    let changed = call(&world, "GET", &path, &[("If-None-Match", &tag)], None).await;
    assert_eq!(changed.expect(200)["health"]["value"], "unhealthy");
    assert_ne!(changed.header("etag"), Some(&*tag));
    let nobody = "/agents/11111111-1111-1111-1111-111111111111";
    let missing = call(&world, "GET", nobody, &[("If-None-Match", "*")], None).await;
    missing.problem(404, "not-found");
    assert_eq!(missing.header("etag"), None);
}
