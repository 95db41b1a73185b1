//! Photos of products.

use kit::identity::Caller;
use kit::store::Db;
use kit::{params, sql};
use uuid::Uuid;

use super::decide;
use crate::error::Error;
use crate::photo::{NewPhoto, Stored};
use crate::product::Product;

pub async fn add_photo(
    db: &Db,
    id: Uuid,
    product: i64,
    caller: &Caller,
    new: &NewPhoto,
) -> Result<Stored, Error> {
    let params = params![
        id,
        product,
        caller.id,
        caller.is_admin(),
        new.size,
        new.media_type
    ];
    decide(db, sql!("add_photo"), params).await
}

pub async fn begin_upload(db: &Db, id: Uuid, upload: &str) -> Result<(), Error> {
    db.run(sql!("begin_upload"), params![id, upload]).await?;
    Ok(())
}

/// A photo that the caller may complete.
pub async fn edit_photo(db: &Db, product: i64, id: Uuid, caller: &Caller) -> Result<Stored, Error> {
    let params = params![product, id, caller.id, caller.is_admin()];
    decide(db, sql!("edit_photo"), params).await
}

/// Makes the product show the photo. Repeated: no effect.
pub async fn complete_photo(db: &Db, id: Uuid, sha256: &str) -> Result<Product, Error> {
    decide(db, sql!("complete_photo"), params![id, sha256]).await
}

pub async fn drop_photo(
    db: &Db,
    product: i64,
    id: Uuid,
    caller: &Caller,
) -> Result<Product, Error> {
    let params = params![product, id, caller.id, caller.is_admin()];
    decide(db, sql!("drop_photo"), params).await
}

/// Makes the product show its photos in this order.
pub async fn order_photos(
    db: &Db,
    product: i64,
    caller: &Caller,
    photos: &[Uuid],
) -> Result<Product, Error> {
    let photos: Vec<_> = photos.iter().map(Uuid::to_string).collect();
    let params = params![product, caller.id, caller.is_admin(), photos];
    decide(db, sql!("order_photos"), params).await
}

/// A photo that a product shows.
pub async fn find_photo(db: &Db, product: i64, id: Uuid) -> Result<Stored, Error> {
    db.optional(sql!("find_photo"), params![product, id])
        .await?
        .ok_or(Error::UnknownPhoto)
}

/// Claims photos whose bytes are to be deleted: photos that are not shown any more, and uploads that were never completed.
/// They cannot be completed from now on.
pub async fn claim_stale_photos(db: &Db, limit: i64) -> Result<Vec<Stored>, Error> {
    Ok(db.all(sql!("claim_stale_photos"), params![limit]).await?)
}

pub async fn delete_photo(db: &Db, id: Uuid) -> Result<(), Error> {
    db.run(sql!("delete_photo"), params![id]).await?;
    Ok(())
}
