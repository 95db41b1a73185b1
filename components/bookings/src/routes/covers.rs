//! Questions of other functions about cars, at `http://bookings.spin.internal`. No public route leads here.

use kit::web::{Json, Path, Problem, Query, Schema};
use plate::Plate;
use serde::Deserialize;

use crate::cover::{Bounds, Cover};
use crate::store;

#[derive(Deserialize, Schema)]
pub struct Ended {
    /// Bookings that ended at most so many seconds ago are told, too.
    #[schemars(range(min = 0, max = 86_400))]
    ended_within: Option<i32>,
}

impl Ended {
    fn seconds(&self) -> i32 {
        self.ended_within.unwrap_or(0).clamp(0, 86_400)
    }
}

pub async fn list_covers(
    Path(plate): Path<Plate>,
    Query(ended): Query<Ended>,
) -> Result<Json<Vec<Cover>>, Problem> {
    let db = store::open().await?;
    let covers = store::list_covering(&db, &plate, ended.seconds()).await?;
    Ok(Json(covers))
}

pub async fn list_covers_within(
    Query(bounds): Query<Bounds>,
    Query(ended): Query<Ended>,
) -> Result<Json<Vec<Cover>>, Problem> {
    let db = store::open().await?;
    let covers = store::list_covering_within(&db, bounds, ended.seconds()).await?;
    Ok(Json(covers))
}
