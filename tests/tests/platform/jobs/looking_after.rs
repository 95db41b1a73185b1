//! People look after the outbox: what waits, what is dead and why, and what to do about it.

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Options, Stack, User, eventually};

use super::{SOON, count_holders, emit, new_stranger, wait_until_settled};

fn backlog(admin: &User, kind: &str) -> Value {
    let queue = admin.get("/jobs/queue").send().expect(200).json();
    let queue = queue.as_array().unwrap();
    let found = queue.iter().find(|it| it["kind"] == kind);
    found.cloned().unwrap_or(Value::Null)
}

#[test]
fn only_admins_look_after_the_outbox() {
    let stack = Stack::shared();
    let driver = User::driver(&stack);
    let event = format!("/jobs/events/{}", Uuid::new_v4());
    for (method, path) in [
        ("GET", "/jobs/queue"),
        ("GET", "/jobs/events"),
        ("GET", &event),
        ("DELETE", &event),
        ("POST", "/jobs/requeue"),
        ("PUT", "/jobs/pauses/notify"),
        ("DELETE", "/jobs/pauses/notify"),
    ] {
        stack.request(method, path).send().problem(401);
        driver.request(method, path).send().problem(403);
    }
    let admin = User::admin(&stack);
    admin.get(&event).send().problem(404);
    admin.get("/jobs/events/7").send().problem(404);
    admin
        .request("PUT", "/jobs/pauses/No%20Kind")
        .send()
        .problem(404);
}

#[test]
fn a_dead_event_says_why_and_can_have_all_its_attempts_again() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    let admin = User::admin(&stack);
    let secret = json!({ "name": "x", "reset_token": "s3cr3t", "list": [{ "password": "p4ss" }] });
    let event = emit(&mut sql, "poison:looked-at", "poison:1", &secret);
    wait_until_settled(&mut sql, event, "dead");

    let path = format!("/jobs/events/{event}");
    let answer = admin.get(&path).send().expect(200);
    assert!(!answer.text().contains("s3cr3t") && !answer.text().contains("p4ss"));
    let shown = answer.json();
    assert_eq!(shown["payload"]["name"], "x");
    assert_eq!(shown["attempts"], 1);
    assert_eq!(
        shown["failures"][0]["error"],
        "no function hears events of this kind"
    );
    let listed = admin
        .get("/jobs/events?state=dead&kind=poison:looked-at&limit=1")
        .send()
        .expect(200)
        .json();
    assert_eq!(listed[0]["id"], shown["id"]);
    assert_eq!(backlog(&admin, "poison:looked-at")["dead"], 1);

    admin.post(&format!("{path}/requeue")).send().expect(204);
    wait_until_settled(&mut sql, event, "dead");
    eventually("it failed once more", SOON, || {
        let shown = admin.get(&path).send().expect(200).json();
        shown["failures"].as_array().unwrap().len() == 2
    });
    let all = admin
        .post("/jobs/requeue?kind=poison:looked-at")
        .send()
        .expect(200);
    assert_eq!(all.json()["requeued"], 1);
    let other = emit(&mut sql, "user:created", "user:x", &new_stranger().1);
    wait_until_settled(&mut sql, other, "done");
    let done = format!("/jobs/events/{other}/requeue");
    admin.post(&done).send().problem(409);
}

#[test]
fn a_paused_kind_waits_until_it_goes_on() {
    let stack = Stack::start();
    let mut sql = stack.sql();
    let admin = User::admin(&stack);
    eventually("nothing is left of the admin's own arrival", SOON, || {
        let waiting =
            "SELECT count(*) FROM events.outbox WHERE kind = 'user:created' AND state = 'waiting'";
        sql.query_one(waiting, &[]).unwrap().get::<_, i64>(0) == 0
    });
    admin.put("/jobs/pauses/user:created").send().expect(204);
    let (id, payload) = new_stranger();
    let paused = emit(&mut sql, "user:created", "user:paused", &payload);
    // Events of other kinds flow on.
    let flowing = emit(&mut sql, "user:changed", "user:flowing", &new_stranger().1);
    wait_until_settled(&mut sql, flowing, "done");
    assert_eq!(count_holders(&mut sql, id), 0);
    let waiting = backlog(&admin, "user:created");
    assert_eq!(
        (&waiting["waiting"], &waiting["paused"]),
        (&1.into(), &true.into())
    );

    admin.delete("/jobs/pauses/user:created").send().expect(204);
    wait_until_settled(&mut sql, paused, "done");
    assert_eq!(count_holders(&mut sql, id), 1);
    admin
        .delete("/jobs/pauses/user:created")
        .send()
        .problem(404);
}

#[test]
fn prometheus_reads_the_backlog() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    let event = emit(&mut sql, "poison:measured", "poison:2", &json!({}));
    wait_until_settled(&mut sql, event, "dead");
    let answer = stack.get("/jobs/metrics").send().expect(200);
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .starts_with("text/plain")
    );
    assert!(
        answer
            .text()
            .contains("outbox_dead{kind=\"poison:measured\"} 1\n")
    );
}

/// On platforms without Redis triggers a cron calls these.
#[test]
fn a_clock_outside_does_what_the_clock_inside_does() {
    let stack = Options::default()
        .variable("tick_token", "tick-tock")
        .start();
    for path in ["/jobs/tick", "/notify/tick", "/booking/tick"] {
        stack.post(path).send().problem(401);
        stack.post(path).bearer("tick").send().problem(401);
        stack.post(path).api_key("tick-tock").send().problem(401);
        stack.post(path).bearer("tick-tock").send().expect(204);
    }
    let mut sql = stack.sql();
    let (id, payload) = new_stranger();
    let event = emit(&mut sql, "user:created", "user:ticked", &payload);
    stack
        .post("/jobs/tick")
        .bearer("tick-tock")
        .send()
        .expect(204);
    wait_until_settled(&mut sql, event, "done");
    assert_eq!(count_holders(&mut sql, id), 1);
}

#[test]
fn a_dead_event_is_given_up_by_a_person_and_says_by_whom() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    let admin = User::admin(&stack);
    let event = emit(&mut sql, "poison:given-up", "poison:3", &json!({}));
    wait_until_settled(&mut sql, event, "dead");
    let path = format!("/jobs/events/{event}");
    admin.delete(&path).send().expect(204);
    let shown = admin.get(&path).send().expect(200).json();
    assert_eq!(shown["state"], "done");
    let why = shown["failures"][0]["error"].as_str().unwrap();
    assert!(why.starts_with("discarded by "), "{why}");
    assert_eq!(
        shown["failures"][1]["error"],
        "no function hears events of this kind"
    );
    admin.delete(&path).send().problem(409);
    let unknown = format!("/jobs/events/{}", Uuid::new_v4());
    admin.delete(&unknown).send().problem(404);
}

#[test]
fn an_admin_can_retry_a_waiting_event_at_once() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    let admin = User::admin(&stack);
    let (id, payload) = new_stranger();
    let event: Uuid = sql
        .query_one(
            "INSERT INTO events.outbox (kind, aggregate, payload, attempts, due_at)
            VALUES ('user:created', 'user:waits', $1, 5, now() + interval '1 hour') RETURNING id",
            &[&payload],
        )
        .unwrap()
        .get(0);
    assert_eq!(count_holders(&mut sql, id), 0);
    let path = format!("/jobs/events/{event}/requeue");
    admin.post(&path).send().expect(204);
    wait_until_settled(&mut sql, event, "done");
    assert_eq!(count_holders(&mut sql, id), 1);
    admin.post(&path).send().problem(409);
}
