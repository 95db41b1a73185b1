//! Balances and transfers, as in `components/payments`, without its error handling.

use std::time::Duration;

use anyhow::{Result, ensure};
use axum::Json;
use axum::extract::{Query, State};
use jiff::Timestamp;
use kit::money::{Cents, Currency};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use uuid::Uuid;

use crate::native::caller::Caller;
use crate::native::{self, Failed, query_one};

#[derive(Deserialize)]
pub struct BalanceOf {
    currency: Option<Currency>,
}

#[derive(Serialize)]
pub struct Balance {
    user_id: Uuid,
    balance: i64,
    currency: &'static str,
    held: i64,
    available: i64,
}

pub async fn balance(
    State(shared): native::State,
    Caller(caller): Caller,
    Query(query): Query<BalanceOf>,
) -> Result<Json<Balance>, Failed> {
    let db = shared.payments.get().await?;
    let currency = query.currency.unwrap_or(Currency::Usd).name();
    let sql = include_str!("../../../../components/payments/src/sql/funds.sql");
    let row = query_one(&db, sql, &[&caller.sub, &currency]).await?;
    let (balance, held): (i64, i64) = (row.try_get("balance")?, row.try_get("held")?);
    Ok(Json(Balance {
        user_id: caller.sub,
        balance,
        currency,
        held,
        available: balance - held,
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sending {
    from_payment_account_id: String,
    to_payment_account_id: String,
    #[serde(with = "kit::money::decimal")]
    amount: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sent {
    id: Uuid,
    to_payment_account_id: String,
    from_payment_account_id: String,
    #[serde(with = "kit::money::decimal")]
    amount: i64,
    status: &'static str,
    created_at: Timestamp,
}

pub async fn send(
    State(shared): native::State,
    Caller(caller): Caller,
    Json(sending): Json<Sending>,
) -> Result<Json<Sent>, Failed> {
    let amount = Cents::new(sending.amount)?.get();
    let (from, to) = (
        sending.from_payment_account_id,
        sending.to_payment_account_id,
    );
    let db = shared.payments.get().await?;
    let sql = include_str!("../../../../components/payments/src/sql/send.sql");
    let row = query_one(
        &db,
        sql,
        &[&Uuid::now_v7(), &caller.sub, &from, &to, &amount],
    )
    .await?;
    let outcome: &str = row.try_get("outcome")?;
    if outcome != "moved" {
        return Err(anyhow::anyhow!("not sent: {outcome}").into());
    }
    Ok(Json(Sent {
        id: row.try_get("id")?,
        to_payment_account_id: to,
        from_payment_account_id: from,
        amount,
        status: "COMPLETED",
        created_at: Timestamp::from_millisecond(row.try_get("created_at")?)?,
    }))
}

/// The price of a booking or an order, to be moved as the ledger does it.
pub struct Price {
    pub id: Uuid,
    pub payer: Uuid,
    pub payee: Uuid,
    pub amount: i64,
    pub currency: &'static str,
    pub reference: String,
    pub description: String,
    pub held_until: Timestamp,
}

pub async fn pay(shared: &native::Shared, price: Price) -> Result<()> {
    let db = shared.payments.get().await?;
    let sql = include_str!("../../../../components/payments/src/sql/pay.sql");
    let Price {
        id,
        payer,
        payee,
        amount,
        currency,
        reference,
        description,
        held_until,
    } = price;
    let until = held_until.as_millisecond();
    loop {
        let row = query_one(
            &db,
            sql,
            &[
                &id,
                &payer,
                &payee,
                &amount,
                &currency,
                &reference,
                &description,
                &until,
            ],
        )
        .await;
        let row = row.map_err(|it| it.0)?;
        let outcome: &str = row.try_get("outcome")?;
        // Too many payments to that user at this moment.
        if outcome == "crowded" {
            sleep(Duration::from_millis(2)).await;
            continue;
        }
        ensure!(outcome == "moved", "not paid: {outcome}");
        return Ok(());
    }
}
