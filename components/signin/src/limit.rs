//! How often somebody may be wrong. A try is counted before it is looked at,
//! so that no crowd of them slips through at once, and whoever was right gets
//! theirs back: they are in nobody's way.
//!
//! The counts are in Redis, so that a flood of tries costs PostgreSQL nothing
//! once it is refused; while Redis is away they are in PostgreSQL.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kit::{Db, redis};
use sha2::{Digest, Sha256};
use spin_sdk::redis::RedisResult;
use uuid::Uuid;

use crate::client::{self, Client};
use crate::error::Error;
use crate::store;

/// So many wrong tries within so many seconds, and no more until they are over.
#[derive(Debug)]
pub struct Gate {
    pub name: String,
    pub most: i64,
    pub seconds: i64,
}

impl Gate {
    /// What is counted under may be somebody's name: its digest tells nobody.
    fn new(kind: &str, of: &str, most: i64, seconds: i64) -> Self {
        let digest = Sha256::digest(of.to_ascii_lowercase());
        Self {
            // The braces keep all of them on one node of a Redis cluster.
            name: format!("{{tries}}:{kind}:{}", URL_SAFE_NO_PAD.encode(digest)),
            most,
            seconds,
        }
    }
}

/// One machine after many accounts. Asked before an account is looked for: beyond this a flood
/// costs PostgreSQL nothing.
pub fn address(client: &Client) -> Vec<Gate> {
    from("from", client, 200, 60).into_iter().collect()
}

/// Entering an account: its id, so that login and e-mail are not two of them, or the name of one
/// that does not exist.
pub fn account(whose: &str, client: &Client) -> Vec<Gate> {
    let network = client::network(&client.address);
    vec![
        // Somebody who forgot which password it was.
        Gate::new("pair", &format!("{whose} {network}"), 10, 300),
        // Many machines after one account; more, so that a stranger cannot lock its person out.
        Gate::new("account", whose, 100, 3_600),
    ]
}

/// Making accounts: a person makes one, the whole office behind an address a few at once. Staff
/// and kiosks make them for others, wherever they are. Every time counts.
pub fn registration(by: Option<Uuid>, client: &Client) -> Vec<Gate> {
    let gate = match by {
        Some(id) => Some(Gate::new("register-by", &id.to_string(), 300, 60)),
        None => from("register-from", client, 300, 60),
    };
    gate.into_iter().collect()
}

/// Reading out six digits.
pub fn passcode(client: &Client) -> Vec<Gate> {
    let network = client::network(&client.address);
    vec![Gate::new("passcode", &network, 5, 60)]
}

/// Asking for letters: every time counts.
pub fn letter(of: &str, client: &Client) -> Vec<Gate> {
    let mut gates = vec![Gate::new("letter", of, 5, 900)];
    gates.extend(from("letter-from", client, 30, 900));
    gates
}

/// Counted by where it comes from, which for a neighbour says nothing.
fn from(kind: &str, client: &Client, most: i64, seconds: i64) -> Option<Gate> {
    let network = client::network(&client.address);
    (!client.is_neighbour()).then(|| Gate::new(kind, &network, most, seconds))
}

/// Looking people up by what they would rather not have told everybody.
pub fn lookup(caller: &str) -> Vec<Gate> {
    vec![Gate::new("lookup", caller, 60, 300)]
}

/// Counts a try and lets it through, or says when to come again: then it does not count.
pub async fn take(db: &Db, gates: &[Gate]) -> Result<(), Error> {
    const TAKE: &str = "local wait = 0 \
        for i, key in ipairs(KEYS) do \
            if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[i]) then \
                wait = math.max(wait, redis.call('TTL', key), 1) \
            end \
        end \
        if wait == 0 then \
            for i, key in ipairs(KEYS) do \
                if redis.call('INCR', key) == 1 then redis.call('EXPIRE', key, ARGV[#KEYS + i]) end \
            end \
        end \
        return wait";
    if gates.is_empty() {
        return Ok(());
    }
    let mut arguments = script(TAKE, gates);
    arguments.extend(gates.iter().map(|it| it.most.to_string()));
    arguments.extend(gates.iter().map(|it| it.seconds.to_string()));
    let wait = match redis::run_all("EVAL", arguments).await.as_deref() {
        Ok([RedisResult::Int64(seconds)]) => *seconds,
        Ok(_) | Err(_) => store::take_try(db, gates).await?,
    };
    match u32::try_from(wait) {
        Ok(0) | Err(_) => Ok(()),
        Ok(seconds) => Err(Error::TooManyTries(seconds)),
    }
}

/// The try was not wrong.
pub async fn give_back(db: &Db, gates: &[Gate]) -> Result<(), Error> {
    const GIVE_BACK: &str = "for _, key in ipairs(KEYS) do \
            if tonumber(redis.call('GET', key) or '0') > 0 then redis.call('DECR', key) end \
        end";
    if gates.is_empty() {
        return Ok(());
    }
    match redis::run_all("EVAL", script(GIVE_BACK, gates)).await {
        Ok(_) => Ok(()),
        Err(_) => store::give_try_back(db, gates).await,
    }
}

fn script(text: &str, gates: &[Gate]) -> Vec<String> {
    let mut arguments = vec![text.to_owned(), gates.len().to_string()];
    arguments.extend(gates.iter().map(|it| it.name.clone()));
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_counted_whatever_its_case_and_told_to_nobody() {
        let gate = |name| Gate::new("name", name, 1, 1).name;
        assert_eq!(gate("Ana"), gate("ana"));
        assert_ne!(gate("ana"), gate("bob"));
        assert!(!gate("ana").contains("ana"));
    }
}
