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
    let network = client::network(&client.address);
    vec![
        // A person who tries the passwords they remember.
        Limit::new("pair", &format!("{account} {network}"), 10, 300),
        // Many machines at one account. It is higher, so that an attacker cannot lock the person out.
        Limit::new("account", account, 100, 3_600),
    ]
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
    vec![Limit::new("passcode", &network, 5, 60)]
}

/// Letters to one mailbox or account.
pub fn letters(to: &str, client: &Client) -> Vec<Limit> {
    let mut limits = vec![Limit::new("letter", to, 5, 900)];
    limits.extend(Limit::of_network("letter-from", client, 30, 900));
    limits
}

/// Look-ups of people by CPF, so that a kiosk cannot read the whole register number by number.
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
