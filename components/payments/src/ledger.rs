//! What the ledger answers to an attempt to move money. No I/O in this file:
//! what may move is decided by the schema's functions, under their locks.

use jiff::Timestamp;
use kit::{Cents, Currency};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// The currency of S4's wallets and of S1's accounts: neither speaks of one.
pub const WALLET: Currency = Currency::Usd;

/// Money has moved, now or when the same id was used before.
#[derive(Debug)]
pub struct Moved {
    pub id: Uuid,
    pub amount: Cents,
    /// What it left on the account that received; absent for a house account.
    pub credit_balance: Option<i64>,
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
    pub held_until: Option<Timestamp>,
}

/// A payment from one user to another, as it stands.
#[derive(Debug)]
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

/// What one currency's accounts add up to.
#[derive(Debug, Serialize)]
pub struct Total {
    pub currency: String,
    /// What users have.
    pub users: i64,
    /// What the house accounts have: the same with the other sign.
    pub house: i64,
    /// The same by name: what the provider, the bank and the shop should agree with.
    pub house_accounts: Value,
    /// Never anything but 0.
    pub difference: i64,
    /// Accounts whose balance is not the sum of their transfers: none.
    pub drifted_balances: i64,
    /// Accounts whose held money is not the sum of their holds: none.
    pub drifted_holds: i64,
}

impl Total {
    pub fn is_sound(&self) -> bool {
        self.difference == 0 && self.drifted_balances == 0 && self.drifted_holds == 0
    }
}
