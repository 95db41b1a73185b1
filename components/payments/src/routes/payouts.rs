//! Withdrawals that admins pay out, or return to the account that they left.

use axum::extract::OriginalUri;
use kit::identity::Admin;
use kit::web::{Json, Listed, Page, Path, Problem, Query};
use uuid::Uuid;

use crate::account::Payout;
use crate::error::Error;
use crate::store::{self, account as accounts};

/// Payouts of a page when the client does not say how many.
const PAYOUTS: i64 = 50;

pub async fn list_payouts(
    Admin(_): Admin,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<Page>,
) -> Result<Listed<Payout>, Problem> {
    let db = store::open().await?;
    let payouts = accounts::list_payouts(&db, page.limit(PAYOUTS), page.offset()).await?;
    Ok(Listed::page(&uri, page, PAYOUTS, payouts))
}

pub async fn mark_paid_out(
    Admin(caller): Admin,
    Path(id): Path<Uuid>,
) -> Result<Json<Payout>, Problem> {
    let db = store::open().await?;
    let payout = accounts::pay_out(&db, id, caller.id).await?;
    if payout.paid_at.is_none() {
        return Err(Error::PayoutReturned.into());
    }
    Ok(Json(payout))
}

pub async fn return_payout(
    Admin(caller): Admin,
    Path(id): Path<Uuid>,
) -> Result<Json<Payout>, Problem> {
    let db = store::open().await?;
    accounts::return_payout(&db, id, caller.id).await?;
    Ok(Json(accounts::find_payout(&db, id).await?))
}
