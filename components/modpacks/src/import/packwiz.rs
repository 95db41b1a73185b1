//! packwiz: `pack.toml` leads to `index.toml`, which leads to files and to metafiles with downloads.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Link, Plan, Unpacked, check_path};
use crate::archive::{Entry, Rejected};
use crate::digest::hex_sha256;
use crate::file::Side;
use crate::version::Loader;

/// Upper bound for the bytes of a metafile, unpacked.
pub const MAX_METAFILE: u64 = 64 << 10;

#[derive(Deserialize)]
struct PackToml {
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
    index: Indexed,
    versions: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Indexed {
    file: String,
    #[serde(default)]
    hash_format: String,
    #[serde(default)]
    hash: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct IndexToml {
    #[serde(default)]
    hash_format: String,
    #[serde(default)]
    files: Vec<IndexFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct IndexFile {
    file: String,
    #[serde(default)]
    hash: String,
    hash_format: Option<String>,
    #[serde(default)]
    metafile: bool,
    #[serde(default)]
    preserve: bool,
}

#[derive(Deserialize)]
struct Metafile {
    filename: String,
    #[serde(default)]
    side: Option<String>,
    download: Download,
    option: Option<Optional>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Download {
    #[serde(default)]
    url: String,
    #[serde(default)]
    hash_format: String,
    #[serde(default)]
    hash: String,
}

#[derive(Deserialize)]
struct Optional {
    #[serde(default)]
    optional: bool,
}

/// A pack whose index has been read: the metafiles are to be read next.
pub struct Index {
    plan: Plan,
    pub metafiles: Vec<Indicated>,
}

/// A metafile: its path, and the digest that it must have.
pub struct Indicated {
    pub entry: Entry,
    /// The path in the game's folder.
    path: String,
    sha256: Option<String>,
}

fn read<T: for<'a> Deserialize<'a>>(name: &str, text: &[u8]) -> Result<T, Rejected> {
    let text = str::from_utf8(text).map_err(|_| Rejected(format!("{name} is not UTF-8")))?;
    toml::from_str(text).map_err(|it| Rejected(format!("{name} does not fit: {}", it.message())))
}

/// The digest, if it is of the one kind that is accepted here.
fn sha256(format: &str, hash: &str) -> Option<String> {
    (format == "sha256" && !hash.is_empty()).then(|| hash.to_ascii_lowercase())
}

fn check(name: &str, text: &[u8], sha256: Option<String>) -> Result<(), Rejected> {
    match sha256 {
        Some(wanted) if wanted != hex_sha256(text) => Err(Rejected(format!(
            "{name} has another digest than what leads to it says"
        ))),
        _ => Ok(()),
    }
}

fn find<'a>(entries: &'a [Entry], folder: &str, path: &str) -> Result<&'a Entry, Rejected> {
    check_path(path)?;
    let name = format!("{folder}{path}");
    let found = entries.iter().find(|it| it.name == name);
    found.ok_or_else(|| Rejected(format!("{path:?} is not in the archive")))
}

/// The content of `pack.toml`, and the path of its index.
pub fn pack<'a>(
    text: &[u8],
    entries: &'a [Entry],
    folder: &str,
) -> Result<(Plan, &'a Entry, Option<String>), Rejected> {
    let pack: PackToml = read("pack.toml", text)?;
    let mut plan = Plan {
        name: if pack.version.is_empty() {
            pack.name
        } else {
            pack.version
        },
        ..Plan::default()
    };
    for (name, version) in pack.versions {
        if name == "minecraft" {
            plan.mc_version = version;
        } else if let Some(loader) = Loader::parse(&name) {
            (plan.loader, plan.loader_version) = (Some(loader), Some(version));
        }
    }
    let entry = find(entries, folder, &pack.index.file)?;
    Ok((
        plan,
        entry,
        sha256(&pack.index.hash_format, &pack.index.hash),
    ))
}

/// <https://packwiz.infra.link/reference/pack-format/index-toml/>
pub fn index(
    mut plan: Plan,
    text: &[u8],
    wanted: Option<String>,
    entries: &[Entry],
    folder: &str,
) -> Result<Index, Rejected> {
    check("index.toml", text, wanted)?;
    let index: IndexToml = read("index.toml", text)?;
    let mut metafiles = Vec::new();
    for file in index.files {
        let entry = find(entries, folder, &file.file)?.clone();
        let format = file.hash_format.as_deref().unwrap_or(&index.hash_format);
        let sha256 = sha256(format, &file.hash);
        if file.metafile {
            metafiles.push(Indicated {
                entry,
                path: file.file,
                sha256,
            });
        } else if entry.size == 0 {
            plan.refuse(&file.file, "it is empty");
        } else {
            plan.unpacked.push(Unpacked {
                entry,
                path: file.file,
                side: Side::Both,
                keep: file.preserve,
                sha256,
            });
        }
    }
    Ok(Index { plan, metafiles })
}

impl Index {
    /// Takes the metafiles, in their order.
    pub fn finish(mut self, texts: &[Vec<u8>], origins: &[&str]) -> Result<Plan, Rejected> {
        for (indicated, text) in self.metafiles.iter().zip(texts) {
            check(&indicated.path, text, indicated.sha256.clone())?;
            let metafile: Metafile = read(&indicated.path, text)?;
            let folder = indicated.path.rsplit_once('/');
            let path = match folder {
                Some((folder, _)) => format!("{folder}/{}", metafile.filename),
                None => metafile.filename,
            };
            check_path(&path)?;
            let Download {
                url,
                hash_format,
                hash,
            } = metafile.download;
            let of = |format: &str| (hash_format == format).then(|| hash.clone());
            let link = Link {
                path,
                address: url,
                size: None,
                side: metafile
                    .side
                    .and_then(|it| Side::parse(&it))
                    .unwrap_or_default(),
                optional: metafile.option.is_some_and(|it| it.optional),
                sha1: of("sha1"),
                sha256: of("sha256"),
                sha512: of("sha512"),
            };
            self.plan.link(link, origins);
        }
        self.plan.checked()
    }
}
