//! Fluent Bit's own metrics and logs, sent by a pipeline of their own beside that of the config (fluent-bit.md,
//! "OpAMP efforts"). Measured on 5.1.1:
//!
//! - inputs with `routes` reach the outputs that these name and no others, so that an output that matches everything
//!   gets none of it; only YAML has them, from 4.2 on;
//! - a second top key `includes` adds to the first, wherever it stands;
//! - `opentelemetry_envelope` and `content_modifier` make a resource, of metrics and logs alike;
//! - chunks that cannot be delivered hold a reload up, so nothing is tried twice, and a connection is not waited for
//!   long;
//! - the output logs each answer at `info`, and a failure of the one that sends the log would feed itself.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use tidegate_opamp::AvailableComponents;

use super::FluentBit;
use crate::{
    hex::hex,
    kind::{OwnTelemetry, Rendered, Signals},
    own::{Destination, Wanted},
};

/// The first version whose checks and routes are known to hold.
const FIRST_MAJOR: u32 = 5;

/// The aliases of inputs and outputs alike.
const METRICS: &str = "opamp_metrics";
const LOGS: &str = "opamp_logs";

/// How the name of the file begins that the config includes.
const INCLUDE: &str = "own-telemetry";

/// What begins the part behind a config's text.
const MARK: &str = "# Own telemetry: put here by tidegate-supervisor, no part of the config.\n";

impl OwnTelemetry for FluentBit {
    fn signals(&self, version: &str, components: &AvailableComponents) -> Signals {
        let major = version.split('.').next().and_then(|major| major.parse().ok());
        let has = |group: &str, name: &str| {
            components.components.get(group).is_some_and(|all| all.sub_component_map.contains_key(name))
        };
        let sends = major.is_some_and(|major: u32| major >= FIRST_MAJOR)
            && has("outputs", "opentelemetry")
            && has("processors", "opentelemetry_envelope")
            && has("processors", "content_modifier");
        Signals {
            metrics: sends && has("inputs", "fluentbit_metrics"),
            logs: sends && has("inputs", "fluentbit_logs"),
        }
    }

    fn files(&self, wanted: &Wanted, resource: &[(String, String)], folder: &Path) -> Vec<(PathBuf, String)> {
        let metrics = wanted.metrics.as_ref().map(|to| Part {
            signal: "metrics",
            alias: METRICS,
            input: "name: fluentbit_metrics\n      scrape_interval: 10\n      scrape_on_start: true",
            log_level: "warn",
            authorities: place(folder, "own-metrics-ca", &to.authorities, "pem"),
            to,
        });
        let logs = wanted.logs.as_ref().map(|to| Part {
            signal: "logs",
            alias: LOGS,
            input: "name: fluentbit_logs\n      mem_buf_limit: 1M",
            log_level: "off",
            authorities: place(folder, "own-logs-ca", &to.authorities, "pem"),
            to,
        });
        let parts: Vec<Part<'_>> = metrics.into_iter().chain(logs).collect();
        let inputs: String = parts.iter().map(|part| part.input(resource)).collect();
        let outputs: String = parts.iter().map(Part::output).collect();
        let include = format!("pipeline:\n  inputs:\n{inputs}  outputs:\n{outputs}");
        let trusted = parts.iter().filter(|part| !part.to.authorities.is_empty());
        std::iter::once((place(folder, INCLUDE, &include, "yaml"), include))
            .chain(trusted.map(|part| (part.authorities.clone(), part.to.authorities.clone())))
            .collect()
    }

    fn attachment(&self, rendered: &Rendered, include: &Path) -> Result<String, String> {
        if !rendered.name.ends_with(".yaml") {
            return Err(
                "the config that runs is in the classic format, in which own telemetry cannot be kept apart \
                        from other outputs: write it in YAML"
                    .into(),
            );
        }
        let text = rendered.text.trim_start();
        if text.starts_with('{') {
            return Err(
                "the config that runs is one YAML map in braces, to which nothing can be added".into()
            );
        }
        if rendered.expected.iter().any(|name| self.is_about(name)) {
            return Err(format!("the config that runs has components called {METRICS} or {LOGS} itself"));
        }
        let newline = if rendered.text.ends_with('\n') { "" } else { "\n" };
        Ok(format!("{newline}{MARK}includes:\n  - {}\n", quoted(&include.to_string_lossy())))
    }

    fn detached<'a>(&self, text: &'a str) -> &'a str {
        text.find(MARK).and_then(|at| text.get(..at)).unwrap_or(text)
    }

    fn is_about(&self, component_or_line: &str) -> bool {
        [METRICS, LOGS].iter().any(|alias| component_or_line.contains(alias))
    }
}

/// What sends one signal.
struct Part<'a> {
    signal: &'static str,
    alias: &'static str,
    input: &'static str,
    log_level: &'static str,
    authorities: PathBuf,
    to: &'a Destination,
}

impl Part<'_> {
    fn input(&self, resource: &[(String, String)]) -> String {
        let Self { signal, alias, input, .. } = self;
        let mut text = format!(
            "    - {input}\n      alias: {alias}\n      tag: __opamp.{signal}\n      processors:\n        \
             {signal}:\n          - name: opentelemetry_envelope\n"
        );
        for (key, value) in resource {
            put(&mut text, 10, "- name", "content_modifier");
            put(&mut text, 12, "context", "otel_resource_attributes");
            put(&mut text, 12, "action", "upsert");
            put(&mut text, 12, "key", &quoted(key));
            put(&mut text, 12, "value", &quoted(value));
        }
        let condition =
            if *signal == "logs" { "            condition:\n              default: true\n" } else { "" };
        text.push_str(&format!(
            "      routes:\n        {signal}:\n          - name: {alias}\n{condition}            to:\n              \
             outputs:\n                - {alias}\n"
        ));
        text
    }

    fn output(&self) -> String {
        let Self { signal, alias, to, .. } = self;
        let mut text = String::new();
        put(&mut text, 4, "- name", "opentelemetry");
        put(&mut text, 6, "alias", alias);
        put(&mut text, 6, "match", &format!("__opamp.{signal}"));
        put(&mut text, 6, "host", &quoted(&to.host));
        put(&mut text, 6, "port", &to.port.to_string());
        put(&mut text, 6, &format!("{signal}_uri"), &quoted(&to.path));
        put(&mut text, 6, "log_level", self.log_level);
        put(&mut text, 6, "retry_limit", "no_retries");
        put(&mut text, 6, "net.connect_timeout", "3");
        put(&mut text, 6, "net.io_timeout", "10");
        if !to.headers.is_empty() {
            text.push_str("      header:\n");
            for (name, value) in &to.headers {
                let _ = writeln!(text, "        - {}", quoted(&format!("{name} {value}")));
            }
        }
        if to.tls {
            put(&mut text, 6, "tls", "on");
            put(&mut text, 6, "tls.verify", "on");
            put(&mut text, 6, "tls.verify_hostname", "on");
            if !to.authorities.is_empty() {
                put(&mut text, 6, "tls.ca_file", &quoted(&self.authorities.to_string_lossy()));
            }
            let [least, most] = to.versions;
            for (key, version) in [("tls.min_version", least), ("tls.max_version", most)] {
                if let Some(version) = version {
                    put(&mut text, 6, key, version);
                }
            }
        }
        text
    }
}

/// Where a file stands: under a name of its own for each content, so that a config that is only checked changes nothing
/// for the one that runs.
fn place(folder: &Path, stem: &str, content: &str, extension: &str) -> PathBuf {
    let hash = hex(&Sha256::digest(content.as_bytes()));
    folder.join(format!("{stem}-{}.{extension}", crate::text::head(&hash, 12)))
}

fn put(text: &mut String, indent: usize, key: &str, value: &str) {
    // Writing to text cannot fail.
    let _ = writeln!(text, "{:indent$}{key}: {value}", "");
}

/// A text as a YAML scalar in double quotes, whose escapes are those of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tidegate_opamp::ComponentDetails;

    use super::*;

    fn destination() -> Destination {
        Destination {
            tls: true,
            host: "otlp.example".into(),
            port: 4318,
            path: "/v1/x?a=b".into(),
            headers: vec![("Authorization".into(), "Bearer a \"b\" # c".into())],
            authorities: "-----BEGIN CERTIFICATE-----\n".into(),
            versions: [Some("TLSv1.2"), None],
        }
    }

    fn rendered(name: &str, text: &str) -> Rendered {
        Rendered { name: name.into(), text: text.into(), ..Rendered::default() }
    }

    #[test]
    fn given_destinations_when_written_then_every_value_stands_in_its_place() {
        let wanted = Wanted { metrics: Some(destination()), logs: Some(destination()) };
        let resource = [("service.name".to_owned(), "fluent-bit".to_owned())];
        let files = FluentBit.files(&wanted, &resource, Path::new("/run"));
        let names: Vec<_> = files.iter().map(|(path, _)| path.to_str().unwrap()).collect();
        for (name, stem) in names.iter().zip(["telemetry-", "metrics-ca-", "logs-ca-"]) {
            assert!(name.starts_with(&format!("/run/own-{stem}")), "{names:?}");
        }
        let parsed: serde_json::Value = serde_saphyr::from_str(&files[0].1).unwrap();
        let (input, output) = (&parsed["pipeline"]["inputs"][0], &parsed["pipeline"]["outputs"][1]);
        assert_eq!(input["scrape_interval"], 10, "C118");
        let modifier = &input["processors"]["metrics"][1];
        assert_eq!((&modifier["key"], &modifier["value"]), (&"service.name".into(), &"fluent-bit".into()));
        assert_eq!(input["routes"]["metrics"][0]["to"]["outputs"][0], "opamp_metrics");
        assert_eq!(parsed["pipeline"]["inputs"][1]["routes"]["logs"][0]["condition"]["default"], true);
        for (key, value) in [
            ("host", "otlp.example"),
            ("logs_uri", "/v1/x?a=b"),
            ("tls.ca_file", names[2]),
            ("tls.min_version", "TLSv1.2"),
            ("retry_limit", "no_retries"),
        ] {
            assert_eq!(output[key], value, "{key}");
        }
        assert_eq!(output["header"][0], "Authorization Bearer a \"b\" # c");
        assert_eq!(output["port"], 4318);
    }

    #[test]
    fn given_configs_when_attached_then_only_block_yaml_without_such_names_can_carry_it_and_gives_it_back() {
        let include = Path::new("/run/own-telemetry.yaml");
        for text in ["pipeline: {}\n", "pipeline: {}"] {
            let suffix = FluentBit.attachment(&rendered("fluent-bit.yaml", text), include).unwrap();
            assert!(suffix.ends_with("includes:\n  - \"/run/own-telemetry.yaml\"\n"), "{suffix}");
            assert_eq!(FluentBit.detached(&format!("{text}{suffix}")).trim_end(), text.trim_end());
            assert_eq!(FluentBit.detached(text), text);
        }
        let mut named = rendered("fluent-bit.yaml", "x: y\n");
        named.expected = vec!["input:opamp_logs".into()];
        for (rendered, expect) in [
            (rendered("fluent-bit.conf", "[INPUT]\n"), "classic"),
            (rendered("fluent-bit.yaml", " {pipeline: {}}"), "braces"),
            (named, "opamp_logs"),
        ] {
            let refused = FluentBit.attachment(&rendered, include).unwrap_err();
            assert!(refused.contains(expect), "{refused}");
        }
    }

    #[test]
    fn given_builds_when_asked_then_only_those_with_every_part_send() {
        let group = |names: &[&str]| ComponentDetails {
            sub_component_map: names
                .iter()
                .map(|name| ((*name).to_owned(), ComponentDetails::default()))
                .collect(),
            ..ComponentDetails::default()
        };
        let components = |processors: &[&str]| AvailableComponents {
            components: BTreeMap::from([
                ("inputs".to_owned(), group(&["fluentbit_metrics"])),
                ("outputs".to_owned(), group(&["opentelemetry"])),
                ("processors".to_owned(), group(processors)),
            ]),
            ..AvailableComponents::default()
        };
        let all = ["opentelemetry_envelope", "content_modifier"];
        let metrics = Signals { metrics: true, logs: false };
        for (version, processors, expect) in [
            ("5.1.1", &all[..], metrics),
            ("10.0.0", &all[..], metrics),
            ("4.2.0", &all[..], Signals::default()),
            ("", &all[..], Signals::default()),
            ("5.1.1", &all[..1], Signals::default()),
        ] {
            assert_eq!(FluentBit.signals(version, &components(processors)), expect, "{version}");
        }
    }
}
