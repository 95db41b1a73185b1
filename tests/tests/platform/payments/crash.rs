//! `kill -9` of the host while money moves: what was answered happened, what was not answered can be
//! asked again, and the books add up.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;
use wharf_tests::{Request, Stack, User, eventually};

use super::{account, assert_sound, balance, key};

const CLIENTS: usize = 8;
const CRASHES: u64 = 3;

/// One client's request, by its key: sent again until it is answered.
fn send(
    stack_at: std::net::SocketAddr,
    token: &str,
    from: &str,
    to: &str,
    key: &str,
) -> Option<(u16, String)> {
    let body = json!({ "fromPaymentAccountId": from, "toPaymentAccountId": to, "amount": 1 });
    let request = Request::new(stack_at, "POST", "/payments/send");
    let answer = request
        .api_key(token)
        .header("idempotency-key", key)
        .json(&body)
        .try_send()
        .ok()?;
    let id = if answer.status() == 200 {
        answer.json()["id"].as_str()?.to_owned()
    } else {
        String::new()
    };
    Some((answer.status(), id))
}

#[test]
fn whatever_was_answered_before_a_crash_is_there_after_it() {
    let mut stack = Stack::start();
    let (ana, ben) = (User::driver(&stack), User::driver(&stack));
    let (from, to) = (account(&ana, 100_000.0), account(&ben, 0.0));
    let at = stack.address();
    let is_over = AtomicBool::new(false);
    // Keys in the order of their requests, with the transfer that was answered.
    let requests: Vec<Mutex<Vec<(String, Option<String>)>>> =
        (0..CLIENTS).map(|_| Mutex::default()).collect();
    thread::scope(|scope| {
        for mine in &requests {
            let (ana, from, to, is_over) = (&ana, &from, &to, &is_over);
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let key = key();
                    mine.lock().unwrap().push((key.clone(), None));
                    match send(at, &ana.token, from, to, &key) {
                        Some((200, id)) => mine.lock().unwrap().last_mut().unwrap().1 = Some(id),
                        // Nobody there, or nobody behind it yet.
                        _ => thread::yield_now(),
                    }
                }
            });
        }
        for crash in 0..CRASHES {
            // Not to hope for something: to crash in the middle of it, somewhere else each time.
            thread::sleep(Duration::from_millis(700 + 310 * crash));
            stack.kill();
            stack.start_again();
        }
        eventually("money moves again", Duration::from_secs(30), || {
            send(at, &ana.token, &from, &to, &key()).is_some_and(|it| it.0 == 200)
        });
        is_over.store(true, Ordering::Relaxed);
    });

    assert_sound(&stack);
    let requests: Vec<_> = requests
        .into_iter()
        .flat_map(|it| it.into_inner().unwrap())
        .collect();
    let answered: Vec<Uuid> = requests
        .iter()
        .filter_map(|it| it.1.as_ref())
        .map(|it| it.parse().unwrap())
        .collect();
    assert!(
        answered.len() > 50 && answered.len() < requests.len(),
        "{} of {}",
        answered.len(),
        requests.len()
    );
    let there = "SELECT count(*) FROM payments.transfer WHERE id = ANY ($1)";
    let there: i64 = stack.sql().query_one(there, &[&answered]).unwrap().get(0);
    assert_eq!(there, i64::try_from(answered.len()).unwrap());

    // Every request is asked again by its key: answered or not, each has moved one unit, once. The one
    // that found the platform well again had a key of its own.
    let sent_again: Vec<_> = requests
        .iter()
        .filter(|it| it.1.is_none())
        .take(200)
        .map(|(key, _)| {
            eventually("a copy is answered", Duration::from_secs(90), || {
                send(at, &ana.token, &from, &to, key).is_some_and(|it| it.0 == 200)
            });
        })
        .collect();
    let count = "SELECT count(*) FROM payments.transfer WHERE kind = 'send'";
    let moved: i64 = stack.sql().query_one(count, &[]).unwrap().get(0);
    assert_eq!(balance(&ben, &to), json!(moved));
    assert!(usize::try_from(moved).unwrap() >= answered.len() + sent_again.len());
    assert!(
        usize::try_from(moved).unwrap()
            <= requests.len() + 1 + usize::try_from(CRASHES).unwrap() * 100
    );
    assert_sound(&stack);
}
