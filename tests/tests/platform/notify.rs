//! People and their programs are told, by the channels that they chose, and not by those that they
//! or the other side closed.

use std::collections::HashSet;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;
use wharf_tests::{Options, Outside, Received, Reply, Request, Stack, at_once, eventually, unique};

const SOON: Duration = Duration::from_secs(20);

/// A platform with a messenger, a mail API and somebody's own server, all of which are ours.
pub struct Told {
    pub stack: Stack,
    pub telegram: Outside,
    mail: Outside,
    hook: Outside,
}

/// Chats from here on have blocked the bot, make it wait once, do not answer once, answer once after
/// everybody's patience, or do not let a message be deleted at first.
const BLOCKED: i64 = 1_000_000;
const BUSY: i64 = 2_000_000;
const LOST: i64 = 3_000_000;
const LATE: i64 = 4_000_000;
pub const UNDELETABLE: i64 = 5_000_000;

pub const WEBHOOK_SECRET: &str = "from-telegram";

impl Told {
    /// One for all tests here; each has people and chats of its own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Told> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    fn start() -> Self {
        let made_to_wait = Mutex::new(HashSet::new());
        let telegram = Outside::start(move |request| {
            let chat = request.json()["chat_id"].as_i64().unwrap_or_default();
            let is_first = made_to_wait
                .lock()
                .unwrap()
                .insert((request.path.clone(), chat));
            let refused = |code: u16, why: &str| json!({ "ok": false, "error_code": code, "description": why });
            if chat >= UNDELETABLE {
                let is_delete = request.path.ends_with("/deleteMessage");
                match is_delete && is_first {
                    true => Reply::status(500),
                    false => Reply::json(200, &json!({ "ok": true })),
                }
            } else if chat >= LATE {
                let late = if is_first {
                    Duration::from_secs(11)
                } else {
                    Duration::ZERO
                };
                Reply::json(200, &json!({ "ok": true })).after(late)
            } else if chat >= LOST && is_first {
                Reply::lost()
            } else if chat >= LOST {
                Reply::json(200, &json!({ "ok": true }))
            } else if chat >= BUSY && is_first {
                let mut busy = refused(429, "Too Many Requests: retry after 2");
                busy["parameters"] = json!({ "retry_after": 2 });
                Reply::json(429, &busy)
            } else if (BLOCKED..BUSY).contains(&chat) {
                Reply::json(403, &refused(403, "Forbidden: bot was blocked by the user"))
            } else {
                Reply::json(200, &json!({ "ok": true }))
            }
        });
        let mail = Outside::start(|_| Reply::json(200, &json!({ "id": "1" })));
        // It answers with the status that the address ends with.
        let busy = Mutex::new(HashSet::new());
        let hook = Outside::start(move |request| {
            let (owner, status) = request.path.rsplit_once('/').unwrap_or_default();
            let is_first = busy.lock().unwrap().insert(request.path.clone());
            match status.parse() {
                Ok(429) if is_first => Reply::status(429).retry_after(3),
                Ok(429) => Reply::status(204),
                Ok(504) => Reply::status(204).after(Duration::from_secs(20)),
                Ok(302) => Reply::redirect(&format!("{owner}/followed")),
                Ok(status) => Reply::status(status),
                Err(_) => Reply::status(204),
            }
        });
        let stack = Options::default()
            .variable("telegram_url", &telegram.url())
            .variable("telegram_token", "12345:secret")
            .variable("telegram_webhook_secret", WEBHOOK_SECRET)
            .variable("mail_url", &mail.url())
            .variable("mail_key", "mail-key")
            .variable("webhook_test_origin", &hook.url())
            .start();
        Self {
            stack,
            telegram,
            mail,
            hook,
        }
    }

    /// As any function says it; the id of the event.
    fn notify(&self, person: &Person, template: &str, params: &Value) -> Uuid {
        let payload = json!({ "user_id": person.id, "template": template, "params": params });
        self.stack
            .sql()
            .query_one(
                "INSERT INTO events.outbox (kind, aggregate, payload)
                VALUES ('notify', 'test:' || $1::text, $2) RETURNING id",
                &[&person.login, &payload],
            )
            .unwrap()
            .get(0)
    }

    fn ending(&self, person: &Person, place: &str) -> Uuid {
        let params = json!({ "booking_id": 17, "place": place, "date_to": "2026-11-21 11:30" });
        self.notify(person, "booking_ending", &params)
    }

    fn planned(&self, event: Uuid) {
        let mut sql = self.stack.sql();
        eventually("the notice is planned", SOON, || {
            let state = "SELECT state = 'done' FROM events.outbox WHERE id = $1";
            sql.query_one(state, &[&event]).unwrap().get(0)
        });
    }

    /// What the messenger was asked to write into a chat.
    fn written_to(&self, chat: i64) -> Vec<String> {
        let requests = self.telegram.received().into_iter();
        requests
            .filter(|it| it.path.ends_with("/sendMessage"))
            .map(|it| it.json())
            .filter(|it| it["chat_id"] == chat)
            .map(|it| it["text"].as_str().unwrap().to_owned())
            .collect()
    }

    fn calls(&self, path: &str) -> Vec<Received> {
        let received = self.hook.received().into_iter();
        received.filter(|it| it.path == path).collect()
    }
}

/// A user with a Telegram id.
pub struct Person {
    pub id: Uuid,
    pub login: String,
    pub email: String,
    pub chat: i64,
    pub token: String,
}

pub const PASSWORD: &str = "Correct-Horse-1";

impl Person {
    pub fn registered(told: &Told, role: &str, chats_from: i64) -> Self {
        let login = unique(role);
        let email = format!("{login}@example.org");
        let chat = chats_from + i64::from(rand_u32() % 900_000);
        let body = json!({
            "login": login, "email": email, "password": PASSWORD, "role": role, "telegram_id": chat,
        });
        let answer = told.stack.post("/register").json(&body).send().expect(200);
        let token = answer.json()["token"].as_str().unwrap().to_owned();
        let me = told
            .stack
            .get("/auth/me")
            .api_key(&token)
            .send()
            .expect(200)
            .json();
        let id = me["user_id"].as_str().unwrap().parse().unwrap();
        Self {
            id,
            login,
            email,
            chat,
            token,
        }
    }

    fn request(&self, told: &Told, method: &str, path: &str) -> Request {
        told.stack.request(method, path).api_key(&self.token)
    }

    fn prefer(&self, told: &Told, language: &str, telegram: bool) {
        let wanted =
            json!({ "language": language, "telegram": telegram, "email": true, "webhook": true });
        let answer = self
            .request(told, "PUT", "/notify/preferences")
            .json(&wanted)
            .send();
        assert_eq!(answer.expect(200).json(), wanted);
    }

    /// A webhook of theirs, and its key.
    fn hooked(&self, told: &Told, path: &str) -> (String, String) {
        let body = json!({ "url": format!("{}{path}", told.hook.url()) });
        let answer = self
            .request(told, "POST", "/notify/webhooks")
            .json(&body)
            .send();
        let made = answer.expect(201).json();
        let text = |member: &str| made[member].as_str().unwrap().to_owned();
        (text("id"), text("secret"))
    }
}

fn rand_u32() -> u32 {
    Uuid::new_v4().as_fields().0
}

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
fn a_person_is_told_in_their_language_and_not_at_all_if_they_wish() {
    let told = Told::shared();
    let ana = Person::registered(told, "driver", 1);
    ana.prefer(told, "pt", true);
    told.ending(&ana, "Garagem");
    eventually("Ana is told", SOON, || {
        !told.written_to(ana.chat).is_empty()
    });
    assert_eq!(
        told.written_to(ana.chat),
        ["A reserva 17 termina em breve\n\nGaragem, até 2026-11-21 11:30 UTC."]
    );

    ana.prefer(told, "en", false);
    let event = told.ending(&ana, "Garage");
    told.planned(event);
    let deliveries = "SELECT count(*) FROM events.outbox WHERE aggregate = 'telegram:' || $1::text";
    let deliveries: i64 = told
        .stack
        .sql()
        .query_one(deliveries, &[&ana.chat.to_string()])
        .unwrap()
        .get(0);
    assert_eq!(deliveries, 1, "the second became no delivery");
}

#[test]
fn preferences_are_ones_own() {
    let told = Told::shared();
    told.stack.get("/notify/preferences").send().problem(401);
    let bob = Person::registered(told, "driver", 1);
    let shown = bob
        .request(told, "GET", "/notify/preferences")
        .send()
        .expect(200);
    assert_eq!(
        shown.json(),
        json!({
            "language": "en", "telegram": true, "email": true, "webhook": true,
            "telegram_silent_because": null,
        })
    );
    for wrong in [
        json!({ "language": "xx", "telegram": true, "email": true, "webhook": true }),
        json!({ "language": "en" }),
    ] {
        let answer = bob
            .request(told, "PUT", "/notify/preferences")
            .json(&wrong)
            .send();
        answer.problem(422);
    }
}

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
        FROM events.outbox WHERE aggregate = 'telegram:' || $1::text";
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
    let event = told.ending(&ana, "Garage");
    told.planned(event);
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
    eventually("another attempt is made", SOON, || {
        told.written_to(ana.chat).len() == 2
    });
}

#[test]
fn old_producers_are_heard_on_redis() {
    let told = Told::shared();
    let chat = 900_000 + i64::from(rand_u32() % 90_000);
    let message = |telegram_id: i64, text: &str| {
        json!({
            "key": "send_notification", "format": "json", "name": "New booking", "text": text,
            "telegram_id": telegram_id,
        })
    };
    let mut redis = told.stack.redis();
    for payload in [
        message(0, "nobody"),
        message(chat, ""),
        message(chat, "5 to 6"),
    ] {
        redis::cmd("PUBLISH")
            .arg(&["notifications", &payload.to_string()])
            .exec(&mut redis)
            .unwrap();
    }
    eventually("the chat is told", SOON, || {
        !told.written_to(chat).is_empty()
    });
    assert_eq!(told.written_to(chat), ["New booking\n\n5 to 6"]);
}

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
    eventually("nobody keeps the code", SOON, || {
        let kept = "SELECT count(*) FROM events.outbox WHERE payload::text LIKE '%s3cr3t-code%'";
        sql.query_one(kept, &[]).unwrap().get::<_, i64>(0) == 0
    });
}

#[test]
fn a_mailbox_that_nobody_proved_gets_no_news() {
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
    // Whoever rotates in a hurry does not cut themselves off.
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
    let disabled = || {
        let listed = ana
            .request(told, "GET", "/notify/webhooks")
            .send()
            .expect(200)
            .json();
        !listed[0]["disabled_at"].is_null()
    };
    eventually("it is disabled", SOON, disabled);
    let event = told.ending(&ana, "Garage");
    told.planned(event);
    assert_eq!(told.calls(&path).len(), 1);
    let enable = format!("/notify/webhooks/{id}/enable");
    let enabled = ana.request(told, "POST", &enable).send().expect(200).json();
    assert!(enabled["disabled_at"].is_null());
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
    let dead = "SELECT count(*) FROM events.outbox JOIN events.failure ON event = id
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
fn whoever_is_erased_is_forgotten() {
    let told = Told::shared();
    let ana = Person::registered(told, "driver", 1);
    ana.prefer(told, "pt", true);
    ana.hooked(told, "/erased");
    ana.request(told, "DELETE", "/auth/me").send().expect(204);
    let kept = "SELECT (SELECT count(*) FROM notify.preference WHERE user_id = $1)
        + (SELECT count(*) FROM notify.webhook WHERE owner = $1)";
    let mut sql = told.stack.sql();
    eventually("nothing of hers is kept", SOON, || {
        sql.query_one(kept, &[&ana.id]).unwrap().get::<_, i64>(0) == 0
    });
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
            "SELECT state, attempts FROM events.outbox WHERE aggregate = 'telegram:' || $1::text";
        let mut sql = told.stack.sql();
        eventually("it is done at the second attempt", SOON, || {
            let row = sql.query_one(done, &[&ana.chat.to_string()]).unwrap();
            (row.get::<_, &str>(0), row.get::<_, i32>(1)) == ("done", 2)
        });
    }
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
fn a_slow_owner_holds_nobody_up() {
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
    let began = Instant::now();
    told.ending(&ana, "Garage");
    eventually("Ana's is called", SOON, || !told.calls(&path).is_empty());
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "{:?}",
        began.elapsed()
    );
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
fn ten_webhooks_are_ten_also_for_whoever_makes_them_at_once() {
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

/// It waits with the dead, with its code, until somebody says where mail goes.
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
    let sql_of = "INSERT INTO events.outbox (kind, aggregate, payload) VALUES ('notify', $1, $2)";
    sql.execute(sql_of, &[&format!("user:{}", user.login), &payload])
        .unwrap();
    let letter = "SELECT state, error, payload ->> 'text' FROM events.outbox JOIN events.failure ON event = id
        WHERE kind = 'deliver:email' AND payload ->> 'to' = $1";
    eventually("the letter is dead", SOON, || {
        let row = sql.query_opt(letter, &[&user.email]).unwrap();
        row.is_some_and(|it| {
            it.get::<_, &str>(0) == "dead"
                && it.get::<_, &str>(1) == "no `mail_url` is set"
                && it.get::<_, &str>(2).contains("k3pt")
        })
    });
}
