//! Assistants: where each keeps its settings, and how the server is named in them.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::lowargs::{McpClient, McpMode};
use crate::settings::Environment;

/// An operating system, as far as the places of files go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum System {
    Linux,
    Mac,
    Windows,
}

impl System {
    /// The one that this program was built for.
    pub(super) const fn current() -> Self {
        if cfg!(target_os = "windows") {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::Mac
        } else {
            Self::Linux
        }
    }
}

/// How the settings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Toml,
    /// With comments, where the assistant takes some.
    Json,
}

/// How the assistant reaches the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// It starts this program, with these arguments.
    Starts { program: String, arguments: Vec<String> },
    /// It calls this address itself, with the token of its own environment.
    Calls { url: String },
}

/// The variable that an assistant takes the token from where it calls the server itself.
const TOKEN_VARIABLE: &str = "TIDEGATE_TOKEN";

impl McpClient {
    /// Every assistant.
    pub(super) const ALL: [Self; 5] =
        [Self::Codex, Self::ClaudeDesktop, Self::ClaudeCode, Self::Vscode, Self::Cursor];

    /// What people call it.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Codex => "Codex",
            Self::ClaudeDesktop => "Claude Desktop",
            Self::ClaudeCode => "Claude Code",
            Self::Vscode => "VS Code",
            Self::Cursor => "Cursor",
        }
    }

    pub(super) const fn form(self) -> Form {
        match self {
            Self::Codex => Form::Toml,
            _ => Form::Json,
        }
    }

    /// The key of its settings that lists servers.
    pub(super) const fn list(self) -> &'static str {
        match self {
            Self::Codex => "mcp_servers",
            Self::Vscode => "servers",
            Self::ClaudeDesktop | Self::ClaudeCode | Self::Cursor => "mcpServers",
        }
    }

    /// What makes it read its settings anew.
    pub(super) const fn restart_hint(self) -> &'static str {
        match self {
            Self::Codex => "start Codex anew; /mcp shows its servers",
            Self::ClaudeDesktop => "quit Claude Desktop wholly, not only its window, and start it anew",
            Self::ClaudeCode => "start Claude Code anew; /mcp shows its servers",
            Self::Vscode => "run `MCP: List Servers` in VS Code and start tidegate",
            Self::Cursor => "reload the window of Cursor; Settings, MCP shows its servers",
        }
    }

    /// The file of its settings; `None` where the environment names no home.
    pub(super) fn file(self, system: System, environment: &Environment) -> Option<PathBuf> {
        let variable = |name: &str| environment.get(name).map(PathBuf::from);
        let home = match system {
            System::Windows => variable("USERPROFILE"),
            System::Linux | System::Mac => variable("HOME"),
        };
        // Where programs of this system keep the settings of their users.
        let settings = || match system {
            System::Windows => variable("APPDATA"),
            System::Mac => home.as_ref().map(|home| home.join("Library/Application Support")),
            System::Linux => {
                variable("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")))
            }
        };
        Some(match self {
            Self::Codex => variable("CODEX_HOME")
                .or_else(|| home.as_ref().map(|home| home.join(".codex")))?
                .join("config.toml"),
            Self::ClaudeDesktop => settings()?.join("Claude").join("claude_desktop_config.json"),
            Self::ClaudeCode => home?.join(".claude.json"),
            Self::Vscode => settings()?.join("Code").join("User").join("mcp.json"),
            Self::Cursor => home?.join(".cursor").join("mcp.json"),
        })
    }

    /// How the server stands in its settings; `None` where it cannot be reached so.
    pub(super) fn entry(self, reach: &Reach) -> Option<Map<String, Value>> {
        let entry = match (self, reach) {
            (Self::ClaudeDesktop, Reach::Calls { .. }) => return None,
            (Self::ClaudeCode | Self::Vscode, Reach::Starts { program, arguments }) => {
                json!({ "type": "stdio", "command": program, "args": arguments })
            }
            (_, Reach::Starts { program, arguments }) => json!({ "command": program, "args": arguments }),
            (Self::Codex, Reach::Calls { url }) => {
                json!({ "url": url, "bearer_token_env_var": TOKEN_VARIABLE })
            }
            (Self::ClaudeCode, Reach::Calls { url }) => json!({
                "type": "http", "url": url,
                "headers": { "Authorization": format!("Bearer ${{{TOKEN_VARIABLE}}}") },
            }),
            (Self::Vscode | Self::Cursor, Reach::Calls { url }) => {
                let mut entry = json!({ "url": url, "headers": {
                    "Authorization": format!("Bearer ${{env:{TOKEN_VARIABLE}}}"),
                } });
                if let (Self::Vscode, Some(entry)) = (self, entry.as_object_mut()) {
                    entry.insert("type".into(), "http".into());
                }
                entry
            }
        };
        entry.as_object().cloned()
    }
}

/// What starts the bridge for an assistant. What was said of the server goes along: the assistant starts it elsewhere.
pub(super) fn arguments(mode: McpMode, server: Option<&str>, files: &[(&str, &Path)]) -> Vec<String> {
    let mut arguments: Vec<String> =
        ["mcp", "serve", "--stdio", "--mode", mode.word()].map(ToOwned::to_owned).into();
    if let Some(server) = server {
        arguments.extend(["--server".to_owned(), server.to_owned()]);
    }
    for (flag, path) in files {
        arguments.extend([(*flag).to_owned(), path.display().to_string()]);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_each_system_then_each_assistant_has_its_file() {
        let unix = Environment::of(&[("HOME", "/home/ann")]);
        let windows =
            Environment::of(&[("USERPROFILE", "C:/Users/ann"), ("APPDATA", "C:/Users/ann/AppData/Roaming")]);
        for (client, linux, mac, on_windows) in [
            (McpClient::Codex, ".codex/config.toml", ".codex/config.toml", ".codex/config.toml"),
            (
                McpClient::ClaudeDesktop,
                ".config/Claude/claude_desktop_config.json",
                "Library/Application Support/Claude/claude_desktop_config.json",
                "AppData/Roaming/Claude/claude_desktop_config.json",
            ),
            (McpClient::ClaudeCode, ".claude.json", ".claude.json", ".claude.json"),
            (
                McpClient::Vscode,
                ".config/Code/User/mcp.json",
                "Library/Application Support/Code/User/mcp.json",
                "AppData/Roaming/Code/User/mcp.json",
            ),
            (McpClient::Cursor, ".cursor/mcp.json", ".cursor/mcp.json", ".cursor/mcp.json"),
        ] {
            for (system, environment, home, expected) in [
                (System::Linux, &unix, "/home/ann", linux),
                (System::Mac, &unix, "/home/ann", mac),
                (System::Windows, &windows, "C:/Users/ann", on_windows),
            ] {
                assert_eq!(
                    client.file(system, environment),
                    Some(Path::new(home).join(expected)),
                    "{client:?}"
                );
                assert_eq!(client.file(system, &Environment::default()), None, "{client:?}");
            }
        }
        let own = Environment::of(&[("HOME", "/h"), ("CODEX_HOME", "/c"), ("XDG_CONFIG_HOME", "/x")]);
        assert_eq!(McpClient::Codex.file(System::Linux, &own), Some("/c/config.toml".into()));
        assert_eq!(McpClient::Vscode.file(System::Linux, &own), Some("/x/Code/User/mcp.json".into()));
    }

    #[test]
    fn given_each_assistant_then_its_entry_holds_no_token() {
        let starts = Reach::Starts { program: "/usr/bin/tidegate".into(), arguments: vec!["mcp".into()] };
        let calls = Reach::Calls { url: "http://h/mcp".into() };
        for client in McpClient::ALL {
            let entry = client.entry(&starts).unwrap();
            assert_eq!((&entry["command"], &entry["args"]), (&json!("/usr/bin/tidegate"), &json!(["mcp"])));
            let Some(entry) = client.entry(&calls) else {
                assert_eq!(client, McpClient::ClaudeDesktop, "its file knows programs alone");
                continue;
            };
            assert_eq!(entry["url"], "http://h/mcp");
            assert!(Value::Object(entry).to_string().contains("TIDEGATE_TOKEN"), "{client:?}");
        }
    }
}
