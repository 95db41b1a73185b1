//! Appeals against fines.

use axum::http::Uri;
use kit::identity::Caller;
use kit::store::event;
use kit::web::{Created, Dialect, Json, Listed, Page, Path, Problem, Query, Routes};

use crate::appeal::{self, Appeal, AppealFile, Decision, Said};
use crate::error::Error;
use crate::fine::AppealStatus;
use crate::{saga, store};

pub fn routes() -> Routes {
    Routes::new("Appeals", Dialect::Zones)
        .get("/api/v1/zones/{id}/appeals", list_appeals, |it| {
            it.summary("List the open appeals of a zone")
                .note("The oldest first.")
                .refuses([Error::UNKNOWN_ZONE, Error::FORBIDDEN])
        })
        .get("/api/v1/fines/{id}/appeal", show_appeal, |it| {
            it.summary("Show an appeal")
                .note("For staff of the zone, and the driver.")
                .refuses([Error::UNKNOWN_APPEAL])
        })
        .post("/api/v1/fines/{id}/appeal", open_appeal, |it| {
            it.summary("Appeal against a fine")
                .note("For its driver, once. Until the appeal is decided, deadlines of discounts and surcharges do not run.")
                .refuses([
                    Error::INVALID_TEXT,
                    Error::UNKNOWN_FINE,
                    Error::FORBIDDEN,
                    Error::FINE_CANCELLED,
                    Error::APPEAL_WAIVED,
                    Error::APPEALED,
                    Error::APPEAL_TOO_LATE,
                    Error::PAYMENT_RUNNING,
                ])
        })
        .delete("/api/v1/fines/{id}/appeal", withdraw_appeal, |it| {
            it.summary("Withdraw an appeal").refuses([
                Error::UNKNOWN_APPEAL,
                Error::FORBIDDEN,
                Error::APPEAL_OVER,
            ])
        })
        .post("/api/v1/fines/{id}/appeal/messages", add_message, |it| {
            it.summary("Say something in an appeal").refuses([
                Error::INVALID_TEXT,
                Error::UNKNOWN_APPEAL,
                Error::APPEAL_OVER,
            ])
        })
        .post("/api/v1/fines/{id}/appeal/decision", decide_appeal, |it| {
            it.summary("Decide an appeal")
                .note("For an admin of the zone who did not issue the fine. When accepted, the fine is cancelled and refunded. When rejected, its deadlines run again, and the first discount is offered once more.")
                .refuses([
                    Error::INVALID_TEXT,
                    Error::UNKNOWN_APPEAL,
                    Error::FORBIDDEN,
                    Error::OWN_DECISION,
                    Error::APPEAL_OVER,
                ])
        })
}

async fn list_appeals(
    caller: Caller,
    uri: Uri,
    Path(id): Path<i64>,
    Query(page): Query<Page>,
) -> Result<Listed<Appeal>, Problem> {
    let appeals = store::list_appeals(&store::open().await?, id, &caller, page).await?;
    Ok(Listed::page(&uri, page, store::PAGE, appeals))
}

async fn show_appeal(caller: Caller, Path(id): Path<i64>) -> Result<Json<AppealFile>, Problem> {
    Ok(Json(
        store::find_appeal(&store::open().await?, id, &caller).await?,
    ))
}

async fn open_appeal(
    caller: Caller,
    Path(id): Path<i64>,
    Json(said): Json<Said>,
) -> Result<Created<Appeal>, Problem> {
    let why = appeal::text(&said.text)?;
    let appeal = store::open_appeal(&store::open().await?, id, caller.id, why).await?;
    Ok(Created::at(format!("/api/v1/fines/{id}/appeal"), appeal))
}

async fn withdraw_appeal(caller: Caller, Path(id): Path<i64>) -> Result<Json<Appeal>, Problem> {
    let db = store::open().await?;
    let ended = store::end_appeal(&db, id, &caller, AppealStatus::Withdrawn, None).await?;
    Ok(Json(ended))
}

async fn add_message(
    caller: Caller,
    Path(id): Path<i64>,
    Json(said): Json<Said>,
) -> Result<Json<Appeal>, Problem> {
    let text = appeal::text(&said.text)?;
    let db = store::open().await?;
    Ok(Json(store::add_message(&db, id, &caller, text).await?))
}

async fn decide_appeal(
    caller: Caller,
    Path(id): Path<i64>,
    Json(decision): Json<Decision>,
) -> Result<Json<Appeal>, Problem> {
    let reason = appeal::text(&decision.reason)?;
    let verdict = match decision.accept {
        true => AppealStatus::Accepted,
        false => AppealStatus::Rejected,
    };
    let db = store::open().await?;
    let decided = store::end_appeal(&db, id, &caller, verdict, Some(reason)).await?;
    saga::pay_due_refunds(&db).await?;
    event::wake();
    Ok(Json(decided))
}
