//! `/agents/{uid}/config`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use tidegate_api as api;
use tidegate_fleet::Actor;
use tidegate_fleet::difference::{Change, Line, Side};

use super::json::uid;
use super::problem::Failure;
use super::{Face, convert};
use crate::control::Version;

pub(super) async fn get(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Path(text): Path<String>,
) -> Result<Json<api::AgentConfig>, Failure> {
    let view = face.control.agent_config(&actor, &uid(&text)?)?;
    let agent = convert::agent(&view.difference.view);
    let version = |version: &Version| api::ConfigVersion {
        hash: version.hash.clone(),
        push: version.push.clone(),
        since: convert::time(version.since),
        files: convert::files(&version.files),
    };
    let difference = |(name, change): &(String, Change)| {
        let (word, hunks) = match change {
            Change::Same => ("same", Vec::new()),
            Change::Missing => ("missing", Vec::new()),
            Change::Foreign => ("foreign", Vec::new()),
            Change::Lines(lines) => ("changed", hunks(lines)),
        };
        api::FileDifference { name: name.clone(), change: word.to_owned(), hunks }
    };
    Ok(Json(api::AgentConfig {
        uid: agent.uid,
        config: agent.config,
        in_sync: view.difference.in_sync(),
        compared: view.difference.compared,
        reason: view.reason.clone(),
        desired: view.desired.as_ref().map(version),
        former: view.former.as_ref().map(version),
        effective: view.effective.as_ref().map(|(at, files)| api::EffectiveConfig {
            observed_at: convert::time(*at),
            files: convert::files(files),
        }),
        differences: view.difference.files.iter().map(difference).collect(),
    }))
}

/// Lines in the places that they stand in: a place ends where a line of both sides does not follow the one before.
fn hunks(lines: &[Line]) -> Vec<api::DifferenceHunk> {
    let mut hunks: Vec<api::DifferenceHunk> = Vec::new();
    let (mut desired, mut effective) = (0, 0);
    for line in lines {
        let number = line.number as u64;
        let follows = match line.side {
            Side::Both | Side::Effective => number == effective + 1,
            Side::Desired => number == desired + 1,
        };
        if !follows {
            // What both have lies between the places, and is as long on both sides.
            let (known, before) =
                if line.side == Side::Desired { (number, desired) } else { (number, effective) };
            let skipped = known.saturating_sub(before + 1);
            (desired, effective) = (desired + skipped, effective + skipped);
        }
        if !follows || hunks.is_empty() {
            let (desired_start, effective_start) = (desired + 1, effective + 1);
            hunks.push(api::DifferenceHunk { desired_start, effective_start, lines: Vec::new() });
        }
        let side = match line.side {
            Side::Both => "both",
            Side::Desired => "desired",
            Side::Effective => "effective",
        };
        desired += u64::from(line.side != Side::Effective);
        effective += u64::from(line.side != Side::Desired);
        if let Some(hunk) = hunks.last_mut() {
            hunk.lines.push(api::DifferenceLine { side: side.to_owned(), text: line.text.clone() });
        }
    }
    hunks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_lines_of_a_difference_when_put_into_places_then_each_begins_where_it_stands_on_both_sides() {
        let line = |side, number| Line { side, number, text: String::new() };
        let lines = [
            line(Side::Desired, 1),
            line(Side::Both, 1),
            line(Side::Both, 9),
            line(Side::Effective, 10),
            line(Side::Effective, 11),
            line(Side::Both, 12),
            line(Side::Both, 20),
            line(Side::Desired, 20),
        ];
        let places: Vec<_> = hunks(&lines)
            .iter()
            .map(|hunk| (hunk.desired_start, hunk.effective_start, hunk.lines.len()))
            .collect();
        assert_eq!(places, [(1, 1, 2), (10, 9, 4), (19, 20, 2)]);
        assert_eq!(hunks(&[]), []);
    }
}
