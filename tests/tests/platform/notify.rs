//! Notices reach people and their programs by the channels that they chose, and not by channels that they or the
//! other side closed.

mod backlog;
mod causes;
mod hours;
mod inbox;
mod lanes;
mod letters;
mod messenger;
mod webhooks;

use std::collections::HashSet;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{
    Answer, Options, Outside, Received, Reply, Request, Stack, User, eventually, unique,
};

const SOON: Duration = Duration::from_secs(60);

/// A platform whose messenger, mail API and webhook target are servers of the test.
pub struct Told {
    pub stack: Stack,
    pub telegram: Outside,
    mail: Outside,
    hook: Outside,
}

/// The first chat ids of misbehaving chats: they have blocked the bot, make it wait once, give no answer once, answer
/// once after the timeout, or refuse at first to have a message deleted.
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
                Ok(503) => Reply::status(503).retry_after(u64::MAX),
                Ok(504) => Reply::status(204).after(Duration::from_secs(20)),
                Ok(302) => Reply::redirect(&format!("{owner}/followed")),
                Ok(status) => Reply::status(status),
                Err(_) => Reply::status(204),
            }
        });
        let stack = Options::default()
            // With a slash at its end, as people write addresses too.
            .variable("public_url", "https://wharf.test/")
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

    /// Writes a notice as a function does; returns the id of the event.
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
            let state = "SELECT state = 'done' FROM events.entry WHERE id = $1";
            sql.query_one(state, &[&event]).unwrap().get(0)
        });
    }

    /// Waits until every notice that this person is sent was planned and delivered, so that what comes twice has come.
    fn drained(&self, person: &Person) {
        let left = "SELECT count(*) FROM events.entry
            WHERE aggregate IN ('test:' || $1, 'telegram:' || $2) AND state NOT IN ('done', 'dead')";
        let (mut sql, chat) = (self.stack.sql(), person.chat.to_string());
        eventually("everything is delivered", SOON, || {
            let left = sql.query_one(left, &[&person.login, &chat]).unwrap();
            left.get::<_, i64>(0) == 0
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

    /// Gives them so many cents.
    pub fn endow(&self, told: &Told, cents: i64) {
        let code = unique("gift");
        let gift = json!({ "code": code, "amount": cents, "max_uses": 1 });
        let made = User::admin(&told.stack).post("/payment/promocode");
        made.json(&gift).send().expect(200);
        let activated = self.request(told, "POST", "/payment/promocode/activate");
        activated.json(&json!({ "code": code })).send().expect(200);
    }

    fn prefer(&self, told: &Told, language: &str, telegram: bool) {
        let wanted =
            json!({ "language": language, "telegram": telegram, "email": true, "webhook": true });
        let mut chosen = self.choose(told, wanted.clone()).expect(200).json();
        let hours = ["time_zone", "quiet_hours", "digest_at"];
        let chosen_hours = hours.map(|it| chosen.as_object_mut().unwrap().remove(it).unwrap());
        assert_eq!(chosen, wanted);
        assert_eq!(chosen_hours, [json!("UTC"), Value::Null, Value::Null]);
    }

    fn choose(&self, told: &Told, wanted: Value) -> Answer {
        let request = self.request(told, "PUT", "/notify/preferences");
        request.json(&wanted).send()
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

#[test]
fn a_person_is_told_in_their_language_and_not_at_all_if_they_wish() {
    let told = Told::shared();
    let ana = Person::registered(told, "driver", 1);
    ana.prefer(told, "pt", true);
    told.ending(&ana, "Garagem");
    told.drained(&ana);
    assert_eq!(
        told.written_to(ana.chat),
        ["A reserva 17 termina em breve\n\nGaragem, até 2026-11-21 11:30 UTC."]
    );

    ana.prefer(told, "en", false);
    let event = told.ending(&ana, "Garage");
    told.planned(event);
    let deliveries = "SELECT count(*) FROM events.entry WHERE aggregate = 'telegram:' || $1::text";
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
            "time_zone": "UTC", "quiet_hours": null, "digest_at": null, "telegram_silent_because": null,
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
    let delivered = "SELECT count(*) FROM events.entry WHERE aggregate = $1 AND state = 'done'";
    let (mut sql, aggregate) = (told.stack.sql(), format!("telegram:{chat}"));
    eventually("the chat is told", SOON, || {
        sql.query_one(delivered, &[&aggregate])
            .unwrap()
            .get::<_, i64>(0)
            == 1
    });
    assert_eq!(told.written_to(chat), ["New booking\n\n5 to 6"]);
}

#[test]
fn an_erased_user_leaves_no_preferences_and_no_webhook() {
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
