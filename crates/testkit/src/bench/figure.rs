//! Figures, their goals, and how both are shown.

use std::fmt::Write as _;

/// One figure.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Figure {
    /// A name for programs.
    pub(super) key: &'static str,
    /// What it is, for people.
    pub(super) what: String,
    pub(super) unit: &'static str,
    pub(super) outcome: Outcome,
}

/// What became of a figure.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// It was measured; it may be at most the goal, where it has one.
    Measured { value: f64, goal: Option<f64> },
    /// It was not, and why.
    Failed(String),
}

impl Figure {
    /// A figure that is to be at most `goal`.
    pub(super) fn new(
        key: &'static str,
        what: impl Into<String>,
        value: f64,
        unit: &'static str,
        goal: f64,
    ) -> Self {
        let outcome = Outcome::Measured { value, goal: Some(goal) };
        Self { key, what: what.into(), unit, outcome }
    }

    /// A figure that only tells.
    pub(super) fn told(key: &'static str, what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { key, what: what.into(), unit, outcome: Outcome::Measured { value, goal: None } }
    }

    /// A figure, or a whole phase, that could not be had.
    pub(super) fn failed(key: &'static str, what: impl Into<String>, why: String) -> Self {
        Self { key, what: what.into(), unit: "", outcome: Outcome::Failed(why) }
    }

    fn cells(&self) -> [String; 4] {
        let (value, goal, verdict) = match &self.outcome {
            Outcome::Measured { value, goal: Some(goal) } => {
                (show(*value), format!("≤ {}", show(*goal)), self.verdict().to_owned())
            }
            Outcome::Measured { value, goal: None } => (show(*value), String::new(), String::new()),
            Outcome::Failed(_) => ("-".to_owned(), String::new(), "not measured".to_owned()),
        };
        [format!("{} [{}]", self.what, self.key), format!("{value} {}", self.unit), goal, verdict]
    }

    /// `met`, `missed`, `told` or `not measured`.
    pub(super) fn verdict(&self) -> &'static str {
        match self.outcome {
            Outcome::Measured { value, goal: Some(goal) } if value <= goal => "met",
            Outcome::Measured { goal: Some(_), .. } => "missed",
            Outcome::Measured { goal: None, .. } => "told",
            Outcome::Failed(_) => "not measured",
        }
    }
}

fn show(value: f64) -> String {
    if value == 0.0 || value >= 1_000.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// All figures as a table, with the reasons of those that were not measured below it.
pub(super) fn table(figures: &[Figure]) -> String {
    let rows: Vec<_> = [["figure", "measured", "goal", "verdict"].map(str::to_owned)]
        .into_iter()
        .chain(figures.iter().map(Figure::cells))
        .collect();
    let mut widths = [0; 4];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for [figure, value, goal, verdict] in &rows {
        let [one, two, three, _] = widths;
        let line = format!("{figure:<one$}  {value:>two$}  {goal:>three$}  {verdict}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    for figure in figures {
        if let Outcome::Failed(why) = &figure.outcome {
            let _ = writeln!(text, "{} [{}] was not measured: {why}", figure.what, figure.key);
        }
    }
    text
}

/// All figures as JSON.
pub(super) fn json(figures: &[Figure]) -> serde_json::Value {
    let one = |figure: &Figure| {
        let (value, goal, why) = match &figure.outcome {
            Outcome::Measured { value, goal } => (Some(*value), *goal, None),
            Outcome::Failed(why) => (None, None, Some(why)),
        };
        serde_json::json!({
            "key": figure.key, "what": figure.what, "unit": figure.unit, "value": value, "goal": goal,
            "verdict": figure.verdict(), "why": why,
        })
    };
    figures.iter().map(one).collect()
}

/// The middle of some values; 0 for none.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// The value below which 95 of 100 lie.
pub(super) fn p95(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get((values.len() * 95 / 100).min(last)).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_figures_when_judged_then_only_those_within_their_goal_are_met() {
        let figures = [
            Figure::new("a", "one", 5.0, "µs", 6.0),
            Figure::new("b", "two", 6.5, "µs", 6.0),
            Figure::told("c", "three", 12_345.6, "/s"),
            Figure::failed("d", "four", "no such flag".to_owned()),
        ];
        assert_eq!(figures.each_ref().map(Figure::verdict), ["met", "missed", "told", "not measured"]);
        let text = table(&figures);
        assert!(text.contains("one [a]") && text.contains("12346 /s"), "{text}");
        assert!(text.contains("four [d] was not measured: no such flag"), "{text}");
        assert_eq!(json(&figures)[3]["value"], serde_json::Value::Null);
        assert_eq!((median(vec![3.0, 1.0, 2.0]), p95((0..100).map(f64::from).collect())), (2.0, 95.0));
    }
}
