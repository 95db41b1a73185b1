//! Appeals.

use kit::identity::Caller;
use kit::store::Db;
use kit::web::Page;
use kit::{params, sql};
use uuid::Uuid;

use super::{PAGE, decide, list};
use crate::appeal::{Appeal, AppealFile};
use crate::error::Error;
use crate::fine::AppealStatus;

pub async fn open_appeal(db: &Db, fine: i64, caller: Uuid, why: &str) -> Result<Appeal, Error> {
    decide(db, sql!("open_appeal"), params![fine, caller, why]).await
}

pub async fn find_appeal(db: &Db, fine: i64, caller: &Caller) -> Result<AppealFile, Error> {
    db.optional(
        sql!("find_appeal"),
        params![fine, caller.id, caller.is_admin()],
    )
    .await?
    .ok_or(Error::UnknownAppeal)
}

pub async fn add_message(db: &Db, fine: i64, caller: &Caller, text: &str) -> Result<Appeal, Error> {
    let params = params![fine, caller.id, caller.is_admin(), text];
    decide(db, sql!("add_message"), params).await
}

pub async fn end_appeal(
    db: &Db,
    fine: i64,
    caller: &Caller,
    verdict: AppealStatus,
    reason: Option<&str>,
) -> Result<Appeal, Error> {
    let params = params![fine, caller.id, caller.is_admin(), verdict, reason];
    decide(db, sql!("end_appeal"), params).await
}

pub async fn list_appeals(
    db: &Db,
    zone: i64,
    caller: &Caller,
    page: Page,
) -> Result<Vec<Appeal>, Error> {
    let params = params![
        zone,
        caller.id,
        caller.is_admin(),
        page.limit(PAGE),
        page.offset()
    ];
    list(db, sql!("list_appeals"), params).await
}
