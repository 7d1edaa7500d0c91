//! Whether two configs mean the same (architecture, D6).

use std::collections::HashMap;
use std::fmt;

use crate::config::Config;
use crate::paths::{is_plugin_file, is_service_file, same_path};
use crate::pipeline::{Plugin, PluginKind};
use crate::section::{Entry, Section};
use crate::service::REPEATABLE;
use crate::value::Value;

/// One thing in which two configs differ. `Display` names it without its values, which may be secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs, in words, such as ``output 1 (http) `host` ``.
    pub what: String,
    /// Its value in the first config, `None` if it is not there.
    pub before: Option<String>,
    /// Its value in the second config, `None` if it is not there.
    pub after: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match (&self.before, &self.after) {
            (None, _) => "is new",
            (_, None) => "is gone",
            _ => "differs",
        };
        write!(f, "{} {how}", self.what)
    }
}

/// Compares what two configs mean: service keys that count, variables, plugins with their properties in
/// order, and all other sections. Comments, layout, the split into files, the service keys in
/// `ignore_service_keys`, and paths that were made absolute do not count. Empty means the same.
pub fn compare(a: &Config, b: &Config, ignore_service_keys: &[&str]) -> Vec<Difference> {
    let mut out = Vec::new();
    service(a, b, ignore_service_keys, &mut out);
    variables(a, b, &mut out);
    for kind in [PluginKind::Custom, PluginKind::Input, PluginKind::Filter, PluginKind::Output] {
        plugins(kind, a, b, &mut out);
    }
    rest(a, b, &mut out);
    out
}

fn differ(what: String, before: Option<String>, after: Option<String>, out: &mut Vec<Difference>) {
    out.push(Difference { what, before, after });
}

/// The items of a list as names with values.
fn keyed<'a, T, V: 'a>(
    list: &'a [T],
    pair: impl Fn(&'a T) -> (&'a String, &'a V),
) -> impl Iterator<Item = (&'a str, &'a V)> {
    list.iter().map(move |item| {
        let (name, value) = pair(item);
        (name.as_str(), value)
    })
}

/// The names of both sides in the order of their first appearance, each with its values on either side.
fn matched<'a, V>(
    before: impl Iterator<Item = (&'a str, V)>,
    after: impl Iterator<Item = (&'a str, V)>,
) -> Vec<(&'a str, Vec<V>, Vec<V>)> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut out: Vec<(&str, Vec<V>, Vec<V>)> = Vec::new();
    let sides = before.map(|pair| (pair, true)).chain(after.map(|pair| (pair, false)));
    for ((name, value), is_before) in sides {
        let place = *places.entry(name).or_insert(out.len());
        if place == out.len() {
            out.push((name, Vec::new(), Vec::new()));
        }
        if let Some((_, before, after)) = out.get_mut(place) {
            if is_before { before.push(value) } else { after.push(value) }
        }
    }
    out
}

fn service(a: &Config, b: &Config, ignored: &[&str], out: &mut Vec<Difference>) {
    for (key, before, after) in matched(
        keyed(a.service().entries(), |entry| (&entry.key, &entry.value)),
        keyed(b.service().entries(), |entry| (&entry.key, &entry.value)),
    ) {
        if ignored.iter().any(|ignored| ignored.eq_ignore_ascii_case(key)) {
            continue;
        }
        let (before, after) = (counting(key, &before), counting(key, &after));
        if !same_values(before, after, is_service_file(key)) {
            differ(format!("service key `{key}`"), shown(before), shown(after), out);
        }
    }
}

/// The values that take effect: all of them for a key that Fluent Bit acts on each time, else the last.
fn counting<'v, 'a>(key: &str, values: &'v [&'a Value]) -> &'v [&'a Value] {
    let first = if REPEATABLE.contains(&key) { 0 } else { values.len().saturating_sub(1) };
    values.get(first..).unwrap_or_default()
}

fn shown(values: &[&Value]) -> Option<String> {
    let texts: Vec<_> = values.iter().map(ToString::to_string).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

fn same_values(a: &[&Value], b: &[&Value], is_path: bool) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b, is_path))
}

fn same_value(a: &Value, b: &Value, is_path: bool) -> bool {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) if is_path => same_path(a, b),
        _ => a == b,
    }
}

fn variables(a: &Config, b: &Config, out: &mut Vec<Difference>) {
    for (name, before, after) in
        matched(keyed(a.variables(), |v| (&v.name, &v.value)), keyed(b.variables(), |v| (&v.name, &v.value)))
    {
        let (before, after) = (before.last(), after.last());
        if before != after {
            let owned = |value: Option<&&String>| value.map(|value| (*value).clone());
            differ(format!("variable `{name}`"), owned(before), owned(after), out);
        }
    }
}

fn plugins(kind: PluginKind, a: &Config, b: &Config, out: &mut Vec<Difference>) {
    let (before, after): (Vec<_>, Vec<_>) = (a.plugins_of(kind).collect(), b.plugins_of(kind).collect());
    for index in 0..before.len().max(after.len()) {
        let title = |name: &str| format!("{kind} {} ({name})", index + 1);
        match (before.get(index), after.get(index)) {
            (Some(x), Some(y)) if x.name == y.name => properties(&title(&x.name), x, y, out),
            (Some(x), Some(y)) => differ(title(&x.name), Some(x.name.clone()), Some(y.name.clone()), out),
            (Some(x), None) => differ(title(&x.name), Some(x.name.clone()), None, out),
            (None, Some(y)) => differ(title(&y.name), None, Some(y.name.clone()), out),
            (None, None) => {}
        }
    }
}

fn properties(title: &str, a: &Plugin, b: &Plugin, out: &mut Vec<Difference>) {
    let is_path = |key: &str| is_plugin_file(a.kind, &a.name, key);
    entries(title, &a.properties, &b.properties, &is_path, out);
}

/// Compares entries key by key, and then their order, which counts for some plugins.
fn entries(title: &str, a: &[Entry], b: &[Entry], is_path: &dyn Fn(&str) -> bool, out: &mut Vec<Difference>) {
    let keys = |list: &[Entry]| -> Vec<String> { list.iter().map(|entry| entry.key.clone()).collect() };
    let known = out.len();
    for (key, before, after) in
        matched(keyed(a, |entry| (&entry.key, &entry.value)), keyed(b, |entry| (&entry.key, &entry.value)))
    {
        if !same_values(&before, &after, is_path(key)) {
            differ(format!("{title} `{key}`"), shown(&before), shown(&after), out);
        }
    }
    let (before, after) = (keys(a), keys(b));
    if out.len() == known && before != after {
        differ(format!("{title} order of properties"), Some(before.join(" ")), Some(after.join(" ")), out);
    }
}

fn rest(a: &Config, b: &Config, out: &mut Vec<Difference>) {
    for index in 0..a.rest.len().max(b.rest.len()) {
        let title = |section: &Section| format!("section {} ({})", index + 1, section.name);
        match (a.rest.get(index), b.rest.get(index)) {
            (Some((_, x)), Some((_, y))) if x.kind == y.kind && x.name.eq_ignore_ascii_case(&y.name) => {
                entries(&title(x), &x.entries, &y.entries, &|_| false, out);
            }
            (Some((_, x)), Some((_, y))) => {
                differ(title(x), Some(x.name.clone()), Some(y.name.clone()), out);
            }
            (Some((_, x)), None) => differ(title(x), Some(x.name.clone()), None, out),
            (None, Some((_, y))) => differ(title(y), None, Some(y.name.clone()), out),
            (None, None) => {}
        }
    }
}
