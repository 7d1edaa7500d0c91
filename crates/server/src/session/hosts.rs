//! What a browser may call this server. A page of another site can make its own name lead here, and is of the same origin
//! then, whatever the browser checks; but such a page has a name, and it is none of ours. Pure.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The names that this server was given, beside `localhost` and all addresses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    /// `names` are in lower case.
    pub(crate) const fn new(names: Vec<String>) -> Self {
        Self(names)
    }

    /// Whether the value of a `Host` header names this server.
    pub(crate) fn has(&self, host: &str) -> bool {
        if let Some(address) = host.strip_prefix('[') {
            return address.split_once(']').is_some_and(|(address, port)| {
                address.parse::<Ipv6Addr>().is_ok() && (port.is_empty() || is_port(port.strip_prefix(':')))
            });
        }
        let name = match host.split_once(':') {
            Some((name, port)) if is_port(Some(port)) => name,
            Some(_) => return false,
            None => host,
        };
        if name.parse::<Ipv4Addr>().is_ok() {
            return true;
        }
        // A name may end in a dot, which says that it is whole.
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        name == "localhost" || name.ends_with(".localhost") || self.0.contains(&name)
    }
}

fn is_port(text: Option<&str>) -> bool {
    text.is_some_and(|text| text.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_what_browsers_call_a_server_then_addresses_localhost_and_its_names_are_its_own() {
        let hosts = Hosts::new(vec!["tidegate.example.com".into()]);
        for own in [
            "127.0.0.1:4321",
            "127.0.0.1",
            "10.0.0.5:80",
            "[::1]:4321",
            "[::1]",
            "localhost:4321",
            "LOCALHOST",
            "localhost.:1",
            "fleet.localhost:4321",
            "Tidegate.Example.com",
            "tidegate.example.com:8443",
        ] {
            assert!(hosts.has(own), "{own}");
        }
        for other in [
            "",
            "evil.example",
            "evil.example:4321",
            "127.0.0.1.evil.example",
            "localhost.evil.example:4321",
            "evillocalhost",
            "a.tidegate.example.com",
            "tidegate.example.com:port",
            "localhost:4321:1",
            "::1",
            "[::1",
            "[::1]evil",
            "[evil]:1",
        ] {
            assert!(!hosts.has(other), "{other}");
        }
        assert!(!Hosts::default().has("tidegate.example.com"));
    }
}
