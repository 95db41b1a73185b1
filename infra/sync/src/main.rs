//! `wharf-sync FOLDER ADDRESS`: makes a game's folder the latest version of a modpack, or another version. A launcher
//! can wrap it: with `--json` each line of output is an object.
//!
//! Nothing in the folder changes before every byte of the new version is downloaded and verified. The next run finishes
//! a run that was cut off. The player's files are never deleted: a file that is in the way moves to
//! `.wharf-sync/replaced`.

mod apply;
mod fetch;
mod path;
mod remote;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::{Parser, ValueEnum};
use serde_json::{Value, json};

use crate::apply::{Changes, apply, missing};
use crate::fetch::{Meter, Progress, Wanted, fetch, is_staged};
use crate::remote::{Manifest, Remote};
use crate::state::{Entry, Folder, Installed, Journal};

#[derive(Parser)]
#[command(about = "Syncs a folder to a version of a modpack", version)]
struct Arguments {
    /// The game's folder; it is made when it does not exist.
    folder: PathBuf,
    /// …/modpacks/ID, or a link to a pack that a friend gave you.
    address: String,
    /// `latest`, or the id of a version.
    #[arg(long, default_value = "latest", value_parser = version)]
    version: Version,
    /// Which files the folder gets: those of a player or those of a server.
    #[arg(long, value_enum, default_value_t = Side::Client)]
    side: Side,
    /// Downloads optional files too.
    #[arg(long)]
    optional: bool,
    /// Reads every file. Without this option, files that were not written since the last run are trusted.
    #[arg(long)]
    verify: bool,
    /// How many files are downloaded at once.
    #[arg(long, default_value_t = 4)]
    jobs: usize,
    /// Bytes a second that are downloaded at most.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    limit_rate: u64,
    /// Writes each event as a line of JSON.
    #[arg(long)]
    json: bool,
    /// The token for a pack that is not public. Prefer the environment, where other users do not see it.
    #[arg(long, env = "WHARF_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

#[derive(Clone, Copy)]
struct Version(Option<i64>);

fn version(text: &str) -> Result<Version, String> {
    match text {
        "latest" => Ok(Version(None)),
        id => id
            .parse()
            .map(|id| Version(Some(id)))
            .map_err(|_| "a version is `latest` or the id of one".to_owned()),
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Side {
    Client,
    Server,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(
                &arguments,
                &json!({ "event": "failed", "error": format!("{error:#}") }),
                "",
            );
            eprintln!("wharf-sync: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let remote = Remote::new(&arguments.address, arguments.token.clone())?;
    let folder = Folder::open(&arguments.folder)?;
    finish_earlier(arguments, &folder)?;
    let mut from = folder.state()?.unwrap_or_default();
    let manifest = remote.manifest(arguments.version.0)?;
    ensure!(
        from.pack_id == 0 || from.pack_id == manifest.pack.id,
        "the folder has another modpack: sync this one to a folder of its own"
    );
    if arguments.verify {
        for entry in from.files.values_mut() {
            entry.seen_at = None;
        }
    }
    let (to, ids) = target(arguments, &manifest)?;
    let mut journal = Journal { from, to };
    let wanted: Vec<_> = missing(&folder, &journal)?
        .into_iter()
        .filter_map(|(path, entry)| {
            let file = *ids.get(&path)?;
            Some(Wanted { entry, path, file })
        })
        .collect();
    say(
        arguments,
        &json!({
            "event": "plan", "pack_id": journal.to.pack_id, "version_id": journal.to.version_id,
            "version": journal.to.version, "files": journal.to.files.len(), "to_write": wanted.len(),
            "bytes": wanted.iter().map(|it| it.entry.size).sum::<u64>(),
        }),
        &format!("{:?}, version {:?}", manifest.pack.name, journal.to.version),
    );
    let downloaded = download(arguments, &folder, &remote, &journal.from, &wanted)?;
    folder.write_journal(&journal)?;
    let changes = apply(&folder, &mut journal, &mut || Ok(()))?;
    report(arguments, &journal.to, downloaded, &changes);
    Ok(())
}

/// The files that the folder is to have, and their ids on the platform.
fn target(
    arguments: &Arguments,
    manifest: &Manifest,
) -> Result<(Installed, BTreeMap<String, i64>)> {
    let other = match arguments.side {
        Side::Client => "server",
        Side::Server => "client",
    };
    let mut to = Installed {
        pack_id: manifest.pack.id,
        version_id: manifest.version.id,
        version: manifest.version.name.clone(),
        files: BTreeMap::new(),
    };
    let mut ids = BTreeMap::new();
    path::check(manifest.files.iter().map(|it| it.path.as_str()))?;
    for file in &manifest.files {
        let digest = file.sha256.clone().or(file.sha512.clone());
        let digest = digest.unwrap_or_default();
        let is_digest = matches!(digest.len(), 64 | 128)
            && digest
                .bytes()
                .all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
        ensure!(is_digest, "the digest of {:?} is none", file.path);
        if file.side == other || (file.optional && !arguments.optional) {
            continue;
        }
        ids.insert(file.path.clone(), file.id);
        let entry = Entry {
            digest,
            size: file.size,
            keep: file.keep,
            seen_at: None,
        };
        to.files.insert(file.path.clone(), entry);
    }
    Ok((to, ids))
}

/// Finishes a run that was cut off while it replaced one version with another: all its files are downloaded. A file
/// that the player has changed since, and whose download is used up, is left out; the sync that follows fetches it.
fn finish_earlier(arguments: &Arguments, folder: &Folder) -> Result<()> {
    let Some(mut journal) = folder.journal()? else {
        return Ok(());
    };
    for (path, entry) in missing(folder, &journal)? {
        if !is_staged(folder, &entry)? {
            journal.to.files.remove(&path);
        }
    }
    let changes = apply(folder, &mut journal, &mut || Ok(()))?;
    report(arguments, &journal.to, 0, &changes);
    Ok(())
}

fn download(
    arguments: &Arguments,
    folder: &Folder,
    remote: &Remote,
    from: &Installed,
    wanted: &[Wanted],
) -> Result<u64> {
    let mut told = Instant::now();
    let mut tell = |bytes: u64| {
        if told.elapsed() >= Duration::from_millis(200) {
            told = Instant::now();
            say(
                arguments,
                &json!({ "event": "progress", "downloaded": bytes }),
                &format!("{} KiB", bytes >> 10),
            );
        }
    };
    let meter = Meter {
        limit: arguments.limit_rate,
        progress: Mutex::new(Progress {
            downloaded: 0,
            report: &mut tell,
            due: Instant::now(),
        }),
    };
    fetch(folder, remote, from, wanted, arguments.jobs, &meter)
}

fn report(arguments: &Arguments, to: &Installed, downloaded: u64, changes: &Changes) {
    say(
        arguments,
        &json!({
            "event": "done", "version_id": to.version_id, "version": to.version, "downloaded": downloaded,
            "written": changes.written, "removed": changes.removed, "kept": changes.kept,
            "set_aside": changes.set_aside,
        }),
        &format!(
            "{} files written, {} removed, {} of yours kept, {} set aside",
            changes.written.len(),
            changes.removed.len(),
            changes.kept.len(),
            changes.set_aside.len()
        ),
    );
}

/// A launcher that went away does not stop the sync.
fn say(arguments: &Arguments, event: &Value, text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _ = match (arguments.json, text) {
        (true, _) => writeln!(out, "{event}"),
        (false, "") => Ok(()),
        (false, text) => writeln!(out, "{text}"),
    };
}
