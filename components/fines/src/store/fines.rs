//! Plate checks, the catalogue, fines.

use kit::identity::Caller;
use kit::store::{Db, FromRow};
use kit::web::Page;
use kit::{params, sql};
use plate::Plate;
use serde_json::Value;
use uuid::Uuid;

use super::{LONG_PAGE, PAGE, decide, list};
use crate::error::Error;
use crate::fine::{Fine, HistoryLine, NewFine, NewViolation, PlateCheck, Violation, Wanted};
use crate::plan::{Plan, Shown};

/// Records a check. Returns nothing when the car has no valid ticket and its bookings were not asked for yet.
pub async fn check_plate(
    db: &Db,
    zone: i64,
    caller: &Caller,
    plate: &Plate,
    booked: Option<&Value>,
) -> Result<Option<PlateCheck>, Error> {
    let params = params![zone, caller.id, caller.is_admin(), plate.as_str(), booked];
    decide(db, sql!("check_plate"), params).await
}

pub async fn list_checks(
    db: &Db,
    zone: i64,
    caller: &Caller,
    plate: Option<&str>,
    page: Page,
) -> Result<Vec<PlateCheck>, Error> {
    let params = params![
        zone,
        caller.id,
        caller.is_admin(),
        plate,
        page.limit(PAGE),
        page.offset()
    ];
    list(db, sql!("list_checks"), params).await
}

pub async fn list_violations(db: &Db) -> Result<Vec<Violation>, Error> {
    Ok(db.all(sql!("list_violations"), params![]).await?)
}

pub async fn save_violation(db: &Db, code: &str, new: &NewViolation) -> Result<Violation, Error> {
    let params = params![code, new.title.trim(), new.amount.0, new.currency];
    Ok(db.one(sql!("save_violation"), params).await?)
}

pub async fn remove_violation(db: &Db, code: &str) -> Result<(), Error> {
    match db.run(sql!("remove_violation"), params![code]).await? {
        0 => Err(Error::UnknownCode),
        _ => Ok(()),
    }
}

pub async fn issue_fine(
    db: &Db,
    request: Uuid,
    reference: &str,
    zone: i64,
    caller: &Caller,
    new: &NewFine,
    booked: &Value,
) -> Result<Fine, Error> {
    let params = params![
        request,
        reference,
        zone,
        caller.id,
        caller.is_admin(),
        new.plate.as_str(),
        new.plate.shown(),
        new.amount.map(|it| it.0),
        new.code.as_deref(),
        new.place.as_deref(),
        new.latitude,
        new.longitude,
        new.note.as_deref(),
        new.reason(),
        booked
    ];
    decide(db, sql!("issue_fine"), params).await
}

pub async fn find_fine(db: &Db, id: i64, caller: &Caller) -> Result<Fine, Error> {
    let params = params![id, caller.id, caller.is_admin()];
    decide(db, sql!("find_fine"), params).await
}

/// The fine after a payment; a refusal when the payment goes back.
pub async fn find_paid_fine(db: &Db, id: i64) -> Result<Fine, Error> {
    decide(db, sql!("find_paid_fine"), params![id]).await
}

pub async fn find_by_reference(db: &Db, reference: &str) -> Result<Fine, Error> {
    db.optional(sql!("find_by_reference"), params![reference])
        .await?
        .ok_or(Error::UnknownFine)
}

/// The plan of a fine, or a preview of one with so many parts.
pub async fn find_plan(
    db: &Db,
    id: i64,
    caller: &Caller,
    parts: Option<i32>,
) -> Result<Plan, Error> {
    let none: Option<&str> = None;
    let params = params![id, none, caller.id, caller.is_admin(), parts];
    let found: Shown = decide(db, sql!("find_plan"), params).await?;
    Ok(found.plan)
}

/// The same by the reference of the fine.
pub async fn find_plan_by_reference(
    db: &Db,
    reference: &str,
    parts: Option<i32>,
) -> Result<Plan, Error> {
    let none: Option<i64> = None;
    let params = params![none, reference, Uuid::nil(), false, parts];
    let found: Shown = decide(db, sql!("find_plan"), params).await?;
    Ok(found.plan)
}

pub async fn list_fines(db: &Db, wanted: &Wanted, page: Page) -> Result<Vec<Fine>, Error> {
    let params = params![
        wanted.plate.as_deref(),
        wanted.status,
        wanted.appealed,
        page.limit(PAGE),
        page.offset()
    ];
    Ok(db.all(sql!("list_fines"), params).await?)
}

pub async fn list_fines_in(
    db: &Db,
    zone: i64,
    caller: &Caller,
    wanted: &Wanted,
    page: Page,
) -> Result<Vec<Fine>, Error> {
    let params = params![
        zone,
        caller.id,
        caller.is_admin(),
        wanted.plate.as_deref(),
        wanted.status,
        wanted.appealed,
        page.limit(PAGE),
        page.offset()
    ];
    list(db, sql!("list_fines_in"), params).await
}

pub async fn hide_fine(db: &Db, id: i64, caller: &Caller) -> Result<(), Error> {
    let params = params![id, caller.id, caller.is_admin()];
    decide(db, sql!("hide_fine"), params).await
}

pub async fn hide_all_fines(db: &Db, caller: Uuid) -> Result<(), Error> {
    db.run(sql!("hide_all_fines"), params![caller]).await?;
    Ok(())
}

pub async fn list_history(db: &Db, id: i64, caller: &Caller) -> Result<Vec<HistoryLine>, Error> {
    /// A line beside the column `id`, which is null in the only row of an empty list.
    #[derive(FromRow)]
    struct Line {
        #[row(flatten)]
        line: HistoryLine,
    }
    let params = params![id, caller.id, caller.is_admin()];
    let lines: Vec<Line> = list(db, sql!("list_history"), params).await?;
    Ok(lines.into_iter().map(|it| it.line).collect())
}

/// A row of a poll: the version of the feed, and a fine when the caller does not have that version.
#[derive(FromRow)]
struct Polled {
    version: i64,
    cursor: Option<i64>,
    #[row(flatten)]
    fine: Option<Fine>,
}

/// A poll of a driver.
pub struct Poll {
    /// The version that the driver has.
    pub known: Option<i64>,
    /// Only entries after that place in the feed, the oldest first; otherwise all, the newest first.
    pub since: Option<i64>,
    pub page: Page,
}

/// The version of a driver's feed; its fines too unless the driver has that version.
pub async fn poll_fines(
    db: &Db,
    driver: Uuid,
    poll: &Poll,
) -> Result<(i64, Option<Vec<Fine>>), Error> {
    let params = params![
        driver,
        poll.known,
        poll.since,
        poll.page.limit(LONG_PAGE),
        poll.page.offset()
    ];
    let rows: Vec<Polled> = db.all(sql!("poll_fines"), params).await?;
    let version = rows.first().map_or(0, |it| it.version);
    if poll.known == Some(version) {
        return Ok((version, None));
    }
    let fines = rows.into_iter().filter_map(|it| {
        let cursor = it.cursor;
        it.fine.map(|fine| Fine { cursor, ..fine })
    });
    Ok((version, Some(fines.collect())))
}
