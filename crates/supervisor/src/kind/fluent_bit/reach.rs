//! What a config reaches of its host, variables expanded as the agent will see them.

use tidegate_fluent::{Reach, Reached, reaches};

use super::{Source, render};
use crate::kind::{Touch, Touched};

pub(super) fn touches(source: &Source) -> Vec<Touch> {
    let (config, _) = render::read(source);
    let folder = source.path.parent().map(|folder| format!("{}/", folder.display())).unwrap_or_default();
    let mut touches = Vec::new();
    for reach in reaches(&config) {
        let Reach { reached, owner, key, value, file, position, beside } = reach;
        let name = config.trees.get(file).map_or("", |tree| tree.name());
        let touch = |touched| Touch {
            touched,
            what: format!("{owner} {key}"),
            value: value.clone(),
            place: format!(
                "{}:{}:{}",
                name.strip_prefix(&folder).unwrap_or(name),
                position.line,
                position.column
            ),
        };
        match reached {
            Reached::Program(word) => touches.push(touch(Touched::Program(word))),
            Reached::File => {
                let expanded = config.expand(&value, &render::process_variable);
                // What the config names in its own folder is its own.
                let own = |path: &str| {
                    beside && (path.starts_with(&folder) || !path.starts_with('/')) && !path.contains("..")
                };
                // A variable may stand for a list as well.
                let paths = expanded.split(',').map(str::trim).filter(|path| !path.is_empty() && !own(path));
                touches.extend(paths.map(|path| touch(Touched::File(path.to_owned()))));
            }
        }
    }
    touches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_files_of_the_config_itself_when_read_then_they_are_no_reach_but_data_and_ways_out_are() {
        let text = "[SERVICE]\n    Parsers_File p.conf\n[INPUT]\n    Name tail\n    Path in.log\n[FILTER]\n    Name lua\n    \
                    Script ../a.lua\n[FILTER]\n    Name lua\n    Script /x.lua\n";
        let source = Source { path: "/c/main.conf".into(), text: text.into() };
        let found = touches(&source).into_iter().filter_map(|touch| match touch.touched {
            Touched::File(path) => Some(path),
            Touched::Program(_) => None,
        });
        assert_eq!(found.collect::<Vec<_>>(), ["in.log", "../a.lua", "/x.lua"]);
    }

    #[test]
    fn given_variables_that_lead_elsewhere_when_read_then_what_they_stand_for_is_judged() {
        let text = "@SET A=/etc/shadow\n@SET B=/var/log/a,/etc/passwd\n[INPUT]\n    Name tail\n    Path ${A}\n\
                    [INPUT]\n    Name tail\n    Path ${B}\n    DB ${NOT_SET:-/etc/x}/y\n";
        let source = Source { path: "/c/main.conf".into(), text: text.into() };
        let found: Vec<_> =
            touches(&source).into_iter().map(|touch| (touch.place, touch.what, touch.touched)).collect();
        let file = |place: &str, what: &str, path: &str| {
            (place.to_owned(), what.to_owned(), Touched::File(path.into()))
        };
        let expected = [
            file("main.conf:5:5", "input tail path", "/etc/shadow"),
            file("main.conf:8:5", "input tail path", "/var/log/a"),
            file("main.conf:8:5", "input tail path", "/etc/passwd"),
            file("main.conf:9:5", "input tail db", "/etc/x/y"),
        ];
        assert_eq!(found, expected);
    }
}
