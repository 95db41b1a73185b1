//! Redis only wakes: with none, everything happens all the same, a tick later.

use std::time::Duration;

use uuid::Uuid;
use wharf_tests::{Options, User, at_once, eventually};

use super::{id_of, known};

const SOON: Duration = Duration::from_secs(30);

#[test]
fn nothing_is_lost_and_nothing_happens_twice_when_redis_is_away_for_all_of_it() {
    let stack = Options::default().start_cabled();
    let mut sql = stack.sql();
    stack.redis_cable().cut();
    let users: Vec<Uuid> = at_once(12, |_| id_of(&User::driver(&stack)));
    for user in &users {
        eventually("payments knows the user", SOON, || {
            known(&mut sql, *user) == 1
        });
    }

    // Back, and empty.
    stack.redis_cable().mend();
    redis::cmd("FLUSHALL").exec(&mut stack.redis()).unwrap();
    let after: Vec<Uuid> = at_once(4, |_| id_of(&User::driver(&stack)));
    for user in users.iter().chain(&after) {
        eventually("payments knows the user", SOON, || {
            known(&mut sql, *user) == 1
        });
    }
    let attempts: i64 = sql
        .query_one(
            "SELECT sum(attempts) FROM events.outbox WHERE kind = 'user:created'",
            &[],
        )
        .unwrap()
        .get(0);
    let told: i64 = sql
        .query_one(
            "SELECT count(*) FROM events.outbox WHERE kind = 'user:created'",
            &[],
        )
        .unwrap()
        .get(0);
    assert_eq!(attempts, told, "each was carried out at the first attempt");
    assert_eq!(told, i64::try_from(users.len() + after.len()).unwrap());
}
