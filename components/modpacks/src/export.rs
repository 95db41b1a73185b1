//! A version as launchers read it: Modrinth's `.mrpack`, packwiz, and a manifest of our own. No I/O in this file.
//!
//! They contain stable addresses of the platform, which redirect to a fresh address of S3 each time.

use kit::web::Schema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::digest::hex_sha256;
use crate::file::{PackFile, Side};
use crate::pack::Pack;
use crate::version::{Loader, PackVersion};
use crate::zip;

/// A version with its files, and where they are downloaded.
pub struct Export {
    pub pack: Pack,
    pub version: PackVersion,
    /// By their paths.
    pub files: Vec<PackFile>,
    pub addresses: Addresses,
}

/// Where a file of an export is downloaded.
pub enum Addresses {
    /// For viewers with a token: `{0}/files/…/download`.
    OfCallers(String),
    /// For friends with a link: `{0}` is the address of the link.
    OfFriends(String),
}

impl Addresses {
    fn of(&self, file: &PackFile) -> String {
        match self {
            Self::OfCallers(platform) => format!("{platform}/files/{}/download", file.id),
            Self::OfFriends(link) => format!("{link}/files/{}/download", file.id),
        }
    }
}

/// A version and everything in it, for clients of our own.
#[derive(Serialize, Schema)]
pub struct Manifest<'a> {
    pub pack: &'a Pack,
    pub version: &'a PackVersion,
    pub files: Vec<ManifestFile<'a>>,
}

#[derive(Serialize, Schema)]
pub struct ManifestFile<'a> {
    pub id: i64,
    pub path: &'a str,
    pub size: i64,
    pub sha1: Option<&'a str>,
    pub sha256: Option<&'a str>,
    pub sha512: Option<&'a str>,
    pub side: Side,
    pub optional: bool,
    /// The player's own copy stays when the pack is updated.
    pub keep: bool,
    /// A stable address that redirects to the bytes.
    pub url: String,
}

impl Export {
    /// Keeps the files that the side needs. A server pack is an export without the files that only players need. A server
    /// downloads the others from their stable addresses, as players do, so that no bytes pass through here.
    pub fn only(mut self, side: Option<Side>) -> Self {
        if let Some(side @ (Side::Client | Side::Server)) = side {
            self.files
                .retain(|it| it.side == Side::Both || it.side == side);
        }
        self
    }

    pub fn manifest(&self) -> Manifest<'_> {
        Manifest {
            pack: &self.pack,
            version: &self.version,
            files: self
                .files
                .iter()
                .map(|it| ManifestFile {
                    id: it.id,
                    path: &it.path,
                    size: it.size,
                    sha1: it.sha1.as_deref(),
                    sha256: it.sha256.as_deref(),
                    sha512: it.sha512.as_deref(),
                    side: it.side,
                    optional: it.optional,
                    keep: it.keep,
                    url: self.addresses.of(it),
                })
                .collect(),
        }
    }

    /// <https://support.modrinth.com/en/articles/8802351-modrinth-modpack-format-mrpack>
    pub fn mrpack(&self) -> Vec<u8> {
        let files: Vec<Value> = self.files.iter().map(|it| self.mrpack_file(it)).collect();
        let mut dependencies = Map::new();
        dependencies.insert("minecraft".to_owned(), json!(self.version.mc_version));
        if let (Some(loader), Some(version)) = (self.version.loader, &self.version.loader_version) {
            let name = match loader {
                Loader::Forge => "forge",
                Loader::Neoforge => "neoforge",
                Loader::Fabric => "fabric-loader",
                Loader::Quilt => "quilt-loader",
            };
            dependencies.insert(name.to_owned(), json!(version));
        }
        let index = json!({
            "formatVersion": 1,
            "game": "minecraft",
            "versionId": self.version.name,
            "name": self.pack.name,
            "summary": self.pack.description.lines().next().unwrap_or_default(),
            "files": files,
            "dependencies": dependencies,
        });
        zip::of_one("modrinth.index.json", index.to_string().as_bytes())
    }

    fn mrpack_file(&self, file: &PackFile) -> Value {
        let needed = if file.optional {
            "optional"
        } else {
            "required"
        };
        let on = |side| {
            let is_there = file.side == Side::Both || file.side == side;
            if is_there { needed } else { "unsupported" }
        };
        json!({
            "path": file.path,
            "hashes": { "sha1": file.sha1, "sha512": file.sha512 },
            "env": { "client": on(Side::Client), "server": on(Side::Server) },
            "downloads": [self.download_of(file)],
            "fileSize": file.size,
        })
    }

    /// Launchers trust the servers that linked files come from, and download them there.
    fn download_of(&self, file: &PackFile) -> String {
        match &file.source {
            Some(source) => source.clone(),
            None => self.addresses.of(file),
        }
    }

    /// The file of packwiz at that path, if it is one that is written here.
    pub fn packwiz(&self, path: &str) -> Option<String> {
        match path {
            "pack.toml" => Some(self.pack_toml()),
            "index.toml" => Some(self.index_toml()),
            path => {
                let path = path.strip_suffix(METAFILE)?;
                let file = self.files.iter().find(|it| it.path == path)?;
                needs_metafile(file).then(|| self.metafile(file))
            }
        }
    }

    /// <https://packwiz.infra.link/reference/pack-format/pack-toml/>
    fn pack_toml(&self) -> String {
        let mut text = format!(
            "name = {}\nauthor = {}\nversion = {}\npack-format = \"packwiz:1.1.0\"\n\n\
             [index]\nfile = \"index.toml\"\nhash-format = \"sha256\"\nhash = \"{}\"\n\n\
             [versions]\nminecraft = {}\n",
            quoted(&self.pack.name),
            quoted(&self.pack.authors.join(", ")),
            quoted(&self.version.name),
            hex_sha256(self.index_toml().as_bytes()),
            quoted(&self.version.mc_version),
        );
        if let (Some(loader), Some(version)) = (self.version.loader, &self.version.loader_version) {
            text.push_str(&format!("{} = {}\n", loader.name(), quoted(version)));
        }
        text
    }

    /// <https://packwiz.infra.link/reference/pack-format/index-toml/>
    fn index_toml(&self) -> String {
        let mut text = "hash-format = \"sha256\"\n".to_owned();
        for file in &self.files {
            let (path, hash, more) = if needs_metafile(file) {
                let hash = hex_sha256(self.metafile(file).as_bytes());
                (
                    format!("{}{METAFILE}", file.path),
                    hash,
                    "metafile = true\n",
                )
            } else {
                let more = if file.keep { "preserve = true\n" } else { "" };
                (
                    file.path.clone(),
                    file.sha256.clone().unwrap_or_default(),
                    more,
                )
            };
            text.push_str(&format!(
                "\n[[files]]\nfile = {}\nhash = \"{hash}\"\n{more}",
                quoted(&path)
            ));
        }
        text
    }

    fn metafile(&self, file: &PackFile) -> String {
        let name = crate::path::file_name(&file.path);
        // A linked file may have only one of them.
        let hash = match (&file.sha512, &file.sha256) {
            (Some(sha512), _) => ("sha512", sha512.as_str()),
            (None, sha256) => ("sha256", sha256.as_deref().unwrap_or_default()),
        };
        let mut text = format!(
            "name = {name}\nfilename = {name}\nside = \"{}\"\n\n\
             [download]\nurl = {}\nhash-format = \"{}\"\nhash = \"{}\"\n",
            file.side.name(),
            quoted(&self.download_of(file)),
            hash.0,
            hash.1,
            name = quoted(name),
        );
        if file.optional {
            text.push_str("\n[option]\noptional = true\ndefault = false\n");
        }
        text
    }
}

const METAFILE: &str = ".pw.toml";

/// packwiz keeps sides, options and links in metafiles; a plain file needs none.
fn needs_metafile(file: &PackFile) -> bool {
    file.source.is_some() || file.optional || file.side != Side::Both
}

/// A basic string of TOML: JSON escapes a subset of what TOML does, and names contain no control characters.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::Status;
    use crate::pack::Visibility;
    use crate::version;

    fn file(path: &str, side: Side, optional: bool) -> PackFile {
        PackFile {
            id: 7,
            pack_id: 1,
            version_id: Some(2),
            path: path.to_owned(),
            original_name: "a.jar".to_owned(),
            size: 3,
            status: Status::Ready,
            failure: None,
            side,
            optional,
            keep: path.starts_with("config/"),
            restricted: false,
            sha1: Some("1".repeat(40)),
            sha256: Some("2".repeat(64)),
            sha512: Some("5".repeat(128)),
            murmur2: Some(9),
            source: None,
            created_at: jiff::Timestamp::UNIX_EPOCH,
            object: None,
        }
    }

    fn export() -> Export {
        let at = jiff::Timestamp::UNIX_EPOCH;
        Export {
            pack: Pack {
                id: 1,
                name: "Sky \"high\"".to_owned(),
                description: "First line\nsecond".to_owned(),
                description_html: None,
                authors: vec!["A".to_owned(), "B".to_owned()],
                visibility: Visibility::Private,
                owner: uuid::Uuid::nil(),
                pictures: crate::picture::Pictures::default(),
                latest_id: None,
                latest_name: None,
                latest_mc_version: None,
                created_at: at,
                updated_at: at,
            },
            version: PackVersion {
                id: 2,
                pack_id: 1,
                name: "1.0".to_owned(),
                channel: version::Channel::Release,
                mc_version: "1.20.1".to_owned(),
                loader: Some(Loader::Fabric),
                loader_version: Some("0.15.11".to_owned()),
                changelog: String::new(),
                changelog_html: None,
                dependencies: Vec::new(),
                status: version::Status::Published,
                file_count: 2,
                total_size: 6,
                created_at: at,
                updated_at: at,
                published_at: Some(at),
            },
            files: vec![
                file("config/a.txt", Side::Both, false),
                file("mods/a.jar", Side::Client, true),
            ],
            addresses: Addresses::OfFriends("https://w.test/modpacks/links/s".to_owned()),
        }
    }

    #[test]
    fn the_index_of_an_mrpack_is_as_modrinth_describes_it() {
        let archive = export().mrpack();
        let text = String::from_utf8_lossy(&archive);
        let start = text.find('{').unwrap();
        let end = text.find("PK\u{1}\u{2}").unwrap();
        let index: Value = serde_json::from_str(&text[start..end]).unwrap();
        assert_eq!(index["name"], "Sky \"high\"");
        assert_eq!(index["summary"], "First line");
        assert_eq!(
            index["dependencies"],
            json!({ "minecraft": "1.20.1", "fabric-loader": "0.15.11" })
        );
        assert_eq!(
            index["files"][1],
            json!({
                "path": "mods/a.jar",
                "hashes": { "sha1": "1".repeat(40), "sha512": "5".repeat(128) },
                "env": { "client": "optional", "server": "unsupported" },
                "downloads": ["https://w.test/modpacks/links/s/files/7/download"],
                "fileSize": 3,
            })
        );
    }

    #[test]
    fn a_server_pack_has_no_file_that_only_players_need() {
        let paths = |side| -> Vec<_> {
            let files = export().only(side).files;
            files.into_iter().map(|it| it.path).collect()
        };
        assert_eq!(paths(Some(Side::Server)), ["config/a.txt"]);
        for side in [None, Some(Side::Both), Some(Side::Client)] {
            assert_eq!(paths(side), ["config/a.txt", "mods/a.jar"]);
        }
    }

    #[test]
    fn each_packwiz_file_has_the_hash_in_the_file_that_names_it() {
        let export = export();
        let pack = export.packwiz("pack.toml").unwrap();
        let index = export.packwiz("index.toml").unwrap();
        assert!(pack.contains(&hex_sha256(index.as_bytes())), "{pack}");
        assert!(pack.contains("name = \"Sky \\\"high\\\"\""), "{pack}");
        assert!(pack.contains("fabric = \"0.15.11\""), "{pack}");
        let meta = export.packwiz("mods/a.jar.pw.toml").unwrap();
        assert!(index.contains(&hex_sha256(meta.as_bytes())), "{index}");
        assert!(index.contains("file = \"config/a.txt\""), "{index}");
        assert!(index.contains("preserve = true"), "{index}");
        assert!(
            meta.contains("side = \"client\"") && meta.contains("optional = true"),
            "{meta}"
        );
        assert_eq!(export.packwiz("config/a.txt.pw.toml"), None);
        assert_eq!(export.packwiz("mods/other.pw.toml"), None);
    }
}
