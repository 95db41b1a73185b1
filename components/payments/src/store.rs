//! The SQL of payments, one function per statement.
//!
//! Statements that move money call a function of the schema and answer with an
//! `outcome`; a refusal is an [`Error`], an earlier copy of the same call is
//! [`Moved::replayed`].

use jiff::Timestamp;
use kit::db::Only;
use kit::{Cents, Currency, Db, DbError, FromRow, Row, params, sql};
use uuid::Uuid;

use crate::account::{Account, History, House, Name, Payout, Side, Type, User};
use crate::checkout::{Attempt, Checkout, Dispute, Judgement, Known, Method, Status, Verdict};
use crate::error::Error;
use crate::ledger::{Charge, Moved, Payment, Total, WALLET};
use crate::promocode::{Code, Coined, Promocode};
use crate::psp::{self, Opened, State};
use crate::statement::{Amount, Entry, Span};
use crate::wallet::{Funds, Transaction, transaction_type};
use crate::{reference, wallet};

pub async fn open() -> Result<Db, Error> {
    Ok(Db::open("payments_database_url").await?)
}

// ---- the ledger

pub async fn pay(db: &Db, charge: Charge) -> Result<Moved, Error> {
    moved(
        db.one(
            sql!("pay"),
            params![
                charge.id,
                charge.payer,
                charge.payee,
                charge.amount,
                charge.currency.code(),
                charge.reference,
                charge.description,
                charge.held_until,
            ],
        )
        .await?,
    )
}

pub async fn refund(
    db: &Db,
    id: Uuid,
    payment: Uuid,
    amount: Option<Cents>,
    description: String,
) -> Result<Moved, Error> {
    moved(
        db.one(sql!("refund"), params![id, payment, amount, description])
            .await?,
    )
}

pub async fn hold(db: &Db, payment: Uuid, until: Timestamp) -> Result<Option<Payment>, Error> {
    Ok(db.optional(sql!("hold"), params![payment, until]).await?)
}

pub async fn release(db: &Db, payment: Uuid) -> Result<Option<Payment>, Error> {
    Ok(db.optional(sql!("release"), params![payment]).await?)
}

/// The payment; when there is none, there never will be.
pub async fn void(db: &Db, payment: Uuid) -> Result<Option<Payment>, Error> {
    Ok(db.optional(sql!("void"), params![payment]).await?)
}

pub async fn payment(db: &Db, id: Uuid) -> Result<Option<Payment>, Error> {
    Ok(db.optional(sql!("payment"), params![id]).await?)
}

pub async fn funds(db: &Db, owner: Uuid, currency: Currency) -> Result<Funds, Error> {
    Ok(db
        .one(sql!("funds"), params![owner, currency.code()])
        .await?)
}

/// The balance of the main account, or of the further account of that name, at some moment.
pub async fn balance_at(
    db: &Db,
    owner: Uuid,
    currency: Currency,
    name: Option<&Name>,
    moment: Timestamp,
) -> Result<i64, Error> {
    let name = name.map(Name::as_str);
    let balance: Option<Only<i64>> = db
        .optional(
            sql!("balance_at"),
            params![owner, currency.code(), name, moment],
        )
        .await?;
    Ok(balance.ok_or(Error::UnknownAccount)?.0)
}

pub async fn statement(
    db: &Db,
    owner: Uuid,
    currency: Currency,
    name: Option<&Name>,
    span: Span,
    limit: i64,
) -> Result<Vec<Entry>, Error> {
    let account = name.map(Name::as_str);
    let entries = db
        .all(
            sql!("statement"),
            params![
                owner,
                currency.code(),
                account,
                span.before,
                limit,
                span.from,
                span.to
            ],
        )
        .await?;
    if entries.is_empty() && name.is_some() {
        // Nothing happened there, or there is no such account.
        balance_at(db, owner, currency, name, kit::now()).await?;
    }
    Ok(entries)
}

pub async fn trial_balance(db: &Db) -> Result<Vec<Total>, Error> {
    Ok(db.all(sql!("trial_balance"), params![]).await?)
}

// ---- wallets

pub async fn transactions(
    db: &Db,
    owner: Uuid,
    limit: i64,
    offset: i64,
) -> Result<Vec<Transaction>, Error> {
    let rows: Vec<OwnSide> = db
        .all(
            sql!("transactions"),
            params![owner, WALLET.code(), limit, offset],
        )
        .await?;
    Ok(rows
        .into_iter()
        .map(|OwnSide(it)| wallet::Transaction {
            user_id: owner,
            ..it
        })
        .collect())
}

// ---- accounts that users open

pub async fn open_account(
    db: &Db,
    id: Uuid,
    owner: Uuid,
    name: &Name,
    of_type: Type,
    opening: i64,
) -> Result<Account, Error> {
    let answer: Answer<Account> = db
        .one(
            sql!("open_account"),
            params![
                id,
                owner,
                name.as_str(),
                of_type.name(),
                opening,
                WALLET.code()
            ],
        )
        .await?;
    answer.when(&["opened", "replayed"])
}

pub async fn accounts(db: &Db, owner: Uuid) -> Result<Vec<Account>, Error> {
    Ok(db.all(sql!("accounts"), params![owner]).await?)
}

pub async fn deposit(
    db: &Db,
    id: Uuid,
    owner: Uuid,
    to: &Name,
    amount: Cents,
) -> Result<Moved, Error> {
    moved(
        db.one(sql!("deposit"), params![id, owner, to.as_str(), amount])
            .await?,
    )
}

pub async fn withdraw(
    db: &Db,
    id: Uuid,
    owner: Uuid,
    from: &Name,
    amount: Cents,
    to: House,
) -> Result<Moved, Error> {
    moved(
        db.one(
            sql!("withdraw"),
            params![id, owner, from.as_str(), amount, to.name()],
        )
        .await?,
    )
}

/// Withdrawals that somebody has to pay out.
pub async fn payouts(db: &Db, limit: i64, offset: i64) -> Result<Vec<Payout>, Error> {
    Ok(db.all(sql!("payouts"), params![limit, offset]).await?)
}

/// A withdrawal was paid out.
pub async fn pay_out(db: &Db, withdrawal: Uuid, admin: Uuid) -> Result<Payout, Error> {
    db.optional(sql!("pay_out"), params![withdrawal, admin])
        .await?
        .ok_or(Error::UnknownPayout)
}

/// A withdrawal goes back to the account it came from.
pub async fn return_payout(db: &Db, withdrawal: Uuid, admin: Uuid) -> Result<Payout, Error> {
    let Only::<String>(outcome) = db
        .one(sql!("return_payout"), params![withdrawal, admin])
        .await?;
    match outcome.as_str() {
        "moved" | "replayed" => Ok(db.one(sql!("payout"), params![withdrawal]).await?),
        _ => Err(Error::of_outcome(outcome)),
    }
}

pub async fn send(
    db: &Db,
    id: Uuid,
    owner: Uuid,
    from: &Name,
    to: &Name,
    amount: Cents,
) -> Result<Moved, Error> {
    moved(
        db.one(
            sql!("send"),
            params![id, owner, from.as_str(), to.as_str(), amount],
        )
        .await?,
    )
}

pub async fn histories(
    db: &Db,
    owner: Uuid,
    limit: i64,
    offset: i64,
) -> Result<Vec<History>, Error> {
    Ok(db
        .all(sql!("histories"), params![owner, limit, offset])
        .await?)
}

// ---- promo codes

/// What an admin wants a code to be.
#[derive(Debug)]
pub struct NewCode {
    pub chosen: Option<Code>,
    pub amount: Cents,
    pub max_uses: i32,
    pub max_uses_per_user: Option<i32>,
    pub expires_at: Option<Timestamp>,
}

pub async fn create_promocode(
    db: &Db,
    id: Uuid,
    admin: Uuid,
    new: NewCode,
) -> Result<Coined, Error> {
    let answer: Answer<Coined> = db
        .one(
            sql!("create_promocode"),
            params![
                id,
                admin,
                new.chosen.as_ref().map(Code::as_str),
                Code::random()?.as_str(),
                new.amount,
                WALLET.code(),
                new.max_uses,
                new.max_uses_per_user,
                new.expires_at,
            ],
        )
        .await?;
    answer.when(&["coined", "replayed"])
}

pub async fn generate_promocode(
    db: &Db,
    id: Uuid,
    user: Uuid,
    amount: Cents,
) -> Result<Coined, Error> {
    let answer: Answer<Coined> = db
        .one(
            sql!("generate_promocode"),
            params![id, user, Code::random()?.as_str(), amount, WALLET.code()],
        )
        .await?;
    answer.when(&["coined", "replayed"])
}

pub async fn activate_promocode(
    db: &Db,
    id: Uuid,
    user: Uuid,
    code: &Code,
) -> Result<Moved, Error> {
    moved(
        db.one(sql!("activate_promocode"), params![id, user, code.as_str()])
            .await?,
    )
}

/// Nobody can claim the code any more.
pub async fn withdraw_promocode(db: &Db, code: &Code) -> Result<(), Error> {
    let Only(outcome): Only<String> = db
        .one(sql!("withdraw_promocode"), params![code.as_str()])
        .await?;
    match outcome.as_str() {
        "withdrawn" => Ok(()),
        _ => Err(Error::of_outcome(outcome)),
    }
}

pub async fn promocodes(db: &Db, limit: i64, offset: i64) -> Result<Vec<Promocode>, Error> {
    Ok(db.all(sql!("promocodes"), params![limit, offset]).await?)
}

pub async fn promocode(db: &Db, code: &Code) -> Result<Promocode, Error> {
    db.optional(sql!("promocode"), params![code.as_str()])
        .await?
        .ok_or(Error::UnknownCode)
}

// ---- payments through the PSP

/// What somebody is to be asked to pay.
#[derive(Debug)]
pub struct NewCheckout {
    pub id: Uuid,
    pub opener: String,
    pub reference: String,
    pub customer: String,
    pub owner: Uuid,
    pub amount: Cents,
    pub currency: Currency,
    pub description: String,
    pub email: Option<String>,
    pub method: Method,
    /// An account of the owner that the money is for; sales otherwise.
    pub credit: Option<Name>,
    pub expires_at: Timestamp,
}

pub async fn open_checkout(db: &Db, new: NewCheckout) -> Result<Checkout, Error> {
    let answer: Answer<Checkout> = db
        .one(
            sql!("open_checkout"),
            params![
                new.id,
                new.opener,
                new.reference,
                new.customer,
                new.owner,
                new.amount,
                new.currency.code(),
                new.description,
                new.email,
                new.method.name(),
                new.credit.as_ref().map(Name::as_str),
                new.expires_at,
            ],
        )
        .await?;
    answer.when(&["opened", "replayed"])
}

/// The PSP knows the checkout now.
pub async fn accept_checkout(db: &Db, id: Uuid, opened: Opened) -> Result<Checkout, Error> {
    let answer: Answer<Checkout> = db
        .one(
            sql!("accept_checkout"),
            params![id, opened.id, opened.link, opened.scan],
        )
        .await?;
    answer.when(&["accepted", "replayed"])
}

/// A checkout that `viewer` may look at; anybody's when there is no viewer.
pub async fn checkout(db: &Db, id: Uuid, viewer: Option<Uuid>) -> Result<Checkout, Error> {
    db.optional(sql!("checkout"), params![id, viewer])
        .await?
        .ok_or(Error::UnknownPayment)
}

pub async fn checkouts(
    db: &Db,
    reference: Option<String>,
    customer: Option<String>,
    viewer: Option<Uuid>,
    limit: i64,
    offset: i64,
) -> Result<Vec<Checkout>, Error> {
    Ok(db
        .all(
            sql!("checkouts"),
            params![reference, customer, viewer, limit, offset],
        )
        .await?)
}

/// A checkout with what is known of a payment for it at the PSP.
pub struct Standing {
    pub checkout: Checkout,
    pub known: Option<Known>,
}

pub async fn standing(db: &Db, checkout: Uuid, payment: &str) -> Result<Standing, Error> {
    db.optional(sql!("standing"), params![checkout, payment])
        .await?
        .ok_or(Error::UnknownPayment)
}

/// Every payment for a checkout that the PSP has told of.
pub async fn attempts(db: &Db, checkout: Uuid) -> Result<Vec<Attempt>, Error> {
    let rows: Vec<Maybe<Attempt>> = db.all(sql!("attempts"), params![checkout]).await?;
    if rows.is_empty() {
        return Err(Error::UnknownPayment);
    }
    Ok(rows.into_iter().filter_map(|Maybe(it)| it).collect())
}

/// Money at the PSP that is not what was asked for.
pub async fn disputed(db: &Db, limit: i64, offset: i64) -> Result<Vec<Dispute>, Error> {
    Ok(db.all(sql!("disputed"), params![limit, offset]).await?)
}

/// Carries out what was judged about a payment at the PSP; `None` when somebody else decided
/// something meanwhile.
pub async fn conclude(
    db: &Db,
    checkout: &Checkout,
    known: Option<Known>,
    judgement: Judgement,
    payment: &psp::Payment,
) -> Result<Option<Checkout>, Error> {
    let answer: Answer<Checkout> = db
        .one(
            sql!("conclude"),
            params![
                checkout.id,
                checkout.status.name(),
                known.map(|it| it.verdict.name()),
                judgement.status.name(),
                judgement.verdict.name(),
                &payment.id,
                payment.state.name(),
                payment.amount,
                &payment.currency,
                payment.refunded,
            ],
        )
        .await?;
    answer.decided("concluded")
}

/// A payment has to go back, or has; `None` when its verdict is another by now.
pub async fn rejudge(
    db: &Db,
    checkout: Uuid,
    payment: &str,
    from: Verdict,
    to: Verdict,
) -> Result<Option<Checkout>, Error> {
    let answer: Option<Answer<Checkout>> = db
        .optional(
            sql!("rejudge"),
            params![checkout, payment, from.name(), to.name()],
        )
        .await?;
    answer.map_or(Ok(None), |it| it.decided("concluded"))
}

/// A change of status that no payment at the PSP is the reason for; `None` when somebody else
/// changed it meanwhile.
pub async fn change_status(
    db: &Db,
    id: Uuid,
    decided_upon: Status,
    status: Status,
) -> Result<Option<Checkout>, Error> {
    let answer: Answer<Checkout> = db
        .one(
            sql!("change_status"),
            params![id, decided_upon.name(), status.name()],
        )
        .await?;
    answer.decided("changed_to")
}

// ---- upkeep

/// Takes checkouts that have come due.
pub async fn visit_checkouts(db: &Db, at_most: i32) -> Result<Vec<Checkout>, Error> {
    Ok(db.all(sql!("visit_checkouts"), params![at_most]).await?)
}

/// Frees holds whose time is over; says how many.
pub async fn release_due(db: &Db, at_most: i32) -> Result<i32, Error> {
    let released: Only<i32> = db.one(sql!("release_due"), params![at_most]).await?;
    Ok(released.0)
}

/// Forgets requests whose copies no longer come.
pub async fn forget_keys(db: &Db, at_most: i64) -> Result<u64, Error> {
    Ok(db.run(sql!("forget_keys"), params![at_most]).await?)
}

/// Takes note of a user, unless an event after `seq` said otherwise.
pub async fn note_holder(
    db: &Db,
    user: Uuid,
    email: Option<String>,
    seq: i64,
) -> Result<(), Error> {
    let _: Only<Uuid> = db
        .one(
            sql!("note_holder"),
            params![user, email, seq, WALLET.code()],
        )
        .await?;
    Ok(())
}

/// Forgets what is personal about a user, unless an event after `seq` told of them again.
pub async fn forget_holder(db: &Db, user: Uuid, seq: i64) -> Result<(), Error> {
    let _: Only<bool> = db.one(sql!("forget_holder"), params![user, seq]).await?;
    Ok(())
}

// ---- rows

/// What a function of the schema answered; without a value, it refused.
struct Answer<T> {
    outcome: String,
    value: Result<T, DbError>,
}

impl<T: FromRow> FromRow for Answer<T> {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            outcome: row.get("outcome")?,
            // A refusal has nothing in its other columns.
            value: T::from_row(row),
        })
    }
}

impl<T> Answer<T> {
    fn when(self, good: &[&str]) -> Result<T, Error> {
        if good.contains(&self.outcome.as_str()) {
            Ok(self.value?)
        } else {
            Err(Error::of_outcome(self.outcome))
        }
    }
}

impl Answer<Checkout> {
    fn decided(self, good: &str) -> Result<Option<Checkout>, Error> {
        if self.outcome == "changed" {
            return Ok(None);
        }
        self.when(&[good]).map(Some)
    }
}

struct Movement {
    outcome: String,
    id: Option<Uuid>,
    amount: Option<i64>,
    credit_balance: Option<i64>,
    created_at: Option<Timestamp>,
}

impl FromRow for Movement {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            outcome: row.get("outcome")?,
            id: row.get("id")?,
            amount: row.get("amount")?,
            credit_balance: row.get("credit_balance")?,
            created_at: row.get("created_at")?,
        })
    }
}

fn moved(movement: Movement) -> Result<Moved, Error> {
    let missing = |column: &str| DbError::Column(column.to_owned());
    match movement.outcome.as_str() {
        "moved" | "replayed" => Ok(Moved {
            id: movement.id.ok_or_else(|| missing("id"))?,
            amount: movement
                .amount
                .and_then(|it| Cents::new(it).ok())
                .ok_or_else(|| missing("amount"))?,
            credit_balance: movement.credit_balance,
            created_at: movement.created_at.ok_or_else(|| missing("created_at"))?,
            replayed: movement.outcome == "replayed",
        }),
        "nothing_left" => Err(Error::NothingLeft(movement.amount.unwrap_or_default())),
        _ => Err(Error::of_outcome(movement.outcome)),
    }
}

impl FromRow for Payment {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            payer: row.get("payer")?,
            payee: row.get("payee")?,
            amount: row.get("amount")?,
            currency: row.get("currency")?,
            reference: row.get("reference")?,
            refunded: row.get("refunded")?,
            held: row.get("held")?,
            created_at: row.get("created_at")?,
        })
    }
}

impl FromRow for Funds {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            balance: row.get("balance")?,
            held: row.get("held")?,
        })
    }
}

impl FromRow for Entry {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            seq: row.get("seq")?,
            transfer_id: row.get("id")?,
            kind: row.get("kind")?,
            amount: Amount::Cents(row.get("amount")?),
            balance: Amount::Cents(row.get("balance")?),
            currency: row.get("currency")?,
            counterparty: row.get("counterparty")?,
            reference: row.get("reference")?,
            description: row.get("description")?,
            created_at: row.get("created_at")?,
        })
    }
}

impl FromRow for Total {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            currency: row.get("currency")?,
            users: row.get("users")?,
            house: row.get("house")?,
            house_accounts: row.get("house_accounts")?,
            difference: row.get("difference")?,
            drifted_balances: row.get("drifted_balances")?,
            drifted_holds: row.get("drifted_holds")?,
        })
    }
}

/// A transaction whose user is whoever asked.
struct OwnSide(Transaction);

impl FromRow for OwnSide {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let amount: i64 = row.get("amount")?;
        let kind: String = row.get("kind")?;
        let booking: Option<String> = row.get("booking_id")?;
        Ok(Self(Transaction {
            id: row.get("id")?,
            booking_id: booking.as_deref().map(reference::shown),
            user_id: Uuid::nil(),
            amount,
            transaction_type: transaction_type(&kind, amount > 0),
            status: "completed",
            created_at: row.get("created_at")?,
            description: row.get("description")?,
        }))
    }
}

impl FromRow for Account {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            balance: row.get("balance")?,
            payment_account_id: row.get("name")?,
            payment_account_type: row.parse("type", Type::parse)?,
            created_at: row.get("created_at")?,
            user_id: row.get("owner")?,
        })
    }
}

impl FromRow for History {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let side = |name: &str, email: &str| {
            Ok::<_, DbError>(Side {
                payment_account_id: row.get(name)?,
                user: User {
                    email: row.get(email)?,
                },
            })
        };
        Ok(Self {
            id: row.get("id")?,
            amount: row.get("amount")?,
            status: "COMPLETED",
            created_at: row.get("created_at")?,
            from_account: side("from_name", "from_email")?,
            to_account: side("to_name", "to_email")?,
        })
    }
}

impl FromRow for Coined {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let max_uses = row.get("max_uses")?;
        Ok(Self {
            code: row.get("code")?,
            amount: row.get("amount")?,
            max_uses,
            remaining_uses: max_uses,
            max_uses_per_user: row.get("max_uses_per_user")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

impl FromRow for Promocode {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let max_uses: i32 = row.get("max_uses")?;
        let used_count: i32 = row.get("used_count")?;
        Ok(Self {
            code: row.get("code")?,
            amount: row.get("amount")?,
            max_uses,
            used_count,
            remaining_uses: max_uses.saturating_sub(used_count),
            max_uses_per_user: row.get("max_uses_per_user")?,
            expires_at: row.get("expires_at")?,
            is_active: row.get("is_active")?,
        })
    }
}

impl FromRow for Checkout {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            opener: row.get("opener")?,
            reference: row.get("reference")?,
            customer: row.get("customer")?,
            owner: row.get("owner")?,
            amount: row.get("amount")?,
            currency: row.get("currency")?,
            description: row.get("description")?,
            email: row.get("email")?,
            method: row.parse("method", Method::parse)?,
            status: row.parse("status", Status::parse)?,
            psp_id: row.get("psp_id")?,
            link: row.get("link")?,
            scan: row.get("scan")?,
            expires_at: row.get("expires_at")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            to_return: row.get("to_return")?,
        })
    }
}

impl FromRow for Attempt {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            verdict: row.get("verdict")?,
            state: row.get("state")?,
            amount: row.get("amount")?,
            currency: row.get("currency")?,
            refunded: row.get("refunded")?,
            seen_at: row.get("seen_at")?,
        })
    }
}

/// The right side of a left join.
struct Maybe<T>(Option<T>);

impl<T: FromRow> FromRow for Maybe<T> {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        match row.get::<Option<String>>("id")? {
            Some(_) => T::from_row(row).map(|it| Self(Some(it))),
            None => Ok(Self(None)),
        }
    }
}

impl FromRow for Dispute {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            payment_id: row.get("checkout")?,
            order_id: row.get("reference")?,
            status: row.get("status")?,
            state: row.get("state")?,
            amount: row.get("amount")?,
            currency: row.get("currency")?,
            wanted_amount: row.get("wanted_amount")?,
            wanted_currency: row.get("wanted_currency")?,
            seen_at: row.get("seen_at")?,
        })
    }
}

impl FromRow for Payout {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            user_id: row.get("owner")?,
            email: row.get("email")?,
            payment_account_id: row.get("account")?,
            amount: row.get("amount")?,
            currency: row.get("currency")?,
            created_at: row.get("created_at")?,
            paid_at: row.get("paid_at")?,
            paid_by: row.get("paid_by")?,
            returned_at: row.get("returned_at")?,
            returned_by: row.get("returned_by")?,
        })
    }
}

impl FromRow for Standing {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let is_known = row.get::<Option<String>>("verdict")?.is_some();
        Ok(Self {
            checkout: Checkout::from_row(row)?,
            known: match is_known {
                true => Some(Known {
                    verdict: row.parse("verdict", Verdict::parse)?,
                    state: row.parse("state", State::parse)?,
                    refunded: row.get("refunded")?,
                }),
                false => None,
            },
        })
    }
}
