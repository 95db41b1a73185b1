//! Each channel has lanes of its own: a stuck lane does not delay the others.

use std::time::{Duration, Instant};

use serde_json::json;
use wharf_tests::{Options, Outside, Reply, Stack, User, eventually};

use super::SOON;

/// A messenger that never answers in time, webhooks that are too slow, and a mail API that works.
struct Stuck {
    stack: Stack,
    messenger: Outside,
    mail: Outside,
    hook: Outside,
}

impl Stuck {
    fn start() -> Self {
        let hang = |_: &wharf_tests::Received| Reply::status(200).after(Duration::from_secs(20));
        let messenger = Outside::start(hang);
        let hook = Outside::start(hang);
        let mail = Outside::start(|_| Reply::json(200, &json!({ "id": "1" })));
        let stack = Options::default()
            .variable("telegram_url", &messenger.url())
            .variable("telegram_token", "token")
            .variable("mail_url", &mail.url())
            .variable("webhook_test_origin", &hook.url())
            .start();
        Self {
            stack,
            messenger,
            mail,
            hook,
        }
    }

    fn wake(&self) {
        redis::cmd("PUBLISH")
            .arg(&["outbox", ""])
            .exec(&mut self.stack.redis())
            .unwrap();
    }
}

#[test]
fn letters_flow_while_messenger_webhooks_and_a_paused_kind_stand_still() {
    let stuck = Stuck::start();
    let mut sql = stuck.stack.sql();
    let admin = User::admin(&stuck.stack);
    admin.put("/jobs/pauses/deliver:email").send().expect(204);
    sql.batch_execute(&format!(
        "INSERT INTO events.outbox (kind, aggregate, payload)
        SELECT 'deliver:telegram', 'telegram:' || number, jsonb_build_object('chat', number, 'text', 'x')
        FROM generate_series(1, 400) AS number;
        INSERT INTO events.outbox (kind, aggregate, payload)
        SELECT 'deliver:email', 'email:' || number, jsonb_build_object('to', 'x', 'subject', 'x', 'text', 'x')
        FROM generate_series(1, 2000) AS number;
        WITH hook AS (
            INSERT INTO notify.webhook (id, owner, url)
            SELECT gen_random_uuid(), gen_random_uuid(), '{}/in' FROM generate_series(1, 20)
            RETURNING id
        ), key AS (
            INSERT INTO notify.webhook_key (webhook, secret) SELECT id, 'c2VjcmV0' FROM hook
        )
        INSERT INTO events.outbox (kind, aggregate, payload)
        SELECT 'deliver:webhook', 'webhook:' || id || ':' || number,
            jsonb_build_object('webhook', id, 'body', jsonb_build_object('type', 'x'))
        FROM hook, generate_series(1, 20) AS number",
        stuck.hook.url()
    ))
    .unwrap();
    stuck.wake();
    eventually("messenger and webhooks hang", SOON, || {
        stuck.messenger.received().len() >= 40 && stuck.hook.received().len() >= 20
    });
    let mut slowest = Duration::ZERO;
    for number in 0..10 {
        let address = format!("letter-{number}@example.org");
        let letter = json!({ "to": address, "subject": "s", "text": "t" });
        sql.execute(
            "INSERT INTO events.outbox (kind, aggregate, payload) VALUES ('deliver:letter', $1, $2)",
            &[&address, &letter],
        )
        .unwrap();
        let began = Instant::now();
        stuck.wake();
        stuck.mail.find("a letter", SOON, |it| {
            it.json()["to"][0] == address.as_str()
        });
        slowest = slowest.max(began.elapsed());
    }
    // A second, and what a busy machine adds.
    assert!(slowest < Duration::from_secs(4), "{slowest:?}");
    let letters = stuck.mail.received();
    assert_eq!(
        letters.len(),
        10,
        "nothing of the paused kind is sent, and no letter twice"
    );
    let parked =
        "SELECT count(*) FROM events.entry WHERE kind = 'deliver:email' AND state = 'parked'";
    eventually("the paused kind is parked", SOON, || {
        sql.query_one(parked, &[]).unwrap().get::<_, i64>(0) == 2_000
    });
}

/// Ten failures in a row: from then on one delivery at a time asks whether it works again.
#[test]
fn a_messenger_that_fails_for_all_is_left_alone() {
    let messenger = Outside::start(|_| Reply::status(502));
    let stack = Options::default()
        .variable("telegram_url", &messenger.url())
        .variable("telegram_token", "token")
        .start();
    let mut sql = stack.sql();
    sql.batch_execute(
        "INSERT INTO events.outbox (kind, aggregate, payload)
        SELECT 'deliver:telegram', 'telegram:' || number, jsonb_build_object('chat', number, 'text', 'x')
        FROM generate_series(1, 300) AS number",
    )
    .unwrap();
    let lane = "SELECT failures, not_before > now() FROM events.lane WHERE name = 'messenger'";
    eventually("the lane rests", SOON, || {
        let row = sql.query_opt(lane, &[]).unwrap();
        row.is_some_and(|it| it.get::<_, i32>(0) >= 10 && it.get(1))
    });
    let ready =
        "SELECT count(*) FROM events.entry WHERE kind = 'deliver:telegram' AND attempts = 0";
    let untried: i64 = sql.query_one(ready, &[]).unwrap().get(0);
    assert!(untried >= 150, "{untried} of 300 were not tried in vain");
}
