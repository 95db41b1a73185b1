//! Movements of money as the ledger answers them. No I/O in this file: the functions of the schema decide, under
//! their locks, what may move.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kit::money::{Cents, Currency};
use kit::store::FromRow;
use kit::web::Schema;
use serde::Serialize;
use uuid::Uuid;

/// The currency of wallets and of accounts that users open where the client names none.
pub const WALLET: Currency = Currency::Usd;

/// Money has moved, now or when the same id was used before.
#[derive(Debug, FromRow)]
pub struct Moved {
    pub id: Uuid,
    pub amount: Cents,
    pub created_at: Timestamp,
    pub replayed: bool,
}

/// One user pays another.
#[derive(Debug)]
pub struct Charge {
    pub id: Uuid,
    pub payer: Uuid,
    pub payee: Uuid,
    pub amount: Cents,
    pub currency: Currency,
    pub reference: String,
    pub description: String,
    pub hold_until: Option<Timestamp>,
}

/// A payment from one user to another, as it stands.
#[derive(Debug, FromRow)]
pub struct Payment {
    pub id: Uuid,
    pub payer: Uuid,
    pub payee: Uuid,
    pub amount: i64,
    pub currency: String,
    pub reference: String,
    pub refunded: i64,
    pub held: i64,
    pub created_at: Timestamp,
}

/// The sums over the accounts of one currency, in minor units.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Total {
    pub currency: String,
    /// The sum over the accounts of users.
    pub users: i64,
    /// The sum over the house accounts: the same with the opposite sign.
    pub house: i64,
    /// The house accounts by name, to be compared with the provider, the bank and the shop.
    #[row(json)]
    pub house_accounts: BTreeMap<String, i64>,
    /// 0 in sound books.
    pub difference: i64,
    /// Accounts whose balance is not the sum of their transfers: 0 in sound books.
    pub drifted_balances: i64,
    /// Accounts whose held money is not the sum of their holds: 0 in sound books.
    pub drifted_holds: i64,
    /// Payments whose fee is not the commission on the part that was not refunded: 0 in sound books.
    pub drifted_fees: i64,
}

impl Total {
    fn is_sound(&self) -> bool {
        self.difference == 0
            && self.drifted_balances == 0
            && self.drifted_holds == 0
            && self.drifted_fees == 0
    }
}

/// Whether the books add up.
#[derive(Debug, Serialize, Schema)]
pub struct TrialBalance {
    pub is_sound: bool,
    pub totals: Vec<Total>,
}

impl TrialBalance {
    pub fn of(totals: Vec<Total>) -> Self {
        Self {
            is_sound: totals.iter().all(Total::is_sound),
            totals,
        }
    }
}
