//! Keeps the PSP and the ledger together: opens payments at both, judges and books payments at the PSP, and sends back
//! those that came too late.
//!
//! Every step may break off after any statement or call: the next webhook or sweep goes on from the rows. Nothing
//! here is decided before the PSP is asked.

use jiff::Timestamp;
use kit::money::{Cents, Currency};
use kit::setting;
use kit::store::{Db, event};
use uuid::Uuid;

use crate::attempt::{Standing, Verdict, judge};
use crate::checkout::{Checkout, Method, NewCheckout, Status};
use crate::error::Error;
use crate::manual::Hand;
use crate::psp::mercadopago::MercadoPago;
use crate::psp::{Failure, Payment, Subject};
use crate::store::{checkout as store, ledger, manual, part as parts, stuck};
use crate::stuck::Kind;

/// Bounds how often a decision is made anew because another request was quicker. Only the webhooks of a checkout's
/// few payments and the sweep decide about it.
const MAX_DECISIONS: u32 = 8;

/// Opens a payment. When the PSP does not answer, the status says so and the sweep goes on; a refusal of the PSP is an
/// error.
pub async fn open(db: &Db, new: NewCheckout) -> Result<Checkout, Error> {
    check_currency(new.currency).await?;
    let checkout = store::open_checkout(db, new).await?;
    if checkout.psp_id.is_some() || !checkout.status.is_open() {
        return Ok(checkout);
    }
    register(db, &MercadoPago::configured().await?, checkout).await
}

/// Refuses a currency that the PSP would refuse.
async fn check_currency(currency: Currency) -> Result<(), Error> {
    let only = setting("psp_currency").await?;
    if only.is_empty() {
        return Ok(());
    }
    let taken = Currency::parse(only).ok_or(Error::WrongSetting("psp_currency"))?;
    match taken == currency {
        true => Ok(()),
        false => Err(Error::CurrencyNotTaken(only)),
    }
}

/// Makes a checkout known to the PSP.
async fn register(db: &Db, psp: &MercadoPago, checkout: Checkout) -> Result<Checkout, Error> {
    match psp.open(&checkout).await {
        Ok(opened) => {
            let checkout = store::accept_checkout(db, checkout.id, opened).await?;
            event::wake();
            Ok(checkout)
        }
        // The PSP will not take it later either, so it can never be paid.
        Err(failure @ Failure::Refused { .. }) => {
            eprintln!("payment {} is cancelled before it was open", checkout.id);
            store::change_status(db, checkout.id, checkout.status, Status::Cancelled).await?;
            event::wake();
            Err(failure.into())
        }
        Err(failure) => {
            eprintln!("payment {} is not open yet: {failure}", checkout.id);
            Ok(checkout)
        }
    }
}

/// Looks up the payments that a webhook names and books them. Answers the checkout, if it is one of ours.
pub async fn handle_webhook(
    db: &Db,
    subject: &Subject,
    now: Timestamp,
) -> Result<Option<Checkout>, Error> {
    let psp = MercadoPago::configured().await?;
    let mut payments = match psp.look_up(subject).await {
        Ok(payments) => payments,
        Err(Failure::Unknown) => return Ok(None),
        Err(failure) => return Err(failure.into()),
    };
    let Some(id) = payments.iter().find_map(|it| it.checkout) else {
        return Ok(None);
    };
    if let Subject::Payment(_) = subject {
        match store::find_checkout(db, id, None).await {
            // The order shows its payments with other ids: booked under both ids, one payment would count twice.
            Ok(checkout) if checkout.method == Method::Qr => {
                payments = psp.payments_of(&checkout).await?;
            }
            Ok(_) => {}
            Err(Error::UnknownPayment) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    match book(db, id, &payments, now).await {
        Ok(Some(checkout)) => Ok(Some(send_back(db, &psp, checkout).await?)),
        Ok(None) | Err(Error::UnknownPayment) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Judges payments at the PSP and carries the judgements out. Answers the checkout as it is afterwards.
async fn book(
    db: &Db,
    id: Uuid,
    payments: &[Payment],
    now: Timestamp,
) -> Result<Option<Checkout>, Error> {
    let mut booked = None;
    for payment in payments {
        let checkout = book_one(db, id, payment, now).await?;
        if payment.refunded > 0 {
            parts::finish_parts(db, id, &payment.id, payment.refunded).await?;
        }
        // A payment that was for another checkout before stays with that one.
        if checkout.id == id {
            booked = Some(checkout);
        }
    }
    Ok(booked)
}

/// For how many days a user's deposit is held.
async fn held_days() -> Result<i32, Error> {
    let days = setting("deposit_hold_days").await?;
    days.parse()
        .ok()
        .filter(|it| (0..=366).contains(it))
        .ok_or(Error::WrongSetting("deposit_hold_days"))
}

async fn book_one(db: &Db, id: Uuid, payment: &Payment, now: Timestamp) -> Result<Checkout, Error> {
    for _ in 0..MAX_DECISIONS {
        let Standing { checkout, known } = store::find_standing(db, id, &payment.id).await?;
        let Some(mut judgement) = judge(&checkout, known, payment, now) else {
            return Ok(checkout);
        };
        if judgement.verdict == Verdict::Disputed {
            eprintln!(
                "payment {}: {} at the provider is for {} {}, and {} {} was asked for",
                checkout.id,
                payment.id,
                payment.amount,
                payment.currency,
                checkout.amount.get(),
                checkout.currency
            );
        }
        let days = held_days().await?;
        let mut concluded = store::conclude(db, &checkout, known, judgement, payment, days).await;
        if matches!(concluded, Err(Error::LimitReached)) {
            // The account that it is for cannot hold it: it goes back as if it were late.
            judgement.status = checkout.status;
            judgement.verdict = Verdict::Returning;
            concluded = store::conclude(db, &checkout, known, judgement, payment, days).await;
        }
        if let Some(checkout) = concluded? {
            event::wake();
            return Ok(checkout);
        }
    }
    Err(Error::Busy)
}

/// Makes the PSP send back payments that have to go back. Failures are left to the sweep.
async fn send_back(db: &Db, psp: &MercadoPago, mut checkout: Checkout) -> Result<Checkout, Error> {
    for payment in checkout.to_return.clone() {
        match psp.send_back(&checkout, &payment).await {
            Ok(true) => {
                let (from, to) = (Verdict::Returning, Verdict::Returned);
                if let Some(it) = store::change_verdict(db, checkout.id, &payment, from, to).await?
                {
                    checkout = it;
                }
            }
            Ok(false) => eprintln!("payment {payment} is being sent back"),
            Err(failure) => {
                eprintln!("payment {payment} is not sent back yet: {failure}");
                if is_refusal(&failure) {
                    let why = failure.to_string();
                    let left = psp.left(&checkout, &payment).await;
                    stuck::note_refused_attempt(db, checkout.id, &payment, &why, left).await?;
                }
            }
        }
    }
    Ok(checkout)
}

/// Whether the provider will not send money back, so that a person has to look when it goes on. A token that it does not
/// accept counts, too: without a person it is not replaced.
fn is_refusal(failure: &Failure) -> bool {
    match failure {
        Failure::Refused { .. }
        | Failure::Denied { .. }
        | Failure::NotMade(_)
        | Failure::Unknown => true,
        Failure::Away(_) | Failure::Crowded | Failure::Nonsense(_) | Failure::Setting(_) => false,
    }
}

/// When the PSP denies us access, counts that as a refusal of each refund that is owed next. Other failures to look at a
/// payment are not counted.
async fn note_denied(db: &Db, checkout: &Checkout, failure: &Failure) -> Result<(), Error> {
    if !matches!(failure, Failure::Denied { .. }) {
        return Ok(());
    }
    let why = failure.to_string();
    for payment in &checkout.to_return {
        stuck::note_refused_attempt(db, checkout.id, payment, &why, None).await?;
    }
    if let Some(part) = parts::next_owed_part(db, checkout.id).await? {
        parts::note_refused_part(db, part.id, &why).await?;
    }
    Ok(())
}

/// Sends a part of a payment back, once per `part`. Failures at the PSP are left to the sweep.
pub async fn refund_part(
    db: &Db,
    id: Uuid,
    part: Uuid,
    amount: Cents,
    now: Timestamp,
) -> Result<Checkout, Error> {
    let checkout = parts::refund_part(db, id, part, amount).await?;
    event::wake();
    let psp = MercadoPago::configured().await?;
    if !checkout.to_return.is_empty() {
        return send_back(db, &psp, checkout).await;
    }
    if let Err(error) = send_parts(db, &psp, &checkout, now).await {
        eprintln!("parts of payment {id} are left to the sweep: {error}");
    }
    store::find_checkout(db, id, None).await
}

/// Makes the PSP send back the parts of a payment that it has not, one after another. A part is done when the PSP, asked
/// afterwards, says that as much has gone back. Its answer to the refund itself is not believed, so a lost, repeated or
/// untrue answer makes no second refund. A part that is not done blocks those after it, because the PSP reports only the
/// sum.
async fn send_parts(
    db: &Db,
    psp: &MercadoPago,
    checkout: &Checkout,
    now: Timestamp,
) -> Result<(), Error> {
    let mut tried: Option<(Uuid, Option<Failure>)> = None;
    while let Some(part) = parts::next_owed_part(db, checkout.id).await? {
        if let Some((_, refusal)) = tried.take_if(|it| it.0 == part.id) {
            // Checked afterwards: the PSP also refuses a part that it has already sent.
            if let Some(failure) = refusal {
                parts::note_refused_part(db, part.id, &failure.to_string()).await?;
            }
            break;
        }
        let refusal = match psp.send_part_back(checkout, &part).await {
            Ok(word) => word.map(Failure::NotMade),
            Err(failure) => {
                eprintln!("part {} is not sent back yet: {failure}", part.id);
                is_refusal(&failure).then_some(failure)
            }
        };
        tried = Some((part.id, refusal));
        let payments = match psp.look_up(&Subject::of(checkout, &part.payment)).await {
            Ok(payments) => payments,
            Err(failure) => {
                note_denied(db, checkout, &failure).await?;
                return Err(failure.into());
            }
        };
        book(db, checkout.id, &payments, now).await?;
    }
    Ok(())
}

/// Changes the status of a checkout as an admin says. Answers whether another admin has to confirm it, and the checkout
/// as it is now.
pub async fn change_by_hand(
    db: &Db,
    id: Uuid,
    status: Status,
    hand: &Hand,
) -> Result<(bool, Checkout), Error> {
    for _ in 0..MAX_DECISIONS {
        let checkout = store::find_checkout(db, id, None).await?;
        if checkout.status == status {
            return Ok((false, checkout));
        }
        if !checkout.status.may_become(status) {
            return Err(Error::WrongStatus(checkout.status));
        }
        let change = manual::change_status_by_hand(db, id, checkout.status, status, hand).await?;
        let is_proposed = change.is_proposed;
        if let Some(checkout) = change.changed() {
            if is_proposed {
                return Ok((true, checkout));
            }
            event::wake();
            if checkout.to_return.is_empty() {
                return Ok((false, checkout));
            }
            let psp = MercadoPago::configured().await?;
            return Ok((false, send_back(db, &psp, checkout).await?));
        }
    }
    Err(Error::Busy)
}

/// Changes the status of a checkout as its opener wants it.
pub async fn change_status(db: &Db, id: Uuid, status: Status) -> Result<Checkout, Error> {
    for _ in 0..MAX_DECISIONS {
        let checkout = store::find_checkout(db, id, None).await?;
        if checkout.status == status {
            return Ok(checkout);
        }
        if !checkout.status.may_become(status) {
            return Err(Error::WrongStatus(checkout.status));
        }
        if let Some(checkout) = store::change_status(db, id, checkout.status, status).await? {
            event::wake();
            if checkout.to_return.is_empty() {
                return Ok(checkout);
            }
            return send_back(db, &MercadoPago::configured().await?, checkout).await;
        }
    }
    Err(Error::Busy)
}

/// Sends disputed money back, as an admin decides. Repeated: no effect.
pub async fn return_disputed(db: &Db, id: Uuid, payment: &str, hand: &Hand) -> Result<(), Error> {
    for _ in 0..MAX_DECISIONS {
        let Standing { checkout, known } = store::find_standing(db, id, payment).await?;
        let verdict = match known.filter(|_| checkout.id == id) {
            Some(known) => known.verdict,
            None => return Err(Error::UnknownPayment),
        };
        match verdict {
            Verdict::Disputed => {
                if let Some(checkout) = manual::return_by_hand(db, id, payment, hand).await? {
                    send_back(db, &MercadoPago::configured().await?, checkout).await?;
                    return Ok(());
                }
            }
            Verdict::Returning | Verdict::Returned => return Ok(()),
            Verdict::Noted | Verdict::Accepted => return Err(Error::NotDisputed(verdict)),
        }
    }
    Err(Error::Busy)
}

/// Goes on with a due checkout: asks the PSP for its payments and acts on the answer. A checkout expires only after the
/// PSP was asked.
pub async fn follow_up(
    db: &Db,
    psp: &MercadoPago,
    checkout: Checkout,
    now: Timestamp,
) -> Result<(), Error> {
    let mut checkout = checkout;
    if checkout.psp_id.is_none() && checkout.status.is_open() && now < checkout.expires_at {
        register(db, psp, checkout).await?;
        return Ok(());
    }
    let payments = match psp.payments_of(&checkout).await {
        Ok(payments) => payments,
        Err(failure) => {
            note_denied(db, &checkout, &failure).await?;
            return Err(failure.into());
        }
    };
    checkout = book(db, checkout.id, &payments, now)
        .await?
        .unwrap_or(checkout);
    checkout = send_back(db, psp, checkout).await?;
    // For openers a refund stays one after a dispute was won; parts are owed again.
    if matches!(checkout.status, Status::Approved | Status::Refunded) {
        send_parts(db, psp, &checkout, now).await?;
    }
    if checkout.status.is_open() && now >= checkout.expires_at {
        store::change_status(db, checkout.id, checkout.status, Status::Expired).await?;
        event::wake();
    }
    Ok(())
}

/// Tries a refused refund again. A further refusal shows in the list.
pub async fn retry_refund(db: &Db, id: &str, hand: &Hand, now: Timestamp) -> Result<(), Error> {
    let known = stuck::find_stuck_refund(db, id).await?;
    let refund = known.shown;
    if refund.resolution.is_some() {
        return Ok(());
    }
    stuck::note_retry(db, id, hand).await?;
    if refund.kind == Kind::Wallet {
        let name = id.parse().map_err(|_| Error::UnknownRefund)?;
        let amount = Cents::new(refund.amount).map_err(|_| Error::UnknownRefund)?;
        let description = known.description.unwrap_or_default();
        ledger::refund(db, name, refund.payment_id, Some(amount), description).await?;
        return Ok(());
    }
    stuck::retry_stuck(db, id).await?;
    let checkout = store::find_checkout(db, refund.payment_id, None).await?;
    if let Err(error) = follow_up(db, &MercadoPago::configured().await?, checkout, now).await {
        eprintln!("refund {id} is left to the sweep: {error}");
    }
    Ok(())
}

/// Asks the PSP about a checkout before it is due. Failures are left to the sweep.
pub async fn refresh(db: &Db, id: Uuid, now: Timestamp) -> Result<Checkout, Error> {
    let checkout = store::find_checkout(db, id, None).await?;
    if !checkout.status.is_open() {
        return Ok(checkout);
    }
    if let Err(error) = follow_up(db, &MercadoPago::configured().await?, checkout, now).await {
        eprintln!("payment {id} is left to the sweep: {error}");
    }
    store::find_checkout(db, id, None).await
}
