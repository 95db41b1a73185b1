//! Photos of fines.

use kit::identity::Caller;
use kit::store::Db;
use kit::{params, sql};
use uuid::Uuid;

use super::{decide, list};
use crate::error::Error;
use crate::photo::{NewPhoto, Stored};

pub async fn add_photo(
    db: &Db,
    id: Uuid,
    fine: i64,
    caller: &Caller,
    new: &NewPhoto,
) -> Result<Stored, Error> {
    let params = params![
        id,
        fine,
        caller.id,
        caller.is_admin(),
        new.size,
        new.media_type,
        new.taken_at
    ];
    decide(db, sql!("add_photo"), params).await
}

pub async fn begin_upload(db: &Db, id: Uuid, upload: &str) -> Result<(), Error> {
    db.run(sql!("begin_upload"), params![id, upload]).await?;
    Ok(())
}

/// A photo that the caller added.
pub async fn find_photo(db: &Db, fine: i64, id: Uuid, caller: &Caller) -> Result<Stored, Error> {
    db.optional(sql!("find_photo"), params![fine, id, caller.id])
        .await?
        .ok_or(Error::UnknownPhoto)
}

/// Repeated: the first digest stays.
pub async fn complete_photo(db: &Db, id: Uuid, caller: Uuid, sha256: &str) -> Result<(), Error> {
    db.run(sql!("complete_photo"), params![id, caller, sha256])
        .await?;
    Ok(())
}

pub async fn list_photos(db: &Db, fine: i64, caller: &Caller) -> Result<Vec<Stored>, Error> {
    let params = params![fine, caller.id, caller.is_admin()];
    list(db, sql!("list_photos"), params).await
}

/// Claims photos whose bytes are to be deleted: photos of anonymized cases, and uploads that were never completed. They
/// cannot be completed from now on.
pub async fn claim_stale_photos(db: &Db, limit: i64) -> Result<Vec<Stored>, Error> {
    Ok(db.all(sql!("claim_stale_photos"), params![limit]).await?)
}

pub async fn delete_photo(db: &Db, id: Uuid) -> Result<(), Error> {
    db.run(sql!("delete_photo"), params![id]).await?;
    Ok(())
}
