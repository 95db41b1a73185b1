//! The audit trail. Statements that change something write it themselves.

use kit::store::{Db, Only};
use kit::web::Page;
use kit::{params, sql};
use uuid::Uuid;

use crate::account::AuditEvent;
use crate::client::Client;
use crate::error::Error;
use crate::{limit, throttle};

/// Records that an attempt was refused.
pub async fn record_refusal(
    db: &Db,
    account: Option<Uuid>,
    refusal: &Error,
    client: &Client,
) -> Result<(), Error> {
    // A flood of refusals is sampled: what comes beyond the limit says nothing new.
    match throttle::count(db, &limit::recorded_refusals(account, client)).await {
        Err(Error::TooManyTries(_)) => return Ok(()),
        counted => counted?,
    }
    let reason = refusal.reason();
    let request = client.request_id.as_str();
    let params = params![account, reason.as_ref(), &client.address, request];
    let _: Only<bool> = db.one(sql!("record_refusal"), params).await?;
    Ok(())
}

/// What happened to an account, newest first: for its person and for admins.
pub async fn list_audit(
    db: &Db,
    session: Uuid,
    account: Uuid,
    before: Option<i64>,
    page: Page,
) -> Result<Vec<AuditEvent>, Error> {
    let params = params![session, account, before, page.limit(50)];
    Ok(db.all(sql!("list_audit"), params).await?)
}
