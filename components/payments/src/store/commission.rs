//! The SQL of commissions.

use kit::store::{Db, Only};
use kit::web::Part;
use kit::{params, sql};
use uuid::Uuid;

use crate::commission::{BasisPoints, Commission};
use crate::error::Error;
use crate::manual::Reason;

/// Commissions as they were set last, that of all owners first.
pub async fn list_commissions(db: &Db, part: Part<Uuid>) -> Result<Vec<Commission>, Error> {
    let params = params![part.limit, part.offset, part.after];
    Ok(db.all(sql!("list_commissions"), params).await?)
}

/// Sets the commission of an owner, or of all owners who have none of their own.
pub async fn set_commission(
    db: &Db,
    owner: Option<Uuid>,
    points: Option<BasisPoints>,
    admin: Uuid,
    reason: &Reason,
) -> Result<(), Error> {
    let params = params![owner, points.map(BasisPoints::get), admin, reason.as_str()];
    let _: Only<i64> = db.one(sql!("set_commission"), params).await?;
    Ok(())
}

/// In basis points.
pub async fn find_commission(db: &Db, owner: Uuid) -> Result<i32, Error> {
    let Only(points) = db.one(sql!("find_commission"), params![owner]).await?;
    Ok(points)
}
