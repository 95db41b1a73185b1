//! Statements on uploads and their blobs.

use kit::store::{Db, FromRow, Only};
use kit::{params, sql};
use uuid::Uuid;

use super::{around, decide};
use crate::digest::Known;
use crate::error::Error;
use crate::file::{Announced, PackFile};
use crate::upload::{Upload, Uploading};
use crate::viewer::Viewer;

/// Stores S3's id of an upload; answers the id that was stored first.
pub async fn begin_upload(db: &Db, id: Uuid, s3_id: &str) -> Result<String, Error> {
    let Only(kept) = db.one(sql!("begin_upload"), params![id, s3_id]).await?;
    Ok(kept)
}

pub async fn find_upload(db: &Db, viewer: &Viewer, file: i64) -> Result<Uploading, Error> {
    let params = around(params![file], viewer.caller_params(), Vec::new());
    decide(db, sql!("find_upload"), params).await
}

pub async fn complete_file(
    db: &Db,
    viewer: &Viewer,
    file: i64,
    announced: &Announced,
) -> Result<PackFile, Error> {
    let params = around(
        params![file],
        viewer.caller_params(),
        params![
            announced.sha1.as_deref(),
            announced.sha256.as_deref(),
            announced.sha512.as_deref()
        ],
    );
    decide(db, sql!("complete_file"), params).await
}

/// An upload to verify, which is this worker's for 15 s, and longer while it renews the claim.
pub async fn claim_upload(db: &Db) -> Result<Option<Upload>, Error> {
    Ok(db.optional(sql!("claim_upload"), params![]).await?)
}

/// Stores how far the bytes were read and renews the claim, unless another worker has it.
pub async fn save_progress(
    db: &Db,
    upload: &Upload,
    read_to: u64,
    digests: Vec<u8>,
) -> Result<bool, Error> {
    let saved = db
        .run(
            sql!("save_progress"),
            params![upload.id, upload.fence, read_to.cast_signed(), digests],
        )
        .await?;
    Ok(saved == 1)
}

/// Renews the claim; `false` when another worker has it.
pub async fn renew_upload(db: &Db, id: Uuid, fence: i32) -> Result<bool, Error> {
    Ok(db.run(sql!("renew_upload"), params![id, fence]).await? == 1)
}

/// Releases the claim, so that another worker can go on at once.
pub async fn release_upload(db: &Db, id: Uuid, fence: i32) -> Result<(), Error> {
    db.run(sql!("release_upload"), params![id, fence]).await?;
    Ok(())
}

/// Releases the claim with a backoff that grows with the attempts.
pub async fn postpone_upload(db: &Db, id: Uuid, fence: i32) -> Result<(), Error> {
    db.run(sql!("postpone_upload"), params![id, fence]).await?;
    Ok(())
}

pub async fn finish_upload(db: &Db, upload: &Upload, known: &Known) -> Result<(), Error> {
    let params = params![
        upload.id,
        upload.fence,
        &known.sha1,
        &known.sha256,
        &known.sha512,
        i64::from(known.murmur2)
    ];
    decide(db, sql!("finish_upload"), params).await
}

pub async fn fail_upload(db: &Db, upload: &Upload, reason: &str) -> Result<(), Error> {
    let params = params![upload.id, upload.fence, reason];
    decide(db, sql!("fail_upload"), params).await
}

/// Uploads whose bytes are no longer needed.
pub async fn claim_dropped(db: &Db, limit: i32) -> Result<Vec<Upload>, Error> {
    Ok(db.all(sql!("claim_dropped"), params![limit]).await?)
}

pub async fn forget_upload(db: &Db, id: Uuid) -> Result<(), Error> {
    db.run(sql!("forget_upload"), params![id]).await?;
    Ok(())
}

/// Blobs that no file needs.
pub async fn claim_unused(db: &Db, limit: i32) -> Result<Vec<Uuid>, Error> {
    let claimed: Vec<Only<Uuid>> = db.all(sql!("claim_unused"), params![limit]).await?;
    Ok(claimed.into_iter().map(|it| it.0).collect())
}

/// An object without a row, or, lost, verified bytes without their object.
#[derive(FromRow)]
pub struct Audited {
    pub id: Uuid,
    pub lost: bool,
    pub sha256: String,
    pub size: i64,
    pub files: i64,
}

/// The differences between these objects, which are all from one id to another, and the rows.
pub async fn audit_objects(
    db: &Db,
    objects: &[(Uuid, i64)],
    after: Option<Uuid>,
    until: Option<Uuid>,
) -> Result<Vec<Audited>, Error> {
    let ids: Vec<_> = objects.iter().map(|it| it.0.to_string()).collect();
    let sizes: Vec<_> = objects.iter().map(|it| it.1).collect();
    Ok(db
        .all(sql!("audit_objects"), params![ids, sizes, after, until])
        .await?)
}

pub async fn forget_blob(db: &Db, id: Uuid) -> Result<(), Error> {
    db.run(sql!("forget_blob"), params![id]).await?;
    Ok(())
}
