//! `kill -9` of the host while money moves: what was answered happened, what was not answered can be
//! asked again, and the books add up.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;
use wharf_tests::{Request, Stack, User, eventually};

use super::{account, assert_sound, balance, key};

const CLIENTS: usize = 8;
const CRASHES: u64 = 3;

/// Moves one unit under this key; the id of the transfer, or why there is none.
fn send(
    at: SocketAddr,
    token: &str,
    (from, to): (&str, &str),
    key: &str,
) -> Result<Uuid, Option<u16>> {
    let body = json!({ "fromPaymentAccountId": from, "toPaymentAccountId": to, "amount": 1 });
    let request = Request::new(at, "POST", "/payments/send").api_key(token);
    let answer = request
        .header("idempotency-key", key)
        .json(&body)
        .try_send()
        .map_err(|_| None)?;
    if answer.status() != 200 {
        return Err(Some(answer.status()));
    }
    Ok(answer.json()["id"].as_str().unwrap().parse().unwrap())
}

#[test]
fn whatever_was_answered_before_a_crash_is_there_after_it() {
    let mut stack = Stack::start();
    let (ana, ben) = (User::driver(&stack), User::driver(&stack));
    let (from, to) = (account(&ana, 1_000_000.0), account(&ben, 0.0));
    let (at, way) = (stack.address(), (from.as_str(), to.as_str()));
    let is_over = AtomicBool::new(false);
    let moved = AtomicUsize::new(0);
    // Transfers that were answered, and keys that were not.
    let (answered, open) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut mine = key();
                while !is_over.load(Ordering::Relaxed) {
                    match send(at, &ana.token, way, &mine) {
                        Ok(id) => {
                            answered.lock().unwrap().push(id);
                            moved.fetch_add(1, Ordering::Relaxed);
                            mine = key();
                        }
                        // Whoever ran it died over it: asked again later.
                        Err(Some(409)) => open
                            .lock()
                            .unwrap()
                            .push(std::mem::replace(&mut mine, key())),
                        // Nobody is there, or nobody behind it yet.
                        Err(None | Some(500..)) => thread::sleep(Duration::from_millis(20)),
                        Err(Some(status)) => panic!("{status}"),
                    }
                }
                open.lock().unwrap().push(mine);
            });
        }
        for crash in 0..CRASHES {
            let before = moved.load(Ordering::Relaxed);
            eventually("money moves", Duration::from_secs(60), || {
                moved.load(Ordering::Relaxed) > before + 50
            });
            // Somewhere in the middle of it, and somewhere else each time.
            thread::sleep(Duration::from_millis(130 * crash));
            stack.kill();
            stack.start_again();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let (mut answered, open) = (answered.into_inner().unwrap(), open.into_inner().unwrap());
    assert_sound(&stack);
    let count = |ids: &Vec<Uuid>| -> i64 {
        let there = "SELECT count(*) FROM payments.transfer WHERE id = ANY ($1)";
        stack.sql().query_one(there, &[ids]).unwrap().get(0)
    };
    assert_eq!(count(&answered), i64::try_from(answered.len()).unwrap());

    // As if the minute had passed in which a request may still be running.
    let later = "UPDATE payments.idempotency_key SET claimed_at = claimed_at - interval '1 minute'";
    stack.sql().execute(later, &[]).unwrap();
    for key in &open {
        answered.push(send(at, &ana.token, way, key).expect("an answer at last"));
    }
    // Each key has moved one unit, once, whatever happened to its answers.
    answered.sort_unstable();
    answered.dedup();
    let sends = "SELECT count(*) FROM payments.transfer WHERE kind = 'send'";
    let sends: i64 = stack.sql().query_one(sends, &[]).unwrap().get(0);
    assert_eq!(sends, i64::try_from(answered.len()).unwrap());
    assert_eq!(balance(&ben, &to), json!(sends));
    assert_sound(&stack);
}
