//! Reading: formats, service keys, plugins, variables.

use tidegate_fluent::{Format, PluginKind, SectionKind};

use crate::support::{config, one};

#[test]
fn the_extension_decides_the_format() {
    let cases = [
        ("a.yaml", Format::Yaml),
        ("/x.conf/a.yml", Format::Yaml),
        ("a.conf", Format::Classic),
        ("a.YAML", Format::Classic),
        ("yaml", Format::Classic),
        ("/x.yaml/a", Format::Classic),
        ("", Format::Classic),
    ];
    for (name, expected) in cases {
        assert_eq!(Format::of_name(name), expected, "{name}");
    }
}

#[test]
fn a_section_name_may_be_shortened() {
    let cases = [
        ("SERVICE", SectionKind::Service),
        ("serv", SectionKind::Service),
        ("Inputs", SectionKind::Input),
        ("OUTPUT", SectionKind::Output),
        ("servicex", SectionKind::Other),
        (" service", SectionKind::Other),
        ("", SectionKind::Other),
        ("s\u{fc}", SectionKind::Other),
    ];
    for (name, expected) in cases {
        assert_eq!(SectionKind::of_name(name), expected, "{name}");
    }
}

#[test]
fn the_later_service_key_wins() {
    let cases = [
        ("[SERVICE]\n    Flush 1\n[SERVICE]\n    FLUSH 2\n", "flush", Some("2")),
        ("[SERVICE]\n    flush 1\n[SERV]\n    flush 2\n", "Flush", Some("2")),
        ("service: {flush: 1, flush: 2}\n", "flush", Some("2")),
        ("service: {http_port: 1, httpPort: 2}\n", "http_port", Some("2")),
        ("service: {http_port: 1, HttpPort: 2}\n", "http_port", Some("1")),
        ("service: {flush: 1, flush: ' '}\n", "flush", Some("1")),
        ("service: {flush: 1, flush: ''}\n", "flush", Some("")),
        ("SERVICE: {flush: 1}\n", "flush", Some("1")),
        ("[SERVICE]\n    log_file  /a b \n", "log_file", Some("/a b")),
        ("[SERVICE]\n    log_file /a # b\n", "log_file", Some("/a # b")),
        ("[INPUT]\n    name a\n    flush 3\n", "flush", None),
    ];
    for (text, key, expected) in cases {
        assert_eq!(one(text).service().get(key), expected, "{text}");
    }
}

#[test]
fn booleans_are_read_as_fluent_bit_reads_them() {
    let cases = [
        ("on", Some(true)),
        ("True", Some(true)),
        ("YES", Some(true)),
        ("off", Some(false)),
        ("false", Some(false)),
        ("No", Some(false)),
        ("1", None),
        ("0", None),
        ("enabled", None),
    ];
    for (value, expected) in cases {
        let config = one(&format!("service: {{http_server: '{value}'}}\n"));
        assert_eq!(config.service().get_bool("http_server"), expected, "{value}");
    }
    assert_eq!(one("").service().get_bool("http_server"), None);
}

#[test]
fn instances_are_numbered_over_their_kind_and_all_files() {
    let config = config(&[
        (
            "/m.yaml",
            "pipeline:\n  inputs:\n    - name: Tail\n    - name: cpu\n      alias: load\n  outputs:\n    - name: stdout\nincludes: [b.yaml]\n",
        ),
        (
            "/b.yaml",
            "pipeline:\n  inputs:\n    - name: tcp://0.0.0.0:5170\n  filters:\n    - name: grep\n  outputs:\n    - {name: http, alias: ''}\n",
        ),
    ]);
    let of = |kind| config.plugins_of(kind).map(|plugin| plugin.instance.as_str()).collect::<Vec<_>>();
    assert_eq!(of(PluginKind::Input), ["tail.0", "load", "tcp.2"]);
    assert_eq!(of(PluginKind::Filter), ["grep.0"]);
    assert_eq!(of(PluginKind::Output), ["stdout.0", ""]);
    let tcp = &config.plugins()[3];
    assert_eq!((tcp.name.as_str(), tcp.file, tcp.position.line), ("tcp://0.0.0.0:5170", 1, 3));
}

#[test]
fn plugin_properties_keep_order_case_and_shape() {
    let classic =
        one("[INPUT]\n    NAME tail\n    Path /a\n    path /b\n    [rule] \n        State s\n    Tag t\n");
    let properties = &classic.plugins()[0].properties;
    let shown: Vec<_> = properties.iter().map(|p| format!("{}={}", p.key, p.value)).collect();
    assert_eq!(shown, ["name=tail", "path=/a", "path=/b", "rule={state: s}", "tag=t"]);
    assert_eq!(classic.plugins()[0].get("Path"), Some("/b"));
    let yaml = one("pipeline:\n  inputs:\n    - name: tail\n      readFromHead: on\n      path: [a, b]\n");
    let shown: Vec<_> =
        yaml.plugins()[0].properties.iter().map(|p| format!("{}={}", p.key, p.value)).collect();
    assert_eq!(shown, ["name=tail", "read_from_head=on", "path=[a, b]"]);
}

#[test]
fn the_config_s_own_variables_come_before_the_process_environment() {
    let process = |name: &str| match name {
        "A" | "HOME" => Some("process".to_owned()),
        "NONE" => Some(String::new()),
        "file:///run/secret" => Some("s3cret".to_owned()),
        _ => None,
    };
    let classic = "@SET A=set\n@SET A=again\n[SERVICE]\n    flush ${A}\n";
    let map = "env: {A: again, S: 'file:///run/secret'}\n";
    let list = "env:\n  - name: A\n    value: again\n  - {name: S, uri: 'file:///run/secret', refresh_interval: 5}\n  - B: b\n";
    for text in [classic, map, list] {
        let config = one(text);
        assert_eq!(config.expand("${A}-${HOME}", &process), "again-process", "{text}");
        assert_eq!(config.expand("${NONE:-d}", &process), "d");
    }
    assert_eq!(one(map).expand("${S}", &process), "s3cret");
    assert_eq!(one(list).expand("${S}${B}", &process), "s3cretb");
}
