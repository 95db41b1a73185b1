//! Requests that are disturbed by a fault and sent again until they are answered.

use std::thread;
use std::time::{Duration, Instant};

use wharf_tests::{Answer, Dice, Request, Stack, User};

/// The host starts and every store is back by then.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);

pub struct Asked {
    pub answer: Answer,
    /// Whether something failed meanwhile. Then the answer may come from the work of an earlier copy, and the sweep may
    /// have to finish what this copy began.
    pub is_disturbed: bool,
}

enum Fault {
    None,
    KillHost,
    CutPostgres,
    CutRedis,
    MendRedis,
}

fn pick_fault(dice: &mut Dice) -> Fault {
    match dice.below(100) {
        0..3 => Fault::KillHost,
        3..7 => Fault::CutPostgres,
        7..9 => Fault::CutRedis,
        9..13 => Fault::MendRedis,
        _ => Fault::None,
    }
}

/// Sends copies of a request until one is answered for good. A fault may hit the first.
pub fn ask(stack: &mut Stack, dice: &mut Dice, request: impl Fn() -> Request + Sync) -> Asked {
    let fault = pick_fault(dice);
    // Most requests take a few milliseconds.
    let moment = Duration::from_micros(dice.below(12_000));
    let mut answer = thread::scope(|scope| {
        let asked = scope.spawn(|| request().try_send());
        match fault {
            Fault::None => {}
            Fault::KillHost => {
                thread::sleep(moment);
                stack.signal_kill();
            }
            Fault::CutPostgres => {
                thread::sleep(moment);
                stack.postgres_cable().cut();
            }
            Fault::CutRedis => stack.redis_cable().cut(),
            Fault::MendRedis => stack.redis_cable().mend(),
        }
        asked.join().unwrap()
    });
    match fault {
        Fault::KillHost => {
            stack.kill();
            stack.start_again();
        }
        Fault::CutPostgres => stack.postgres_cable().mend(),
        Fault::None | Fault::CutRedis | Fault::MendRedis => {}
    }
    let began = Instant::now();
    let mut is_disturbed = matches!(fault, Fault::KillHost | Fault::CutPostgres);
    loop {
        match answer {
            Ok(answer) if is_final(&answer) => {
                return Asked {
                    answer,
                    is_disturbed,
                };
            }
            unanswered => assert!(began.elapsed() < ANSWERS_WITHIN, "{unanswered:?}"),
        }
        is_disturbed = true;
        thread::sleep(Duration::from_millis(20));
        free_keys(stack);
        answer = request().try_send();
    }
}

/// Reads until it is answered: a connection of the pool may have died in a fault before.
pub fn read(user: &User, path: &str) -> Answer {
    let began = Instant::now();
    loop {
        let answer = user.get(path).send();
        if answer.status() != 503 || began.elapsed() > ANSWERS_WITHIN {
            return answer;
        }
    }
}

fn is_final(answer: &Answer) -> bool {
    let is_running = answer.status() == 409 && answer.header("retry-after").is_some();
    answer.status() < 500 && !is_running
}

/// Frees the keys of requests that died, as a few seconds would.
fn free_keys(stack: &Stack) {
    let free =
        "UPDATE bookings.idempotency_key SET leased_until = '-infinity' WHERE status IS NULL;
        UPDATE payments.idempotency_key SET leased_until = '-infinity' WHERE status IS NULL";
    stack.sql().batch_execute(free).unwrap();
}
