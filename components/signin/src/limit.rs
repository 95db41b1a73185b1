//! Limits of attempts: how many count within a window of time. Nothing is counted here; see `throttle`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::client::{self, Client};

/// At most `most` attempts within `seconds`.
#[derive(Debug)]
pub struct Limit {
    pub name: String,
    pub most: i64,
    pub seconds: i64,
}

/// A limit is reached.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("too many attempts; try again in {retry_after_s} s")]
pub struct LimitReached {
    pub retry_after_s: u32,
}

impl Limit {
    /// Counts per `key`, in any case. The key may be a person's name, so only its digest is stored.
    fn new(kind: &str, key: &str, most: i64, seconds: i64) -> Self {
        let digest = Sha256::digest(key.to_ascii_lowercase());
        Self {
            // The braces keep all of them on one node of a Redis cluster.
            name: format!("{{tries}}:{kind}:{}", URL_SAFE_NO_PAD.encode(digest)),
            most,
            seconds,
        }
    }

    /// Counts per network. Functions of ours have no address, so they are not counted.
    fn of_network(kind: &str, client: &Client, most: i64, seconds: i64) -> Option<Self> {
        let network = client::network(&client.address);
        (!client.is_function()).then(|| Self::new(kind, &network, most, seconds))
    }
}

/// Sign-ins from one network, to any accounts. It is checked before the account is looked for, so that a flood
/// costs PostgreSQL nothing.
pub fn sign_ins_from(client: &Client) -> Vec<Limit> {
    Limit::of_network("from", client, 200, 60)
        .into_iter()
        .collect()
}

/// Sign-ins to one account. `account` is its id, so that login and e-mail count together, or the name that no
/// account has.
pub fn sign_ins_to(account: &str, client: &Client) -> Vec<Limit> {
    vec![
        // Enough for a person who tries every password they remember.
        Limit::new("pair", &format!("{account} {}", client.source()), 10, 300),
    ]
}

/// Sign-ins to one account from all networks where it has not signed in lately: many machines that guess. The
/// person's own networks do not count, so that a flood does not lock the person out.
pub fn strangers(account: &str) -> Vec<Limit> {
    vec![Limit::new("account", account, 100, 3_600)]
}

/// Beyond the limit of strangers: the person may be on a journey, so their attempts are slowed down and not refused.
pub fn slow_strangers(account: &str) -> Vec<Limit> {
    vec![Limit::new("slow", account, 1, 15)]
}

/// Passwords of one account that are checked or hashed, right or wrong: each takes a core for a moment. A program
/// that signs in for every request stays below it.
pub fn checks(account: &str) -> Vec<Limit> {
    vec![Limit::new("check", account, 120, 60)]
}

/// New passwords: each is hashed, whether or not the request succeeds.
pub fn new_passwords(account: &str, client: &Client) -> Vec<Limit> {
    let mut limits = vec![Limit::new("new-password", account, 20, 600)];
    limits.extend(Limit::of_network("new-password-from", client, 120, 60));
    limits
}

/// Wrong tokens that are shown for exchange.
pub fn exchanges(client: &Client) -> Vec<Limit> {
    Limit::of_network("exchange", client, 60, 60)
        .into_iter()
        .collect()
}

/// Refusals that the audit trail keeps. Further ones tell nothing new, and lines are kept for a year.
pub fn recorded_refusals(account: Option<Uuid>, client: &Client) -> Vec<Limit> {
    let network = client::network(&client.address);
    match account {
        Some(account) => vec![
            Limit::new("recorded", &account.to_string(), 60, 3_600),
            Limit::new("recorded-from", &network, 1_200, 3_600),
        ],
        None => vec![Limit::new("recorded-unknown", &network, 300, 3_600)],
    }
}

/// Registrations: a whole office may share an address. Staff and kiosks register others, so they are counted by
/// account.
pub fn registrations(by: Option<Uuid>, client: &Client) -> Vec<Limit> {
    let limit = match by {
        Some(id) => Some(Limit::new("register-by", &id.to_string(), 300, 60)),
        None => Limit::of_network("register-from", client, 300, 60),
    };
    limit.into_iter().collect()
}

/// Passcodes that were wrong: six digits can be guessed.
pub fn passcodes(client: &Client) -> Vec<Limit> {
    let network = client::network(&client.address);
    vec![
        Limit::new("passcode", &network, 5, 60),
        // All networks together, so that many of them guess no faster than this.
        Limit::new("passcode-anywhere", "", 200, 900),
    ]
}

/// Letters to a mailbox, counted over all accounts that ask for them.
pub fn letters(mailbox: &str, client: &Client) -> Vec<Limit> {
    let mut limits = vec![
        Limit::new("letter", mailbox, 5, 900),
        Limit::new("letters-a-day", mailbox, 20, 86_400),
    ];
    limits.extend(Limit::of_network("letter-from", client, 30, 900));
    limits
}

/// Letters that one account asks for, to any mailboxes.
pub fn letters_by(account: Uuid) -> Vec<Limit> {
    vec![Limit::new("letter-by", &account.to_string(), 5, 900)]
}

/// Look-ups of people by CPF, found or not, so that a kiosk cannot read the whole register number by number.
/// Customers of the caller's own do not count.
pub fn look_ups(caller: &str) -> Vec<Limit> {
    vec![Limit::new("lookup", caller, 60, 300)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_counted_in_any_case_and_not_stored() {
        let name = |key| Limit::new("name", key, 1, 1).name;
        assert_eq!(name("Ana"), name("ana"));
        assert_ne!(name("ana"), name("bob"));
        assert!(!name("ana").contains("ana"));
    }
}
