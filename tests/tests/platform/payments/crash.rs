//! `kill -9` of the host while money moves: every answered movement happened, every other can be requested again, and the
//! books add up.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use wharf_tests::{Answer, Dice, Request, Stack, User, eventually};

use super::{account, assert_sound, key, promocode};

const CLIENTS: u64 = 8;
const CRASHES: u64 = 3;
const USERS: usize = 4;

/// A movement of money that happens once, however often it is requested.
#[derive(Clone)]
struct Wish {
    token: String,
    path: &'static str,
    body: Value,
    key: String,
}

impl Wish {
    /// `None` when no answer arrives.
    fn ask(&self, at: SocketAddr) -> Option<Answer> {
        let request = Request::new(at, "POST", self.path).api_key(&self.token);
        let request = request.header("idempotency-key", &self.key);
        request.json(&self.body).try_send().ok()
    }
}

/// A random movement of the kinds that users make.
fn any_wish(dice: &mut Dice, users: &[User], accounts: &[String], code: &str) -> Wish {
    let mut pick = |bound: usize| dice.index(bound);
    let (mine, other) = (pick(USERS), pick(USERS - 1) + 1);
    let (account, amount) = (&accounts[mine], 1 + pick(40));
    let change = json!({ "paymentAccountId": account, "amount": amount });
    let (path, body) = match pick(6) {
        0 => ("/payments/deposit", change),
        1 => ("/payments/withdraw", change),
        2 => ("/payment/promocode/activate", json!({ "code": code })),
        3 => ("/payment/promocode/generate", json!({ "amount": 2 })),
        _ => {
            let to = &accounts[(mine + other) % USERS];
            let body = json!({
                "fromPaymentAccountId": account, "toPaymentAccountId": to, "amount": amount,
            });
            ("/payments/send", body)
        }
    };
    Wish {
        token: users[mine].token.clone(),
        path,
        body,
        key: key(),
    }
}

#[test]
fn every_answered_movement_survives_a_crash() {
    let mut stack = Stack::start();
    let users: Vec<_> = (0..USERS).map(|_| User::driver(&stack)).collect();
    let accounts: Vec<_> = users.iter().map(|it| account(it, 500.0)).collect();
    let admin = User::admin(&stack);
    let code = promocode(&admin, 3, 100_000);
    let at = stack.address();
    let is_over = AtomicBool::new(false);
    let count = AtomicUsize::new(0);
    // Answered movements with their answers, and the others.
    let (answered, open) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (users, accounts, code) = (&users, &accounts, &code);
            let (answered, open, is_over, count) = (&answered, &open, &is_over, &count);
            scope.spawn(move || {
                let mut dice = Dice::new(number + 1);
                let mut wish = any_wish(&mut dice, users, accounts, code);
                while !is_over.load(Ordering::Relaxed) {
                    let answer = wish.ask(at);
                    match answer.as_ref().map(Answer::status) {
                        Some(200) => {
                            let answer = answer.unwrap().json();
                            answered.lock().unwrap().push((wish, answer));
                            count.fetch_add(1, Ordering::Relaxed);
                        }
                        // Not enough money: nothing happened.
                        Some(400) => {}
                        // The host died while it ran: asked again later.
                        Some(409) => open.lock().unwrap().push(wish),
                        // The host or its stores are away.
                        None | Some(500..) => {
                            thread::sleep(Duration::from_millis(20));
                            continue;
                        }
                        Some(status) => panic!("{status}"),
                    }
                    wish = any_wish(&mut dice, users, accounts, code);
                }
                open.lock().unwrap().push(wish);
            });
        }
        let (admin, is_over) = (&admin, &is_over);
        scope.spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                let books =
                    Request::new(at, "GET", "/payments/trial-balance").api_key(&admin.token);
                match books.try_send() {
                    Ok(books) if books.status() == 200 => {
                        assert_eq!(books.json()["is_sound"], true, "{books}");
                    }
                    _ => thread::sleep(Duration::from_millis(20)),
                }
            }
        });
        for crash in 0..CRASHES {
            let before = count.load(Ordering::Relaxed);
            eventually("money moves", Duration::from_secs(60), || {
                count.load(Ordering::Relaxed) > before + 50
            });
            // A different moment each time, in the middle of the load.
            thread::sleep(Duration::from_millis(130 * crash));
            stack.kill();
            stack.start_again();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert_sound(&stack);
    let (answered, open) = (answered.into_inner().unwrap(), open.into_inner().unwrap());
    for (wish, answer) in &answered {
        let again = wish.ask(at).unwrap().expect(200);
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.json(), *answer);
    }
    // Ends the minute in which a request may still be running.
    let later = "UPDATE payments.idempotency_key SET leased_until = '-infinity'";
    stack.sql().execute(later, &[]).unwrap();
    let mut done = answered.len();
    for wish in &open {
        let answer = wish.ask(at).expect("an answer at last");
        assert!([200, 400].contains(&answer.status()), "{answer}");
        done += usize::from(answer.status() == 200);
    }
    // Each key has moved money once, answered or not.
    let moved = "SELECT count(*) FROM payments.transfer WHERE kind <> 'opening'";
    let moved: i64 = stack.sql().query_one(moved, &[]).unwrap().get(0);
    assert_eq!(moved, i64::try_from(done).unwrap());
    assert_sound(&stack);
}
