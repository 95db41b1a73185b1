//! The parking dialect: a wallet in cents, its transactions and promo codes.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use kit::{
    Admin, Caller, Cents, Currency, Dialect, Json, Keyed, Page, Path, Problem, Query, Spellings,
    speaking,
};
use serde::Deserialize;

use crate::error::Error;
use crate::ledger::WALLET;
use crate::promocode::{Code, Promocode};
use crate::statement::{Span, Statement};
use crate::store::{self, NewCode};
use crate::wallet::{Balance, Transaction};

pub fn router() -> Router {
    let table = Router::new()
        .route("/payment/balance", get(show_balance))
        .route("/payment/transactions", get(list_transactions))
        .route("/payment/statement", get(show_statement))
        .route("/payment/statement.csv", get(download_statement))
        .route("/payment/promocode/activate", post(activate_promocode))
        .route("/payment/promocode/generate", post(generate_promocode))
        .spelled(
            ["/payment/promocode", "/payment/promocode/create"],
            get(list_promocodes).post(create_promocode),
        )
        .route(
            "/payment/promocode/{code}",
            get(show_promocode).delete(withdraw_promocode),
        );
    speaking(Dialect::Parking, table)
}

#[derive(Deserialize)]
struct BalanceOf {
    currency: Option<Currency>,
    /// A moment of the past.
    at: Option<Timestamp>,
}

async fn show_balance(
    caller: Caller,
    Query(asked): Query<BalanceOf>,
) -> Result<Json<Balance>, Problem> {
    let db = store::open().await?;
    let currency = asked.currency.unwrap_or(WALLET);
    let balance = match asked.at {
        Some(moment) => Balance {
            user_id: caller.id,
            balance: store::balance_at(&db, caller.id, currency, None, moment).await?,
            currency: currency.code(),
            held: None,
            available: None,
        },
        None => {
            let funds = store::funds(&db, caller.id, currency).await?;
            Balance {
                user_id: caller.id,
                balance: funds.balance,
                currency: currency.code(),
                held: Some(funds.held),
                available: Some(funds.balance.saturating_sub(funds.held)),
            }
        }
    };
    Ok(Json(balance))
}

async fn list_transactions(
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Json<Vec<Transaction>>, Problem> {
    let db = store::open().await?;
    let transactions = store::transactions(&db, caller.id, page.limit(50), page.offset()).await?;
    Ok(Json(transactions))
}

#[derive(Deserialize)]
pub struct Slice {
    currency: Option<Currency>,
    /// The `next` of the page before.
    before: Option<i64>,
    /// From this moment on.
    from: Option<Timestamp>,
    /// Before this moment.
    to: Option<Timestamp>,
    #[serde(flatten)]
    pub page: Page,
}

impl Slice {
    pub fn span(&self) -> Span {
        Span {
            before: self.before,
            from: self.from,
            to: self.to,
        }
    }

    /// The query of what follows a page that ends with `next`.
    pub fn after(&self, next: i64) -> String {
        let mut query = format!("before={next}&limit={}", self.page.limit(LONGEST_PAGE));
        let moments = [("from", self.from), ("to", self.to)];
        for (name, moment) in moments {
            if let Some(moment) = moment {
                query.push_str(&format!("&{name}={moment}"));
            }
        }
        if let Some(currency) = self.currency {
            query.push_str(&format!("&currency={}", currency.code()));
        }
        query
    }
}

/// A file is read by a program that follows links: as much at once as one answer holds.
pub const LONGEST_PAGE: i64 = 100;

async fn statement(caller: &Caller, slice: &Slice, limit: i64) -> Result<Statement, Error> {
    let db = store::open().await?;
    let currency = slice.currency.unwrap_or(WALLET);
    let entries = store::statement(&db, caller.id, currency, None, slice.span(), limit).await?;
    Ok(Statement::page(entries, limit))
}

async fn show_statement(
    caller: Caller,
    Query(slice): Query<Slice>,
) -> Result<Json<Statement>, Problem> {
    let limit = slice.page.limit(50);
    Ok(Json(statement(&caller, &slice, limit).await?))
}

async fn download_statement(
    caller: Caller,
    Query(slice): Query<Slice>,
) -> Result<Response, Problem> {
    let limit = slice.page.limit(LONGEST_PAGE);
    let statement = statement(&caller, &slice, limit).await?;
    let rest = statement.next.map(|it| slice.after(it));
    Ok(super::csv(&statement, rest))
}

const BAD_CODE: Problem = Problem::new(
    StatusCode::BAD_REQUEST,
    "invalid-promocode",
    "A promo code is 4 to 100 letters, digits, - and _",
);
const BAD_AMOUNT: Problem = Problem::new(
    StatusCode::BAD_REQUEST,
    "invalid-amount",
    "An amount is between 1 and 1000000000000 cents",
);
const BAD_USES: Problem = Problem::new(
    StatusCode::BAD_REQUEST,
    "invalid-uses",
    "A promo code has between 1 and 1000000 uses",
);

#[derive(Deserialize)]
struct Activation {
    code: String,
}

async fn activate_promocode(
    caller: Caller,
    Keyed { body, once }: Keyed<Activation>,
) -> Result<Response, Problem> {
    let code = Code::parse(body.code).ok_or(BAD_CODE)?;
    let db = store::open().await?;
    let id = once.id(&caller);
    once.answer(&db, &caller, async {
        let moved = store::activate_promocode(&db, id, caller.id, &code).await?;
        let balance = Balance {
            user_id: caller.id,
            balance: moved.credit_balance.unwrap_or_default(),
            currency: WALLET.code(),
            held: None,
            available: None,
        };
        Ok((StatusCode::OK, balance))
    })
    .await
}

#[derive(Deserialize)]
struct Generation {
    amount: i64,
}

async fn generate_promocode(
    caller: Caller,
    Keyed { body, once }: Keyed<Generation>,
) -> Result<Response, Problem> {
    let amount = Cents::new(body.amount).map_err(|_| BAD_AMOUNT)?;
    let db = store::open().await?;
    let id = once.id(&caller);
    once.answer(&db, &caller, async {
        let coined = store::generate_promocode(&db, id, caller.id, amount).await?;
        Ok((StatusCode::OK, coined))
    })
    .await
}

#[derive(Deserialize)]
struct Creation {
    amount: i64,
    max_uses: Option<i32>,
    max_uses_per_user: Option<i32>,
    code: Option<String>,
    expires_at: Option<Timestamp>,
}

async fn create_promocode(
    Admin(caller): Admin,
    Keyed { body, once }: Keyed<Creation>,
) -> Result<Response, Problem> {
    let fits = |uses: &i32| (1..=1_000_000).contains(uses);
    let max_uses = body.max_uses.unwrap_or(1);
    if !fits(&max_uses) || !body.max_uses_per_user.as_ref().is_none_or(fits) {
        return Err(BAD_USES);
    }
    let new = NewCode {
        chosen: match body.code.filter(|it| !it.is_empty()) {
            Some(code) => Some(Code::chosen(code).ok_or(BAD_CODE)?),
            None => None,
        },
        amount: Cents::new(body.amount).map_err(|_| BAD_AMOUNT)?,
        max_uses,
        max_uses_per_user: body.max_uses_per_user,
        expires_at: body.expires_at,
    };
    let db = store::open().await?;
    let id = once.id(&caller);
    once.answer(&db, &caller, async {
        let coined = store::create_promocode(&db, id, caller.id, new).await?;
        Ok((StatusCode::OK, coined))
    })
    .await
}

async fn show_promocode(_: Caller, Path(code): Path<String>) -> Result<Json<Promocode>, Problem> {
    let code = Code::parse(code).ok_or(Error::UnknownCode)?;
    let db = store::open().await?;
    Ok(Json(store::promocode(&db, &code).await?))
}

async fn list_promocodes(
    Admin(_): Admin,
    Query(page): Query<Page>,
) -> Result<Json<Vec<Promocode>>, Problem> {
    let db = store::open().await?;
    let codes = store::promocodes(&db, page.limit(50), page.offset()).await?;
    Ok(Json(codes))
}

/// From now on nobody can claim it.
async fn withdraw_promocode(
    Admin(_): Admin,
    Path(code): Path<String>,
) -> Result<StatusCode, Problem> {
    let code = Code::parse(code).ok_or(Error::UnknownCode)?;
    let db = store::open().await?;
    store::withdraw_promocode(&db, &code).await?;
    Ok(StatusCode::NO_CONTENT)
}
