//! Packs of other platforms: reads a `.mrpack`, an archive of CurseForge or one of packwiz as a draft of ours. No I/O in
//! this file.
//!
//! Files in the archive become files of the draft. Files that the pack downloads from others stay there, as links with the
//! digests that their bytes must have, because most mods may be distributed by their authors only. An archive with an
//! unsafe path is refused; a download that cannot be linked is reported and left out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kit::Word;
use kit::store::FromRow;
use kit::web::Schema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::archive::{Entry, Rejected};
use crate::error::Error;
use crate::file::{Announced, Side, is_hex};
use crate::path;
use crate::version::{Channel, Loader, NewVersion};

pub mod packwiz;

/// Upper bound for the bytes of an index or a list of files, unpacked.
pub const MAX_INDEX: u64 = 8 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Status {
    Waiting,
    /// The draft is made; its files are verified as all uploads are.
    Done,
    /// `failure` has the reason.
    Failed,
}

/// An archive that becomes a draft.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Import {
    pub id: i64,
    pub pack_id: i64,
    pub file_id: i64,
    /// The draft, once it is made.
    pub version_id: Option<i64>,
    pub status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Files that stay where others serve them.
    pub linked: i32,
    /// Files that were in the archive.
    pub unpacked: i32,
    #[row(json)]
    pub refused: Vec<Refused>,
    pub created_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// A file that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Schema)]
pub struct Refused {
    pub path: String,
    pub reason: String,
}

#[derive(Debug, Deserialize, Schema)]
pub struct NewImport {
    /// A verified file of the modpack itself: `.mrpack`, or a zip of CurseForge or packwiz.
    pub file_id: i64,
    /// The name of the draft; the name in the archive when absent.
    #[schemars(length(min = 1, max = 100))]
    pub version_name: Option<String>,
    #[serde(default)]
    pub channel: Channel,
}

/// An import that this worker has claimed.
#[derive(Debug, FromRow)]
pub struct Claimed {
    pub id: i64,
    pub pack_id: i64,
    pub file_id: i64,
    pub request: Uuid,
    pub version_name: Option<String>,
    pub channel: Channel,
    pub attempts: i32,
    pub fence: i32,
    pub owner: Uuid,
}

/// The content of a draft to make.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub name: String,
    pub mc_version: String,
    pub loader: Option<Loader>,
    pub loader_version: Option<String>,
    pub links: Vec<Link>,
    pub unpacked: Vec<Unpacked>,
    pub refused: Vec<Refused>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub path: String,
    pub address: String,
    /// Absent in formats that do not have it.
    pub size: Option<i64>,
    pub side: Side,
    pub optional: bool,
    pub sha1: Option<String>,
    pub sha256: Option<String>,
    pub sha512: Option<String>,
}

/// A file of the archive that becomes one of the draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    pub entry: Entry,
    pub path: String,
    pub side: Side,
    pub keep: bool,
    pub sha256: Option<String>,
}

/// The formats, by the file that lists the archive's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Mrpack,
    CurseForge,
    Packwiz,
}

impl Format {
    pub fn index(self) -> &'static str {
        match self {
            Self::Mrpack => "modrinth.index.json",
            Self::CurseForge => "manifest.json",
            Self::Packwiz => "pack.toml",
        }
    }
}

/// The format of an archive, its index, and the folder of the index: an archive of a repository has one folder around
/// everything.
pub fn recognize(entries: &[Entry]) -> Result<(Format, &Entry, &str), Rejected> {
    for format in [Format::Mrpack, Format::CurseForge, Format::Packwiz] {
        let found = entries.iter().filter_map(|it| {
            let folder = it.name.strip_suffix(format.index())?;
            let depth = folder.matches('/').count();
            let is_in_folder = folder.is_empty() || folder.ends_with('/');
            (is_in_folder && depth <= 1).then_some((depth, it, folder))
        });
        if let Some((_, entry, folder)) = found.min_by_key(|it| it.0) {
            return Ok((format, entry, folder));
        }
    }
    Err("it has neither modrinth.index.json nor manifest.json nor pack.toml".into())
}

impl Plan {
    pub fn version(&self, claimed: &Claimed) -> Result<NewVersion, Error> {
        let named = claimed.version_name.clone();
        let new = NewVersion {
            name: named.unwrap_or_else(|| self.name.chars().take(100).collect()),
            channel: claimed.channel,
            mc_version: self.mc_version.clone(),
            loader: self.loader,
            loader_version: self.loader_version.clone(),
            changelog: String::new(),
            dependencies: None,
            based_on: None,
        };
        new.checked()
    }

    /// Takes the files below `folder` of the archive. `checked` settles paths that occur twice.
    fn unpack(&mut self, entries: &[Entry], folder: &str, side: Side) {
        for entry in entries {
            let Some(path) = entry.name.strip_prefix(folder) else {
                continue;
            };
            if entry.size == 0 {
                self.refuse(&entry.name, "it is empty");
            } else {
                self.unpacked.push(Unpacked {
                    entry: entry.clone(),
                    path: path.to_owned(),
                    side,
                    keep: false,
                    sha256: None,
                });
            }
        }
    }

    fn refuse(&mut self, path: &str, reason: &str) {
        self.refused.push(Refused {
            path: path.to_owned(),
            reason: reason.to_owned(),
        });
    }

    /// Adds a link, if its address is at one of the `origins` and it has a SHA-256 or SHA-512.
    fn link(&mut self, link: Link, origins: &[&str]) {
        let is_trusted = origins.iter().any(|origin| {
            let rest = link.address.strip_prefix(origin);
            rest.is_some_and(|it| it.starts_with('/'))
        });
        let is_plain =
            link.address.len() <= 2_000 && link.address.bytes().all(|it| it.is_ascii_graphic());
        let fits =
            |hash: &Option<String>, length| hash.as_ref().is_none_or(|it| is_hex(it, length));
        let is_proven = link.sha256.is_some() || link.sha512.is_some();
        if !is_trusted || !is_plain {
            self.refuse(&link.path, "it comes from a server that is not allowed");
        } else if !is_proven {
            self.refuse(&link.path, "it has neither a sha256 nor a sha512");
        } else if !fits(&link.sha1, 40) || !fits(&link.sha256, 64) || !fits(&link.sha512, 128) {
            self.refuse(&link.path, "its digest is none");
        } else if link.size.is_some_and(|it| it < 1) {
            self.refuse(&link.path, "it is empty");
        } else {
            self.links.push(Link {
                sha1: link.sha1.map(|it| it.to_ascii_lowercase()),
                sha256: link.sha256.map(|it| it.to_ascii_lowercase()),
                sha512: link.sha512.map(|it| it.to_ascii_lowercase()),
                ..link
            });
        }
    }

    /// Refuses a plan whose paths are unsafe or collide, and takes one file for a path that occurs twice.
    fn checked(mut self) -> Result<Self, Rejected> {
        let mut taken = BTreeMap::new();
        let mut kept = Vec::new();
        // A path may occur for one side and for both sides. A version here has one file for a path: the one for one side.
        self.unpacked.sort_by_key(|it| it.side == Side::Both);
        for it in std::mem::take(&mut self.unpacked) {
            check_path(&it.path)?;
            match taken.get(&it.path.to_lowercase()) {
                Some(same) if *same == it.path => {
                    self.refuse(
                        &it.entry.name,
                        "another file of the archive takes its place",
                    );
                }
                Some(_) => {
                    return Err(Rejected(format!(
                        "{:?} differs from another path in case only",
                        it.path
                    )));
                }
                None => {
                    taken.insert(it.path.to_lowercase(), it.path.clone());
                    kept.push(it);
                }
            }
        }
        self.unpacked = kept;
        for it in &self.links {
            check_path(&it.path)?;
            if taken
                .insert(it.path.to_lowercase(), it.path.clone())
                .is_some()
            {
                return Err(Rejected(format!(
                    "{:?} is in it twice, or differs in case only",
                    it.path
                )));
            }
        }
        let folders: BTreeSet<&str> = taken
            .keys()
            .flat_map(|path| path.match_indices('/').filter_map(|(at, _)| path.get(..at)))
            .collect();
        if let Some((_, path)) = taken.iter().find(|it| folders.contains(it.0.as_str())) {
            return Err(Rejected(format!("{path:?} is a file and a folder")));
        }
        self.unpacked.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(self)
    }
}

fn check_path(path: &str) -> Result<(), Rejected> {
    match path::checked(path) {
        Ok(_) => Ok(()),
        Err(_) => Err(Rejected(format!("the path {path:?} is not safe"))),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MrpackIndex {
    format_version: u32,
    game: String,
    version_id: String,
    #[serde(default)]
    files: Vec<MrpackFile>,
    dependencies: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MrpackFile {
    path: String,
    hashes: Announced,
    env: Option<MrpackEnv>,
    downloads: Vec<String>,
    file_size: i64,
}

#[derive(Deserialize)]
struct MrpackEnv {
    client: String,
    server: String,
}

/// <https://support.modrinth.com/en/articles/8802351-modrinth-modpack-format-mrpack>
pub fn mrpack(
    index: &[u8],
    entries: &[Entry],
    folder: &str,
    origins: &[&str],
) -> Result<Plan, Rejected> {
    let index: MrpackIndex = serde_json::from_slice(index)
        .map_err(|it| Rejected(format!("modrinth.index.json does not fit: {it}")))?;
    if index.format_version != 1 || index.game != "minecraft" {
        return Err("modrinth.index.json is of another format or game".into());
    }
    let mut plan = Plan {
        name: index.version_id,
        ..Plan::default()
    };
    for (name, version) in index.dependencies {
        let loader = match name.as_str() {
            "minecraft" => {
                plan.mc_version = version;
                continue;
            }
            "forge" => Loader::Forge,
            "neoforge" => Loader::Neoforge,
            "fabric-loader" => Loader::Fabric,
            "quilt-loader" => Loader::Quilt,
            _ => continue,
        };
        (plan.loader, plan.loader_version) = (Some(loader), Some(version));
    }
    for file in index.files {
        check_path(&file.path)?;
        let on = |name: fn(&MrpackEnv) -> &str| file.env.as_ref().map_or("required", name);
        let (client, server) = (on(|it| &it.client), on(|it| &it.server));
        let side = match (client, server) {
            ("unsupported", "unsupported") => {
                plan.refuse(&file.path, "neither side wants it");
                continue;
            }
            (_, "unsupported") => Side::Client,
            ("unsupported", _) => Side::Server,
            _ => Side::Both,
        };
        let is_trusted = |it: &&String| origins.iter().any(|origin| it.starts_with(origin));
        let address = file
            .downloads
            .iter()
            .find(is_trusted)
            .or(file.downloads.first());
        plan.link(
            Link {
                address: address.cloned().unwrap_or_default(),
                size: Some(file.file_size),
                side,
                optional: client == "optional" || (client == "unsupported" && server == "optional"),
                path: file.path,
                sha1: file.hashes.sha1,
                sha256: file.hashes.sha256,
                sha512: file.hashes.sha512,
            },
            origins,
        );
    }
    for (name, side) in [
        ("overrides/", Side::Both),
        ("client-overrides/", Side::Client),
        ("server-overrides/", Side::Server),
    ] {
        plan.unpack(entries, &format!("{folder}{name}"), side);
    }
    plan.checked()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CurseForgeManifest {
    manifest_type: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    name: String,
    minecraft: CurseForgeGame,
    #[serde(default)]
    files: Vec<CurseForgeFile>,
    #[serde(default)]
    overrides: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CurseForgeGame {
    version: String,
    #[serde(default)]
    mod_loaders: Vec<CurseForgeLoader>,
}

#[derive(Deserialize)]
struct CurseForgeLoader {
    id: String,
    #[serde(default)]
    primary: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CurseForgeFile {
    #[serde(rename = "projectID")]
    project: i64,
    #[serde(rename = "fileID")]
    file: i64,
}

/// The manifest names projects of CurseForge by number, without addresses or digests: these are reported, and the rest of
/// the archive is taken.
pub fn curseforge(manifest: &[u8], entries: &[Entry], folder: &str) -> Result<Plan, Rejected> {
    let manifest: CurseForgeManifest = serde_json::from_slice(manifest)
        .map_err(|it| Rejected(format!("manifest.json does not fit: {it}")))?;
    if manifest.manifest_type != "minecraftModpack" {
        return Err("manifest.json is not that of a modpack".into());
    }
    let loaders = &manifest.minecraft.mod_loaders;
    let loader = loaders.iter().find(|it| it.primary).or(loaders.first());
    let loader = loader.and_then(|it| {
        let (name, version) = it.id.split_once('-')?;
        Some((Loader::parse(name)?, version.to_owned()))
    });
    let name = match manifest.version.as_str() {
        "" => manifest.name,
        _ => manifest.version,
    };
    let mut plan = Plan {
        name,
        mc_version: manifest.minecraft.version,
        loader: loader.as_ref().map(|it| it.0),
        loader_version: loader.map(|it| it.1),
        ..Plan::default()
    };
    for file in manifest.files {
        plan.refuse(
            &format!("project {}, file {}", file.project, file.file),
            "CurseForge says its address to programs of its own; upload the file to the draft",
        );
    }
    let overrides = match manifest.overrides.trim_matches('/') {
        "" => "overrides",
        overrides => overrides,
    };
    plan.unpack(entries, &format!("{folder}{overrides}/"), Side::Both);
    plan.checked()
}

#[cfg(test)]
mod tests;
