//! Commissions: the part of payments between users that the house takes.

use axum::http::Uri;
use kit::identity::{Admin, Caller};
use kit::web::{Json, Listed, NoContent, Paging, Path, Problem, Query, Schema};
use serde::Deserialize;
use uuid::Uuid;

use crate::commission::{BasisPoints, Commission, OwnCommission};
use crate::error::Error;
use crate::manual::Reason;
use crate::store::{self, commission as commissions};

/// Commissions of a page when the client does not say how many.
const COMMISSIONS: i64 = 50;

pub async fn list_commissions(
    Admin(_): Admin,
    uri: Uri,
    Query(paging): Query<Paging<Uuid>>,
) -> Result<Listed<Commission>, Problem> {
    let part = paging.part_or(COMMISSIONS).ok_or(Error::TooFar)?;
    let db = store::open().await?;
    let listed = commissions::list_commissions(&db, part).await?;
    // The default, which has no owner, sorts first, as the nil UUID does.
    let key = |it: &Commission| it.user_id.unwrap_or_default();
    Ok(Listed::full_of(&uri, part.limit, listed, key))
}

#[derive(Deserialize, Schema)]
pub struct NewCommission {
    basis_points: BasisPoints,
    reason: Reason,
}

pub async fn set_common_commission(
    Admin(caller): Admin,
    Json(new): Json<NewCommission>,
) -> Result<NoContent, Problem> {
    let db = store::open_to_move().await?;
    let points = Some(new.basis_points);
    commissions::set_commission(&db, None, points, caller.id, &new.reason).await?;
    Ok(NoContent)
}

#[derive(Deserialize, Schema)]
pub struct NewOwnCommission {
    /// The default applies when absent.
    basis_points: Option<BasisPoints>,
    reason: Reason,
}

pub async fn set_commission(
    Admin(caller): Admin,
    Path(owner): Path<Uuid>,
    Json(new): Json<NewOwnCommission>,
) -> Result<NoContent, Problem> {
    let db = store::open_to_move().await?;
    let (owner, points) = (Some(owner), new.basis_points);
    commissions::set_commission(&db, owner, points, caller.id, &new.reason).await?;
    Ok(NoContent)
}

pub async fn show_own_commission(caller: Caller) -> Result<Json<OwnCommission>, Problem> {
    let db = store::open().await?;
    let basis_points = commissions::find_commission(&db, caller.id).await?;
    Ok(Json(OwnCommission { basis_points }))
}
