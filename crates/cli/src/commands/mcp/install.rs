//! `tidegate mcp install`: writes the server into an assistant's settings.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::clients::{Reach, System, arguments};
use super::edit::{self, NAME};
use crate::failure::Failure;
use crate::files;
use crate::lowargs::{GlobalArgs, McpClient, McpInstallArgs, McpMode};
use crate::output::{self, Talk};
use crate::sanitise;
use crate::settings::{Environment, Settings};

/// Largest settings that are read, in bytes.
pub(super) const MAX_SETTINGS: u64 = 16 * 1024 * 1024;

pub(super) fn run(
    args: &McpInstallArgs,
    global: &GlobalArgs,
    environment: &Environment,
    talk: &Talk,
) -> Result<(), Failure> {
    let client = args.client;
    let path = client.file(System::current(), environment).ok_or_else(|| {
        Failure::Argument(format!("there is no HOME to look for the settings of {}", client.title()))
    })?;
    // Where it is a link, what it leads to is changed.
    let path = fs::canonicalize(&path).unwrap_or(path);
    let before = settings(&path)?;
    let entry = if args.uninstall { None } else { Some(entry(args, global, environment)?) };
    let old = before.as_deref().unwrap_or_default();
    let after = edit::edited(client.form(), old, client.list(), entry.as_ref())
        .map_err(|reason| Failure::Change { path: path.display().to_string(), reason })?;
    if args.dry_run {
        talk.say(&format!("{} would hold:", path.display()));
        return output::data(&sanitise::block(&after));
    }
    if before.as_deref() == Some(after.as_str()) || (before.is_none() && args.uninstall) {
        talk.say(&format!("{} stands as it should already", path.display()));
        return Ok(());
    }
    let changed =
        |error: io::Error| Failure::Change { path: path.display().to_string(), reason: error.to_string() };
    if let Some(backup) = write(&path, before.is_some(), &after).map_err(changed)? {
        talk.say(&format!("the old settings are in {}", backup.display()));
    }
    let what = if args.uninstall { "without" } else { "with" };
    talk.say(&format!("{} is written, {what} {NAME}", path.display()));
    talk.say(&format!("next: {}", client.restart_hint()));
    if !args.uninstall {
        if args.http {
            talk.say(&format!(
                "{} takes the token from TIDEGATE_TOKEN of its own environment",
                client.title()
            ));
        }
        talk.say("`tidegate mcp doctor` checks the rest");
    }
    Ok(())
}

/// The settings as they are; `None` where there are none.
pub(super) fn settings(path: &Path) -> Result<Option<String>, Failure> {
    match files::read_text(path, MAX_SETTINGS) {
        Ok(text) => Ok(Some(text)),
        Err(Failure::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn entry(
    args: &McpInstallArgs,
    global: &GlobalArgs,
    environment: &Environment,
) -> Result<serde_json::Map<String, serde_json::Value>, Failure> {
    let reach = if args.http { calls(args.mode, global, environment)? } else { starts(args.mode, global)? };
    args.client.entry(&reach).ok_or_else(|| {
        let title = McpClient::title(args.client);
        Failure::Argument(format!("{title} starts programs alone; leave --http out"))
    })
}

/// This program, by its whole path: assistants have another PATH than shells.
fn starts(mode: McpMode, global: &GlobalArgs) -> Result<Reach, Failure> {
    let program = std::env::current_exe().map_err(Failure::Start)?;
    let absolute = |path: &PathBuf| std::path::absolute(path).map_err(Failure::Start);
    let data_dir = global.data_dir.as_ref().map(absolute).transpose()?;
    let token_file = global.token_file.as_ref().map(absolute).transpose()?;
    let files = [("--data-dir", data_dir.as_deref()), ("--token-file", token_file.as_deref())];
    let files: Vec<_> = files.into_iter().filter_map(|(flag, path)| Some((flag, path?))).collect();
    let arguments = arguments(mode, global.server.as_deref(), &files);
    Ok(Reach::Starts { program: program.display().to_string(), arguments })
}

fn calls(mode: McpMode, global: &GlobalArgs, environment: &Environment) -> Result<Reach, Failure> {
    let server = Settings::address(global, environment)?;
    let path = match mode {
        McpMode::Readonly => "/mcp/readonly",
        McpMode::Write => "/mcp",
    };
    Ok(Reach::Calls { url: format!("{}{path}", server.trim_end_matches('/')) })
}

/// Writes the settings in one step, so that the assistant never reads half of them; the old ones are kept beside. Gives
/// where.
fn write(path: &Path, exists: bool, text: &str) -> io::Result<Option<PathBuf>> {
    let with = |ending: &str| {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(ending);
        path.with_file_name(name)
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let backup = exists.then(|| with(".before-tidegate"));
    if let Some(backup) = &backup {
        fs::copy(path, backup)?;
    }
    let new = with(".tidegate-new");
    let mut file = File::create(&new)?;
    // Settings may hold secrets of others: who may read them stays as it is.
    if exists {
        file.set_permissions(fs::metadata(path)?.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    Ok(backup)
}
