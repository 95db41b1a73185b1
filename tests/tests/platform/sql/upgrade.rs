//! The upgrade of a database of the release before that has unfinished events.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use postgres::{Client, NoTls};
use wharf_tests::{Folder, repository};

use super::{migrate, start_store};

/// Whether this release added the file, or the file needs one that this release added.
fn is_new(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let schema = path.parent().unwrap().file_name().unwrap();
    let is_numbered = name.starts_with(|it: char| it.is_ascii_digit());
    match schema.to_str().unwrap() {
        "events" => !["0001_outbox.sql", "0002_relay.sql"].contains(&name.as_str()),
        "notify" | "telegram" if is_numbered => !name.starts_with("0001"),
        _ => ["events.sql", "hours.sql", "tell_disabled.sql"].contains(&name.as_str()),
    }
}

/// The migrations of the release before.
fn lay_out_former(folder: &Folder) {
    for schema in fs::read_dir(repository().join("migrations"))
        .unwrap()
        .flatten()
    {
        if !schema.path().is_dir() {
            continue;
        }
        let target = folder.path().join(schema.file_name());
        fs::create_dir_all(&target).unwrap();
        for file in fs::read_dir(schema.path()).unwrap().flatten() {
            if !is_new(&file.path()) {
                fs::copy(file.path(), target.join(file.file_name())).unwrap();
            }
        }
    }
}

/// 100 000 unfinished events: notices in lines of five, users, calls of webhooks. Some have failed, some are being
/// carried out. Others are done or dead.
const FORMER: &str = "
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'notify', 'booking:' || number % 10000, jsonb_build_object('number', number)
    FROM generate_series(1, 50000) AS number;
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'user:created', 'user:' || number, jsonb_build_object('id', gen_random_uuid())
    FROM generate_series(1, 30000) AS number;
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'deliver:webhook', 'webhook:call:' || number, jsonb_build_object('webhook', 'hook-' || number % 50)
    FROM generate_series(1, 19990) AS number;
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'user:erased', 'user:' || number, jsonb_build_object('id', gen_random_uuid())
    FROM generate_series(1, 10) AS number;
    INSERT INTO events.outbox (kind, aggregate, payload, state, attempts, settled_at)
    SELECT 'notify', 'old', '{}', state, 3, now() - interval '2 days'
    FROM (VALUES ('done'), ('dead')) AS it (state), generate_series(1, 10);
    INSERT INTO events.failure (event, fence, attempt, error)
    SELECT id, 1, 3, 'no answer' FROM events.outbox WHERE state = 'dead';
    UPDATE events.outbox SET attempts = 1, due_at = now() + interval '1 hour' WHERE seq % 1000 = 1;
    UPDATE events.outbox SET unsettled = 1, fence = 1, due_at = now() + interval '1 minute'
    WHERE seq % 1000 = 2 AND kind = 'notify'";

fn count(sql: &mut Client, query: &str) -> i64 {
    sql.query_one(query, &[]).unwrap().get(0)
}

#[test]
fn unfinished_events_of_the_release_before_are_carried_over() {
    let former = Folder::new("former");
    lay_out_former(&former);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (store, url) = runtime.block_on(start_store());
    runtime.block_on(migrate(&url, former.path()));
    let mut sql = Client::connect(&url, NoTls).unwrap();
    sql.batch_execute(FORMER).unwrap();
    runtime.block_on(migrate(&url, &repository().join("migrations")));

    let by_consumer = "SELECT count(*) FROM events.delivery WHERE state <> 'dead' AND consumer = ";
    assert_eq!(
        count(&mut sql, &format!("{by_consumer} 'notify'")),
        50_000 + 19_990 + 10
    );
    assert_eq!(
        count(&mut sql, &format!("{by_consumer} 'payments'")),
        30_010
    );
    assert_eq!(count(&mut sql, &format!("{by_consumer} 'bookings'")), 10);
    let dead =
        "SELECT count(*) FROM events.entry WHERE state = 'dead' AND last_error = 'no answer'";
    assert_eq!(count(&mut sql, dead), 10);
    assert_eq!(count(&mut sql, "SELECT count(*) FROM events.archive"), 10);
    assert_eq!(count(&mut sql, "SELECT count(*) FROM events.failure"), 10);
    let heads = "SELECT count(*) FROM events.delivery WHERE state = 'running' AND fence = 1 AND unsettled = 1";
    assert!(count(&mut sql, heads) > 0, "claims keep their fence");

    // The copy that had them settles them; what failed is due now.
    let in_hand = "SELECT event, fence FROM events.delivery WHERE state = 'running'";
    let in_hand = sql.query(in_hand, &[]).unwrap();
    sql.batch_execute("SET SESSION AUTHORIZATION wharf_notify")
        .unwrap();
    for row in &in_hand {
        let (event, fence): (uuid::Uuid, i64) = (row.get(0), row.get(1));
        let settle = "SELECT events.settle($1, $2, 'done', 0, NULL, '[]')";
        assert!(
            sql.query_one(settle, &[&event, &fence])
                .unwrap()
                .get::<_, bool>(0)
        );
    }
    sql.batch_execute(
        "RESET SESSION AUTHORIZATION;
        UPDATE events.delivery SET due_at = now() WHERE state = 'retrying'",
    )
    .unwrap();

    // Everything else is handed out once, in order.
    let mut seen = BTreeMap::<(String, String), i64>::new();
    let mut handed = 0;
    for role in ["notify", "payments", "bookings"] {
        sql.batch_execute(&format!("SET SESSION AUTHORIZATION wharf_{role}"))
            .unwrap();
        loop {
            let claim = "SELECT delivery, fence, aggregate, seq FROM events.claim_deliveries(500, 500, 60000)";
            let claimed = sql.query(claim, &[]).unwrap();
            if claimed.is_empty() {
                break;
            }
            handed += claimed.len();
            let mut settlements = Vec::new();
            for row in &claimed {
                let (delivery, fence): (i64, i64) = (row.get(0), row.get(1));
                let (aggregate, seq): (String, i64) = (row.get(2), row.get(3));
                let before = seen.insert((role.to_owned(), aggregate), seq);
                assert!(before < Some(seq), "out of order");
                settlements.push(serde_json::json!({
                    "delivery": delivery, "fence": fence, "outcome": "done",
                }));
            }
            let settle = "SELECT count(*) FROM events.settle_deliveries($1)";
            let settled = sql
                .query_one(settle, &[&serde_json::json!(settlements)])
                .unwrap();
            assert_eq!(
                settled.get::<_, i64>(0),
                i64::try_from(claimed.len()).unwrap()
            );
        }
        sql.batch_execute("RESET SESSION AUTHORIZATION").unwrap();
    }
    assert_eq!(handed + in_hand.len(), 70_000 + 30_010 + 10);
    let left = "SELECT count(*) FROM events.delivery WHERE state NOT IN ('dead', 'done')";
    assert_eq!(count(&mut sql, left), 0);
    drop(store);
}
