//! Emptying a wallet: destinations, cash-outs to them, and receipts.

use axum::http::{HeaderName, header};
use axum::response::Html;
use kit::identity::{Caller, Recent};
use kit::money::Cents;
use kit::store::{Keyed, Replayable};
use kit::web::{Created, Json, NoContent, Path, Problem, Query, Schema};
use kit::{flag, setting};
use serde::Deserialize;
use uuid::Uuid;

use crate::destination::{Account, CashOut, Destination, Kind, holder_name};
use crate::error::Error;
use crate::receipt::Receipt;
use crate::store::{self, destination as destinations};

#[derive(Deserialize, Schema)]
pub struct NewDestination {
    #[schemars(example = Kind::UsBank)]
    kind: Kind,
    /// The Pix key, the IBAN or the number of the account.
    #[schemars(length(min = 1, max = 100), example = &"123456789")]
    account: String,
    /// The bank's routing number; only for accounts in the United States.
    #[schemars(length(max = 20), example = &"021000021")]
    routing_number: Option<String>,
    /// The holder's name as the bank knows it.
    #[schemars(length(min = 2, max = 140), example = &"Ana Souza")]
    holder_name: String,
}

/// Hours until a new destination may be used; none in a sandbox.
async fn wait_hours() -> Result<i32, Error> {
    if flag("sandbox").await? {
        return Ok(0);
    }
    let hours = setting("destination_wait_hours").await?;
    hours
        .parse()
        .ok()
        .filter(|it| (0..=24 * 31).contains(it))
        .ok_or(Error::WrongSetting("destination_wait_hours"))
}

pub async fn add_destination(
    Recent(caller): Recent,
    Keyed { body, once }: Keyed<NewDestination>,
) -> Result<Replayable<Created<Destination>>, Problem> {
    let routing = body.routing_number.as_deref();
    let account =
        Account::parse(body.kind, &body.account, routing).ok_or(Error::InvalidDestination)?;
    let holder_name = holder_name(&body.holder_name).ok_or(Error::InvalidDestination)?;
    let db = store::open_to_move().await?;
    let id = once.id(&caller);
    once.answer(&db, &caller, async {
        let new = destinations::NewDestination {
            id,
            owner: caller.id,
            kind: body.kind,
            holder_name,
            account: &account,
            wait_hours: wait_hours().await?,
        };
        let added = destinations::add_destination(&db, new).await?;
        Ok(Created::at("/payment/destinations", added))
    })
    .await
}

pub async fn list_destinations(caller: Caller) -> Result<Json<Vec<Destination>>, Problem> {
    let db = store::open().await?;
    Ok(Json(destinations::list_destinations(&db, caller.id).await?))
}

pub async fn remove_destination(
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    destinations::remove_destination(&db, id, caller.id).await?;
    Ok(NoContent)
}

#[derive(Deserialize, Schema)]
pub struct NewCashOut {
    destination_id: Uuid,
    /// Minor units of the destination's currency.
    #[schemars(range(min = 1, max = 1_000_000_000_000_i64), example = 1)]
    amount: i64,
}

pub async fn cash_out(
    Recent(caller): Recent,
    Keyed { body, once }: Keyed<NewCashOut>,
) -> Result<Replayable<Created<CashOut>>, Problem> {
    let amount = Cents::new(body.amount).map_err(|_| Error::InvalidCents)?;
    let db = store::open_to_move().await?;
    let id = once.id(&caller);
    once.answer(&db, &caller, async {
        destinations::start_cash_out(&db, id, caller.id, body.destination_id, amount).await?;
        let cash_out = destinations::find_cash_out(&db, id, caller.id).await?;
        Ok(Created::at(format!("/payment/cash-outs/{id}"), cash_out))
    })
    .await
}

pub async fn show_cash_out(caller: Caller, Path(id): Path<Uuid>) -> Result<Json<CashOut>, Problem> {
    let db = store::open().await?;
    let cash_out = destinations::find_cash_out(&db, id, caller.id).await?;
    Ok(Json(cash_out))
}

#[derive(Deserialize, Schema)]
pub struct WantedCashOuts {
    /// Only those that are neither paid nor back in the wallet.
    #[serde(default)]
    open: bool,
    /// The `seq` of the last cash-out of the page before.
    before: Option<i64>,
    /// Rows at most; never more than 100.
    #[schemars(range(min = 1, max = 100), example = 20)]
    limit: Option<i64>,
}

/// Cash-outs of a page when the client does not say how many.
const CASH_OUTS: i64 = 50;

pub async fn list_cash_outs(
    caller: Caller,
    Query(wanted): Query<WantedCashOuts>,
) -> Result<Json<Vec<CashOut>>, Problem> {
    let limit = wanted.limit.unwrap_or(CASH_OUTS).clamp(1, 100);
    let db = store::open().await?;
    let listed =
        destinations::list_cash_outs(&db, caller.id, wanted.open, wanted.before, limit).await?;
    Ok(Json(listed))
}

pub async fn cancel_cash_out(
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<CashOut>, Problem> {
    let db = store::open_to_move().await?;
    destinations::cancel_cash_out(&db, id, caller.id).await?;
    let cash_out = destinations::find_cash_out(&db, id, caller.id).await?;
    Ok(Json(cash_out))
}

pub async fn show_receipt(caller: Caller, Path(id): Path<Uuid>) -> Result<Json<Receipt>, Problem> {
    let db = store::open().await?;
    Ok(Json(destinations::find_receipt(&db, id, caller.id).await?))
}

pub async fn print_receipt(
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<([(HeaderName, &'static str); 2], Html<String>), Problem> {
    const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    let db = store::open().await?;
    let receipt = destinations::find_receipt(&db, id, caller.id).await?;
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "private, no-store"),
    ];
    Ok((headers, Html(receipt.to_html())))
}
