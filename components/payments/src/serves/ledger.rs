//! `wharf:payments/ledger`: transfers between the main accounts of two users.

use super::{Malformed, Payments, amount, currency, id, moment, name, unsigned};
use crate::bindings::exports::wharf::payments::ledger::{
    Charge, Funds, Guest, Payment, Receipt, Refusal, Repayment,
};
use crate::checkout::line;
use crate::error::Error;
use crate::{ledger, store};

impl Guest for Payments {
    async fn pay(charge: Charge) -> Result<Receipt, Refusal> {
        let charge = ledger::Charge {
            id: id(&charge.id)?,
            payer: id(&charge.payer)?,
            payee: id(&charge.payee)?,
            amount: amount(charge.amount)?,
            currency: currency(&charge.currency)?,
            description: line(&charge.description),
            reference: name("reference", charge.reference)?,
            hold_until: charge.held_until.map(moment).transpose()?,
        };
        let moved = store::ledger::pay(&store::open_to_move().await?, charge).await?;
        Ok(receipt(moved))
    }

    async fn refund(it: Repayment) -> Result<Receipt, Refusal> {
        let (refund, payment) = (id(&it.id)?, id(&it.payment)?);
        let wanted = it.amount.map(amount).transpose()?;
        let description = line(&it.description);
        let db = store::open_to_move().await?;
        let moved = store::ledger::refund(&db, refund, payment, wanted, description).await?;
        Ok(receipt(moved))
    }

    async fn hold(payment: String, until: u64) -> Result<Payment, Refusal> {
        let (payment, until) = (id(&payment)?, moment(until)?);
        let held = store::ledger::hold(&store::open_to_move().await?, payment, until).await?;
        held.map(to_payment).ok_or(Refusal::UnknownPayment)
    }

    async fn release(payment: String) -> Result<Payment, Refusal> {
        let released = store::ledger::release(&store::open_to_move().await?, id(&payment)?).await?;
        released.map(to_payment).ok_or(Refusal::UnknownPayment)
    }

    async fn find(payment: String) -> Result<Option<Payment>, Refusal> {
        let found = store::ledger::find_payment(&store::open().await?, id(&payment)?).await?;
        Ok(found.map(to_payment))
    }

    async fn void(payment: String) -> Result<Option<Payment>, Refusal> {
        let made = store::ledger::void(&store::open_to_move().await?, id(&payment)?).await?;
        Ok(made.map(to_payment))
    }

    async fn balance(user: String, code: String) -> Result<Funds, Refusal> {
        let (user, currency) = (id(&user)?, currency(&code)?);
        let funds = store::ledger::funds(&store::open().await?, user, currency).await?;
        Ok(Funds {
            balance: unsigned(funds.balance),
            held: unsigned(funds.held),
        })
    }
}

fn receipt(moved: ledger::Moved) -> Receipt {
    Receipt {
        id: moved.id.to_string(),
        amount: unsigned(moved.amount.get()),
        replayed: moved.replayed,
    }
}

fn to_payment(it: ledger::Payment) -> Payment {
    Payment {
        id: it.id.to_string(),
        payer: it.payer.to_string(),
        payee: it.payee.to_string(),
        amount: unsigned(it.amount),
        currency: it.currency,
        reference: it.reference,
        refunded: unsigned(it.refunded),
        held: unsigned(it.held),
        paid_at: unsigned(it.created_at.as_second()),
    }
}

impl From<Malformed> for Refusal {
    fn from(Malformed(field): Malformed) -> Self {
        Self::Malformed(field.to_owned())
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            // A user who owes can spend nothing.
            Error::InsufficientFunds | Error::Owes => Self::InsufficientFunds,
            Error::LimitReached => Self::LimitReached,
            Error::SameAccount => Self::SameAccount,
            Error::UnknownPayment => Self::UnknownPayment,
            Error::NothingLeft(left) => Self::NothingLeft(unsigned(left)),
            Error::IdTaken => Self::IdTaken,
            Error::Voided => Self::Voided,
            error => {
                eprintln!("ledger: {error}");
                Self::Unavailable
            }
        }
    }
}
