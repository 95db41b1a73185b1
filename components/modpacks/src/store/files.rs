//! Statements on files.

use kit::store::Db;
use kit::{params, sql};
use uuid::Uuid;

use super::{around, decide};
use crate::calls::Users;
use crate::error::Error;
use crate::file::{Found, NewFile, PackFile, Reuse, Usage};
use crate::pack::Share;
use crate::upload::Uploading;
use crate::viewer::Viewer;

/// The file of a draft, or, without a version, of the pack itself.
pub async fn create_file(
    db: &Db,
    pack: i64,
    version: Option<i64>,
    viewer: &Viewer,
    new: &NewFile,
    default_quota: i64,
) -> Result<Uploading, Error> {
    let part_size = crate::file::part_size(new.size.unsigned_abs());
    let params = around(
        params![pack, version],
        viewer.caller_params(),
        params![
            &new.path,
            new.original_name(),
            new.size,
            new.side,
            new.optional,
            new.keep,
            new.digests.sha1.as_deref(),
            new.digests.sha256.as_deref(),
            new.digests.sha512.as_deref(),
            part_size.cast_signed(),
            default_quota
        ],
    );
    decide(db, sql!("create_file"), params).await
}

pub async fn reuse_file(
    db: &Db,
    pack: i64,
    version: i64,
    viewer: &Viewer,
    reuse: &Reuse,
    default_quota: i64,
) -> Result<PackFile, Error> {
    let params = around(
        params![pack, version],
        viewer.caller_params(),
        params![
            reuse.file_id,
            &reuse.path,
            reuse.original_name.as_deref(),
            reuse.side,
            reuse.optional,
            reuse.keep,
            default_quota
        ],
    );
    decide(db, sql!("reuse_file"), params).await
}

pub async fn find_file(db: &Db, id: i64, viewer: &Viewer) -> Result<PackFile, Error> {
    let params = around(params![id], viewer.params(), Vec::new());
    db.optional(sql!("find_file"), params)
        .await?
        .ok_or(Error::UnknownFile)
}

/// The files of a version that the viewer sees, or, without a version, of the pack itself.
pub async fn list_files(
    db: &Db,
    pack: i64,
    version: Option<i64>,
    viewer: &Viewer,
) -> Result<Vec<PackFile>, Error> {
    let params = around(params![pack, version], viewer.params(), Vec::new());
    let rows: Vec<kit::store::Decided<Option<PackFile>, Error>> =
        db.all(sql!("list_files"), params).await?;
    rows.into_iter().filter_map(|it| it.0.transpose()).collect()
}

pub async fn delete_file(db: &Db, id: i64, viewer: &Viewer) -> Result<(), Error> {
    let params = around(params![id], viewer.caller_params(), Vec::new());
    decide(db, sql!("delete_file"), params).await
}

pub async fn share_file(
    db: &Db,
    id: i64,
    viewer: &Viewer,
    restricted: bool,
    users: Users,
    roles: Vec<String>,
) -> Result<(), Error> {
    let params = around(
        params![id],
        viewer.caller_params(),
        params![restricted, users.ids, users.logins, roles],
    );
    decide(db, sql!("share_file"), params).await
}

/// For users who may change the file.
pub async fn list_file_shares(db: &Db, id: i64, viewer: &Viewer) -> Result<Vec<Share>, Error> {
    let params = around(params![id], viewer.caller_params(), Vec::new());
    Ok(db.all(sql!("list_file_shares"), params).await?)
}

/// For each hash the newest file of a published version with it that lists show to the viewer.
pub async fn look_up(db: &Db, hashes: Vec<String>, viewer: &Viewer) -> Result<Vec<Found>, Error> {
    let params = around(params![hashes], viewer.caller_params(), Vec::new());
    Ok(db.all(sql!("look_up"), params).await?)
}

pub async fn look_up_fingerprints(
    db: &Db,
    fingerprints: Vec<i64>,
    viewer: &Viewer,
) -> Result<Vec<Found>, Error> {
    let params = around(params![fingerprints], viewer.caller_params(), Vec::new());
    Ok(db.all(sql!("look_up_fingerprints"), params).await?)
}

pub async fn find_usage(db: &Db, user: Uuid, default_quota: i64) -> Result<Usage, Error> {
    Ok(db
        .one(sql!("find_usage"), params![user, default_quota])
        .await?)
}

pub async fn set_quota(db: &Db, user: Uuid, quota: i64) -> Result<Usage, Error> {
    Ok(db.one(sql!("set_quota"), params![user, quota]).await?)
}
