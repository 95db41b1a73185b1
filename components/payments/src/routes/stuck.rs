//! Refunds that were refused, for admins and for monitoring.

use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use kit::identity::Admin;
use kit::now;
use kit::web::{Json, Listed, Page, Path, Problem, Query};

use super::manual::{Because, hand};
use crate::error::Error;
use crate::manual::Acted;
use crate::settlement;
use crate::store::{self, stuck};
use crate::stuck::{StuckRefund, write_metrics};

pub const METRICS: &str = "text/plain; version=0.0.4";

/// Refunds of a page when the client does not say how many.
const REFUNDS: i64 = 50;

pub async fn list_stuck_refunds(
    Admin(_): Admin,
    uri: Uri,
    Query(page): Query<Page>,
) -> Result<Listed<StuckRefund>, Problem> {
    let db = store::open().await?;
    let refunds = stuck::list_stuck_refunds(&db, page.limit(REFUNDS), page.offset()).await?;
    Ok(Listed::page(&uri, page, REFUNDS, refunds))
}

/// PostgreSQL's texts hold no NUL, so no refund has such a name.
fn checked(id: String) -> Result<String, Error> {
    match id.contains('\0') {
        true => Err(Error::UnknownRefund),
        false => Ok(id),
    }
}

pub async fn show_stuck_refund(
    Admin(_): Admin,
    Path(id): Path<String>,
) -> Result<Json<StuckRefund>, Problem> {
    let id = checked(id)?;
    let db = store::open().await?;
    Ok(Json(stuck::find_stuck_refund(&db, &id).await?.shown))
}

pub async fn retry_refund(
    Admin(caller): Admin,
    Path(id): Path<String>,
    Json(because): Json<Because>,
) -> Result<Json<StuckRefund>, Problem> {
    let id = checked(id)?;
    let db = store::open_to_move().await?;
    let hand = hand(&caller, Some(because.reason)).await?;
    settlement::retry_refund(&db, &id, &hand, now()).await?;
    Ok(Json(stuck::find_stuck_refund(&db, &id).await?.shown))
}

pub async fn settle_refund(
    Admin(caller): Admin,
    Path(id): Path<String>,
    Json(because): Json<Because>,
) -> Result<Acted<StuckRefund>, Problem> {
    let id = checked(id)?;
    let db = store::open_to_move().await?;
    let hand = hand(&caller, Some(because.reason)).await?;
    let handled = stuck::settle_stuck(&db, &id, &hand).await?;
    Ok(Acted {
        is_proposed: handled.is_proposed,
        body: stuck::find_stuck_refund(&db, &id).await?.shown,
    })
}

pub async fn show_metrics() -> Result<Response, Problem> {
    let measures = stuck::measure_stuck(&store::open().await?).await?;
    let text = write_metrics(&measures);
    Ok(([(header::CONTENT_TYPE, METRICS)], text).into_response())
}
