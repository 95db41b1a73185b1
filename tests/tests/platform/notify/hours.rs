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

/// In Lisbon the clocks of 2026 go from 01:00 to 02:00 on 29 March, and from 02:00 back to 01:00 on 25 October.
#[test]
fn hours_keep_their_meaning_when_clocks_change() {
    let mut sql = Told::shared().stack.sql();
    let mut next = |clock: &str, since: &str| -> String {
        let next =
            "SELECT to_char(notify.next_at('Europe/Lisbon', $1::text::time, $2::text::timestamptz)
            AT TIME ZONE 'UTC', 'MM-DD HH24:MI')";
        sql.query_one(next, &[&clock, &since]).unwrap().get(0)
    };
    let skipped = "2026-03-29T00:30:00Z";
    assert_eq!(next("01:30", skipped), "03-29 01:30", "an hour later");
    assert_eq!(next("01:30", "2026-03-29T01:30:00Z"), "03-30 00:30");
    // 01:30 comes twice: the second one counts, and only that.
    let (first, second) = ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z");
    assert_eq!(next("01:30", "2026-10-25T00:15:00Z"), "10-25 01:30");
    assert_eq!(next("01:30", first), "10-26 01:30");
    assert_eq!(next("01:30", second), "10-26 01:30");
    assert_eq!(next("08:00", "2026-10-24T12:00:00Z"), "10-25 08:00");

    let quiet_end = "SELECT to_char(notify.quiet_end(it, $1::text::timestamptz) AT TIME ZONE 'UTC', 'MM-DD HH24:MI')
        FROM jsonb_populate_record(NULL::notify.preference,
            '{\"time_zone\": \"Europe/Lisbon\", \"quiet_from\": \"22:00\", \"quiet_until\": \"01:30\"}') AS it";
    for (moment, end) in [
        ("2026-03-28T23:00:00Z", Some("03-29 01:30")),
        ("2026-03-29T01:10:00Z", None),
        ("2026-10-25T00:15:00Z", Some("10-25 01:30")),
        ("2026-10-25T01:45:00Z", None),
    ] {
        let found: Option<String> = sql.query_one(quiet_end, &[&moment]).unwrap().get(0);
        assert_eq!(found.as_deref(), end, "{moment}");
    }
}

/// A statement of notify, with its parameters written into it.
fn statement(text: &str, values: &[&str]) -> String {
    let numbered = values.iter().enumerate().rev();
    numbered.fold(text.to_owned(), |text, (at, value)| {
        text.replace(&format!("${}", at + 1), value)
    })
}

/// What a host does that was suspended while it sent a digest, in a transaction that no host sees.
#[test]
fn a_digest_that_another_host_has_taken_over_is_not_sent_again() {
    const CLAIM: &str = include_str!("../../../../components/notify/src/sql/claim_digests.sql");
    const SEND: &str = include_str!("../../../../components/notify/src/sql/send_digest.sql");
    let mut sql = Told::shared().stack.sql();
    let mut sql = sql.transaction().unwrap();
    let ana = Uuid::new_v4();
    let keep = |event: i32| {
        format!(
            "INSERT INTO notify.inbox (user_id, event, template, params, waits_for_digest)
            VALUES ('{ana}', '00000000-0000-0000-0000-00000000000{event}', 'fine_paid', '{{}}', true)"
        )
    };
    sql.batch_execute(&format!(
        "SET LOCAL search_path = notify;
        INSERT INTO preference (user_id, digest_at, digest_due_at)
        VALUES ('{ana}', '08:00', '-infinity'::timestamptz);
        {}",
        keep(1)
    ))
    .unwrap();
    let mut claim = |again: &str| -> i64 {
        sql.batch_execute(again).unwrap();
        sql.query_one(&statement(CLAIM, &["1"]), &[])
            .unwrap()
            .get("claimed_until")
    };
    let late = claim("SELECT 1");
    let later =
        format!("UPDATE preference SET digest_due_at = '-infinity' WHERE user_id = '{ana}'");
    // Both claims are of the same moment, that of the transaction.
    let in_time = claim(&later) + 1;
    sql.batch_execute(&format!(
        "UPDATE preference SET digest_due_at = moment({in_time}) WHERE user_id = '{ana}'; {}",
        keep(2)
    ))
    .unwrap();
    let ana = format!("'{ana}'");
    let mut send = |until: i64, notices: &str| {
        let notices =
            format!("(SELECT jsonb_agg(id) FROM inbox WHERE user_id = {ana} AND {notices})");
        let until = until.to_string();
        let letter = "'{\"to\": \"ana@example.com\"}'::jsonb";
        let send = statement(SEND, &[&ana, &until, &notices, letter, "false"]);
        sql.execute(&send, &[]).unwrap()
    };
    assert_eq!(send(in_time, "true"), 1, "both notices");
    assert_eq!(send(late, "event::text LIKE '%1'"), 0);
    assert_eq!(send(in_time, "true"), 0, "once");
}

#[test]
fn a_digest_that_is_due_is_not_put_off_by_a_change_of_preferences() {
    let mut sql = Told::shared().stack.sql();
    let mut sql = sql.transaction().unwrap();
    let save = "SELECT notify.save_preferences('00000000-0000-0000-0000-0000000000aa', $1, true, true, true, 'UTC', NULL,
        NULL, '08:00')";
    let is_due = "SELECT digest_due_at <= now() FROM notify.preference
        WHERE user_id = '00000000-0000-0000-0000-0000000000aa'";
    let mut due_after = |change: &str, language: &str| -> bool {
        sql.batch_execute(&format!("SET LOCAL search_path = notify; {change}"))
            .unwrap();
        sql.query_one(save, &[&language]).unwrap();
        sql.query_one(is_due, &[]).unwrap().get(0)
    };
    assert!(!due_after("SELECT 1", "en"));
    let due = "UPDATE preference SET digest_due_at = now() - interval '1 second'
        WHERE user_id = '00000000-0000-0000-0000-0000000000aa'";
    assert!(due_after(due, "ru"));
}
