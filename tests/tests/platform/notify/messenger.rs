//! Telegram as a channel: a messenger that asks for a pause, blocks, loses and is late.

use std::time::{Duration, Instant};

use serde_json::json;
use wharf_tests::eventually;

use super::{BLOCKED, BUSY, LATE, LOST, Person, SOON, Told, WEBHOOK_SECRET};

#[test]
fn a_messenger_that_asks_for_a_pause_gets_it() {
    let told = Told::shared();
    let ana = Person::registered(told, "driver", BUSY);
    let began = Instant::now();
    told.ending(&ana, "Garage");
    eventually("she is told at the second attempt", SOON, || {
        told.written_to(ana.chat).len() == 2
    });
    assert!(
        began.elapsed() >= Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    let delivery = "SELECT state, attempts, (SELECT count(*) FROM events.failure WHERE event = id)
        FROM events.entry WHERE aggregate = 'telegram:' || $1::text";
    let mut sql = told.stack.sql();
    eventually("it is done", SOON, || {
        let row = sql.query_one(delivery, &[&ana.chat.to_string()]).unwrap();
        row.get::<_, String>(0) == "done"
    });
    let row = sql.query_one(delivery, &[&ana.chat.to_string()]).unwrap();
    assert_eq!(
        (row.get::<_, i32>(1), row.get::<_, i64>(2)),
        (1, 0),
        "a pause is no failure"
    );
}

#[test]
fn a_chat_that_blocked_the_bot_is_left_alone_until_it_speaks() {
    let told = Told::shared();
    let ana = Person::registered(told, "driver", BLOCKED);
    told.ending(&ana, "Garage");
    eventually("one attempt is made", SOON, || {
        told.written_to(ana.chat).len() == 1
    });
    let silent = "SELECT count(*) FROM notify.silent_chat WHERE chat = $1";
    let mut sql = told.stack.sql();
    let mut is_silent = || {
        sql.query_one(silent, &[&ana.chat])
            .unwrap()
            .get::<_, i64>(0)
            == 1
    };
    eventually("the chat is silent", SOON, &mut is_silent);
    told.ending(&ana, "Garage");
    told.drained(&ana);
    assert_eq!(told.written_to(ana.chat).len(), 1);
    let shown = ana.request(told, "GET", "/notify/preferences").send();
    assert_eq!(
        shown.expect(200).json()["telegram_silent_because"],
        "Forbidden: bot was blocked by the user"
    );

    let start = json!({
        "update_id": 1,
        "message": { "message_id": 1, "chat": { "id": ana.chat, "type": "private" }, "text": "/start" },
    });
    let answer = told
        .stack
        .post("/telegram/webhook")
        .header("x-telegram-bot-api-secret-token", WEBHOOK_SECRET)
        .json(&start)
        .send();
    answer.expect(200);
    eventually("the chat may be told again", SOON, || !is_silent());
    told.ending(&ana, "Garage");
    told.drained(&ana);
    assert_eq!(told.written_to(ana.chat).len(), 2);
}

#[test]
fn an_answer_that_is_lost_or_late_is_asked_for_again() {
    let told = Told::shared();
    for from in [LOST, LATE] {
        let ana = Person::registered(told, "driver", from);
        let began = Instant::now();
        told.ending(&ana, "Garage");
        eventually("she is written to again", 2 * SOON, || {
            told.written_to(ana.chat).len() == 2
        });
        if from == LATE {
            assert!(
                began.elapsed() >= Duration::from_secs(10),
                "{:?}",
                began.elapsed()
            );
        }
        let done =
            "SELECT state, attempts FROM events.entry WHERE aggregate = 'telegram:' || $1::text";
        let mut sql = told.stack.sql();
        eventually("it is done at the second attempt", SOON, || {
            let row = sql.query_one(done, &[&ana.chat.to_string()]).unwrap();
            (row.get::<_, &str>(0), row.get::<_, i32>(1)) == ("done", 2)
        });
    }
}
