//! What the command line and the environment mean together: which server, and with which token.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use tidegate_api::client::Client;

use crate::failure::Failure;
use crate::files;
use crate::lowargs::GlobalArgs;

/// Where a server listens for operators unless told otherwise.
const DEFAULT_SERVER: &str = "http://127.0.0.1:4321";

/// The file in the data folder that holds the admin's token.
const TOKEN_FILE: &str = "admin-token";

/// The file in the data folder into which a running server writes where it listens for operators.
const ADDRESS_FILE: &str = "operators-address";

/// Longest token or address that is read from a file, in bytes.
const MAX_SMALL_FILE: u64 = 4096;

const VARIABLES: [&str; 11] = [
    "TIDEGATE_SERVER",
    "TIDEGATE_TOKEN",
    "TIDEGATE_SERVER_DATA_DIR",
    "XDG_STATE_HOME",
    "XDG_CONFIG_HOME",
    "CODEX_HOME",
    "APPDATA",
    "USERPROFILE",
    "HOME",
    "NO_COLOR",
    "TERM",
];

/// The variables of the environment that we read, as values.
#[derive(Clone, Default)]
pub(crate) struct Environment(HashMap<&'static str, String>);

impl Environment {
    /// As this process was started. A variable that is not UTF-8 counts as unset, and so does an empty one.
    pub(crate) fn of_process() -> Self {
        Self(VARIABLES.iter().filter_map(|name| Some((*name, std::env::var(name).ok()?))).collect())
    }

    #[cfg(test)]
    pub(crate) fn of(variables: &[(&'static str, &str)]) -> Self {
        Self(variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect())
    }

    /// The value of a variable that is set to something.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|value| !value.is_empty()).cloned()
    }
}

/// A server and the token to show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The server's URL.
    pub(crate) server: String,
    token: String,
}

impl Settings {
    /// Finds the server and the token. Flags go before the environment, and both before what a local server left
    /// in its data folder. The admin token of a local server is shown only to a server on this machine, unless
    /// `--data-dir` names its folder.
    ///
    /// # Errors
    /// [`Failure::Setting`], [`Failure::Read`] or [`Failure::NoToken`].
    pub(crate) fn resolve(global: &GlobalArgs, environment: &Environment) -> Result<Self, Failure> {
        let folder = data_folder(global, environment);
        let server = server(global, environment, folder.as_deref())?;
        let token = token(global, environment, folder.as_deref(), &server)?;
        Ok(Self { server, token })
    }

    /// The server's URL alone, where nothing is asked of it.
    ///
    /// # Errors
    /// [`Failure::Setting`] or [`Failure::Read`].
    pub(crate) fn address(global: &GlobalArgs, environment: &Environment) -> Result<String, Failure> {
        server(global, environment, data_folder(global, environment).as_deref())
    }

    /// A client of this server.
    ///
    /// # Errors
    /// [`Failure::Call`] when the URL cannot be used.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        Ok(Client::new(&self.server, &self.token)?)
    }
}

fn data_folder(global: &GlobalArgs, environment: &Environment) -> Option<PathBuf> {
    let state_home =
        || environment.get("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || environment.get("HOME").map(|home| Path::new(&home).join(".local/state"));
    global
        .data_dir
        .clone()
        .or_else(|| environment.get("TIDEGATE_SERVER_DATA_DIR").map(PathBuf::from))
        .or_else(|| state_home().or_else(home).map(|path| path.join("tidegate")))
}

fn server(global: &GlobalArgs, environment: &Environment, folder: Option<&Path>) -> Result<String, Failure> {
    if let Some(server) = &global.server {
        return Ok(server.clone());
    }
    if global.data_dir.is_none()
        && let Some(server) = environment.get("TIDEGATE_SERVER")
    {
        return Ok(server);
    }
    let Some(text) = small_file(folder.map(|folder| folder.join(ADDRESS_FILE)))? else {
        return Ok(DEFAULT_SERVER.to_owned());
    };
    let mut address: SocketAddr = text.parse().map_err(|_| Failure::Setting {
        name: format!("the address in the server's file {ADDRESS_FILE}"),
        reason: format!("{text:?} is no ADDRESS:PORT; give --server"),
    })?;
    // A server that listens on every address is reached on this machine's own.
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    Ok(format!("http://{address}"))
}

fn token(
    global: &GlobalArgs,
    environment: &Environment,
    folder: Option<&Path>,
    server: &str,
) -> Result<String, Failure> {
    if let Some(path) = &global.token_file {
        let text = files::read_text(path, MAX_SMALL_FILE)?;
        return checked(text.trim(), &path.display().to_string());
    }
    if global.data_dir.is_none()
        && let Some(token) = environment.get("TIDEGATE_TOKEN")
    {
        return checked(token.trim(), "TIDEGATE_TOKEN");
    }
    let place = match folder.map(|folder| folder.join(TOKEN_FILE)) {
        _ if global.data_dir.is_none() && !is_this_machine(server) => {
            "a local server's own token is not shown to another machine".to_owned()
        }
        None => "and no HOME to look for a local server's".to_owned(),
        Some(path) => {
            let name = path.display().to_string();
            if let Some(token) = small_file(Some(path))? {
                return checked(&token, &name);
            }
            format!("a local server's would be in {name}")
        }
    };
    match environment.get("TIDEGATE_TOKEN") {
        Some(token) => checked(token.trim(), "TIDEGATE_TOKEN"),
        None => Err(Failure::NoToken { place }),
    }
}

/// The trimmed content of a file, or `None` when there is no such file.
fn small_file(path: Option<PathBuf>) -> Result<Option<String>, Failure> {
    let Some(path) = path else {
        return Ok(None);
    };
    match files::read_text(&path, MAX_SMALL_FILE) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(Failure::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// A token must fit into a header; its value is never shown.
fn checked(token: &str, place: &str) -> Result<String, Failure> {
    let reason = if token.is_empty() {
        "it is empty"
    } else if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        "a token is one word of visible ASCII characters"
    } else {
        return Ok(token.to_owned());
    };
    Err(Failure::Setting { name: format!("the token in {place}"), reason: reason.to_owned() })
}

fn is_this_machine(server: &str) -> bool {
    let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    if authority.contains('@') || authority.contains(char::is_whitespace) {
        return false;
    }
    if let Ok(address) = authority.parse::<SocketAddr>() {
        return address.ip().is_loopback();
    }
    let host = authority.split_once(':').map_or(authority, |(host, _)| host);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()) || authority == "[::1]"
}

#[cfg(test)]
mod tests;
