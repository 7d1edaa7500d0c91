//! Who the agent is and where it runs, in OpenTelemetry's attribute names (OpAMP C066).

use std::{collections::BTreeMap, path::Path};

use tidegate_opamp::{AgentDescription, InstanceUid, KeyValue};

use crate::files::read_bounded;

/// What is told of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// `host.name`.
    pub name: String,
    /// `host.arch`, in OpenTelemetry's words: `amd64`, `arm64`, ….
    pub arch: String,
    /// `os.version`: the distribution's own words; empty when unknown.
    pub os_version: String,
}

impl Host {
    /// Reads the facts of this host.
    #[must_use]
    pub fn of_this_machine() -> Self {
        let system = rustix::system::uname();
        let release =
            read_bounded(Path::new("/etc/os-release"), 64 * 1024).ok().flatten().unwrap_or_default();
        Self {
            name: system.nodename().to_string_lossy().into_owned(),
            arch: arch_word(&system.machine().to_string_lossy()).to_owned(),
            os_version: os_version(&String::from_utf8_lossy(&release)),
        }
    }
}

fn arch_word(machine: &str) -> &str {
    match machine {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "i686" | "i586" | "i386" => "x86",
        "armv7l" | "armv6l" => "arm32",
        other => other,
    }
}

/// The name with version that `/etc/os-release` gives.
fn os_version(text: &str) -> String {
    let value = |key: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .map(|value| value.trim().trim_matches(['"', '\'']).to_owned())
    };
    value("PRETTY_NAME").or_else(|| value("VERSION")).unwrap_or_default()
}

/// The agent's description. Attributes of the host's owner stand beside ours and win where they share a name;
/// they cannot change what identifies the agent.
#[must_use]
pub fn describe(
    service: &str,
    version: &str,
    uid: &InstanceUid,
    host: &Host,
    attributes: &BTreeMap<String, String>,
) -> AgentDescription {
    let identifying = [
        ("service.name", service.to_owned()),
        ("service.version", version.to_owned()),
        ("service.instance.id", uid.to_string()),
    ];
    let mut others = BTreeMap::from([
        ("host.arch", host.arch.as_str()),
        ("host.name", host.name.as_str()),
        ("os.type", "linux"),
        ("os.version", host.os_version.as_str()),
    ]);
    others.extend(attributes.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    others.retain(|key, value| !value.is_empty() && identifying.iter().all(|(taken, _)| taken != key));
    AgentDescription {
        identifying_attributes: identifying
            .into_iter()
            .map(|(key, value)| KeyValue::text(key, value))
            .collect(),
        non_identifying_attributes: others
            .into_iter()
            .map(|(key, value)| KeyValue::text(key, value))
            .collect(),
        ..AgentDescription::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_os_release_when_read_then_the_pretty_name_is_the_version() {
        for (text, expect) in [
            ("NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n", "Debian GNU/Linux 12"),
            ("VERSION='8'\n", "8"),
            ("", ""),
        ] {
            assert_eq!(os_version(text), expect);
        }
    }

    /// C066: who the agent is, and where it runs.
    #[test]
    fn given_user_attributes_when_described_then_they_join_but_do_not_identify() {
        let uid = "01902d3c-7a5e-7000-8000-00000000abcd".parse().unwrap();
        let host = Host { name: "h".into(), arch: "amd64".into(), os_version: String::new() };
        let user = BTreeMap::from(
            [("env", "prod"), ("host.name", "mine"), ("service.name", "other")]
                .map(|(k, v)| (k.into(), v.into())),
        );
        let said = describe("fluent-bit", "5.1.1", &uid, &host, &user);
        let pairs = |list: &[KeyValue]| {
            list.iter().map(|kv| format!("{}={}", kv.key, kv.value.as_ref().unwrap())).collect::<Vec<_>>()
        };
        assert_eq!(
            pairs(&said.identifying_attributes),
            ["service.name=fluent-bit", "service.version=5.1.1", &format!("service.instance.id={uid}")]
        );
        assert_eq!(
            pairs(&said.non_identifying_attributes),
            ["env=prod", "host.arch=amd64", "host.name=mine", "os.type=linux"]
        );
    }
}
