//! Operators look after the outbox: deliveries that wait, dead letters with their causes, and what to do about them.

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Options, Stack, User, eventually};

use super::{SOON, count_holders, emit, new_stranger, wait_until_settled};

fn backlog(admin: &User, consumer: &str, kind: &str) -> Value {
    let queue = admin.get("/jobs/queue").send().expect(200).json();
    let queue = queue.as_array().unwrap();
    let found = queue
        .iter()
        .find(|it| it["kind"] == kind && it["consumer"] == consumer);
    found.cloned().unwrap_or(Value::Null)
}

const MISFIT: &str = "the payload does not fit the kind";

/// A dead letter of payments: it does not fit its kind.
fn dead_letter(sql: &mut postgres::Client, aggregate: &str, payload: &Value) -> Uuid {
    let event = emit(sql, "user:updated", aggregate, payload);
    wait_until_settled(sql, event, "dead");
    event
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
        ("GET", "/jobs/queue/lanes"),
        ("PUT", "/jobs/lanes/payments/main/pause"),
        ("DELETE", "/jobs/consumers/payments/pause"),
        ("POST", "/events"),
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
    let event = dead_letter(&mut sql, "poison:1", &secret);

    let path = format!("/jobs/events/{event}");
    let answer = admin.get(&path).send().expect(200);
    assert!(!answer.text().contains("s3cr3t") && !answer.text().contains("p4ss"));
    let shown = answer.json();
    let delivery = &shown["deliveries"][0];
    assert_eq!(delivery["payload"]["name"], "x");
    assert_eq!(
        (
            &delivery["attempts"],
            &delivery["consumer"],
            &delivery["lane"]
        ),
        (&1.into(), &"payments".into(), &"main".into())
    );
    assert_eq!(shown["failures"][0]["error"], MISFIT);
    let listed = admin
        .get("/jobs/events?state=dead&kind=user:updated&consumer=payments&aggregate=poison:1&limit=1")
        .send()
        .expect(200)
        .json();
    assert_eq!(listed[0]["id"], delivery["id"]);
    let dead = &backlog(&admin, "payments", "user:updated")["dead"];
    assert!(dead.as_i64().unwrap() >= 1, "{dead}");

    admin.post(&format!("{path}/requeue")).send().expect(204);
    wait_until_settled(&mut sql, event, "dead");
    eventually("it failed once more", SOON, || {
        let shown = admin.get(&path).send().expect(200).json();
        shown["failures"].as_array().unwrap().len() == 2
    });
    let all = admin
        .post("/jobs/requeue?kind=user:updated&consumer=payments")
        .send()
        .expect(200);
    assert!(all.json()["requeued"].as_i64().unwrap() >= 1);
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
        let waiting = "SELECT count(*) FROM events.entry WHERE kind = 'user:created' AND state NOT IN ('done', 'dead')";
        sql.query_one(waiting, &[]).unwrap().get::<_, i64>(0) == 0
    });
    admin.put("/jobs/pauses/user:created").send().expect(204);
    let (id, payload) = new_stranger();
    let paused = emit(&mut sql, "user:created", "user:paused", &payload);
    // Events of other kinds flow on, one behind the other.
    let several = "INSERT INTO events.outbox (kind, aggregate, payload)
        SELECT 'user:updated', 'user:flowing', $1 FROM generate_series(1, 3) RETURNING id";
    for flowing in sql.query(several, &[&new_stranger().1]).unwrap() {
        wait_until_settled(&mut sql, flowing.get(0), "done");
    }
    assert_eq!(count_holders(&mut sql, id), 0);
    let waiting = backlog(&admin, "payments", "user:created");
    assert_eq!(
        (&waiting["parked"], &waiting["paused"]),
        (&1.into(), &true.into())
    );
    // It is behind an event of the paused kind.
    let follower = emit(&mut sql, "user:updated", "user:paused", &payload);
    wait_until_settled(&mut sql, follower, "blocked");

    admin.delete("/jobs/pauses/user:created").send().expect(204);
    wait_until_settled(&mut sql, paused, "done");
    wait_until_settled(&mut sql, follower, "done");
    assert_eq!(count_holders(&mut sql, id), 1);
    admin
        .delete("/jobs/pauses/user:created")
        .send()
        .problem(404);
}

#[test]
fn a_paused_function_waits_until_it_goes_on_and_a_paused_lane_too() {
    let stack = Stack::start();
    let mut sql = stack.sql();
    let admin = User::admin(&stack);
    for path in [
        "/jobs/consumers/payments/pause",
        "/jobs/lanes/payments/main/pause",
    ] {
        admin.put(path).send().expect(204);
        admin.put(path).send().expect(204);
        let (id, payload) = new_stranger();
        let paused = emit(&mut sql, "user:created", &format!("user:{id}"), &payload);
        let other = emit(
            &mut sql,
            "telegram:started",
            "telegram:1",
            &json!({ "chat": 1 }),
        );
        wait_until_settled(&mut sql, other, "done");
        wait_until_settled(&mut sql, paused, "ready");
        let lanes = admin.get("/jobs/queue/lanes").send().expect(200).json();
        let lane = lanes
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["consumer"] == "payments");
        assert!(lane.unwrap()["paused_by"].is_string(), "{lanes}");
        assert_eq!(count_holders(&mut sql, id), 0);
        admin.delete(path).send().expect(204);
        wait_until_settled(&mut sql, paused, "done");
        admin.delete(path).send().problem(404);
    }
    admin
        .put("/jobs/lanes/payments/x/pause")
        .send()
        .problem(404);
}

#[test]
fn prometheus_reads_the_backlog() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    dead_letter(&mut sql, "poison:2", &json!({}));
    let labels = "consumer=\"payments\",lane=\"main\",kind=\"user:updated\",state=\"dead\"";
    // Another test may have requeued it for a moment.
    eventually("it is counted", SOON, || {
        let answer = stack.get("/jobs/metrics").send().expect(200);
        let kind = answer.header("content-type").unwrap();
        assert!(kind.starts_with("text/plain"), "{kind}");
        answer
            .text()
            .contains(&format!("outbox_deliveries{{{labels}}} "))
    });
}

/// On platforms without Redis triggers a cron calls these.
#[test]
fn a_clock_outside_does_what_the_clock_inside_does() {
    let stack = Options::default()
        .variable("tick_token", "tick-tock")
        .start();
    for path in [
        "/jobs/tick",
        "/notify/tick",
        "/booking/tick",
        "/payments/tick",
        "/auth/tick",
    ] {
        stack.post(path).send().problem(401);
        stack.post(path).bearer("tick").send().problem(401);
        stack.post(path).api_key("tick-tock").send().problem(401);
        stack.post(path).bearer("tick-tock").send().expect(204);
    }
    let mut sql = stack.sql();
    let (id, payload) = new_stranger();
    let event = emit(&mut sql, "user:created", "user:ticked", &payload);
    stack
        .post("/payments/tick")
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
    let event = dead_letter(&mut sql, "poison:3", &json!({}));
    let path = format!("/jobs/events/{event}");
    admin.delete(&path).send().expect(204);
    let shown = admin.get(&path).send().expect(200).json();
    assert_eq!(shown["deliveries"][0]["state"], "done");
    let why = shown["failures"][0]["error"].as_str().unwrap();
    assert!(why.starts_with("discarded by "), "{why}");
    assert_eq!(shown["failures"][1]["error"], MISFIT);
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
            "INSERT INTO events.delivery (event, seq, kind, aggregate, payload, created_at, consumer, lane, state,
                due_at, attempts)
            VALUES (gen_random_uuid(), 1, 'user:created', 'user:waits', $1, now(), 'payments', 'main', 'retrying',
                now() + interval '1 hour', 5)
            RETURNING event",
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

#[test]
fn a_program_that_wants_a_receipt_announces_an_event_once() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    let admin = User::admin(&stack);
    let (id, payload) = new_stranger();
    let body = json!({ "kind": "user:announced", "payload": payload });
    let key = Uuid::new_v4().to_string();
    let announce = || {
        let request = admin.post("/events").header("idempotency-key", &key);
        request.json(&body).send().expect(201).json()
    };
    let receipt = announce();
    assert_eq!(announce(), receipt);
    // The answer was lost, and the key with it.
    sql.execute(
        "DELETE FROM jobs.idempotency_key WHERE key LIKE '%' || $1",
        &[&key],
    )
    .unwrap();
    assert_eq!(announce(), receipt);
    let event: Uuid = receipt["id"].as_str().unwrap().parse().unwrap();
    wait_until_settled(&mut sql, event, "done");
    assert_eq!(count_holders(&mut sql, id), 1);
    let written = "SELECT count(*) FROM events.entry WHERE kind = 'user:announced' AND payload ->> 'id' = $1::text";
    let written = sql.query_one(written, &[&id.to_string()]).unwrap();
    assert_eq!(written.get::<_, i64>(0), 1);
    let misfit = json!({ "kind": "notification", "payload": payload });
    let problem = admin.post("/events").json(&misfit).send().problem(422);
    assert_eq!(problem["errors"][0]["pointer"], "/payload");
}
