//! Webhooks: programs of users that are called, signed, and called again.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;
use wharf_tests::{Received, at_once, eventually};

use super::{Person, SOON, Told};

/// Whether one of the signatures of a call was made with this key.
fn is_signed(call: &Received, secret: &str) -> bool {
    let header = |name: &str| call.headers[name].to_str().unwrap();
    let key = STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap())
        .unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let body = std::str::from_utf8(&call.body).unwrap();
    let (id, at) = (header("webhook-id"), header("webhook-timestamp"));
    mac.update(format!("{id}.{at}.{body}").as_bytes());
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    header("webhook-signature")
        .split(' ')
        .any(|it| it == expected)
}

#[test]
fn a_webhook_is_called_with_signatures_of_its_keys() {
    let told = Told::shared();
    let ana = Person::registered(told, "driver", 1);
    let (id, secret) = ana.hooked(told, &format!("/{}", ana.login));
    let path = format!("/{}", ana.login);
    told.ending(&ana, "Garage");
    eventually("it is called", SOON, || told.calls(&path).len() == 1);
    let call = &told.calls(&path)[0];
    assert!(is_signed(call, &secret));
    assert_eq!(call.json()["type"], "booking_ending");
    assert_eq!(call.json()["data"]["place"], "Garage");

    let rotated = ana
        .request(told, "POST", &format!("/notify/webhooks/{id}/secret"))
        .send()
        .expect(200)
        .json();
    told.ending(&ana, "Garage");
    eventually("it is called again", SOON, || told.calls(&path).len() == 2);
    let call = &told.calls(&path)[1];
    assert!(
        is_signed(call, rotated["secret"].as_str().unwrap()),
        "the new key signs"
    );
    assert!(is_signed(call, &secret), "and the old one does, for a day");
    // Rotating twice in a row keeps the first key valid.
    let hurried = ana
        .request(told, "POST", &format!("/notify/webhooks/{id}/secret"))
        .send()
        .expect(200)
        .json();
    told.ending(&ana, "Garage");
    eventually("it is called once more", SOON, || {
        told.calls(&path).len() == 3
    });
    let call = &told.calls(&path)[2];
    for key in [&hurried["secret"], &rotated["secret"]] {
        assert!(is_signed(call, key.as_str().unwrap()));
    }
    assert!(is_signed(call, &secret), "the first key has its day too");
    let listed = ana
        .request(told, "GET", "/notify/webhooks")
        .send()
        .expect(200);
    assert!(!listed.text().contains("secret"), "a key is shown once");
}

#[test]
fn a_webhook_that_fails_is_called_again_with_the_same_id() {
    let told = Told::shared();
    let ana = Person::registered(told, "driver", 1);
    let path = format!("/{}/500", ana.login);
    ana.hooked(told, &path);
    told.ending(&ana, "Garage");
    eventually("it is called twice", SOON, || told.calls(&path).len() >= 2);
    let calls = told.calls(&path);
    assert_eq!(
        calls[0].headers["webhook-id"],
        calls[1].headers["webhook-id"]
    );
    assert_eq!(calls[0].body, calls[1].body);
}

#[test]
fn a_webhook_that_is_gone_is_disabled_until_its_owner_says_otherwise() {
    let told = Told::shared();
    let ana = Person::registered(told, "driver", 1);
    let path = format!("/{}/410", ana.login);
    let (id, _) = ana.hooked(told, &path);
    told.ending(&ana, "Garage");
    eventually("it is disabled", SOON, || {
        !disabled_at(told, &ana).is_null()
    });
    told.planned(told.ending(&ana, "Missed"));
    let parked = "SELECT count(*) FROM events.entry WHERE state = 'parked' AND parked_for = $1";
    let mut sql = told.stack.sql();
    eventually("both notices wait for it", SOON, || {
        sql.query_one(parked, &[&id]).unwrap().get::<_, i64>(0) == 2
    });
    assert_eq!(told.calls(&path).len(), 1, "it is not called");
    let enable = format!("/notify/webhooks/{id}/enable");
    let enabled = ana.request(told, "POST", &enable).send().expect(200).json();
    assert!(enabled["disabled_at"].is_null());
    // It is gone again, at the first call or at both. Either notice may be the first: they are about different bookings.
    let first = told.calls(&path)[0].headers["webhook-id"].clone();
    eventually("the same call is repeated", SOON, || {
        if !disabled_at(told, &ana).is_null() {
            ana.request(told, "POST", &enable).send().expect(200);
        }
        let calls = told.calls(&path);
        calls
            .iter()
            .skip(1)
            .any(|it| it.headers["webhook-id"] == first)
    });
    eventually("both wait again", SOON, || {
        sql.query_one(parked, &[&id]).unwrap().get::<_, i64>(0) == 2
            && !disabled_at(told, &ana).is_null()
    });
    let calls = told.calls(&path);
    // Only what is newer than now is wanted.
    let now: String = sql
        .query_one(
            "SELECT to_char(now() AT TIME ZONE 'UTC' + interval '1 second', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
            &[],
        )
        .unwrap()
        .get(0);
    let before = calls.len();
    let enable = format!("{enable}?since={now}");
    ana.request(told, "POST", &enable).send().expect(200);
    eventually("nothing waits any more", SOON, || {
        sql.query_one(parked, &[&id]).unwrap().get::<_, i64>(0) == 0
    });
    let dropped =
        "SELECT count(*) FROM events.entry WHERE kind = 'deliver:webhook' AND state = 'done'
        AND payload ->> 'webhook' = $1";
    eventually("they count as carried out", SOON, || {
        sql.query_one(dropped, &[&id]).unwrap().get::<_, i64>(0) == 2
    });
    assert_eq!(told.calls(&path).len(), before);
}

fn disabled_at(told: &Told, person: &Person) -> Value {
    let listed = person.request(told, "GET", "/notify/webhooks").send();
    listed.expect(200).json()[0]["disabled_at"].clone()
}

#[test]
fn the_owner_of_a_webhook_tests_it_and_sees_its_calls() {
    let told = Told::shared();
    let (ana, bob) = (
        Person::registered(told, "driver", 1),
        Person::registered(told, "driver", 1),
    );
    let path = format!("/{}/429", ana.login);
    let (id, secret) = ana.hooked(told, &path);
    let test = format!("/notify/webhooks/{id}/test");
    bob.request(told, "POST", &test).send().problem(404);
    ana.request(told, "POST", &test).send().expect(204);
    eventually("it is called until it takes the call", SOON, || {
        told.calls(&path).len() == 2
    });
    let call = &told.calls(&path)[1];
    assert!(is_signed(call, &secret));
    assert_eq!(call.json()["type"], "test");
    let attempts = format!("/notify/webhooks/{id}/attempts");
    bob.request(told, "GET", &attempts).send().problem(404);
    let listed = || {
        ana.request(told, "GET", &attempts)
            .send()
            .expect(200)
            .json()
    };
    eventually("both calls are listed", SOON, || {
        listed().as_array().unwrap().len() == 2
    });
    let listed = listed();
    let (last, first) = (&listed[0], &listed[1]);
    assert_eq!(
        (&last["status"], &last["error"]),
        (&204.into(), &Value::Null)
    );
    assert_eq!(first["status"], 429);
    assert_eq!(first["event"], last["event"]);
    let older = format!("{attempts}?before={}", last["id"]);
    let older = ana.request(told, "GET", &older).send().expect(200).json();
    assert_eq!(older.as_array().unwrap().len(), 1);
}

#[test]
fn a_person_sends_so_many_tests_in_an_hour_whichever_webhooks_they_go_to() {
    let told = Told::shared();
    let (ana, bob) = (
        Person::registered(told, "driver", 1),
        Person::registered(told, "driver", 1),
    );
    let test_of = |id: &str| format!("/notify/webhooks/{id}/test");
    let path = format!("/{}", ana.login);
    let (id, _) = ana.hooked(told, &path);
    ana.request(told, "POST", &test_of(&id)).send().expect(204);
    let mut sql = told.stack.sql();
    let many = "UPDATE notify.webhook_test SET tests = 25 WHERE owner = $1 AND tests = 1";
    assert_eq!(sql.execute(many, &[&ana.id]).unwrap(), 1);
    let results = at_once(10, |_| {
        ana.request(told, "POST", &test_of(&id)).send().status()
    });
    let count = |status| results.iter().filter(|it| **it == status).count();
    assert_eq!((count(204), count(429)), (5, 5));
    // A new webhook has no new limit.
    ana.request(told, "DELETE", &format!("/notify/webhooks/{id}"))
        .send()
        .expect(204);
    let (id, _) = ana.hooked(told, &path);
    let refused = ana.request(told, "POST", &test_of(&id)).send();
    assert_eq!(refused.problem(429)["code"], "too-many-tests");
    let (id, _) = bob.hooked(told, &format!("/{}", bob.login));
    bob.request(told, "POST", &test_of(&id)).send().expect(204);

    let ago = "UPDATE notify.webhook_test SET since = now() - interval '1 hour' WHERE owner = $1";
    assert_eq!(sql.execute(ago, &[&ana.id]).unwrap(), 1);
    let (id, _) = ana.hooked(told, &format!("{path}/later"));
    ana.request(told, "POST", &test_of(&id)).send().expect(204);
}

#[test]
fn a_redirect_of_a_webhook_is_not_followed() {
    let told = Told::shared();
    let ana = Person::registered(told, "driver", 1);
    let path = format!("/{}/302", ana.login);
    ana.hooked(told, &path);
    told.ending(&ana, "Garage");
    eventually("it is called again", SOON, || told.calls(&path).len() >= 2);
    let others = told
        .hook
        .received()
        .into_iter()
        .filter(|it| it.path.contains(&ana.login) && it.path != path);
    assert_eq!(others.count(), 0);
}

#[test]
fn a_webhook_cannot_be_pointed_into_the_network_of_the_platform() {
    let told = Told::shared();
    let ana = Person::registered(told, "driver", 1);
    for url in [
        "http://hooks.example.com/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/",
        "https://signin.spin.internal/login",
        "https://self/",
        "https://example.com:6379/",
        "https://user@example.com/",
        "ftp://example.com/",
        "javascript:alert(1)",
        "",
    ] {
        let answer = ana
            .request(told, "POST", "/notify/webhooks")
            .json(&json!({ "url": url }))
            .send();
        assert_eq!(answer.problem(422)["errors"][0]["pointer"], "/url", "{url}");
    }
}

/// One that came in by another way is not called either.
#[test]
fn an_address_that_must_not_be_is_not_called_even_when_it_is_stored() {
    let told = Told::shared();
    let ana = Person::registered(told, "driver", 1);
    told.stack
        .sql()
        .execute(
            "WITH made AS (
                INSERT INTO notify.webhook (id, owner, url) VALUES (gen_random_uuid(), $1, 'https://127.0.0.1/x')
                RETURNING id
            ) INSERT INTO notify.webhook_key (webhook, secret) SELECT id, 'c2VjcmV0' FROM made",
            &[&ana.id],
        )
        .unwrap();
    told.ending(&ana, "Garage");
    let dead = "SELECT count(*) FROM events.entry JOIN events.failure ON event = id
        WHERE state = 'dead' AND kind = 'deliver:webhook' AND error LIKE 'the address is not called%'";
    let mut sql = told.stack.sql();
    eventually("the delivery is dead", SOON, || {
        sql.query_one(dead, &[]).unwrap().get::<_, i64>(0) >= 1
    });
}

#[test]
fn webhooks_are_ones_own_and_not_endless() {
    let told = Told::shared();
    let ana = Person::registered(told, "driver", 1);
    let bob = Person::registered(told, "driver", 1);
    let (id, _) = ana.hooked(told, "/a");
    for (method, path) in [
        ("DELETE", format!("/notify/webhooks/{id}")),
        ("POST", format!("/notify/webhooks/{id}/secret")),
        ("POST", format!("/notify/webhooks/{id}/enable")),
    ] {
        bob.request(told, method, &path).send().problem(404);
    }
    for _ in 1..10 {
        ana.hooked(told, "/a");
    }
    let body = json!({ "url": format!("{}/a", told.hook.url()) });
    let answer = ana
        .request(told, "POST", "/notify/webhooks")
        .json(&body)
        .send();
    answer.problem(409);
    let delete = format!("/notify/webhooks/{id}");
    ana.request(told, "DELETE", &delete).send().expect(204);
    ana.request(told, "DELETE", &delete).send().problem(404);
}

#[test]
fn a_webhook_that_asks_for_a_pause_gets_it_for_all_its_calls() {
    let told = Told::shared();
    let ana = Person::registered(told, "driver", 1);
    let path = format!("/{}/429", ana.login);
    ana.hooked(told, &path);
    told.ending(&ana, "Garage");
    eventually("it is called", SOON, || told.calls(&path).len() == 1);
    let began = Instant::now();
    told.ending(&ana, "Garage");
    eventually("both are called again", SOON, || {
        told.calls(&path).len() == 3
    });
    assert!(
        began.elapsed() >= Duration::from_millis(2_500),
        "{:?}",
        began.elapsed()
    );
}

/// It would never be disabled, and what it is to be told would wait for as long.
#[test]
fn a_webhook_that_asks_to_be_left_alone_for_years_is_called_again_after_a_day() {
    let told = Told::shared();
    let ana = Person::registered(told, "driver", 1);
    let (id, _) = ana.hooked(told, &format!("/{}/503", ana.login));
    told.ending(&ana, "Garage");
    let id: Uuid = id.parse().unwrap();
    let mut sql = told.stack.sql();
    let rests = "SELECT failures = 1 AND rests_until BETWEEN now() + interval '23 hours' AND now() + interval '1 day'
        FROM notify.webhook WHERE id = $1";
    eventually("its failure and its day are written down", SOON, || {
        let row = sql.query_one(rests, &[&id]).unwrap();
        row.get::<_, Option<bool>>(0) == Some(true)
    });
}

#[test]
fn a_webhook_that_takes_nothing_for_a_day_is_disabled() {
    let told = Told::shared();
    let ana = Person::registered(told, "driver", 1);
    let path = format!("/{}/500", ana.login);
    let (id, _) = ana.hooked(told, &path);
    told.ending(&ana, "Garage");
    eventually("it failed", SOON, || told.calls(&path).len() == 1);
    let id: Uuid = id.parse().unwrap();
    let mut sql = told.stack.sql();
    let age = "UPDATE notify.webhook SET failing_since = now() - interval '25 hours' WHERE id = $1 AND failures > 0";
    eventually("its failure is written down", SOON, || {
        sql.execute(age, &[&id]).unwrap() == 1
    });
    let listed = || {
        let answer = ana.request(told, "GET", "/notify/webhooks").send();
        answer.expect(200).json()[0].clone()
    };
    eventually("it is disabled", SOON, || {
        listed()["disabled_because"] == "it took nothing for a day"
    });
    let enable = format!("/notify/webhooks/{id}/enable");
    let enabled = ana.request(told, "POST", &enable).send().expect(200).json();
    assert_eq!(
        (&enabled["disabled_at"], &enabled["failures"]),
        (&Value::Null, &0.into())
    );
}

/// Twenty seconds each, were they waited for.
#[test]
fn a_slow_webhook_does_not_delay_those_of_other_owners() {
    let told = Told::shared();
    let slow = Person::registered(told, "driver", 1);
    let ana = Person::registered(told, "driver", 1);
    slow.hooked(told, &format!("/{}/504", slow.login));
    let path = format!("/{}/204", ana.login);
    ana.hooked(told, &path);
    for _ in 0..60 {
        told.ending(&slow, "Garage");
    }
    eventually("the slow one is called", SOON, || {
        !told.calls(&format!("/{}/504", slow.login)).is_empty()
    });
    told.ending(&ana, "Garage");
    // Behind the slow one it would wait ten minutes.
    eventually("Ana's is called", Duration::from_secs(20), || {
        !told.calls(&path).is_empty()
    });
}

#[test]
fn a_webhook_is_told_only_of_what_there_is() {
    let told = Told::shared();
    let ana = Person::registered(told, "driver", 1);
    let made = |templates: Value| {
        let body = json!({ "url": format!("{}/x", told.hook.url()), "templates": templates });
        ana.request(told, "POST", "/notify/webhooks")
            .json(&body)
            .send()
    };
    made(json!(["booking_ending", "fine_issued"])).expect(201);
    for unknown in [json!(["booking_endin"]), json!(["password-reset"])] {
        let problem = made(unknown).problem(422);
        assert_eq!(problem["errors"][0]["pointer"], "/templates");
    }
}

#[test]
fn ten_webhooks_are_the_limit_also_when_they_are_made_at_once() {
    let told = Told::shared();
    let ana = Person::registered(told, "driver", 1);
    let body = json!({ "url": format!("{}/x", told.hook.url()) });
    let made = at_once(16, |_| {
        let request = ana.request(told, "POST", "/notify/webhooks").json(&body);
        request.send().status()
    });
    assert_eq!(made.iter().filter(|it| **it == 201).count(), 10, "{made:?}");
    assert_eq!(made.iter().filter(|it| **it == 409).count(), 6, "{made:?}");
}
