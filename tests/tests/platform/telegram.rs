//! The bot: people sign in, book, cancel and offer places in a chat.

mod bookings;

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use wharf_tests::{Answer, User, eventually, unique};

use super::notify::{PASSWORD, Person, Told, UNDELETABLE, WEBHOOK_SECRET};

const SOON: Duration = Duration::from_secs(60);

/// A chat, whose messages are delivered as Telegram does.
struct Chat<'a> {
    told: &'a Told,
    id: i64,
    language: &'static str,
}

fn next_update() -> i64 {
    static UPDATES: AtomicI64 = AtomicI64::new(1_000);
    UPDATES.fetch_add(1, Ordering::Relaxed)
}

fn bring(told: &Told, update: &Value) -> Answer {
    told.stack
        .post("/telegram/webhook")
        .header("x-telegram-bot-api-secret-token", WEBHOOK_SECRET)
        .json(update)
        .send()
        .expect(200)
}

impl Chat<'_> {
    fn update(&self, number: i64, text: &str) -> Value {
        json!({
            "update_id": number,
            "message": {
                "message_id": number,
                "chat": { "id": self.id, "type": "private" },
                "from": { "id": self.id, "language_code": self.language },
                "text": text,
            },
        })
    }

    /// The answer of the bot.
    fn write(&self, text: &str) -> String {
        said(&bring(self.told, &self.update(next_update(), text)))
    }

    fn sign_in(&self, login: &str) {
        self.write("/login");
        self.write(login);
        let hello = self.write(PASSWORD);
        assert!(hello.starts_with(&format!("Hello, {login}!")), "{hello}");
    }
}

fn said(answer: &Answer) -> String {
    let body = answer.json();
    assert_eq!(body["method"], "sendMessage", "{body}");
    body["text"].as_str().unwrap().to_owned()
}

fn chat_of<'a>(told: &'a Told, person: &Person) -> Chat<'a> {
    Chat {
        told,
        id: person.chat,
        language: "en",
    }
}

#[test]
fn only_telegram_is_heard() {
    let told = Told::shared();
    let person = Person::registered(told, "driver", 1);
    let update = chat_of(told, &person).update(next_update(), "/start");
    told.stack
        .post("/telegram/webhook")
        .json(&update)
        .send()
        .problem(401);
    let lie = "x-telegram-bot-api-secret-token";
    for secret in ["", "from-telegra", "from-telegramm"] {
        let request = told.stack.post("/telegram/webhook").header(lie, secret);
        request.json(&update).send().problem(401);
    }
    // Unreadable updates are accepted too, because Telegram would send a refused one again for ever.
    for odd in [
        json!({}),
        json!([]),
        json!({ "update_id": 1, "message": {} }),
    ] {
        assert_eq!(bring(told, &odd).json(), json!({}));
    }
}

#[test]
fn the_bot_shows_the_telegram_id_in_the_language_of_the_person() {
    let told = Told::shared();
    let person = Person::registered(told, "driver", 1);
    let mut chat = chat_of(told, &person);
    assert!(chat.write("/start").contains(&person.chat.to_string()));
    chat.language = "ru";
    assert!(chat.write("/start").starts_with("Добро пожаловать"));
    assert!(chat.write("что?").starts_with("Я не понимаю"));
}

#[test]
fn the_bot_takes_no_password_in_a_group() {
    let told = Told::shared();
    let group = json!({
        "update_id": next_update(),
        "message": { "message_id": 1, "chat": { "id": -5, "type": "group" }, "text": "/login" },
    });
    assert!(said(&bring(told, &group)).contains("private chat"));
}

#[test]
fn a_password_is_deleted_from_the_chat_after_sign_in() {
    let told = Told::shared();
    let person = Person::registered(told, "driver", 1);
    let chat = chat_of(told, &person);
    assert!(chat.write("/balance").contains("/login"));
    chat.write("/login");
    chat.write(&person.login);
    assert!(chat.write("Wrong-Horse-1").contains("wrong"));
    chat.sign_in(&person.login);
    assert_eq!(chat.write("/balance"), "Your balance: 0.00 USD");

    let deleted = told.telegram.find("the password is deleted", SOON, |it| {
        it.path.ends_with("/deleteMessage") && it.json()["chat_id"] == person.chat
    });
    assert!(deleted.path.contains("/bot12345:secret/"));
    let menu = chat.write("/help");
    assert!(
        menu.contains("/bookings") && !menu.contains("/parkings"),
        "{menu}"
    );
    assert_eq!(chat.write("/logout"), "You are signed out.");
    assert!(chat.write("/balance").contains("/login"));
}

#[test]
fn a_repeated_update_does_not_answer_the_next_question() {
    let told = Told::shared();
    let person = Person::registered(told, "driver", 1);
    let chat = chat_of(told, &person);
    chat.write("/login");
    let login = chat.update(next_update(), &person.login);
    assert!(said(&bring(told, &login)).contains("password"));
    let again = said(&bring(told, &login));
    assert!(again.contains("password"), "it is no password: {again}");
    assert!(chat.write(PASSWORD).starts_with("Hello"));
}

#[test]
fn a_dialogue_can_be_left() {
    let told = Told::shared();
    let person = Person::registered(told, "driver", 1);
    let chat = chat_of(told, &person);
    chat.write("/login");
    assert_eq!(chat.write("/stop"), "All right, I leave it.");
    assert!(chat.write(&person.login).contains("/help"));
}

#[test]
fn an_admin_registers_the_webhook_at_telegram() {
    let told = Told::shared();
    let person = Person::registered(told, "driver", 1);
    let install = || told.stack.post("/telegram/install");
    install().send().problem(401);
    install().api_key(&person.token).send().problem(403);
    let admin = User::admin(&told.stack);
    admin.post("/telegram/install").send().expect(204);
    let asked = told
        .telegram
        .find("setWebhook", SOON, |it| it.path.ends_with("/setWebhook"));
    assert_eq!(asked.json()["secret_token"], WEBHOOK_SECRET);
    assert_eq!(asked.json()["url"], "https://wharf.test/telegram/webhook");
}

#[test]
fn a_password_is_taken_as_it_is_written() {
    let told = Told::shared();
    let (login, password) = (unique("odd"), "/Correct-Horse-1 ");
    let body = json!({
        "login": login, "email": format!("{login}@example.org"), "password": password, "role": "driver",
    });
    told.stack.post("/register").json(&body).send().expect(200);
    let person = Person::registered(told, "driver", 1);
    let chat = chat_of(told, &person);
    chat.write("/login");
    chat.write(&login);
    let hello = chat.write(password);
    assert!(hello.starts_with("Hello"), "{hello}");
}

#[test]
fn a_failed_deletion_of_a_password_is_retried_and_reported() {
    let told = Told::shared();
    let person = Person::registered(told, "driver", UNDELETABLE);
    let chat = chat_of(told, &person);
    chat.write("/login");
    chat.write(&person.login);
    let hello = chat.write(PASSWORD);
    assert!(hello.contains("delete your message yourself"), "{hello}");
    eventually("it is tried again", SOON, || {
        let deleted = told.telegram.received().into_iter().filter(|it| {
            it.path.ends_with("/deleteMessage") && it.json()["chat_id"] == person.chat
        });
        deleted.count() >= 2
    });
}

#[test]
fn guessing_passwords_in_a_chat_is_rate_limited() {
    let told = Told::shared();
    let victim = Person::registered(told, "driver", 1);
    let guesser = chat_of(told, &victim);
    let guess = |chat: &Chat| {
        chat.write("/login");
        chat.write(&victim.login);
        chat.write("Wrong-Horse-1")
    };
    for _ in 0..5 {
        assert!(guess(&guesser).contains("wrong"));
    }
    assert!(guess(&guesser).contains("too often"));
    // The limit is temporary even when the counter has lost its expiry.
    let key = format!("telegram:tries:{}", victim.chat);
    let mut redis = told.stack.redis();
    redis::cmd("PERSIST").arg(&key).exec(&mut redis).unwrap();
    assert!(guess(&guesser).contains("too often"));
    let left: i64 = redis::cmd("TTL").arg(&key).query(&mut redis).unwrap();
    assert!((1..=300).contains(&left), "{left}");
    // Other chats are not affected.
    let other = Person::registered(told, "driver", 1);
    chat_of(told, &other).sign_in(&other.login);
}

#[test]
fn a_right_password_takes_back_no_wrong_one() {
    let told = Told::shared();
    let (victim, guesser) = (
        Person::registered(told, "driver", 1),
        Person::registered(told, "driver", 1),
    );
    let chat = chat_of(told, &guesser);
    let guess = || {
        chat.write("/login");
        chat.write(&victim.login);
        chat.write("Wrong-Horse-1")
    };
    for _ in 0..4 {
        assert!(guess().contains("wrong"));
    }
    chat.sign_in(&guesser.login);
    assert!(guess().contains("wrong"));
    assert!(guess().contains("too often"));
}

#[test]
fn chats_that_guess_lock_no_person_out_of_the_bot() {
    let told = Told::shared();
    let victim = Person::registered(told, "driver", 1);
    for _ in 0..3 {
        let guesser = Person::registered(told, "driver", 1);
        let chat = chat_of(told, &guesser);
        for _ in 0..5 {
            chat.write("/login");
            chat.write(&victim.login);
            let said = chat.write("Wrong-Horse-1");
            assert!(said.contains("wrong"), "{said}");
        }
    }
    chat_of(told, &victim).sign_in(&victim.login);
}

#[test]
fn a_second_factor_is_asked_for() {
    let told = Told::shared();
    let person = Person::registered(told, "driver", 1);
    let ask = |path: &str| told.stack.post(path).api_key(&person.token);
    let offered = ask("/auth/totp").send().expect(200).json();
    let totp = totp_rs::Totp::from_url(offered["uri"].as_str().unwrap()).unwrap();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let code = |at: u64| totp.generate(at).to_string();
    let confirm = ask("/auth/totp/confirm").json(&json!({ "code": code(now) }));
    confirm.send().expect(200);

    let chat = chat_of(told, &person);
    chat.write("/login");
    chat.write(&person.login);
    let asked = chat.write(PASSWORD);
    assert!(asked.contains("second factor"), "{asked}");
    // The code of this step was spent by the confirmation.
    let hello = chat.write(&format!("{PASSWORD} {}", code(now + 30)));
    assert!(hello.starts_with("Hello"), "{hello}");
}

#[test]
fn a_session_renews_itself_and_ends_at_sign_out() {
    let told = Told::shared();
    let person = Person::registered(told, "driver", 1);
    let chat = chat_of(told, &person);
    chat.sign_in(&person.login);
    let mut sql = told.stack.sql();
    let session = "SELECT sealed, expires_at > now(), to_jsonb(session)::text FROM telegram.session WHERE chat = $1";
    let row = sql.query_one(session, &[&person.chat]).unwrap();
    let first: Vec<u8> = row.get(0);
    let stored: String = row.get(2);
    assert!(!stored.contains("eyJ"), "a token is readable: {stored}");
    let age = "UPDATE telegram.session SET expires_at = now() WHERE chat = $1";
    sql.execute(age, &[&person.chat]).unwrap();
    assert_eq!(chat.write("/balance"), "Your balance: 0.00 USD");
    let row = sql.query_one(session, &[&person.chat]).unwrap();
    let second: Vec<u8> = row.get(0);
    assert!(row.get::<_, bool>(1) && second != first, "the next pair");

    let live = "SELECT count(*) FROM signin.session WHERE account = $1 AND ended_at IS NULL";
    let live = || -> i64 {
        told.stack
            .sql()
            .query_one(live, &[&person.id])
            .unwrap()
            .get(0)
    };
    let before = live();
    chat.write("/logout");
    assert!(sql.query_opt(session, &[&person.chat]).unwrap().is_none());
    assert_eq!(live(), before - 1, "signin ended the session of the chat");
}

#[test]
fn tokens_that_are_moved_to_another_chat_do_not_work_there() {
    let told = Told::shared();
    let (owner, thief) = (
        Person::registered(told, "driver", 1),
        Person::registered(told, "driver", 1),
    );
    chat_of(told, &owner).sign_in(&owner.login);
    let chat = chat_of(told, &thief);
    chat.sign_in(&thief.login);
    let steal = "UPDATE telegram.session SET sealed = (
            SELECT sealed FROM telegram.session WHERE chat = $1) WHERE chat = $2";
    let stolen = told.stack.sql().execute(steal, &[&owner.chat, &thief.chat]);
    assert_eq!(stolen.unwrap(), 1);
    assert!(chat.write("/balance").contains("/login"));
}

#[test]
fn a_question_is_forgotten_after_ten_minutes() {
    let told = Told::shared();
    let person = Person::registered(told, "driver", 1);
    let chat = chat_of(told, &person);
    chat.write("/login");
    let key = format!("telegram:dialogue:{}", person.chat);
    let mut redis = told.stack.redis();
    let left: i64 = redis::cmd("TTL").arg(&key).query(&mut redis).unwrap();
    assert!((590..=600).contains(&left), "{left}");
    // Ten minutes later.
    redis::cmd("DEL").arg(&key).exec(&mut redis).unwrap();
    assert!(chat.write(&person.login).contains("/help"));
}

#[test]
fn updates_of_one_chat_are_handled_one_after_another() {
    let told = Told::shared();
    let person = Person::registered(told, "driver", 1);
    let chat = chat_of(told, &person);
    chat.write("/login");
    // The first one is the login. Each later one answers the question that came after it.
    let texts = wharf_tests::at_once(6, |_| {
        let answer = bring(told, &chat.update(next_update(), &person.login));
        answer.json()["text"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    });
    let asked = texts.iter().filter(|it| it.starts_with("Your password?"));
    assert_eq!(asked.count(), 1, "{texts:?}");
}

#[test]
fn erasing_a_person_removes_their_sign_in_and_chat() {
    let told = Told::shared();
    let person = Person::registered(told, "driver", 1);
    chat_of(told, &person).sign_in(&person.login);
    let mut sql = told.stack.sql();
    let linked = "SELECT count(*) FROM notify.linked_chat WHERE user_id = $1 AND chat = $2";
    eventually("the chat is theirs", SOON, || {
        let row = sql.query_one(linked, &[&person.id, &person.chat]).unwrap();
        row.get::<_, i64>(0) == 1
    });
    told.stack
        .request("DELETE", "/auth/me")
        .api_key(&person.token)
        .send()
        .expect(204);
    let kept = "SELECT (SELECT count(*) FROM telegram.session WHERE chat = $1)
        + (SELECT count(*) FROM notify.linked_chat WHERE chat = $1)";
    eventually("nothing of them is kept", SOON, || {
        let row = sql.query_one(kept, &[&person.chat]).unwrap();
        row.get::<_, i64>(0) == 0
    });
}

#[test]
fn signing_in_by_chat_gives_a_user_their_telegram_id() {
    let told = Told::shared();
    let user = User::driver(&told.stack);
    let chat = Chat {
        told,
        id: 700_000 + next_update(),
        language: "en",
    };
    chat.sign_in(&user.login);
    let me = user.get("/auth/me").send().expect(200).json();
    assert_eq!(me["telegram_id"], chat.id);
}
