//! When people are told: not in their quiet hours, and once a day by e-mail if they want.

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::eventually;

use super::{Person, SOON, Told};

const ZONE: &str = "America/Sao_Paulo";

fn preferences(hours: Value) -> Value {
    let mut wanted = json!({
        "language": "en", "telegram": true, "email": true, "webhook": true, "time_zone": ZONE,
    });
    let members = wanted.as_object_mut().unwrap();
    members.extend(hours.as_object().unwrap().clone());
    wanted
}

/// A person whose address is proven.
fn reader(told: &Told) -> Person {
    let person = Person::registered(told, "driver", 1);
    let prove = "UPDATE signin.account SET email_verified_at = now() WHERE id = $1";
    assert_eq!(told.stack.sql().execute(prove, &[&person.id]).unwrap(), 1);
    person
}

/// What clocks of the zone show in so many hours.
fn clock(told: &Told, hours: i32) -> String {
    let shown = "SELECT to_char((now() + make_interval(hours => $1)) AT TIME ZONE $2, 'HH24:MI')";
    let row = told.stack.sql().query_one(shown, &[&hours, &ZONE]);
    row.unwrap().get(0)
}

fn letters(told: &Told, person: &Person) -> Vec<Value> {
    let letters = told.mail.received().into_iter().map(|it| it.json());
    letters
        .filter(|it| it["to"][0] == person.email.as_str())
        .collect()
}

fn subjects(told: &Told, person: &Person) -> Vec<String> {
    let letters = letters(told, person).into_iter();
    letters
        .map(|it| it["subject"].as_str().unwrap().to_owned())
        .collect()
}

fn fine_paid(told: &Told, person: &Person, plate: &str) -> Uuid {
    let fine = json!({
        "fine_id": 9, "plate": plate, "zone": "Centro", "amount_cents": 19523, "currency": "BRL",
    });
    told.notify(person, "fine_paid", &fine)
}

#[test]
fn in_quiet_hours_people_hear_of_security_and_of_the_rest_afterwards() {
    let told = Told::shared();
    let ana = reader(told);
    let quiet = json!({ "from": clock(told, -1), "until": clock(told, 2) });
    let wanted = preferences(json!({ "quiet_hours": quiet, "digest_at": null }));
    assert_eq!(ana.choose(told, wanted.clone()).expect(200).json(), wanted);
    let shown = ana.request(told, "GET", "/notify/preferences").send();
    assert_eq!(
        shown.expect(200).json()["quiet_hours"],
        wanted["quiet_hours"]
    );
    told.planned(told.ending(&ana, "Garage"));
    let from = json!({ "address": "203.0.113.7" });
    told.planned(told.notify(&ana, "password-changed", &from));
    eventually("the letter comes", SOON, || letters(told, &ana).len() == 1);
    assert!(subjects(told, &ana)[0].contains("password"));
    assert!(told.written_to(ana.chat).is_empty());

    // The message and the e-mail wait for the end of the hours.
    let waiting = "SELECT id FROM events.entry
        WHERE (aggregate = 'telegram-later:' || $1 OR kind = 'deliver:email' AND payload ->> 'to' = $2)
            AND due_at BETWEEN events.millis(now()) + 3600000 AND events.millis(now()) + 7200000";
    let mut sql = told.stack.sql();
    let chat = ana.chat.to_string();
    let waiting = sql.query(waiting, &[&chat, &ana.email]).unwrap();
    assert_eq!(waiting.len(), 2);
    for it in waiting {
        let over = "SELECT events.requeue($1, NULL)";
        sql.query_one(over, &[&it.get::<_, Uuid>(0)]).unwrap();
    }
    eventually("they come then", SOON, || {
        told.written_to(ana.chat).len() == 1 && letters(told, &ana).len() == 2
    });

    // Outside of them nothing waits; these pass midnight, or the others did.
    let others = json!({ "from": clock(told, 2), "until": clock(told, -1) });
    ana.choose(told, preferences(json!({ "quiet_hours": others })))
        .expect(200);
    told.ending(&ana, "Street");
    eventually("she is told", SOON, || {
        told.written_to(ana.chat).len() == 2 && letters(told, &ana).len() == 3
    });
}

#[test]
fn a_digest_tells_of_a_day_once_and_of_what_ends_at_once() {
    let told = Told::shared();
    let ana = reader(told);
    ana.choose(told, preferences(json!({ "digest_at": clock(told, -2) })))
        .expect(200);
    for plate in ["AAA1A11", "BBB2B22"] {
        told.planned(fine_paid(told, &ana, plate));
    }
    told.planned(told.ending(&ana, "Garage"));
    eventually("Telegram waits for no digest", SOON, || {
        told.written_to(ana.chat).len() == 3
    });
    eventually("the end is told", SOON, || letters(told, &ana).len() == 1);
    assert_eq!(subjects(told, &ana), ["Booking 17 ends soon"]);

    let mut sql = told.stack.sql();
    let due = "UPDATE notify.preference SET digest_due_at = now() WHERE user_id = $1
        AND digest_due_at BETWEEN now() + interval '21 hours' AND now() + interval '23 hours'";
    assert_eq!(
        sql.execute(due, &[&ana.id]).unwrap(),
        1,
        "it is due tomorrow"
    );
    eventually("the digest comes", SOON, || letters(told, &ana).len() == 2);
    let digest = &letters(told, &ana)[1];
    assert_eq!(digest["subject"], "Your notices of the day: 2");
    let text = digest["text"].as_str().unwrap();
    assert!(
        text.contains("AAA1A11") && text.contains("BBB2B22"),
        "{text}"
    );
    assert!(!text.contains("Garage"), "{text}");

    // A day without notices has no letter, and one who wants no digest any more has the rest at once.
    assert_eq!(
        sql.execute(
            "UPDATE notify.preference SET digest_due_at = now() WHERE user_id = $1",
            &[&ana.id]
        )
        .unwrap(),
        1
    );
    eventually("that day is over", SOON, || {
        let due = "SELECT digest_due_at > now() + interval '20 hours' FROM notify.preference WHERE user_id = $1";
        sql.query_one(due, &[&ana.id]).unwrap().get(0)
    });
    told.planned(fine_paid(told, &ana, "CCC3C33"));
    ana.choose(told, preferences(json!({}))).expect(200);
    eventually("the rest comes", SOON, || letters(told, &ana).len() == 3);
    assert_eq!(subjects(told, &ana)[2], "Your notices of the day: 1");
    told.drained(&ana);
    assert_eq!(letters(told, &ana).len(), 3);
}

#[test]
fn hours_that_are_none_are_refused() {
    let told = Told::shared();
    let ana = Person::registered(told, "driver", 1);
    for wrong in [
        json!({ "quiet_hours": { "from": "22:00", "until": "22:00" } }),
        json!({ "quiet_hours": { "from": "22", "until": "07:00" } }),
        json!({ "digest_at": "24:00" }),
        json!({ "time_zone": "Moon/Sea" }),
        json!({ "time_zone": "FOO3BAR" }),
    ] {
        let answer = ana.choose(told, preferences(wrong.clone()));
        assert_eq!(answer.status(), 422, "{wrong}");
    }
    let kept = ana.request(told, "GET", "/notify/preferences").send();
    assert_eq!(kept.expect(200).json()["time_zone"], "UTC");
}
