//! Manual acts of admins: their trace, payouts and receivables.

use axum::http::Uri;
use kit::identity::{Admin, Caller};
use kit::money::Currency;
use kit::setting;
use kit::store::Db;
use kit::web::{Json, Listed, Page, Paging, Path, Problem, Query, Schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::Payout;
use crate::error::Error;
use crate::manual::{Act, Acted, Hand, Handled, Reason, Receivable, Unclaimed};
use crate::store::{self, account as accounts, manual};

/// Why an admin acts.
#[derive(Deserialize, Schema)]
pub struct Because {
    pub reason: Reason,
}

/// The hand of this admin.
pub async fn hand(caller: &Caller, reason: Option<Reason>) -> Result<Hand, Error> {
    let alone_up_to = setting("second_admin_above").await?;
    Ok(Hand {
        admin: caller.id,
        reason,
        alone_up_to: alone_up_to
            .parse()
            .map_err(|_| Error::WrongSetting("second_admin_above"))?,
    })
}

/// Rows of a page when the client does not say how many.
const ROWS: i64 = 50;

pub async fn list_payouts(
    Admin(_): Admin,
    uri: Uri,
    Query(paging): Query<Paging>,
) -> Result<Listed<Payout>, Problem> {
    let part = paging.part_or(ROWS).ok_or(Error::TooFar)?;
    let db = store::open().await?;
    let payouts = accounts::list_payouts(&db, part).await?;
    Ok(Listed::full_of(&uri, part.limit, payouts, |it| it.seq))
}

pub async fn list_ended_payouts(
    Admin(_): Admin,
    uri: Uri,
    Query(paging): Query<Paging>,
) -> Result<Listed<Payout>, Problem> {
    let part = paging.part_or(ROWS).ok_or(Error::TooFar)?;
    let db = store::open().await?;
    let payouts = accounts::list_ended_payouts(&db, part).await?;
    Ok(Listed::full_of(&uri, part.limit, payouts, |it| it.seq))
}

pub async fn show_payout(Admin(_): Admin, Path(id): Path<Uuid>) -> Result<Json<Payout>, Problem> {
    let db = store::open().await?;
    Ok(Json(accounts::find_payout(&db, id).await?))
}

pub async fn approve_payout(
    Admin(caller): Admin,
    Path(id): Path<Uuid>,
    Json(because): Json<Because>,
) -> Result<Acted<Payout>, Problem> {
    let db = store::open_to_move().await?;
    let hand = hand(&caller, Some(because.reason)).await?;
    let handled = manual::approve_payout(&db, id, &hand).await?;
    payout_after(&db, id, &handled).await
}

pub async fn mark_paid_out(
    Admin(caller): Admin,
    Path(id): Path<Uuid>,
    Json(because): Json<Because>,
) -> Result<Acted<Payout>, Problem> {
    let db = store::open_to_move().await?;
    let hand = hand(&caller, Some(because.reason)).await?;
    let handled = manual::pay_out(&db, id, &hand).await?;
    payout_after(&db, id, &handled).await
}

pub async fn return_payout(
    Admin(caller): Admin,
    Path(id): Path<Uuid>,
    Json(because): Json<Because>,
) -> Result<Acted<Payout>, Problem> {
    let db = store::open_to_move().await?;
    let hand = hand(&caller, Some(because.reason)).await?;
    let handled = manual::return_payout(&db, id, &hand).await?;
    payout_after(&db, id, &handled).await
}

async fn payout_after(db: &Db, id: Uuid, handled: &Handled) -> Result<Acted<Payout>, Problem> {
    Ok(Acted {
        is_proposed: handled.is_proposed,
        body: accounts::find_payout(db, id).await?,
    })
}

pub async fn list_receivables(
    Admin(_): Admin,
    uri: Uri,
    Query(page): Query<Page>,
) -> Result<Listed<Receivable>, Problem> {
    let db = store::open().await?;
    let receivables = manual::list_receivables(&db, page.limit(ROWS), page.offset()).await?;
    Ok(Listed::page(&uri, page, ROWS, receivables))
}

pub async fn show_receivable(
    Admin(_): Admin,
    Path(id): Path<Uuid>,
) -> Result<Json<Receivable>, Problem> {
    let db = store::open().await?;
    Ok(Json(manual::find_receivable(&db, id).await?))
}

pub async fn write_off(
    Admin(caller): Admin,
    Path(id): Path<Uuid>,
    Json(because): Json<Because>,
) -> Result<Acted<Receivable>, Problem> {
    let db = store::open_to_move().await?;
    let hand = hand(&caller, Some(because.reason)).await?;
    let handled = manual::write_off(&db, id, &hand).await?;
    Ok(Acted {
        is_proposed: handled.is_proposed,
        body: manual::find_receivable(&db, id).await?,
    })
}

#[derive(Deserialize, Schema)]
pub struct LeftBy {
    /// The id that the person had.
    user_id: Option<Uuid>,
}

pub async fn list_unclaimed(
    Admin(_): Admin,
    uri: Uri,
    Query(LeftBy { user_id }): Query<LeftBy>,
    Query(page): Query<Page>,
) -> Result<Listed<Unclaimed>, Problem> {
    let db = store::open().await?;
    let (limit, offset) = (page.limit(ROWS), page.offset());
    let unclaimed = manual::list_unclaimed(&db, user_id, limit, offset).await?;
    Ok(Listed::page(&uri, page, ROWS, unclaimed))
}

/// The person who has proven that the money is theirs.
#[derive(Deserialize, Schema)]
pub struct Claim {
    /// The account that they have now.
    claimant_id: Uuid,
    currency: Currency,
    reason: Reason,
}

/// The answer when unclaimed money was handed over.
#[derive(Serialize, Schema)]
pub struct HandedOver {
    user_id: Uuid,
    claimant_id: Uuid,
    currency: Currency,
}

pub async fn hand_over(
    Admin(caller): Admin,
    Path(erased): Path<Uuid>,
    Json(claim): Json<Claim>,
) -> Result<Acted<HandedOver>, Problem> {
    let db = store::open_to_move().await?;
    let hand = hand(&caller, Some(claim.reason)).await?;
    let (currency, claimant) = (claim.currency, claim.claimant_id);
    let Handled { is_proposed } = manual::hand_over(&db, erased, currency, claimant, &hand).await?;
    Ok(Acted {
        is_proposed,
        body: HandedOver {
            user_id: erased,
            claimant_id: claimant,
            currency,
        },
    })
}

#[derive(Deserialize, Schema)]
pub struct Newest {
    /// The `id` of the last act of the page before.
    before: Option<i64>,
    /// Rows at most; never more than 100.
    #[schemars(range(min = 1, max = 100), example = 20)]
    limit: Option<i64>,
}

impl Newest {
    fn limit(&self) -> i64 {
        self.limit.unwrap_or(ROWS).clamp(1, 100)
    }
}

pub async fn list_proposals(
    Admin(_): Admin,
    Query(page): Query<Newest>,
) -> Result<Json<Vec<Act>>, Problem> {
    let db = store::open().await?;
    let proposals = manual::list_proposals(&db, page.before, page.limit()).await?;
    Ok(Json(proposals))
}

#[derive(Deserialize, Schema)]
pub struct WantedActs {
    /// The id of a payment, an attempt, a payout or a receivable; the text of a promo code, or `random`.
    about: Option<String>,
}

pub async fn list_acts(
    Admin(_): Admin,
    Query(WantedActs { about }): Query<WantedActs>,
    Query(page): Query<Newest>,
) -> Result<Json<Vec<Act>>, Problem> {
    // PostgreSQL's texts hold no NUL, so nothing has such an id.
    if about.as_deref().is_some_and(|it| it.contains('\0')) {
        return Ok(Json(Vec::new()));
    }
    let db = store::open().await?;
    let acts = manual::list_acts(&db, about, page.before, page.limit()).await?;
    Ok(Json(acts))
}
