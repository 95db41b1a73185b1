//! The SQL of payments through the PSP.

use kit::store::{Db, Decided};
use kit::{params, sql};
use uuid::Uuid;

use super::decide;
use crate::attempt::{Attempt, Dispute, Judgement, Known, Standing, StandingRow, Verdict};
use crate::checkout::{Checkout, Concluded, NewCheckout, Status};
use crate::error::Error;
use crate::psp::{Opened, Payment};

pub async fn open_checkout(db: &Db, new: NewCheckout) -> Result<Checkout, Error> {
    let params = params![
        new.id,
        new.opener,
        new.reference,
        new.customer,
        new.owner,
        new.amount,
        new.currency,
        new.description,
        new.email,
        new.method,
        new.credit.name(),
        new.expires_at,
    ];
    decide(db, sql!("open_checkout"), params).await
}

/// Records that the PSP knows the checkout.
pub async fn accept_checkout(db: &Db, id: Uuid, opened: Opened) -> Result<Checkout, Error> {
    let params = params![id, opened.id, opened.link, opened.scan];
    decide(db, sql!("accept_checkout"), params).await
}

/// A checkout that `viewer` may see; without a viewer, any.
pub async fn find_checkout(db: &Db, id: Uuid, viewer: Option<Uuid>) -> Result<Checkout, Error> {
    db.optional(sql!("find_checkout"), params![id, viewer])
        .await?
        .ok_or(Error::UnknownPayment)
}

pub async fn list_checkouts(
    db: &Db,
    reference: Option<String>,
    customer: Option<String>,
    viewer: Option<Uuid>,
    limit: i64,
    offset: i64,
) -> Result<Vec<Checkout>, Error> {
    let params = params![reference, customer, viewer, limit, offset];
    Ok(db.all(sql!("list_checkouts"), params).await?)
}

pub async fn find_standing(db: &Db, checkout: Uuid, payment: &str) -> Result<Standing, Error> {
    let found: Option<StandingRow> = db
        .optional(sql!("find_standing"), params![checkout, payment])
        .await?;
    found.map(Standing::from).ok_or(Error::UnknownPayment)
}

/// Every payment for a checkout that the PSP has reported.
pub async fn list_attempts(db: &Db, checkout: Uuid) -> Result<Vec<Attempt>, Error> {
    let rows: Vec<Option<Attempt>> = db.all(sql!("list_attempts"), params![checkout]).await?;
    if rows.is_empty() {
        return Err(Error::UnknownPayment);
    }
    Ok(rows.into_iter().flatten().collect())
}

/// Money at the PSP with a wrong amount, currency or checkout, the oldest first.
pub async fn list_disputes(db: &Db, limit: i64, offset: i64) -> Result<Vec<Dispute>, Error> {
    Ok(db
        .all(sql!("list_disputes"), params![limit, offset])
        .await?)
}

/// Carries out a judgement on a payment at the PSP; `None` when another request decided something since the checkout
/// was read.
pub async fn conclude(
    db: &Db,
    checkout: &Checkout,
    known: Option<Known>,
    judgement: Judgement,
    payment: &Payment,
    held_days: i32,
) -> Result<Option<Checkout>, Error> {
    let params = params![
        checkout.id,
        checkout.status,
        known.map(|it| it.verdict),
        judgement.status,
        judgement.verdict,
        &payment.id,
        payment.state,
        payment.amount,
        &payment.currency,
        payment.refunded,
        held_days,
        payment.detail.as_deref(),
    ];
    match decide::<Concluded>(db, sql!("conclude"), params).await {
        // Another checkout claimed the payment since.
        Err(Error::Db(e)) if e.constraint() == Some("psp_payment_pkey") => Ok(None),
        concluded => Ok(concluded?.changed()),
    }
}

/// Records that a payment has to go back, or has; `None` when its verdict is no longer `from`.
pub async fn change_verdict(
    db: &Db,
    checkout: Uuid,
    payment: &str,
    from: Verdict,
    to: Verdict,
) -> Result<Option<Checkout>, Error> {
    let params = params![checkout, payment, from, to];
    let changed: Option<Decided<Concluded, Error>> =
        db.optional(sql!("change_verdict"), params).await?;
    match changed {
        Some(Decided(concluded)) => Ok(concluded?.changed()),
        None => Ok(None),
    }
}

/// Changes the status for another reason than a payment at the PSP; `None` when another request changed it since it
/// was read.
pub async fn change_status(
    db: &Db,
    id: Uuid,
    from: Status,
    to: Status,
) -> Result<Option<Checkout>, Error> {
    let concluded: Concluded = decide(db, sql!("change_status"), params![id, from, to]).await?;
    Ok(concluded.changed())
}

/// Claims checkouts that are due: those that are settled and only watched, or the others. A claim says when they come
/// due again.
pub async fn claim_checkouts(
    db: &Db,
    limit: i32,
    is_aftercare: bool,
) -> Result<Vec<Checkout>, Error> {
    let params = params![limit, is_aftercare];
    Ok(db.all(sql!("claim_checkouts"), params).await?)
}
