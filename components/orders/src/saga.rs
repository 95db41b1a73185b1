//! Keeps an order and its money together although they live in different schemas.
//!
//! A charge is written with its order, before the ledger or the provider is asked, and settled afterwards. A refund is
//! owed by the statement that ends an order, and done afterwards. A host that dies in between leaves rows that
//! [`sweep`] finds. Later changes at the provider come as events of payments; the sweep also asks by itself.

use kit::store::photo;
use kit::store::relay::{self, Event, Outcome};
use kit::store::s3::S3;
use kit::store::{Db, erasure, event, purge_keys};
use uuid::Uuid;

use crate::calls;
use crate::charge::{Asked, Kind, OpenCharge, OwedRefund, Placed, Standing};
use crate::error::Error;
use crate::order::{Order, PaymentMethod, PaymentStatus};
use crate::photo::Stored;
use crate::store::charges as store;
use crate::store::{orders, photos};

/// Rows of each kind that one sweep takes on: it has to end before the host gives up on the tick.
const SWEEP_BATCH: i64 = 50;
/// Deleting a key costs next to nothing.
const PURGE_BATCH: i64 = 1_000;
/// Orders that one statement of an erasure changes: all of them stay locked until it ends.
const ERASE_BATCH: i32 = 100;

/// Pays an order by wallet, or opens its payment at the provider. Answers the order as it is afterwards.
pub async fn settle_placed(db: &Db, placed: Placed, email: Option<String>) -> Result<Order, Error> {
    let Some(charge) = placed.charge else {
        return Ok(placed.order);
    };
    match (placed.order.payment_method, placed.payee) {
        (PaymentMethod::Wallet, Some(payee)) => {
            match calls::pay(charge, &placed.order, payee).await {
                Ok(()) => record_paid(db, charge).await,
                Err(Error::PaymentUnavailable) => Err(Error::PaymentUnavailable),
                // The ledger leaves no trace of a refusal, so a copy of this request may be paying right now: only
                // the ledger can say that it is not.
                Err(refusal) => settle_wallet(db, charge, true).await?.ok_or(refusal),
            }
        }
        // The shop no longer has an owner.
        (PaymentMethod::Wallet, None) => settle_wallet(db, charge, true)
            .await?
            .ok_or(Error::NoWalletHere),
        (PaymentMethod::Provider, _) => open_at_provider(db, charge, placed.order, email).await,
        (PaymentMethod::Counter, _) => Ok(placed.order),
    }
}

/// An order whose payment cannot be opened now is kept, and the sweep tries again.
async fn open_at_provider(
    db: &Db,
    charge: Uuid,
    order: Order,
    email: Option<String>,
) -> Result<Order, Error> {
    match calls::open_checkout(charge, &order, email, kit::now()).await {
        Ok(asked) if asked.standing == Standing::Over => {
            store::charge_void(db, charge, true).await?;
            Err(Error::PaymentRefused)
        }
        Ok(asked) => {
            let is_open = matches!(asked.standing, Standing::Open(_));
            let order = record(db, charge, asked).await?;
            // The order was called off meanwhile, or paid at the counter.
            if is_open && !order.status.waits_for_payment() {
                return record(db, charge, calls::cancel_checkout(charge).await?).await;
            }
            Ok(order)
        }
        Err(error) => {
            eprintln!("charge {charge} is left to the sweep: {error}");
            Ok(Order {
                payment_status: PaymentStatus::PaymentServiceUnavailable,
                ..order
            })
        }
    }
}

/// Settles a wallet's charge as the ledger has it. Answers the order when the charge was paid. Otherwise the charge is void
/// from now on.
async fn settle_wallet(db: &Db, charge: Uuid, is_answer: bool) -> Result<Option<Order>, Error> {
    if calls::was_paid(charge).await? {
        return record_paid(db, charge).await.map(Some);
    }
    store::charge_void(db, charge, is_answer).await?;
    Ok(None)
}

/// Records the state of a charge at the provider.
async fn record(db: &Db, charge: Uuid, asked: Asked) -> Result<Order, Error> {
    match asked.standing {
        Standing::Open(status) => store::charge_open(db, charge, status, &asked).await,
        Standing::Paid => record_paid(db, charge).await,
        Standing::Over => store::charge_void(db, charge, false).await,
        Standing::Refunded => store::charge_refunded(db, charge).await,
    }
}

async fn record_paid(db: &Db, charge: Uuid) -> Result<Order, Error> {
    let order = store::charge_paid(db, charge).await?;
    // The order was called off, or paid at the counter, before this payment.
    if order.status.is_over() || order.payment_method == PaymentMethod::Counter {
        pay_refunds(db, store::find_refunds(db, order.id).await?).await;
    }
    Ok(order)
}

/// Makes payments ask the provider about the payment of an order, and records the answer.
pub async fn refresh(db: &Db, order: i64) -> Result<(), Error> {
    if let Some(charge) = store::find_charge(db, order).await? {
        record(db, charge, calls::refresh_checkout(charge).await?).await?;
        event::wake();
    }
    Ok(())
}

/// Calls off the open payment of an order that no longer waits for it, and pays refunds. The sweep does what fails now.
pub async fn wind_up(db: &Db, order: &Order) {
    let all = async {
        if let Some(charge) = store::find_charge(db, order.id).await? {
            record(db, charge, calls::cancel_checkout(charge).await?).await?;
        }
        pay_refunds(db, store::find_refunds(db, order.id).await?).await;
        Ok::<(), Error>(())
    };
    if let Err(error) = all.await {
        eprintln!("order {} is left to the sweep: {error}", order.id);
    }
}

/// Pays refunds. One that fails now is left to the sweep.
pub async fn pay_refunds(db: &Db, owed: Vec<OwedRefund>) {
    for refund in owed {
        if let Err(error) = pay_refund(db, &refund).await {
            eprintln!("refund {} is left to the sweep: {error}", refund.id);
        }
    }
}

async fn pay_refund(db: &Db, owed: &OwedRefund) -> Result<(), Error> {
    match owed.kind {
        Kind::Wallet => calls::refund(owed).await?,
        Kind::Provider => calls::refund_checkout(owed).await?,
        // A cashier hands it out.
        Kind::Counter => {}
    }
    store::finish_refund(db, owed.id).await
}

/// Finishes interrupted requests and does the work that is due. It may run on any host, at any time, several times at once.
pub async fn sweep() -> Result<(), Error> {
    let db = crate::store::open().await?;
    // A part that fails does not keep the next one from running.
    [
        relay::drain(&db, hear).await.map(drop).map_err(Error::from),
        tell_ready(&db).await,
        settle_all(&db).await,
        expire(&db).await,
        refund_all(&db).await,
        delete_photos(&db).await,
        purge_keys(&db, PURGE_BATCH).await.map_err(Error::from),
    ]
    .into_iter()
    .collect()
}

async fn tell_ready(db: &Db) -> Result<(), Error> {
    if orders::tell_ready(db, SWEEP_BATCH).await? > 0 {
        event::wake();
    }
    Ok(())
}

async fn expire(db: &Db) -> Result<(), Error> {
    if orders::expire_orders(db, SWEEP_BATCH).await? > 0 {
        event::wake();
    }
    Ok(())
}

async fn settle_all(db: &Db) -> Result<(), Error> {
    for it in store::claim_charges(db, SWEEP_BATCH).await? {
        let charge = it.charge;
        if let Err(error) = settle(db, it).await {
            eprintln!("charge {charge} is left to a later sweep: {error}");
        }
    }
    Ok(())
}

async fn settle(db: &Db, it: OpenCharge) -> Result<(), Error> {
    let asked = match it.kind {
        Kind::Wallet => {
            settle_wallet(db, it.charge, false).await?;
            return Ok(());
        }
        Kind::Counter => return Ok(()),
        Kind::Provider if it.is_over => calls::cancel_checkout(it.charge).await?,
        Kind::Provider if it.is_open => calls::refresh_checkout(it.charge).await?,
        Kind::Provider => {
            calls::open_checkout(it.charge, &it.order, it.email.clone(), kit::now()).await?
        }
    };
    record(db, it.charge, asked).await?;
    event::wake();
    Ok(())
}

async fn refund_all(db: &Db) -> Result<(), Error> {
    pay_refunds(db, store::claim_refunds(db, SWEEP_BATCH).await?).await;
    Ok(())
}

async fn delete_photos(db: &Db) -> Result<(), Error> {
    let stale = photos::claim_stale_photos(db, SWEEP_BATCH).await?;
    if stale.is_empty() {
        return Ok(());
    }
    let s3 = S3::open().await?;
    for it in stale {
        if let Err(error) = delete_photo(db, &s3, &it).await {
            eprintln!("photo {} is left to a later sweep: {error}", it.id);
        }
    }
    Ok(())
}

async fn delete_photo(db: &Db, s3: &S3, it: &Stored) -> Result<(), Error> {
    photo::delete(s3, &it.key(), it.upload.as_deref()).await?;
    photos::delete_photo(db, it.id).await
}

async fn hear(db: &Db, event: &Event) -> Outcome {
    if !event.kind.starts_with("payment:") {
        return erasure::carry_out(erasure::ERASED, event, |user| erase(db, user)).await;
    }
    let named = event.payload.get("payment_id").and_then(|it| it.as_str());
    let Some(charge) = named.and_then(|it| it.parse().ok()) else {
        return Outcome::Never("the payload names no payment".to_owned());
    };
    match hear_payment(db, charge).await {
        Ok(()) => Outcome::DONE,
        Err(error) => Outcome::again(error),
    }
}

/// The event only triggers a look: it may arrive late, and payments has the present state.
async fn hear_payment(db: &Db, charge: Uuid) -> Result<(), Error> {
    if !store::is_known(db, charge).await? {
        return Ok(());
    }
    record(db, charge, calls::find_checkout(charge).await?).await?;
    event::wake();
    Ok(())
}

async fn erase(db: &Db, user: Uuid) -> Result<bool, Error> {
    Ok(orders::erase(db, user, ERASE_BATCH).await? > 0)
}
