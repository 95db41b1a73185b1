//! Files: upload, access, download, look-up.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kit::identity::{Admin, Caller};
use kit::web::{Json, NoContent, Path, Problem, Schema};
use serde::Deserialize;
use uuid::Uuid;

use super::versions::MAX_LOOKUP;
use crate::audit::{Audit, audit};
use crate::calls::find_users;
use crate::error::Error;
use crate::file::{Announced, Found, NewFile, PackFile, Reuse, Usage, is_hex};
use crate::pack::{Share, Sharing};
use crate::store::{self, files, uploads};
use crate::upload::{self, DownloadAddress, UploadPlan, default_quota};
use crate::viewer::Viewer;

pub async fn list_pack_files(
    caller: Option<Caller>,
    Path(pack): Path<i64>,
) -> Result<Json<Vec<PackFile>>, Problem> {
    let db = store::open().await?;
    Ok(Json(
        files::list_files(&db, pack, None, &caller.into()).await?,
    ))
}

pub async fn list_version_files(
    caller: Option<Caller>,
    Path((pack, version)): Path<(i64, i64)>,
) -> Result<Json<Vec<PackFile>>, Problem> {
    let db = store::open().await?;
    let viewer = caller.into();
    Ok(Json(
        files::list_files(&db, pack, Some(version), &viewer).await?,
    ))
}

pub async fn create_pack_file(
    caller: Caller,
    Path(pack): Path<i64>,
    Json(new): Json<NewFile>,
) -> Result<Json<UploadPlan>, Problem> {
    let viewer = Viewer::from(&caller);
    Ok(Json(create_file(&viewer, pack, None, new).await?))
}

pub async fn create_version_file(
    caller: Caller,
    Path((pack, version)): Path<(i64, i64)>,
    Json(new): Json<NewFile>,
) -> Result<Json<UploadPlan>, Problem> {
    let viewer = Viewer::from(&caller);
    Ok(Json(create_file(&viewer, pack, Some(version), new).await?))
}

pub async fn create_file(
    viewer: &Viewer,
    pack: i64,
    version: Option<i64>,
    new: NewFile,
) -> Result<UploadPlan, Error> {
    let new = new.checked()?;
    let db = store::open().await?;
    let quota = default_quota().await?;
    let created = files::create_file(&db, pack, version, viewer, &new, quota).await?;
    upload::plan(&db, created).await
}

pub async fn reuse_file(
    caller: Caller,
    Path((pack, version)): Path<(i64, i64)>,
    Json(reuse): Json<Reuse>,
) -> Result<Json<PackFile>, Problem> {
    let reuse = reuse.checked()?;
    let db = store::open().await?;
    let quota = default_quota().await?;
    let viewer = Viewer::from(&caller);
    Ok(Json(
        files::reuse_file(&db, pack, version, &viewer, &reuse, quota).await?,
    ))
}

pub async fn show_file(
    caller: Option<Caller>,
    Path(id): Path<i64>,
) -> Result<Json<PackFile>, Problem> {
    let db = store::open().await?;
    Ok(Json(files::find_file(&db, id, &caller.into()).await?))
}

pub async fn delete_file(caller: Caller, Path(id): Path<i64>) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    files::delete_file(&db, id, &Viewer::from(&caller)).await?;
    Ok(NoContent)
}

pub async fn show_upload(caller: Caller, Path(id): Path<i64>) -> Result<Json<UploadPlan>, Problem> {
    let db = store::open().await?;
    let found = uploads::find_upload(&db, &Viewer::from(&caller), id).await?;
    Ok(Json(upload::plan(&db, found).await?))
}

pub async fn complete_file(
    caller: Caller,
    Path(id): Path<i64>,
    Json(announced): Json<Announced>,
) -> Result<Json<PackFile>, Problem> {
    let announced = announced.checked()?;
    let db = store::open().await?;
    let completed = upload::complete(&db, &Viewer::from(&caller), id, &announced).await?;
    Ok(Json(completed))
}

pub async fn list_access(caller: Caller, Path(id): Path<i64>) -> Result<Json<Vec<Share>>, Problem> {
    let (db, viewer) = (store::open().await?, Viewer::from(&caller));
    files::find_file(&db, id, &viewer).await?;
    Ok(Json(files::list_file_shares(&db, id, &viewer).await?))
}

/// Who sees a file.
#[derive(Deserialize, Schema)]
pub struct FileAccess {
    /// Whether only these users and roles see it, beside the team of its modpack.
    restricted: bool,
    #[serde(flatten)]
    sharing: Sharing,
}

pub async fn share_file(
    caller: Caller,
    Path(id): Path<i64>,
    Json(access): Json<FileAccess>,
) -> Result<NoContent, Problem> {
    set_access(
        &Viewer::from(&caller),
        id,
        access.restricted,
        access.sharing,
    )
    .await?;
    Ok(NoContent)
}

pub async fn set_access(
    viewer: &Viewer,
    file: i64,
    restricted: bool,
    sharing: Sharing,
) -> Result<(), Error> {
    let sharing = sharing.checked()?;
    let db = store::open().await?;
    // Checked first, so that a stranger does not learn which logins exist.
    files::find_file(&db, file, viewer).await?;
    let users = find_users(sharing.users).await?;
    files::share_file(&db, file, viewer, restricted, users, sharing.roles).await
}

pub async fn show_address(
    caller: Option<Caller>,
    Path(id): Path<i64>,
) -> Result<Json<DownloadAddress>, Problem> {
    Ok(Json(find_address(&caller.into(), id).await?))
}

pub async fn download_file(
    caller: Option<Caller>,
    Path(id): Path<i64>,
) -> Result<Response, Problem> {
    let address = find_address(&caller.into(), id).await?;
    Ok(redirect(address))
}

/// The viewer's right to the file is checked for each address, so a revoked right ends with the next request.
pub async fn find_address(viewer: &Viewer, file: i64) -> Result<DownloadAddress, Error> {
    let db = store::open().await?;
    let file = files::find_file(&db, file, viewer).await?;
    upload::download_address(&file).await
}

pub fn redirect(address: DownloadAddress) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, address.url)]).into_response()
}

#[derive(Deserialize, Schema)]
pub struct HashLookup {
    /// Hashes of 40, 64 or 128 hexadecimal digits.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    hashes: Vec<String>,
    /// Fingerprints of CurseForge.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    fingerprints: Vec<i64>,
}

pub async fn look_up(
    caller: Option<Caller>,
    Json(wanted): Json<HashLookup>,
) -> Result<Json<Vec<Found>>, Problem> {
    if wanted.hashes.len() + wanted.fingerprints.len() > MAX_LOOKUP {
        return Err(Error::InvalidLookup("at most 1000 hashes").into());
    }
    let is_hash = |it: &String| [40, 64, 128].iter().any(|length| is_hex(it, *length));
    if !wanted.hashes.iter().all(is_hash) {
        return Err(Error::InvalidLookup("hashes are 40, 64 or 128 hexadecimal digits").into());
    }
    let hashes = wanted.hashes.iter().map(|it| it.to_ascii_lowercase());
    let hashes: std::collections::BTreeSet<_> = hashes.collect();
    let db = store::open().await?;
    let viewer = caller.into();
    let mut found = Vec::new();
    if !hashes.is_empty() {
        found = files::look_up(&db, hashes.into_iter().collect(), &viewer).await?;
    }
    if !wanted.fingerprints.is_empty() {
        found.extend(files::look_up_fingerprints(&db, wanted.fingerprints, &viewer).await?);
    }
    Ok(Json(found))
}

pub async fn show_usage(caller: Caller) -> Result<Json<Usage>, Problem> {
    let db = store::open().await?;
    let quota = default_quota().await?;
    Ok(Json(files::find_usage(&db, caller.id, quota).await?))
}

#[derive(Deserialize, Schema)]
pub struct AuditPage {
    /// `next` of the page before; absent for the first.
    after: Option<Uuid>,
    /// Whether objects that belong to nothing are deleted. After a database came back from a backup that may be what was
    /// uploaded since: look first.
    #[serde(default)]
    delete: bool,
}

pub async fn repair_files(_: Admin, Json(page): Json<AuditPage>) -> Result<Json<Audit>, Problem> {
    let db = store::open().await?;
    Ok(Json(audit(&db, page.after, page.delete).await?))
}

#[derive(Deserialize, Schema)]
pub struct Quota {
    /// Bytes.
    #[schemars(range(min = 0), example = 10_737_418_240_i64)]
    quota: i64,
}

pub async fn set_quota(
    _: Admin,
    Path(user): Path<Uuid>,
    Json(Quota { quota }): Json<Quota>,
) -> Result<Json<Usage>, Problem> {
    if quota < 0 {
        return Err(Error::InvalidFile("quota is not negative").into());
    }
    let db = store::open().await?;
    Ok(Json(files::set_quota(&db, user, quota).await?))
}
