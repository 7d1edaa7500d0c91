//! Comparing what configs mean.

use tidegate_fluent::compare;

use crate::support::one;

const BASE: &str = "[SERVICE]\n    flush 1\n    parsers_file p.conf\n@SET A=1\n[INPUT]\n    name tail\n    path /a\n[FILTER]\n    name modify\n    add a 1\n    set b 2\n[OUTPUT]\n    name http\n    http_passwd s3cret\n";

fn check(a: &str, b: &str, expected: &[&str]) {
    let found = compare(&one(a), &one(b), &["http_port"]);
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, expected, "{a}\n--\n{b}");
}

#[test]
fn layout_forced_keys_and_absolute_paths_do_not_count() {
    check(BASE, BASE, &[]);
    let other = "# c\n@SET A=1\n[INPUT]\n  NAME  tail\n  Path /a\n[SERVICE]\n  Flush 1\n  HTTP_Port 1\n  parsers_file /etc/p.conf\n[FILTER]\n  name modify\n  add a 1\n  set b 2\n[OUTPUT]\n  name http\n  http_passwd s3cret\n";
    check(BASE, other, &[]);
    check("service: {flush: 1}\n", "service:\n  flush: 3\n  flush: '1'\n", &[]);
}

#[test]
fn each_difference_is_named_without_its_value() {
    let cases = [
        ("flush 1", "flush 2", "service key `flush` differs"),
        ("    flush 1\n", "", "service key `flush` is gone"),
        ("flush 1", "flush 1\n    grace 1", "service key `grace` is new"),
        ("p.conf", "q.conf", "service key `parsers_file` differs"),
        ("p.conf", "/etc/xp.conf", "service key `parsers_file` differs"),
        ("p.conf", "p.conf\n    parsers_file q.conf", "service key `parsers_file` differs"),
        ("@SET A=1\n", "@SET A=2\n", "variable `A` differs"),
        ("path /a", "path /b", "input 1 (tail) `path` differs"),
        ("path /a\n", "path /a\n    tag x\n", "input 1 (tail) `tag` is new"),
        ("name tail", "name cpu", "input 1 (tail) differs"),
        (
            "    add a 1\n    set b 2\n",
            "    set b 2\n    add a 1\n",
            "filter 1 (modify) order of properties differs",
        ),
        ("s3cret", "other", "output 1 (http) `http_passwd` differs"),
        ("[FILTER]\n    name modify\n    add a 1\n    set b 2\n", "", "filter 1 (modify) is gone"),
        ("[OUTPUT]", "[FOO]\n    a b\n[OUTPUT]", "section 1 (FOO) is new"),
    ];
    for (from, to, expected) in cases {
        assert!(BASE.contains(from), "{from}");
        check(BASE, &BASE.replace(from, to), &[expected]);
    }
}

#[test]
fn the_values_are_at_hand_for_those_who_may_see_them() {
    let found = compare(&one(BASE), &one(&BASE.replace("s3cret", "other")), &[]);
    assert_eq!((found[0].before.as_deref(), found[0].after.as_deref()), (Some("s3cret"), Some("other")));
}
