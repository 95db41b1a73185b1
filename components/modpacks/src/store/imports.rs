//! Statements on imports.

use kit::store::Db;
use kit::{params, sql};
use serde_json::json;

use super::{around, decide};
use crate::error::Error;
use crate::import::{Claimed, Import, Link, NewImport, Refused, Status};
use crate::path;
use crate::viewer::Viewer;

pub async fn create_import(
    db: &Db,
    pack: i64,
    viewer: &Viewer,
    new: &NewImport,
) -> Result<Import, Error> {
    let params = around(
        params![pack],
        viewer.caller_params(),
        params![new.file_id, new.version_name.as_deref(), new.channel],
    );
    decide(db, sql!("create_import"), params).await
}

pub async fn find_import(db: &Db, pack: i64, id: i64, viewer: &Viewer) -> Result<Import, Error> {
    let params = around(params![pack, id], viewer.caller_params(), Vec::new());
    db.optional(sql!("find_import"), params)
        .await?
        .ok_or(Error::UnknownImport)
}

/// An import to carry out, which is this worker's for 15 s, and longer while it renews the claim.
pub async fn claim_import(db: &Db) -> Result<Option<Claimed>, Error> {
    Ok(db.optional(sql!("claim_import"), params![]).await?)
}

/// Renews the claim; `false` when another worker has it.
pub async fn renew_import(db: &Db, claimed: &Claimed) -> Result<bool, Error> {
    let params = params![claimed.id, claimed.fence];
    Ok(db.run(sql!("renew_import"), params).await? == 1)
}

/// Renews the claim after progress, unless another worker has it. Progress resets the count of attempts.
pub async fn prolong_import(
    db: &Db,
    claimed: &Claimed,
    version: i64,
    came_further: bool,
) -> Result<bool, Error> {
    let params = params![claimed.id, claimed.fence, version, came_further];
    Ok(db.run(sql!("prolong_import"), params).await? == 1)
}

pub async fn postpone_import(db: &Db, claimed: &Claimed) -> Result<(), Error> {
    let params = params![claimed.id, claimed.fence];
    db.run(sql!("postpone_import"), params).await?;
    Ok(())
}

/// Releases the claim, so that another worker can go on at once.
pub async fn release_import(db: &Db, claimed: &Claimed) -> Result<(), Error> {
    let params = params![claimed.id, claimed.fence];
    db.run(sql!("release_import"), params).await?;
    Ok(())
}

pub async fn fail_import(db: &Db, claimed: &Claimed, reason: &str) -> Result<(), Error> {
    end_import(db, claimed, Status::Failed, Some(reason), (0, 0), &[]).await
}

/// Ends an import of so many links and files.
pub async fn end_import(
    db: &Db,
    claimed: &Claimed,
    status: Status,
    failure: Option<&str>,
    (linked, unpacked): (i32, i32),
    refused: &[Refused],
) -> Result<(), Error> {
    let refused = json!(refused);
    let params = params![
        claimed.id,
        claimed.fence,
        status,
        failure,
        linked,
        unpacked,
        &refused
    ];
    db.run(sql!("end_import"), params).await?;
    Ok(())
}

pub async fn link_file(
    db: &Db,
    pack: i64,
    version: i64,
    viewer: &Viewer,
    link: &Link,
    size: i64,
) -> Result<(), Error> {
    let params = around(
        params![pack, version],
        viewer.caller_params(),
        params![
            &link.path,
            path::file_name(&link.path),
            size,
            link.side,
            link.optional,
            &link.address,
            link.sha1.as_deref(),
            link.sha256.as_deref(),
            link.sha512.as_deref()
        ],
    );
    decide(db, sql!("link_file"), params).await
}
