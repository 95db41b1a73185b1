//! The audit trail over months: what is old goes, what is of an erased person goes, floods are sampled.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Stack, User, eventually};

fn id_of(user: &User) -> String {
    let me = user.get("/auth/me").send().expect(200).json();
    me["id"].as_str().unwrap().to_owned()
}

/// Writes a line, some months ago, as if it had been written then.
fn write_line(stack: &Stack, account: &str, actor: Option<&str>, months_ago: i32, address: &str) {
    let make = "SELECT signin.make_audit_month(
        (date_trunc('month', now() AT TIME ZONE 'UTC') - $1::int * interval '1 month')::date)";
    let write = "INSERT INTO signin.audit (at, what, account, actor, address, request_id)
        VALUES (now() - $1::int * interval '1 month', 'test', $2::text::uuid, $3::text::uuid, $4, 'r')";
    let mut sql = stack.sql();
    // In one transaction, because the sweep drops a month that is past its time.
    let mut transaction = sql.transaction().unwrap();
    transaction.query(make, &[&months_ago]).unwrap();
    transaction
        .execute(write, &[&months_ago, &account, &actor, &address])
        .unwrap();
    transaction.commit().unwrap();
}

/// The addresses in lines of `what`, oldest first.
fn addresses(stack: &Stack, account: &str) -> Vec<String> {
    let lines =
        "SELECT address FROM signin.audit WHERE account::text = $1 AND what = 'test' ORDER BY at";
    let lines = stack.sql().query(lines, &[&account]).unwrap();
    lines.iter().map(|it| it.get(0)).collect()
}

#[test]
fn a_month_that_is_past_its_time_is_dropped_whole_and_coming_months_are_made() {
    let stack = Stack::start();
    let id = Uuid::new_v4().to_string();
    write_line(&stack, &id, None, 15, "203.0.113.15");
    write_line(&stack, &id, None, 12, "203.0.113.12");
    let coming = "SELECT to_regclass('signin.audit_' || to_char(
            date_trunc('month', now() AT TIME ZONE 'UTC') + interval '12 months', 'YYYYMM'))::text";
    let coming = || -> Option<String> { stack.sql().query_one(coming, &[]).unwrap().get(0) };
    let last = coming().unwrap();
    stack
        .sql()
        .batch_execute(&format!("DROP TABLE {last}"))
        .unwrap();
    eventually(
        "the month in a year is there",
        Duration::from_secs(20),
        || coming().is_some(),
    );
    eventually("the old month is gone", Duration::from_secs(20), || {
        addresses(&stack, &id) == ["203.0.113.12"]
    });
    let partitions = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'signin.audit'::regclass";
    let partitions: i64 = stack.sql().query_one(partitions, &[]).unwrap().get(0);
    // The one of a year ago, this month and the year to come.
    assert_eq!(partitions, 14);
    User::registered(&stack);
    // Old months are dropped also when all coming months exist already.
    write_line(&stack, &id, None, 15, "203.0.113.15");
    eventually(
        "the old month is gone again",
        Duration::from_secs(20),
        || addresses(&stack, &id) == ["203.0.113.12"],
    );
}

#[test]
fn the_lines_of_a_month_can_be_rewritten_there_neither() {
    let stack = Stack::shared();
    User::registered(&stack);
    let mut sql = stack.sql();
    let month = "SELECT inhrelid::regclass::text FROM pg_inherits
        WHERE inhparent = 'signin.audit'::regclass AND EXISTS (
            SELECT FROM signin.audit WHERE tableoid = inhrelid)
        LIMIT 1";
    let month: String = sql.query_one(month, &[]).unwrap().get(0);
    for tampering in [
        format!("UPDATE {month} SET what = 'nothing'"),
        format!("DELETE FROM {month}"),
        format!("TRUNCATE {month}"),
    ] {
        assert!(sql.batch_execute(&tampering).is_err(), "{tampering}");
    }
    sql.batch_execute("SET ROLE wharf_signin").unwrap();
    for reach in [
        format!("SELECT FROM {month}"),
        format!("INSERT INTO {month} SELECT * FROM signin.audit LIMIT 1"),
        "SELECT signin.make_audit_month('1999-01-01')".to_owned(),
    ] {
        assert!(sql.batch_execute(&reach).is_err(), "{reach}");
    }
}

#[test]
fn the_addresses_of_an_erased_person_are_gone_from_every_month() {
    let stack = Stack::shared();
    let (user, other) = (User::registered(&stack), User::registered(&stack));
    let (mine, others) = (id_of(&user), id_of(&other));
    write_line(&stack, &mine, None, 11, "203.0.113.1");
    write_line(&stack, &mine, None, 0, "203.0.113.1");
    // What the person did to another, and another to them.
    write_line(&stack, &others, Some(&mine), 3, "203.0.113.1");
    write_line(&stack, &others, None, 2, "203.0.113.2");
    write_line(&stack, &mine, Some(&others), 1, "203.0.113.2");
    let body = json!({ "username": user.login, "password": user.password });
    let pair = stack.post("/api/v1/login").json(&body).send().expect(200);
    let spent = json!({ "refresh_token": pair.json()["refresh_token"] });
    stack.post("/auth/refresh").json(&spent).send().expect(200);
    user.delete("/auth/me").send().expect(204);

    assert_eq!(
        addresses(&stack, &mine),
        ["erased", "203.0.113.2", "erased"]
    );
    assert_eq!(addresses(&stack, &others), ["erased", "203.0.113.2"]);
    let left = "SELECT to_jsonb(session)::text FROM signin.session WHERE account::text = $1";
    for session in stack.sql().query(left, &[&mine]).unwrap() {
        let session: String = session.get(0);
        assert!(!session.contains("127.0.0.1"), "{session}");
    }
}

#[test]
fn a_flood_of_refusals_is_sampled() {
    let stack = Stack::start();
    let refuse = || {
        let body = json!({ "token": "wharf_pat_nonsense" });
        stack.post("/auth/exchange").json(&body).send().problem(401);
    };
    let recorded = || -> i64 {
        let lines = "SELECT count(*) FROM signin.audit WHERE what = 'refused' AND account IS NULL";
        stack.sql().query_one(lines, &[]).unwrap().get(0)
    };
    refuse();
    let mut redis = stack.redis();
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg("{tries}:recorded-unknown:*")
        .query(&mut redis)
        .unwrap();
    redis::cmd("SET")
        .arg(&keys[0])
        .arg(298)
        .arg("KEEPTTL")
        .exec(&mut redis)
        .unwrap();
    for _ in 0..6 {
        refuse();
    }
    assert_eq!(recorded(), 3);
}

#[test]
fn an_export_has_pages_of_the_audit_trail() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let id = id_of(&user);
    for months in [13, 5, 0] {
        write_line(&stack, &id, None, months, "203.0.113.1");
    }
    let export = |query: &str| -> Vec<Value> {
        let page = user.get(&format!("/auth/export{query}")).send().expect(200);
        page.json()["events"].as_array().unwrap().clone()
    };
    let newest = export("");
    assert_eq!(newest.len(), 4, "{newest:?}");
    let before = newest[1]["id"].as_i64().unwrap();
    let older = export(&format!("?before={before}"));
    // The export itself is a line, and newer.
    assert_eq!(older, newest[2..], "{older:?}");
    let last = older[1]["id"].as_i64().unwrap();
    assert_eq!(export(&format!("?before={last}")), Vec::<Value>::new());
}
