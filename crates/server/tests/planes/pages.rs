//! Pages of commands, events and pushes.

use serde_json::{Value, json};

use crate::lists::fleet;
use crate::world::World;

/// The pages of a list from its start to its end; each row by its `key`.
async fn pages(world: &World, path: &str, key: &str, mut between: impl AsyncFnMut()) -> Vec<Vec<Value>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("{path}{cursor}")).await.expect(200);
        let rows = page["items"].as_array().unwrap().iter().map(|row| row[key].clone());
        pages.push(rows.collect());
        let Some(next) = page["next_cursor"].as_str() else { return pages };
        cursor = format!("&cursor={next}");
        between().await;
    }
}

fn sizes(pages: &[Vec<Value>]) -> Vec<usize> {
    pages.iter().map(Vec::len).collect()
}

/// Newest first, each once, whatever is inserted meanwhile.
#[tokio::test]
async fn given_commands_when_listed_page_by_page_then_each_is_there_once_while_new_ones_come() {
    let world = World::new().await;
    let (agents, socket) = fleet(&world, 1).await;
    drop(socket);
    world
        .eventually(&format!("/agents/{}", agents[0].uid), |a| a["connection"]["value"] == "disconnected")
        .await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.insert(0, world.command(&agents[0], json!({"kind": "restart"})).await["id"].clone());
    }
    let path = format!("/commands?agent={}&limit=2", agents[0].uid);
    let listed = pages(&world, &path, "id", async || {
        world.command(&agents[0], json!({"kind": "restart"})).await;
    })
    .await;
    assert_eq!((sizes(&listed), listed.concat()), (vec![2, 2, 1], ids));
    // As many rows as fit: there is no page without rows after them.
    assert_eq!(world.get("/commands?limit=7").await.expect(200).get("next_cursor"), None);
    let first = world.get("/commands?limit=2").await.expect(200);
    assert_eq!(first["total"], json!({"value": 7, "exact": true}));
    let other = format!("/commands?state=queued&cursor={}", first["next_cursor"].as_str().unwrap());
    assert_eq!(world.get(&other).await.problem(422, "invalid")["errors"][0]["pointer"], "cursor");
    let foreign = format!("/pushes?cursor={}", first["next_cursor"].as_str().unwrap());
    world.get(&foreign).await.problem(422, "invalid");
}

/// Each page is oldest first, and leads to the older ones.
#[tokio::test]
async fn given_events_when_listed_page_by_page_then_pages_lead_back_to_the_first() {
    let world = World::new().await;
    let (mut agents, mut socket) = fleet(&world, 2).await;
    let all = world.get("/events?limit=500").await.expect(200);
    let numbers: Vec<_> =
        all["items"].as_array().unwrap().iter().map(|event| event["number"].clone()).collect();
    assert!(numbers.len() >= 4 && all.get("next_cursor").is_none(), "{all:#}");
    let mut listed = pages(&world, "/events?limit=3", "number", async || {
        socket.exchange(&agents[0].health(false, 1, "meanwhile")).await;
    })
    .await;
    listed.reverse();
    assert_eq!(listed.concat(), numbers);
    let narrow = pages(&world, "/events?q=name:host-2&limit=1", "name", async || {}).await;
    assert!(narrow.len() >= 2 && narrow.iter().all(|page| *page == ["host-2"]), "{narrow:?}");
}

#[tokio::test]
async fn given_pushes_when_listed_page_by_page_then_the_newest_come_first() {
    let world = World::new().await;
    let _fleet = fleet(&world, 3).await;
    let mut ids = Vec::new();
    for body in ["a", "b", "c"] {
        ids.insert(0, world.push("name:*", body).await["id"].clone());
    }
    let listed = pages(&world, "/pushes?limit=2", "id", async || {
        world.push("name:host-1", "d").await;
    })
    .await;
    assert_eq!((sizes(&listed), listed.concat()), (vec![2, 1], ids));
    let newest = world.get("/pushes?limit=4").await.expect(200);
    assert_eq!((&newest["total"], newest.get("next_cursor")), (&json!({"value": 4, "exact": true}), None));
    let row = &newest["items"][1];
    assert_eq!((&row["q"], &row["total"], &row["refused"]), (&json!("name:*"), &json!(3), &json!(0)));
}
