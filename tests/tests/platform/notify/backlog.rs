//! A letter is delivered first, however many events wait. With `TEST_EVENTS=1000000 infra/test notify::backlog` a million
//! events wait, and each letter has to be delivered within a second.

use std::env;
use std::time::{Duration, Instant};

use serde_json::json;
use wharf_tests::{Options, Outside, Reply, eventually};

use super::SOON;

/// On the lane of letters and on that of mail, heads that back off with others behind them; notices that are carried out
/// meanwhile, for people who are gone.
fn backlog(events: i64) -> String {
    format!(
        "INSERT INTO events.delivery (event, seq, kind, aggregate, payload, created_at, consumer, lane, state, due_at,
            attempts)
        SELECT gen_random_uuid(), number, 'deliver:' || kind, 'line:' || kind || ':' || number / 2,
            '{{\"to\": \"x\", \"subject\": \"x\", \"text\": \"x\"}}', now(), 'notify', lane,
            CASE WHEN number % 2 = 0 THEN 'retrying' ELSE 'blocked' END, now() + interval '1 hour', 1
        FROM generate_series(1, {events} / 4) AS number,
            (VALUES ('letter', 'letters'), ('email', 'mail')) AS it (kind, lane);
        INSERT INTO events.delivery (event, seq, kind, aggregate, payload, created_at, consumer, lane, state, due_at)
        SELECT gen_random_uuid(), number, 'notify', 'gone:' || number, jsonb_build_object(
            'user_id', gen_random_uuid(), 'template', 'booking_ending',
            'params', '{{\"booking_id\": 17, \"place\": \"Garage\", \"date_to\": \"2026-11-21 11:30\"}}'::jsonb
        ), now(), 'notify', 'notices', 'ready', now()
        FROM generate_series(1, {events} / 2) AS number;
        INSERT INTO events.lane (consumer, name, max_running, rank, wake_at)
        SELECT consumer, name, max_running, rank, now() FROM events.lane_rule WHERE consumer = 'notify'
        ON CONFLICT (consumer, name) DO UPDATE SET wake_at = now()"
    )
}

#[test]
fn a_letter_goes_first_among_events_of_which_half_back_off() {
    let chosen = env::var("TEST_EVENTS").ok();
    let events = chosen.as_ref().map_or(20_000, |it| it.parse().unwrap());
    // Beside other tests a machine may be busy.
    let limit = match chosen {
        Some(_) => Duration::from_secs(1),
        None => Duration::from_secs(10),
    };
    let mail = Outside::start(|_| Reply::json(200, &json!({ "id": "1" })));
    let stack = Options::default()
        .variable("mail_url", &mail.url())
        .variable("mail_key", "mail-key")
        .start();
    let mut sql = stack.sql();
    sql.batch_execute(&backlog(events)).unwrap();
    let mut slowest = Duration::ZERO;
    for number in 0..10 {
        let address = format!("letter-{number}@example.org");
        let letter = json!({ "to": address, "subject": "s", "text": "t" });
        let began = Instant::now();
        sql.execute(
            "INSERT INTO events.outbox (kind, aggregate, payload) VALUES ('deliver:letter', $1, $2)",
            &[&address, &letter],
        )
        .unwrap();
        redis::cmd("PUBLISH")
            .arg(&["outbox", ""])
            .exec(&mut stack.redis())
            .unwrap();
        mail.find("a letter", SOON, |it| {
            it.json()["to"][0] == address.as_str()
        });
        slowest = slowest.max(began.elapsed());
    }
    println!("the slowest of ten letters among {events} events took {slowest:?}");
    assert!(slowest < limit, "{slowest:?}");
    // At full size the rest takes minutes and shows nothing more.
    if chosen.is_none() {
        let left = "SELECT count(*) FROM events.delivery WHERE state IN ('ready', 'running')";
        eventually("all that can go has gone", SOON, || {
            sql.query_one(left, &[]).unwrap().get::<_, i64>(0) == 0
        });
    }
    assert_eq!(mail.received().len(), 10, "each letter once");
}
