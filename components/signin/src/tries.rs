//! How often somebody may be wrong. Only wrong tries are counted: whoever is
//! right is never in anybody's way.
//!
//! The counts are in Redis, so that a flood of tries costs PostgreSQL nothing
//! once it is refused; while Redis is away they are in PostgreSQL.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kit::{Db, redis};
use sha2::{Digest, Sha256};
use spin_sdk::redis::RedisResult;

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

/// Signing in as `name`, which may exist or not.
pub fn sign_in(name: &str, client: &Client) -> Vec<Gate> {
    let network = client::network(&client.address);
    vec![
        // Somebody who forgot which password it was.
        Gate::new("pair", &format!("{name} {network}"), 10, 300),
        // Many machines after one account; more, so that a stranger cannot lock its person out.
        Gate::new("name", name, 100, 3_600),
        // One machine after many accounts.
        Gate::new("from", &network, 200, 60),
    ]
}

/// Reading out six digits.
pub fn passcode(address: &str) -> Vec<Gate> {
    vec![Gate::new("passcode", &client::network(address), 5, 60)]
}

/// Asking for letters, or using secrets out of them: every time counts, right or wrong.
pub fn letter(of: &str, client: &Client) -> Vec<Gate> {
    vec![
        Gate::new("letter", of, 5, 900),
        Gate::new("letter-from", &client::network(&client.address), 30, 900),
    ]
}

/// Looking people up by what they would rather not have told everybody.
pub fn lookup(caller: &str) -> Vec<Gate> {
    vec![Gate::new("lookup", caller, 60, 300)]
}

/// Lets through, or says when to come again.
pub async fn pass(db: &Db, gates: &[Gate]) -> Result<(), Error> {
    const WAIT: &str = "local wait = 0 \
        for i, key in ipairs(KEYS) do \
            if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[i]) then \
                wait = math.max(wait, redis.call('TTL', key), 1) \
            end \
        end \
        return wait";
    let answer = redis::run_all("EVAL", script(WAIT, gates, |it| it.most)).await;
    let wait = match answer.as_deref() {
        Ok([RedisResult::Int64(seconds)]) => *seconds,
        Ok(_) => 0,
        Err(_) => store::wait_for_gates(db, gates).await?,
    };
    match u32::try_from(wait) {
        Ok(0) | Err(_) => Ok(()),
        Ok(seconds) => Err(Error::TooManyTries(seconds)),
    }
}

/// Counts a wrong try.
pub async fn count(db: &Db, gates: &[Gate]) -> Result<(), Error> {
    const COUNT: &str = "for i, key in ipairs(KEYS) do \
            if redis.call('INCR', key) == 1 then redis.call('EXPIRE', key, ARGV[i]) end \
        end";
    match redis::run_all("EVAL", script(COUNT, gates, |it| it.seconds)).await {
        Ok(_) => Ok(()),
        Err(_) => store::count_try(db, gates).await,
    }
}

fn script(text: &str, gates: &[Gate], number: impl Fn(&Gate) -> i64) -> Vec<String> {
    let mut arguments = vec![text.to_owned(), gates.len().to_string()];
    arguments.extend(gates.iter().map(|it| it.name.clone()));
    arguments.extend(gates.iter().map(|it| number(it).to_string()));
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
