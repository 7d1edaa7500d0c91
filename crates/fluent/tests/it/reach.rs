//! What a config reaches of its host.

use tidegate_fluent::{Config, Format, IncludedFile, Reached, load, reaches};

fn config(format: Format, text: &str) -> Config {
    let name = if format == Format::Yaml { "/c/main.yaml" } else { "/c/main.conf" };
    let mut resolve = |_: &tidegate_fluent::IncludeRequest<'_>| {
        Ok(vec![IncludedFile { name: "/c/sub/more.conf".into(), text: String::new() }])
    };
    load(format, name, text, &mut resolve).0
}

/// Owner, key and value of every file.
fn files(config: &Config) -> Vec<(String, String, String)> {
    let files = reaches(config).into_iter().filter(|reach| reach.reached == Reached::File);
    files.map(|reach| (reach.owner, reach.key, reach.value)).collect()
}

fn programs(config: &Config) -> Vec<&'static str> {
    let programs = reaches(config).into_iter().filter_map(|reach| match reach.reached {
        Reached::Program(word) => Some(word),
        Reached::File => None,
    });
    programs.collect()
}

#[test]
fn given_a_classic_config_when_read_then_each_file_that_it_names_is_told_once_for_each_in_a_list() {
    let text = "@SET KEY=file:///run/key\n@INCLUDE sub/more.conf\n[SERVICE]\n    Parsers_File /etc/p.conf\n    \
                storage.path /var/s\n[INPUT]\n    Name tail\n    Path /var/log/a.log, /etc/shadow\n    DB /var/t.db\n    \
                Exclude_Path /var/log/b.log\n    Path_Key file\n[OUTPUT]\n    Name file\n    Path /tmp\n    File out\n\
                [OUTPUT]\n    Name es\n    Path /index\n    tls.ca_file /etc/ca.pem\n";
    let found = files(&config(Format::Classic, text));
    let expected = [
        ("include", "include", "/c/sub/more.conf"),
        ("env", "KEY", "/run/key"),
        ("service", "parsers_file", "/etc/p.conf"),
        ("service", "storage.path", "/var/s"),
        ("input tail", "path", "/var/log/a.log"),
        ("input tail", "path", "/etc/shadow"),
        ("input tail", "db", "/var/t.db"),
        ("output file", "path", "/tmp"),
        ("output file", "file", "/tmp/out"),
        ("output es", "tls.ca_file", "/etc/ca.pem"),
    ];
    let expected = expected.map(|(owner, key, value)| (owner.to_owned(), key.to_owned(), value.to_owned()));
    assert_eq!(found, expected);
}

#[test]
fn given_what_runs_code_of_its_own_then_it_is_told_by_the_word_that_allows_it() {
    let text = "plugins:\n  - /opt/x.so\nservice:\n  plugins_file: p.conf\npipeline:\n  inputs:\n    - Name: EXEC\n      \
                command: id\n    - name: dummy\n      processors:\n        logs:\n          - name: lua\n            \
                script: a.lua\n            call: f\n  filters:\n    - name: kubernetes\n      kube_token_command: id\n  \
                outputs:\n    - name: ${OUT}\n      match: '*'\n";
    let config = config(Format::Yaml, text);
    let found = programs(&config);
    let mut rest = found.clone();
    for word in ["plugins", "plugins", "exec", "lua", "kube_token_command"] {
        let at =
            rest.iter().position(|found| *found == word).unwrap_or_else(|| panic!("{word} not in {found:?}"));
        rest.remove(at);
    }
    // A name that a variable makes up may be any of them.
    assert_eq!(rest, ["exec", "exec_wasi", "lua", "wasm", "calyptia"]);
    assert!(
        files(&config).iter().any(|(owner, _, value)| owner.ends_with("processor lua") && value == "a.lua")
    );
}

/// Files of a config lie beside it, for the rendering makes their paths absolute; data lies where the agent runs.
#[test]
fn given_relative_paths_when_read_then_those_that_lie_beside_the_config_are_told_apart() {
    let text = "[SERVICE]\n    Parsers_File p.conf\n    storage.path s\n[INPUT]\n    Name tail\n    Path a.log\n    DB t.db\n\
                [FILTER]\n    Name lua\n    Script a.lua\n[FILTER]\n    Name lua\n    Script ${S}\n[OUTPUT]\n    \
                Name forward\n    Upstream u.conf\n    tls.ca_file ca.pem\n[OUTPUT]\n    Name file\n    Match *\n[OUTPUT]\n    \
                Name FILE\n    File x\n";
    let config = config(Format::Classic, text);
    let found = reaches(&config).into_iter().filter(|reach| reach.reached == Reached::File);
    let mut found: Vec<_> = found.map(|reach| (reach.value, reach.beside)).collect();
    let expected = [
        ("p.conf", true),
        ("s", false),
        ("a.log", false),
        ("t.db", false),
        ("a.lua", true),
        ("${S}", false),
        ("u.conf", true),
        ("ca.pem", false),
        // What has neither path nor file writes where it runs.
        (".", false),
        ("x", false),
    ];
    let mut expected: Vec<_> = expected.map(|(value, beside)| (value.to_owned(), beside)).into();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

/// The properties of Fluent Bit 5.1.1 whose names look like those of files, and what they are.
#[test]
fn given_the_properties_of_the_schema_then_those_that_are_files_are_told_and_no_others() {
    let cases = [
        ("inputs", "blob", "database_file", true),
        ("inputs", "head", "file", true),
        ("inputs", "serial", "file", true),
        ("inputs", "tail", "path_key", false),
        ("inputs", "docker", "path.containers", true),
        ("inputs", "gpu_metrics", "path_sysfs", true),
        ("inputs", "node_exporter_metrics", "collector.textfile.path", true),
        ("inputs", "forward", "unix_path", true),
        ("inputs", "prometheus_scrape", "metrics_path", false),
        ("inputs", "collectd", "typesdb", true),
        ("filters", "kubernetes", "kube_token_file", true),
        ("filters", "kubernetes", "kube_meta_preload_cache_dir", true),
        ("filters", "geoip2", "database", true),
        ("filters", "checklist", "file", true),
        ("outputs", "influxdb", "database", false),
        ("outputs", "logdna", "file", false),
        ("outputs", "azure_blob", "path", false),
        ("outputs", "azure_blob", "buffer_dir", true),
        ("outputs", "s3", "store_dir", true),
        ("outputs", "s3", "static_file_path", false),
        ("outputs", "loki", "label_map_path", true),
        ("outputs", "gcs", "google_service_credentials", true),
        ("outputs", "http", "oauth2.jwt_key_file", true),
        ("outputs", "forward", "upstream", true),
        ("outputs", "kafka", "rdkafka.ssl.key.location", true),
        ("outputs", "kafka-rest", "url_path", false),
        ("outputs", "es", "tls.proxy.ca_path", true),
    ];
    for (list, plugin, key, expected) in cases {
        let text = format!("pipeline:\n  {list}:\n    - name: {plugin}\n      {key}: /x\n");
        assert_eq!(files(&config(Format::Yaml, &text)).len(), usize::from(expected), "{plugin} {key}");
    }
}
