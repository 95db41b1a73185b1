//! Redis is for wake-ups only: without it everything happens at the next tick.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;
use wharf_tests::{Options, Outside, Reply, User, at_once, eventually, unique};

use super::{count_holders, id_of};

const SOON: Duration = Duration::from_secs(60);

#[test]
fn every_event_is_carried_out_once_while_redis_is_away() {
    let stack = Options::default().start_cabled();
    let mut sql = stack.sql();
    stack.redis_cable().cut();
    let users: Vec<Uuid> = at_once(12, |_| id_of(&User::driver(&stack)));
    for user in &users {
        eventually("payments knows the user", SOON, || {
            count_holders(&mut sql, *user) == 1
        });
    }

    // Back, and empty.
    stack.redis_cable().mend();
    redis::cmd("FLUSHALL").exec(&mut stack.redis()).unwrap();
    let after: Vec<Uuid> = at_once(4, |_| id_of(&User::driver(&stack)));
    for user in users.iter().chain(&after) {
        eventually("payments knows the user", SOON, || {
            count_holders(&mut sql, *user) == 1
        });
    }
    let left = "SELECT count(*) FROM events.entry WHERE state NOT IN ('done', 'dead')";
    eventually("all is settled", SOON, || {
        sql.query_one(left, &[]).unwrap().get::<_, i64>(0) == 0
    });
    let aggregates: Vec<_> = users
        .iter()
        .chain(&after)
        .map(|it| format!("user:{it}"))
        .collect();
    let attempts: i64 = sql
        .query_one(
            "SELECT sum(attempts) FROM events.entry WHERE aggregate = ANY($1)",
            &[&aggregates],
        )
        .unwrap()
        .get(0);
    let told: i64 = sql
        .query_one(
            "SELECT count(*) FROM events.entry WHERE aggregate = ANY($1)",
            &[&aggregates],
        )
        .unwrap()
        .get(0);
    assert_eq!(attempts, told, "each was carried out at the first attempt");
    assert_eq!(told, i64::try_from(users.len() + after.len()).unwrap());
}

/// Money, bookings and what people and their programs are told of them, counted where it arrives.
#[test]
fn a_load_without_redis_has_every_effect_once() {
    const DRIVERS: usize = 6;
    const EACH: usize = 2;
    let messenger = Outside::start(|_| Reply::json(200, &json!({ "ok": true })));
    let hook = Outside::start(|_| Reply::status(204));
    let stack = Options::default()
        .variable("telegram_url", &messenger.url())
        .variable("telegram_token", "token")
        .variable("webhook_test_origin", &hook.url())
        .start_cabled();
    let mut sql = stack.sql();
    stack.redis_cable().cut();

    let registered = |role: &str, chat: usize| {
        let login = unique(role);
        let body = json!({
            "login": login, "email": format!("{login}@example.org"), "password": "Correct-Horse-1",
            "role": role, "telegram_id": chat,
        });
        let answer = stack.post("/register").json(&body).send().expect(200);
        answer.json()["token"].as_str().unwrap().to_owned()
    };
    let owner = registered("owner", 1);
    let hooked = stack.post("/notify/webhooks").api_key(&owner);
    hooked
        .json(&json!({ "url": format!("{}/in", hook.url()) }))
        .send()
        .expect(201);
    let place = stack.post("/parking").api_key(&owner).json(&json!({
        "name": "Garage", "city": "Porto", "address": "Rua 1", "parking_type": "covered",
        "hourly_rate": 250, "capacity": 100,
    }));
    let place = place.send().expect(200).json()["id"].clone();
    let days: Vec<String> = (1..=i32::try_from(EACH).unwrap())
        .map(|it| {
            let day =
                "SELECT to_char(now() AT TIME ZONE 'UTC' + $1 * interval '1 day', 'YYYY-MM-DD')";
            sql.query_one(day, &[&f64::from(it)]).unwrap().get(0)
        })
        .collect();
    let admin = User::admin(&stack);
    let booked: Vec<usize> = at_once(DRIVERS, |number| {
        let chat = 100 + number;
        let driver = registered("driver", chat);
        let code = unique("gift");
        let gift = json!({ "code": code, "amount": 5_000, "max_uses": 1 });
        admin
            .post("/payment/promocode")
            .json(&gift)
            .send()
            .expect(200);
        let activate = stack.post("/payment/promocode/activate").api_key(&driver);
        activate.json(&json!({ "code": code })).send().expect(200);
        for day in &days {
            let window = json!({
                "parking_place_id": place,
                "date_from": format!("{day}T09:00:00Z"),
                "date_to": format!("{day}T11:00:00Z"),
            });
            let book = stack.post("/booking").api_key(&driver);
            book.json(&window).send().expect(200);
        }
        let balance = stack.get("/payment/balance").api_key(&driver).send();
        assert_eq!(balance.expect(200).json()["balance"], 5_000 - 1_000);
        chat
    });
    // Back, and empty.
    stack.redis_cable().mend();
    redis::cmd("FLUSHALL").exec(&mut stack.redis()).unwrap();

    let left = "SELECT count(*) FROM events.entry WHERE state <> 'done'";
    eventually("everything is carried out", 2 * SOON, || {
        sql.query_one(left, &[]).unwrap().get::<_, i64>(0) == 0
    });
    let mut written: HashMap<u64, Vec<String>> = HashMap::new();
    for request in messenger.received() {
        let message = request.json();
        let text = message["text"].as_str().unwrap().to_owned();
        let chat = message["chat_id"].as_u64().unwrap();
        written.entry(chat).or_default().push(text);
    }
    for texts in written.values_mut() {
        texts.sort();
        let all = texts.len();
        texts.dedup();
        assert_eq!(texts.len(), all, "a message came twice: {texts:?}");
    }
    for chat in booked {
        assert_eq!(written[&u64::try_from(chat).unwrap()].len(), EACH);
    }
    assert_eq!(written[&1].len(), DRIVERS * EACH);
    let mut calls: Vec<String> = hook
        .received()
        .iter()
        .map(|it| it.headers["webhook-id"].to_str().unwrap().to_owned())
        .collect();
    let all = calls.len();
    calls.sort();
    calls.dedup();
    assert_eq!((all, calls.len()), (DRIVERS * EACH, DRIVERS * EACH));
}
