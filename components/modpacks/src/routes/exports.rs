//! Versions as launchers read them, for callers and for friends with a link.

use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use kit::identity::Caller;
use kit::store::Db;
use kit::web::{Created, Json, NoContent, Path, Problem, Query, Schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::files::redirect;
use super::pictures::lead_to;
use crate::digest::hex_sha256;
use crate::error::Error;
use crate::export::{Addresses, Export};
use crate::file::{Side, is_hex};
use crate::pack::{FriendLink, Pack, Rendering, label};
use crate::store::{self, files, packs, versions};
use crate::upload;
use crate::version::{Choice, PackVersion};
use crate::viewer::Viewer;

/// The pack to export, and its reader.
struct Reader {
    db: Db,
    viewer: Viewer,
    pack: Pack,
    addresses: Addresses,
}

async fn public_url() -> Result<&'static str, Error> {
    Ok(kit::setting("public_url").await?.trim_end_matches('/'))
}

async fn caller_reads(caller: Option<Caller>, pack: i64) -> Result<Reader, Error> {
    let db = store::open().await?;
    let viewer = Viewer::from(caller);
    Ok(Reader {
        pack: packs::find_pack(&db, pack, &viewer).await?,
        addresses: Addresses::OfCallers(public_url().await?.to_owned()),
        viewer,
        db,
    })
}

/// The link is checked with every request, so a revoked one stops at once.
async fn friend_reads(secret: &str) -> Result<Reader, Error> {
    if !is_hex(secret, SECRET_LENGTH) {
        return Err(Error::UnknownPack);
    }
    let db = store::open().await?;
    let viewer = Viewer::with_link(secret);
    let mut pack = packs::find_pack_by_link(&db, &viewer).await?;
    pack.pictures.behind(&format!("/modpacks/links/{secret}"));
    Ok(Reader {
        pack,
        addresses: Addresses::OfFriends(address_of(secret).await?),
        viewer,
        db,
    })
}

impl Reader {
    /// The latest version, or that one.
    async fn export(self, version: Option<i64>) -> Result<Export, Error> {
        let (db, viewer, pack) = (&self.db, &self.viewer, self.pack.id);
        let version = match version {
            Some(id) => versions::find_version(db, pack, id, viewer).await?,
            None => versions::find_latest(db, pack, viewer, Choice::default()).await?,
        };
        let mut files = files::list_files(db, pack, Some(version.id), viewer).await?;
        files.retain(|it| it.object.is_some() || it.source.is_some());
        Ok(Export {
            pack: self.pack,
            version,
            files,
            addresses: self.addresses,
        })
    }

    async fn mrpack(self, version: Option<i64>, wanted: ForSide) -> Result<Response, Error> {
        let export = self.export(version).await?.only(wanted.side);
        let side = match wanted.side {
            Some(side @ (Side::Client | Side::Server)) => format!("-{}", side.name()),
            Some(Side::Both) | None => String::new(),
        };
        let name = format!(
            "attachment; filename=\"{}{side}.mrpack\"",
            export.version.id
        );
        let headers: [(HeaderName, String); 2] = [
            (header::CONTENT_TYPE, MRPACK.to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ];
        Ok((headers, export.mrpack()).into_response())
    }

    async fn manifest(self, version: Option<i64>, wanted: ForSide) -> Result<Response, Error> {
        let export = self.export(version).await?.only(wanted.side);
        Ok(Json(export.manifest()).into_response())
    }

    /// A file that packwiz requests: one that is generated here, or a file of the version.
    async fn packwiz(self, version: Option<i64>, path: &str) -> Result<Response, Error> {
        let export = self.export(version).await?;
        if let Some(text) = export.packwiz(path) {
            let media_type = [(header::CONTENT_TYPE, TOML)];
            return Ok((media_type, text).into_response());
        }
        let file = export.files.iter().find(|it| it.path == path);
        let file = file.ok_or(Error::UnknownFile)?;
        Ok(redirect(upload::download_address(file).await?))
    }
}

pub const MRPACK: &str = "application/x-modrinth-modpack+zip";
pub const TOML: &str = "application/toml";

pub async fn latest_mrpack(
    caller: Option<Caller>,
    Path(pack): Path<i64>,
    Query(wanted): Query<ForSide>,
) -> Result<Response, Problem> {
    let reader = caller_reads(caller, pack).await?;
    Ok(reader.mrpack(None, wanted).await?)
}

/// For a player's folder or a server's.
#[derive(Deserialize, Schema)]
pub struct ForSide {
    /// `client` or `server`: without the files that it does not need.
    side: Option<Side>,
}

pub async fn latest_manifest(
    caller: Option<Caller>,
    Path(pack): Path<i64>,
    Query(wanted): Query<ForSide>,
) -> Result<Response, Problem> {
    let reader = caller_reads(caller, pack).await?;
    Ok(reader.manifest(None, wanted).await?)
}

pub async fn latest_packwiz(
    caller: Option<Caller>,
    Path((pack, path)): Path<(i64, String)>,
) -> Result<Response, Problem> {
    Ok(caller_reads(caller, pack)
        .await?
        .packwiz(None, &path)
        .await?)
}

pub async fn version_mrpack(
    caller: Option<Caller>,
    Path((pack, version)): Path<(i64, i64)>,
    Query(wanted): Query<ForSide>,
) -> Result<Response, Problem> {
    let reader = caller_reads(caller, pack).await?;
    Ok(reader.mrpack(Some(version), wanted).await?)
}

pub async fn version_manifest(
    caller: Option<Caller>,
    Path((pack, version)): Path<(i64, i64)>,
    Query(wanted): Query<ForSide>,
) -> Result<Response, Problem> {
    let reader = caller_reads(caller, pack).await?;
    Ok(reader.manifest(Some(version), wanted).await?)
}

pub async fn version_packwiz(
    caller: Option<Caller>,
    Path((pack, version, path)): Path<(i64, i64, String)>,
) -> Result<Response, Problem> {
    let reader = caller_reads(caller, pack).await?;
    Ok(reader.packwiz(Some(version), &path).await?)
}

pub async fn friend_pack(
    Path(secret): Path<String>,
    Query(rendering): Query<Rendering>,
) -> Result<Json<Pack>, Problem> {
    let pack = friend_reads(&secret).await?.pack;
    Ok(Json(pack.rendered(rendering)))
}

pub async fn friend_versions(
    Path(secret): Path<String>,
    Query(rendering): Query<Rendering>,
) -> Result<Json<Vec<PackVersion>>, Problem> {
    let reader = friend_reads(&secret).await?;
    let (db, viewer) = (&reader.db, &reader.viewer);
    let listed =
        versions::list_versions(db, reader.pack.id, viewer, Choice::default(), FRIENDS_LIST)
            .await?;
    let listed = listed.into_iter().map(|it| it.rendered(rendering));
    Ok(Json(listed.collect()))
}

/// Versions that a friend is shown, the newest first.
const FRIENDS_LIST: (i64, i64) = (100, 0);

pub async fn friend_mrpack(
    Path(secret): Path<String>,
    Query(wanted): Query<ForSide>,
) -> Result<Response, Problem> {
    Ok(friend_reads(&secret).await?.mrpack(None, wanted).await?)
}

pub async fn friend_manifest(
    Path(secret): Path<String>,
    Query(wanted): Query<ForSide>,
) -> Result<Response, Problem> {
    let reader = friend_reads(&secret).await?;
    Ok(reader.manifest(None, wanted).await?)
}

pub async fn friend_packwiz(
    Path((secret, path)): Path<(String, String)>,
) -> Result<Response, Problem> {
    Ok(friend_reads(&secret).await?.packwiz(None, &path).await?)
}

pub async fn friend_version_mrpack(
    Path((secret, version)): Path<(String, i64)>,
    Query(wanted): Query<ForSide>,
) -> Result<Response, Problem> {
    let reader = friend_reads(&secret).await?;
    Ok(reader.mrpack(Some(version), wanted).await?)
}

pub async fn friend_version_manifest(
    Path((secret, version)): Path<(String, i64)>,
    Query(wanted): Query<ForSide>,
) -> Result<Response, Problem> {
    let reader = friend_reads(&secret).await?;
    Ok(reader.manifest(Some(version), wanted).await?)
}

pub async fn friend_download(
    Path((secret, file)): Path<(String, i64)>,
) -> Result<Response, Problem> {
    let reader = friend_reads(&secret).await?;
    let file = files::find_file(&reader.db, file, &reader.viewer).await?;
    Ok(redirect(upload::download_address(&file).await?))
}

pub async fn friend_picture(
    Path((secret, file)): Path<(String, i64)>,
) -> Result<Response, Problem> {
    let reader = friend_reads(&secret).await?;
    Ok(lead_to(&reader.db, reader.pack.id, file, &reader.viewer).await?)
}

/// Hexadecimal digits of a link's secret: 244 random bits.
const SECRET_LENGTH: usize = 64;

async fn address_of(secret: &str) -> Result<String, Error> {
    Ok(format!("{}/modpacks/links/{secret}", public_url().await?))
}

#[derive(Deserialize, Schema)]
pub struct NewLink {
    /// The name of its recipient, to tell it from other links.
    #[schemars(length(min = 1, max = 100))]
    label: String,
    expires_at: Option<Timestamp>,
}

/// A new link, whose secret is shown this once.
#[derive(Serialize, Schema)]
pub struct SecretLink {
    id: i64,
    /// The address to give to friends. Below it are `/latest.mrpack`, `/latest/manifest.json` and
    /// `/latest/packwiz/pack.toml`.
    url: String,
}

/// Takes no `Idempotency-Key`: its stored answer would contain the secret.
pub async fn create_link(
    caller: Caller,
    Path(pack): Path<i64>,
    Json(new): Json<NewLink>,
) -> Result<Created<SecretLink>, Problem> {
    let label = label(&new.label).ok_or(Error::InvalidPack("label has 1 to 100 characters"))?;
    let db = store::open().await?;
    let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let digest = hex_sha256(secret.as_bytes());
    let viewer = Viewer::from(&caller);
    let id = packs::create_link(&db, pack, &viewer, &digest, &label, new.expires_at).await?;
    let link = SecretLink {
        id,
        url: address_of(&secret).await?,
    };
    Ok(Created::at(format!("/modpacks/{pack}/links"), link))
}

pub async fn list_links(
    caller: Caller,
    Path(pack): Path<i64>,
) -> Result<Json<Vec<FriendLink>>, Problem> {
    let (db, viewer) = (store::open().await?, Viewer::from(&caller));
    packs::find_pack(&db, pack, &viewer).await?;
    Ok(Json(packs::list_links(&db, pack, &viewer).await?))
}

pub async fn revoke_link(
    caller: Caller,
    Path((pack, link)): Path<(i64, i64)>,
) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    packs::revoke_link(&db, pack, &Viewer::from(&caller), link).await?;
    Ok(NoContent)
}
