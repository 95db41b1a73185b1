//! Codes that users guess: wrong ones are counted, per user and per network.

use postgres::Client;
use uuid::Uuid;
use wharf_tests::{Stack, User, unique};

use super::ledger::ledger;
use super::{activate, promocode, wallet};

#[test]
fn only_the_user_who_guesses_codes_is_slowed_down() {
    let stack = Stack::shared();
    let (admin, user, other) = (
        User::admin(&stack),
        User::driver(&stack),
        User::driver(&stack),
    );
    let code = promocode(&admin, 100, 5);
    for number in 0..20 {
        match number % 2 {
            0 => activate(&user, &unique("guess")).expect(404),
            _ => user
                .get(&format!("/payment/promocode/{}", unique("guess")))
                .send()
                .expect(404),
        };
    }
    for answer in [
        activate(&user, &code),
        activate(&user, &unique("guess")),
        user.get(&format!("/payment/promocode/{code}")).send(),
    ] {
        let answer = answer.expect(429);
        assert!(answer.header("retry-after").is_some(), "{answer}");
    }
    assert_eq!(wallet(&user), 0);
    activate(&other, &code).expect(200);
    let me: uuid::Uuid = {
        let me = user.get("/auth/me").send().expect(200).json();
        me["id"].as_str().unwrap().parse().unwrap()
    };
    let later = "UPDATE payments.promocode_guess SET since = now() - interval '2 hours' WHERE guesser = 'user:' || $1::uuid";
    stack.sql().execute(later, &[&me]).unwrap();
    activate(&user, &code).expect(200);
    assert_eq!(wallet(&user), 100);
}

/// A network that no other test uses.
fn network() -> String {
    unique("network")
}

fn claim(sql: &mut Client, code: &str, network: &str) -> String {
    let statement = "SELECT outcome FROM claim_promocode($1, $2, $3, $4)";
    let [id, user] = [Uuid::new_v4(), Uuid::new_v4()];
    sql.query_one(statement, &[&id, &user, &code, &network])
        .unwrap()
        .get(0)
}

/// Accounts are free, so an attacker has many.
#[test]
fn only_the_network_of_guessed_codes_is_slowed_down() {
    let stack = Stack::shared();
    let code = promocode(&User::admin(&stack), 100, 5);
    let (here, elsewhere) = (network(), network());
    let sql = &mut ledger(&stack);
    for _ in 0..199 {
        assert_eq!(claim(sql, &unique("guess"), &here), "unknown_code");
    }
    assert_eq!(claim(sql, &code, &here), "moved");
    assert_eq!(claim(sql, &unique("guess"), &here), "unknown_code");
    assert_eq!(claim(sql, &code, &here), "too_many_guesses");
    let look = "SELECT outcome FROM look_up_promocode($1, gen_random_uuid(), $2)";
    let looked: String = sql.query_one(look, &[&code, &here]).unwrap().get(0);
    assert_eq!(looked, "too_many_guesses");
    assert_eq!(claim(sql, &code, &elsewhere), "moved");
}

#[test]
fn guesses_count_for_an_hour_from_the_first_and_are_then_deleted() {
    let stack = Stack::shared();
    let mut owner = stack.sql();
    let guesser = |network: &str| format!("network:{network}");
    let (old, young) = (network(), network());
    let sql = &mut ledger(&stack);
    for network in [&old, &old, &young] {
        claim(sql, &unique("guess"), network);
    }
    let age =
        "UPDATE payments.promocode_guess SET since = now() - $2::text::interval WHERE guesser = $1";
    let mut age = |network: &str, by: &str| owner.execute(age, &[&guesser(network), &by]).unwrap();
    age(&young, "59 minutes");
    claim(sql, &unique("guess"), &young);
    let mut counted = |network: &str| {
        let counted = "SELECT misses, since > now() - interval '1 minute' FROM promocode_guess WHERE guesser = $1";
        let row = sql.query_opt(counted, &[&guesser(network)]).unwrap();
        row.map(|it| (it.get::<_, i32>(0), it.get::<_, bool>(1)))
    };
    // A guess does not begin a new hour.
    assert_eq!(counted(&young), Some((2, false)));
    assert_eq!(counted(&old), Some((2, true)));
    age(&old, "61 minutes");
    // The sweep of the host may have been faster.
    ledger(&stack)
        .execute("SELECT purge_guesses(1000000)", &[])
        .unwrap();
    assert_eq!(counted(&old), None);
    assert_eq!(counted(&young), Some((2, false)));
    age(&young, "61 minutes");
    claim(&mut ledger(&stack), &unique("guess"), &young);
    assert_eq!(counted(&young), Some((1, true)));
}
