//! The lists of a kitchen.

use axum::http::Uri;
use kit::identity::Caller;
use kit::web::{Json, Listed, Page, Problem, Query, Schema};
use serde::Deserialize;

use crate::order::{Pending, Ticket};
use crate::product::Station;
use crate::shop::FIRST;
use crate::store;
use crate::store::orders;

#[derive(Deserialize, Schema)]
pub struct Wanted {
    /// The first shop when absent.
    #[schemars(example = 1)]
    shop_id: Option<i64>,
    station: Option<Station>,
}

pub async fn list_kitchen(
    caller: Caller,
    uri: Uri,
    Query(wanted): Query<Wanted>,
    Query(page): Query<Page>,
) -> Result<Listed<Ticket>, Problem> {
    let db = store::open().await?;
    let shop = wanted.shop_id.unwrap_or(FIRST);
    let listed = orders::list_kitchen(&db, shop, &caller, wanted.station, page).await?;
    Ok(Listed::page(&uri, page, orders::KITCHEN_PAGE, listed))
}

pub async fn list_pending(
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<Pending>>, Problem> {
    let db = store::open().await?;
    let shop = wanted.shop_id.unwrap_or(FIRST);
    let listed = orders::list_pending(&db, shop, &caller, wanted.station).await?;
    Ok(Json(listed))
}
