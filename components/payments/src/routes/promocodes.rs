//! Promo codes: users generate and claim them, admins create and end them.

use axum::http::Uri;
use kit::identity::{Admin, Caller};
use kit::money::Cents;
use kit::store::{Keyed, Replayable};
use kit::web::{Created, Json, Listed, Network, NoContent, Page, Path, Problem, Query, Schema};
use serde::Deserialize;

use super::manual::{Because, hand};
use crate::error::Error;
use crate::ledger::WALLET;
use crate::manual::Reason;
use crate::promocode::{Code, Coined, Expiry, NewCode, Promocode};
use crate::store;
use crate::wallet::Balance;

#[derive(Deserialize, Schema)]
pub struct Activation {
    #[schemars(length(min = 4, max = 100), example = &"SUMMER-24")]
    code: String,
}

pub async fn activate_promocode(
    caller: Caller,
    network: Network,
    Keyed { body, once }: Keyed<Activation>,
) -> Result<Replayable<Json<Balance>>, Problem> {
    let code = Code::parse(body.code).ok_or(Error::InvalidCode)?;
    let db = store::open_to_move().await?;
    let id = once.id(&caller);
    once.answer(&db, &caller, async {
        store::promocode::activate_promocode(&db, id, caller.id, &code, &network).await?;
        let funds = store::ledger::funds(&db, caller.id, WALLET).await?;
        Ok(Json(Balance::of_funds(caller.id, WALLET, funds)))
    })
    .await
}

#[derive(Deserialize, Schema)]
pub struct Generation {
    /// Minor units of USD, paid from the wallet.
    #[schemars(range(min = 1, max = 1_000_000_000_000_i64), example = 500)]
    amount: i64,
}

pub async fn generate_promocode(
    caller: Caller,
    Keyed { body, once }: Keyed<Generation>,
) -> Result<Replayable<Created<Coined, 200>>, Problem> {
    let amount = Cents::new(body.amount).map_err(|_| Error::InvalidCents)?;
    let db = store::open_to_move().await?;
    let id = once.id(&caller);
    once.answer(&db, &caller, async {
        let coined = store::promocode::generate_promocode(&db, id, caller.id, amount).await?;
        Ok(created(coined))
    })
    .await
}

#[derive(Deserialize, Schema)]
pub struct Creation {
    /// Minor units of USD for each use.
    #[schemars(range(min = 1, max = 1_000_000_000_000_i64), example = 500)]
    amount: i64,
    /// 1 when absent.
    #[schemars(range(min = 1, max = 1_000_000), example = 100)]
    max_uses: Option<i32>,
    #[schemars(range(min = 1, max = 1_000_000), example = 1)]
    max_uses_per_user: Option<i32>,
    /// 4 to 100 letters, digits, `-` and `_`; random when absent or empty.
    #[schemars(length(max = 100))]
    code: Option<String>,
    #[schemars(with = "Option<jiff::Timestamp>")]
    expires_at: Option<Expiry>,
    /// Why: the trace of the act keeps it. Clients of the replaced system have no field for it.
    reason: Option<Reason>,
}

impl Creation {
    fn checked(self) -> Result<NewCode, Error> {
        let fits = |uses: &i32| (1..=1_000_000).contains(uses);
        let max_uses = self.max_uses.unwrap_or(1);
        if !fits(&max_uses) || !self.max_uses_per_user.as_ref().is_none_or(fits) {
            return Err(Error::InvalidUses);
        }
        Ok(NewCode {
            chosen: match self.code.filter(|it| !it.is_empty()) {
                Some(code) => Some(Code::chosen(code).ok_or(Error::InvalidCode)?),
                None => None,
            },
            amount: Cents::new(self.amount).map_err(|_| Error::InvalidCents)?,
            max_uses,
            max_uses_per_user: self.max_uses_per_user,
            expires_at: self.expires_at.map(|it| it.0),
        })
    }
}

pub async fn create_promocode(
    Admin(caller): Admin,
    Keyed { body, once }: Keyed<Creation>,
) -> Result<Replayable<Created<Coined, 200>>, Problem> {
    let reason = body.reason.clone();
    let new = body.checked()?;
    let db = store::open_to_move().await?;
    let id = once.id(&caller);
    let hand = hand(&caller, reason).await?;
    once.answer(&db, &caller, async {
        let coined = store::promocode::create_promocode(&db, id, &hand, new).await?;
        Ok(created(coined))
    })
    .await
}

fn created(coined: Coined) -> Created<Coined, 200> {
    Created::at(format!("/payment/promocode/{}", coined.code), coined)
}

pub async fn show_promocode(
    caller: Caller,
    network: Network,
    Path(code): Path<String>,
) -> Result<Json<Promocode>, Problem> {
    let code = Code::parse(code).ok_or(Error::UnknownCode)?;
    let db = store::open().await?;
    let found = store::promocode::find_promocode(&db, &code, caller.id, &network).await?;
    Ok(Json(found))
}

/// Codes of a page when the client does not say how many.
const CODES: i64 = 50;

pub async fn list_promocodes(
    Admin(_): Admin,
    uri: Uri,
    Query(page): Query<Page>,
) -> Result<Listed<Promocode>, Problem> {
    let db = store::open().await?;
    let codes = store::promocode::list_promocodes(&db, page.limit(CODES), page.offset()).await?;
    Ok(Listed::page(&uri, page, CODES, codes))
}

pub async fn list_own_promocodes(
    caller: Caller,
    uri: Uri,
    Query(page): Query<Page>,
) -> Result<Listed<Promocode>, Problem> {
    let db = store::open().await?;
    let (limit, offset) = (page.limit(CODES), page.offset());
    let codes = store::promocode::list_own_promocodes(&db, caller.id, limit, offset).await?;
    Ok(Listed::page(&uri, page, CODES, codes))
}

pub async fn withdraw_promocode(
    Admin(caller): Admin,
    Path(code): Path<String>,
    Query(because): Query<Because>,
) -> Result<NoContent, Problem> {
    let code = Code::parse(code).ok_or(Error::UnknownCode)?;
    let db = store::open().await?;
    let hand = hand(&caller, Some(because.reason)).await?;
    store::promocode::withdraw_promocode(&db, &code, &hand).await?;
    Ok(NoContent)
}
