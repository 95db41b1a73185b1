//! Settlement reports of the provider: what it kept is booked once, and what differs from the books is listed.

use std::thread;

use serde_json::{Value, json};
use wharf_tests::{Answer, User, unique};

use super::super::assert_sound;
use super::scene::{Scene, moment};

const HEADER: &str = "SOURCE_ID,TRANSACTION_TYPE,TRANSACTION_AMOUNT,TRANSACTION_CURRENCY,TRANSACTION_DATE,FEE_AMOUNT";

/// A line of a report, of this moment.
fn line(attempt: &str, kind: &str, amount: &str, fee: &str) -> String {
    format!("{attempt},{kind},{amount},BRL,{},{fee}", moment())
}

fn import(admin: &User, lines: &[String]) -> Answer {
    let body = json!({ "name": "report.csv", "csv": format!("{HEADER}\n{}\n", lines.join("\n")) });
    admin.post("/payments/provider-files").json(&body).send()
}

/// Kind, attempt, and what is booked and reported of it.
fn differences(admin: &User, file: &Value) -> Vec<(String, String, i64, i64)> {
    let path = format!(
        "/payments/provider-files/{}/differences?limit=100",
        file["id"].as_str().unwrap()
    );
    let rows = admin.get(&path).send().expect(200).json();
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    rows.as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let (booked, reported) = (&it["booked"], &it["reported"]);
            (
                text(&it["kind"]),
                text(&it["attempt"]),
                booked.as_i64().unwrap(),
                reported.as_i64().unwrap(),
            )
        })
        .collect()
}

/// What the provider kept by the books, and by the lines of all files.
fn kept(scene: &Scene) -> (i64, i64) {
    let kept = "SELECT
            (SELECT coalesce(sum(CASE WHEN house.id = debit THEN amount ELSE -amount END), 0)::bigint
            FROM payments.transfer JOIN payments.account AS house ON house.id IN (debit, credit)
            WHERE house.name = 'provider_fees'),
            (SELECT coalesce(sum(fee), 0)::bigint FROM payments.provider_line)";
    let row = scene.stack.sql().query_one(kept, &[]).unwrap();
    (row.get(0), row.get(1))
}

#[test]
fn a_report_is_compared_with_the_books_and_its_fees_are_booked_once() {
    // Of its own: what others pay meanwhile would be missing in the file.
    let scene = Scene::start();
    let admin = User::admin(&scene.stack);
    let since = moment();
    let later = "SELECT to_char(now() AT TIME ZONE 'UTC' + interval '1 hour', 'YYYY-MM-DD\"T\"HH24:MI:SS+00:00')";
    let later: String = scene.stack.sql().query_one(later, &[]).unwrap().get(0);
    let [right, short, sent, absent] = [0; 4].map(|_| scene.paid().1);
    let unknown = unique("unknown");
    let lines = [
        format!("{right},SETTLEMENT,25.00,BRL,{since},-1.25"),
        line(&short, "SETTLEMENT", "24.99", "-1.25"),
        line(&sent, "SETTLEMENT", "25.00", "-1.25"),
        line(&sent, "REFUND", "-10.00", "0.50"),
        format!("{unknown},SETTLEMENT,5.00,BRL,{later},"),
        ",PAYOUT,-70.00,BRL,,".to_owned(),
    ];
    let file = import(&admin, &lines).expect(201).json();
    assert_eq!(
        (
            &file["lines"],
            &file["repeated"],
            &file["skipped"],
            &file["fees"]
        ),
        (&json!(5), &json!(0), &json!(1), &json!({ "BRL": 325 }))
    );
    let kind = |kind: &str, attempt: &String, booked, reported| {
        (kind.to_owned(), attempt.clone(), booked, reported)
    };
    assert_eq!(
        differences(&admin, &file),
        [
            kind("amount", &short, 2500, 2499),
            kind("not_booked", &unknown, 0, 500),
            kind("not_reported", &absent, 2500, 0),
            kind("sent_back", &sent, 0, 1000),
        ]
    );
    assert_eq!(kept(&scene), (325, 325));

    // The report of the following day has a part of this one, too.
    let more = [
        lines[0].clone(),
        lines[3].clone(),
        line(&absent, "SETTLEMENT", "25.00", "-1.25"),
    ];
    let next = import(&admin, &more).expect(201).json();
    assert_eq!((&next["lines"], &next["repeated"]), (&json!(1), &json!(2)));
    assert_eq!(kept(&scene), (450, 450));
    let left: Vec<_> = differences(&admin, &file)
        .into_iter()
        .map(|it| it.0)
        .collect();
    assert_eq!(left, ["amount", "not_booked", "sent_back"]);
    let listed = admin
        .get("/payments/provider-files")
        .send()
        .expect(200)
        .json();
    assert_eq!((&listed[0], &listed[1]["id"]), (&next, &file["id"]));
    assert_sound(&scene.stack);
}

#[test]
fn a_report_that_cannot_be_read_changes_nothing() {
    let scene = Scene::shared();
    let admin = User::admin(&scene.stack);
    let good = line(&unique("attempt"), "SETTLEMENT", "25.00", "-1.25");
    for wrong in [
        vec![],
        vec![good.clone(), good.replace("25.00", "25.001")],
        vec![good.clone(), good.replace(",BRL", ",XXX")],
    ] {
        let refused = import(&admin, &wrong).problem(400);
        assert_eq!(refused["code"], "invalid-file", "{refused}");
    }
    let body = json!({ "name": "", "csv": format!("{HEADER}\n{good}\n") });
    admin
        .post("/payments/provider-files")
        .json(&body)
        .send()
        .problem(400);
    let user = scene.user();
    import(&user, std::slice::from_ref(&good)).expect(403);
    user.get("/payments/provider-files").send().expect(403);
    let path = format!(
        "/payments/provider-files/{}/differences",
        uuid::Uuid::new_v4()
    );
    assert_eq!(admin.get(&path).send().problem(404)["code"], "unknown-file");
    let (booked, reported) = kept(scene);
    assert_eq!(booked, reported);
}

/// Several admins have the same report, and none of its lines counts twice.
#[test]
fn the_same_report_at_once_counts_once() {
    let scene = Scene::shared();
    let admin = User::admin(&scene.stack);
    let attempts: Vec<_> = (0..20).map(|_| unique("attempt")).collect();
    let mut lines: Vec<_> = attempts
        .iter()
        .map(|it| line(it, "SETTLEMENT", "10.00", "-0.10"))
        .collect();
    let reversed: Vec<_> = lines.iter().rev().cloned().collect();
    lines.rotate_left(7);
    let imported = wharf_tests::at_once(6, |number| {
        let lines = if number % 2 == 0 { &lines } else { &reversed };
        let file = import(&admin, lines).expect(201).json();
        file["lines"].as_i64().unwrap()
    });
    assert_eq!(imported.iter().sum::<i64>(), 20, "{imported:?}");
    let (booked, reported) = kept(scene);
    assert_eq!(booked, reported);
    assert_sound(&scene.stack);
}

#[test]
fn the_longest_report_is_imported_while_others_are_served_and_a_longer_one_is_refused() {
    let scene = Scene::shared();
    let admin = User::admin(&scene.stack);
    let user = scene.user();
    let attempt = unique("long");
    let lines = |count: usize| -> Vec<String> {
        let line = |number| {
            line(
                &format!("{attempt}-{number}"),
                "SETTLEMENT",
                "25.00",
                "-1.25",
            )
        };
        (0..count).map(line).collect()
    };
    // A body may have a mebibyte.
    let longest = lines(9_000);
    let imported = thread::scope(|scope| {
        let importing = scope.spawn(|| import(&admin, &longest));
        while !importing.is_finished() {
            user.get("/payment/balance").send().expect(200);
        }
        importing.join().unwrap()
    });
    let file = imported.expect(201).json();
    assert_eq!(
        (&file["lines"], &file["fees"]),
        (&json!(9_000), &json!({ "BRL": 1_125_000 }))
    );
    let again = import(&admin, &longest).expect(201).json();
    assert_eq!(
        (&again["lines"], &again["repeated"]),
        (&json!(0), &json!(9_000))
    );
    import(&admin, &lines(20_000)).expect(413);
    // A line that only quotes and separators make up costs no more than its length.
    let quotes = format!("{}{}", "\"\"".repeat(50_000), ",".repeat(700_000));
    import(&admin, &[quotes]).problem(400);
    user.get("/payment/balance").send().expect(200);
}
