//! E-mail as a channel.

use serde_json::json;
use wharf_tests::{Stack, eventually};

use super::{Person, SOON, Told};

#[test]
fn a_letter_goes_to_its_mailbox_and_is_forgotten_then() {
    let told = Told::shared();
    let ana = Person::registered(told, "driver", 1);
    let params = json!({ "email": ana.email, "token": "s3cr3t-code", "minutes": 30 });
    let event = told.notify(&ana, "password-reset", &params);
    let letter = told.mail.find("a letter", SOON, |it| {
        it.json()["to"][0] == ana.email.as_str()
    });
    assert_eq!(letter.path, "/emails");
    assert_eq!(letter.headers["authorization"], "Bearer mail-key");
    assert!(
        letter.json()["text"]
            .as_str()
            .unwrap()
            .contains("s3cr3t-code")
    );
    assert!(
        told.written_to(ana.chat).is_empty(),
        "a secret goes nowhere else"
    );

    told.planned(event);
    let mut sql = told.stack.sql();
    eventually("the code is gone", SOON, || {
        let kept = "SELECT count(*) FROM events.entry WHERE payload::text LIKE '%s3cr3t-code%'";
        sql.query_one(kept, &[]).unwrap().get::<_, i64>(0) == 0
    });
}

#[test]
fn an_unverified_mailbox_gets_no_news() {
    let told = Told::shared();
    let ana = Person::registered(told, "driver", 1);
    told.ending(&ana, "Garage");
    eventually("Ana is told by Telegram", SOON, || {
        !told.written_to(ana.chat).is_empty()
    });
    let letters = told.mail.received();
    assert!(
        !letters
            .iter()
            .any(|it| it.json()["to"][0] == ana.email.as_str())
    );
}

/// It stays among the dead letters, with its code, until a mail API is configured.
#[test]
fn a_letter_that_cannot_be_sent_is_not_forgotten() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    let user = wharf_tests::User::driver(&stack);
    let me = user.get("/auth/me").send().expect(200).json();
    let payload = json!({
        "user_id": me["user_id"], "template": "password-reset",
        "params": { "email": user.email, "token": "k3pt", "minutes": 30 },
    });
    let sql_of =
        "INSERT INTO events.outbox (kind, aggregate, payload) VALUES ('notify:security', $1, $2)";
    sql.execute(sql_of, &[&format!("user:{}", user.login), &payload])
        .unwrap();
    let letter = "SELECT state, error, payload ->> 'text' FROM events.entry JOIN events.failure ON event = id
        WHERE kind = 'deliver:letter' AND payload ->> 'to' = $1";
    eventually("the letter is dead", SOON, || {
        let row = sql.query_opt(letter, &[&user.email]).unwrap();
        row.is_some_and(|it| {
            it.get::<_, &str>(0) == "dead"
                && it.get::<_, &str>(1) == "no `mail_url` is set"
                && it.get::<_, &str>(2).contains("k3pt")
        })
    });
}
