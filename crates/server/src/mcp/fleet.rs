//! Tools that look at the fleet.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tidegate_fleet::EventKind;
use tidegate_fleet::agent::Fact;
use tidegate_fleet::agent::axes::Proof;
use tidegate_fleet::index::Sort;
use tidegate_fleet::query::{Key, Query, QueryError, key};
use tidegate_opamp::ComponentHealth;

use super::arguments::{Events, Explain, Get, List, Part, Summary, limit, uid};
use super::caller::{Caller, Told};
use super::detail::{Detail, Room};
use super::problem::Problem;
use super::view::put;
use super::{commands, fence, view};
use crate::control::{AgentView, ControlError, ListOrder};

/// The axes that a summary counts.
const AXES: [Key; 4] = [Key::Connection, Key::Health, Key::Config, Key::Attention];

pub(super) async fn summary(caller: &Caller<'_>, arguments: Summary) -> Told {
    let Summary { q, group_by, detail } = arguments;
    let group = match group_by.as_deref().map(Key::named) {
        Some(Ok(key)) if key.is_time() => {
            return Err(Problem::invalid("group_by", "its values are too many to be counted"));
        }
        Some(Err(message)) => return Err(Problem::invalid("group_by", message)),
        key => key.and_then(Result::ok),
    };
    // A count by a key that the query names would count past the query.
    let mut named = Vec::new();
    let query = Query::parse(&q).map_err(|error| Problem::from(ControlError::Query(error)))?;
    query.root().terms(&mut |term| named.push(&term.key));
    let counted = AXES.into_iter().filter(|key| !named.contains(&key)).chain(group.clone()).collect();
    let order = ListOrder { query: q.clone(), limit: Some(0), facets: counted, ..ListOrder::default() };
    let page = caller.control().list_agents(&caller.actor, order).await?;
    let mut axes = Map::new();
    let mut room = detail.room();
    let mut summary = json!({
        "as_of": view::time(caller.control().now()),
        "total": page.total,
        "url": caller.links.agents(&q),
    });
    let mut groups = None;
    for facet in &page.facets {
        if AXES.contains(&facet.key) {
            let counts: Map<_, _> =
                facet.values.iter().map(|(value, count)| (value.clone(), (*count).into())).collect();
            axes.insert(facet.key.to_string(), counts.into());
        } else {
            let most = if detail == Detail::Brief { 15 } else { 50 };
            let (told, rest) = facet.values.split_at(facet.values.len().min(most));
            let other = facet.other + rest.iter().map(|(_, count)| count).sum::<u64>();
            groups = Some(json!({
                "key": facet.key.to_string(), fence::KEY: fence::counts(told), "other": other, "missing": facet.missing,
            }));
        }
    }
    let calls = caller.control().calls(&caller.actor, &q).await?;
    let call = |call: &tidegate_fleet::calls::Call| {
        json!({
            "sentence": call.sentence,
            "q": call.query,
            "count": call.count,
            "level": call.level.as_str(),
            "url": caller.links.agents(&call.query),
        })
    };
    room.takes(&Value::Object(axes.clone()));
    let groups = groups.and_then(|groups| room.fit(groups));
    let (calls, _) = room.fill(calls.iter().map(call));
    put(&mut summary, "axes", axes);
    put(&mut summary, "attention", calls);
    if let Some(groups) = groups {
        put(&mut summary, "groups", groups);
    }
    Ok((summary, detail))
}

pub(super) async fn list(caller: &Caller<'_>, arguments: List) -> Told {
    let List { q, sort, limit: asked, cursor, detail } = arguments;
    let sorts = Sort::read(&sort).map_err(|error| Problem::invalid("sort", error.0))?;
    let (cursors, now) = (&caller.shared.mcp.cursors, caller.control().now());
    let asked_for = format!("mcp\n{sort}\n{q}");
    let after = match cursor {
        None => None,
        Some(cursor) => Some(cursors.read(&asked_for, &cursor, now).map_err(|_| {
            Problem::invalid(
                "cursor",
                "it is older than a day, of another run, or of another q or sort; list from the start",
            )
        })?),
    };
    let order = |limit| ListOrder {
        query: q.clone(),
        sort: sorts.clone(),
        after: after.clone(),
        limit: Some(limit),
        facets: Vec::new(),
    };
    let limit = limit(asked)?;
    let mut page = caller.control().list_agents(&caller.actor, order(limit)).await?;
    let mut room = detail.room();
    let (items, all) = room.fill(page.agents.iter().map(|agent| view::row(agent, detail.text())));
    if !all {
        // The next page begins behind the last row that is told.
        page.next = caller.control().list_agents(&caller.actor, order(items.len())).await?.next;
    }
    let mut answer = json!({ "items": items, "total": page.total, "url": caller.links.agents(&q) });
    if let Some(next) = &page.next {
        put(&mut answer, "next_cursor", cursors.write(&asked_for, next, now));
    }
    Ok((answer, detail))
}

pub(super) fn get(caller: &Caller<'_>, arguments: &Get) -> Told {
    let detail = arguments.detail;
    let uid = uid(&arguments.uid)?;
    let agent = caller.control().agent(&caller.actor, &uid)?;
    let mut room = detail.room();
    let mut told = view::row(&agent, detail.text());
    put(&mut told, "url", caller.links.agent(&uid.to_string()));
    put(&mut told, "first_seen", view::time(agent.agent.first_seen));
    put(&mut told, "axes", axes(&agent, detail));
    put(&mut told, "assigned", assigned(&agent));
    put(&mut told, "custom_capabilities", {
        let names: Vec<_> =
            agent.agent.custom_capabilities().iter().take(20).map(|name| fence::line(name, 80)).collect();
        json!({ fence::KEY: names })
    });
    room.takes(&told);
    for part in &arguments.include {
        let (name, (values, all)) = match part {
            Part::Components => ("components", components(&agent, detail, &mut room)),
            Part::Attributes => ("attributes", attributes(&agent, detail, &mut room)),
            Part::Config => ("config_files", files(&agent, detail, &mut room)),
            Part::Events => ("events", {
                let mut found = caller.control().events(&caller.actor, &format!("uid:{uid}"), None, 50)?;
                found.reverse();
                room.fill(found.iter().map(|(stored, name)| event(stored, name, detail)))
            }),
            Part::Commands => ("commands", commands::of_agent(caller, &uid, detail, &mut room)?),
        };
        put(&mut told, name, values);
        if !all {
            put(&mut told, "truncated", true);
        }
    }
    Ok((told, detail))
}

fn axes(view: &AgentView, detail: Detail) -> Value {
    let axis = |value: &str, at, reason: &str| json!({ "value": value, "observed_at": view::time(at), fence::KEY: fence::texts([("reason", reason)], detail.text()) });
    json!({
        "connection": axis(view.connection.value.as_str(), view.connection.observed_at, &view.connection.reason),
        "health": axis(view.health.value.as_str(), view.health.observed_at, &view.health.reason),
        "config": axis(view.config.value.as_str(), view.config.observed_at, &view.config.reason),
    })
}

/// Why the agent has the config that it should run.
fn assigned(view: &AgentView) -> Value {
    view.agent.desired().map_or(Value::Null, |desired| {
        json!({
            "config": desired.config.hash.to_string(),
            "push": desired.push.0,
            "since": view::time(desired.since),
            "proof": view.proof.map(Proof::as_str),
        })
    })
}

fn components(view: &AgentView, detail: Detail, room: &mut Room) -> (Vec<Value>, bool) {
    let Some(root) = view.agent.reported().health.as_ref().map(Fact::get) else {
        return (Vec::new(), true);
    };
    let mut rows = Vec::new();
    walk(&root, "", &mut |path, health| {
        let texts = [("path", path), ("status", &health.status), ("last_error", &health.last_error)];
        rows.push((
            health.healthy,
            json!({ "healthy": health.healthy, fence::KEY: fence::texts(texts, detail.text()) }),
        ));
    });
    // What is not well comes first.
    rows.sort_by_key(|(healthy, _)| *healthy);
    room.fill(rows.into_iter().map(|(_, row)| row))
}

fn walk(health: &ComponentHealth, path: &str, see: &mut impl FnMut(&str, &ComponentHealth)) {
    for (name, below) in &health.component_health_map {
        let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        see(&path, below);
        walk(below, &path, see);
    }
}

fn attributes(view: &AgentView, detail: Detail, room: &mut Room) -> (Vec<Value>, bool) {
    let attributes = view.agent.attributes();
    let pair = |(key, value): (&str, &str)| json!({ fence::KEY: { fence::line(key, 120): fence::line(value, detail.text()) } });
    room.fill(attributes.iter().map(pair))
}

/// The files that the agent runs, as it reports them.
fn files(view: &AgentView, detail: Detail, room: &mut Room) -> (Vec<Value>, bool) {
    let effective = view.agent.reported().effective_config.as_ref().and_then(|fact| fact.get().config_map);
    let (max, shown) = (detail.bytes() / 3, effective.map(|map| view.agent.without_secrets(&map)));
    let files = shown.iter().flat_map(|map| map.config_map.iter()).map(|(name, file)| {
        let text = String::from_utf8_lossy(&file.body);
        json!({ fence::KEY: { "name": fence::line(name, 255), "body": fence::block(&text, max) } })
    });
    room.fill(files)
}

pub(super) fn events(caller: &Caller<'_>, arguments: &Events) -> Told {
    let detail = arguments.detail;
    for kind in &arguments.kinds {
        if EventKind::from_word(kind).is_none() {
            let known = EventKind::ALL.map(EventKind::as_str).join(", ");
            return Err(Problem::invalid("kinds", format!("{kind:?} is none of {known}")));
        }
    }
    let limit = limit(arguments.limit)?;
    let since = arguments.since_minutes.map(|minutes| {
        let ago = Duration::from_secs(minutes.saturating_mul(60)).as_millis();
        caller.control().now().0.saturating_sub(u64::try_from(ago).unwrap_or(u64::MAX))
    });
    let mut found = caller.control().events(&caller.actor, &arguments.q, arguments.before, usize::MAX)?;
    found.reverse();
    let mut kept = found.iter().filter(|(stored, _)| {
        let event = &stored.event;
        (arguments.kinds.is_empty() || arguments.kinds.iter().any(|kind| kind == event.kind.as_str()))
            && since.is_none_or(|since| event.at.0 >= since)
    });
    let mut room = detail.room();
    let page = kept.by_ref().take(limit).map(|(stored, name)| event(stored, name, detail));
    let (items, all) = room.fill(page);
    let more = !all || kept.next().is_some();
    let last = items.last().and_then(|item| item.get("number")).filter(|_| more).cloned();
    let mut answer = json!({ "items": items });
    if let Some(last) = last {
        put(&mut answer, "before", last);
    }
    Ok((answer, detail))
}

fn event(stored: &tidegate_store::StoredEvent, name: &str, detail: Detail) -> Value {
    let event = &stored.event;
    json!({
        "number": stored.number,
        "at": view::time(event.at),
        "kind": event.kind.as_str(),
        "uid": event.agent.to_string(),
        fence::KEY: fence::texts([("name", name), ("text", &event.text)], detail.text()),
    })
}

pub(super) async fn explain(caller: &Caller<'_>, arguments: Explain) -> Told {
    let detail = Detail::Brief;
    let query = match Query::parse(&arguments.q) {
        Ok(query) => query,
        Err(QueryError { position, message, hint, .. }) => {
            let answer = json!({
                "valid": false,
                "error": { "character": position, "message": fence::line(&message, 400), "write_instead": hint },
                "keys": key::NAMES.join(" ") + " attr.NAME label.KEY",
            });
            return Ok((answer, detail));
        }
    };
    let order = ListOrder { query: arguments.q.clone(), limit: Some(0), ..ListOrder::default() };
    let total = caller.control().list_agents(&caller.actor, order).await?.total;
    let mut terms = Vec::new();
    query.root().terms(&mut |term| terms.push(fence::line(&term.to_string(), 120)));
    let (terms, _) = detail.room().fill(terms.into_iter().take(20).map(Value::from));
    let answer = json!({
        "valid": true,
        "read_as": fence::line(&query.to_string(), 800),
        "everything": query.is_everything(),
        "terms": terms,
        "total": total,
        "url": caller.links.agents(&fence::line(&arguments.q, 400)),
    });
    Ok((answer, detail))
}
