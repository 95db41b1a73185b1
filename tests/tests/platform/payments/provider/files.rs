//! Settlement reports of the provider: its fees are booked once, and differences from the books are listed.

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

/// Kind, attempt, and its booked and reported amounts.
type Difference = (String, String, i64, i64);

const NONE: [Difference; 0] = [];

fn differences(admin: &User, file: &Value) -> Vec<Difference> {
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

/// The sum that has left a house account.
fn gone_from(scene: &Scene, house: &str) -> i64 {
    let gone =
        "SELECT coalesce(sum(CASE WHEN house.id = debit THEN amount ELSE -amount END), 0)::bigint
        FROM payments.transfer JOIN payments.account AS house ON house.id IN (debit, credit)
        WHERE house.kind = 'house' AND house.name = $1";
    let row = scene.stack.sql().query_one(gone, &[&house]).unwrap();
    row.get(0)
}

/// The provider's fees by the books, and by the lines of all files.
fn kept(scene: &Scene) -> (i64, i64) {
    let reported = "SELECT coalesce(sum(fee), 0)::bigint FROM payments.provider_line";
    let row = scene.stack.sql().query_one(reported, &[]).unwrap();
    (gone_from(scene, "provider_fees"), row.get(0))
}

/// A moment that no payment of a test reaches.
fn in_an_hour(scene: &Scene) -> String {
    let later = "SELECT to_char(now() AT TIME ZONE 'UTC' + interval '1 hour', 'YYYY-MM-DD\"T\"HH24:MI:SS+00:00')";
    scene.stack.sql().query_one(later, &[]).unwrap().get(0)
}

#[test]
fn a_report_is_compared_with_the_books_and_its_fees_are_booked_once() {
    // A stack of its own: concurrent payments of other tests would be missing in the file.
    let scene = Scene::start();
    let admin = User::admin(&scene.stack);
    let (since, later) = (moment(), in_an_hour(&scene));
    let [right, short, sent, absent] = [0; 4].map(|_| scene.paid().1);
    let unknown = unique("unknown");
    let lines = [
        format!("{right},SETTLEMENT,25.00,BRL,{since},-1.25"),
        line(&short, "SETTLEMENT", "24.99", "-1.25"),
        line(&sent, "SETTLEMENT", "25.00", "-1.25"),
        line(&sent, "REFUND", "-10.00", "0.50"),
        format!("{unknown},SETTLEMENT,5.00,BRL,{later},"),
        line("9", "PAYOUT", "-80.00", "0.00"),
        line("9", "WITHDRAWAL_CANCEL", "10.00", "0.00"),
        line(&right, "SETTLEMENT_SHIPPING", "3.00", ""),
    ];
    let file = import(&admin, &lines).expect(201).json();
    assert_eq!(
        (
            &file["lines"],
            &file["repeated"],
            &file["others"],
            &file["fees"]
        ),
        (
            &json!(7),
            &json!(0),
            &json!({ "SETTLEMENT_SHIPPING": 1 }),
            &json!({ "BRL": 325 })
        )
    );
    assert_eq!(file["skipped"], 1);
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
    assert_eq!(gone_from(&scene, "external"), 7000);

    // The report of the following day has a part of this one, too.
    let more = [
        lines[0].clone(),
        lines[3].clone(),
        lines[5].clone(),
        line(&absent, "SETTLEMENT", "25.00", "-1.25"),
    ];
    let next = import(&admin, &more).expect(201).json();
    assert_eq!((&next["lines"], &next["repeated"]), (&json!(1), &json!(3)));
    assert_eq!(kept(&scene), (450, 450));
    assert_eq!(gone_from(&scene, "external"), 7000);
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
    let path = format!("/payments/provider-files/{}", next["id"].as_str().unwrap());
    assert_eq!(admin.get(&path).send().expect(200).json(), next);

    // Another currency counts as another amount.
    let [foreign, mixed] = [0; 2].map(|_| scene.paid().1);
    let lines = [
        line(&foreign, "SETTLEMENT", "25.00", "0.00").replace(",BRL,", ",USD,"),
        line(&mixed, "SETTLEMENT", "25.00", "0.00"),
        line(&mixed, "REFUND", "-10.00", "0.00").replace(",BRL,", ",USD,"),
    ];
    let other = import(&admin, &lines).expect(201).json();
    let mut listed = differences(&admin, &other);
    listed.retain(|it| it.0 == "amount");
    listed.sort();
    let mut both = [&foreign, &mixed].map(|it| kind("amount", it, 2500, 2500));
    both.sort();
    assert_eq!(listed, both);
    assert_sound(&scene.stack);
}

#[test]
fn a_payment_between_two_reports_is_reported_by_neither() {
    // A stack of its own: concurrent payments of other tests would be missing in the file.
    let scene = Scene::start();
    let admin = User::admin(&scene.stack);
    let (_, named) = scene.paid();
    let before = import(&admin, &[line(&named, "SETTLEMENT", "25.00", "0.00")]);
    let before = before.expect(201).json();
    let (_, between) = scene.paid();
    let unknown = unique("unknown");
    let later = in_an_hour(&scene);
    let after = [format!("{unknown},SETTLEMENT,5.00,BRL,{later},")];
    let after = import(&admin, &after).expect(201).json();
    let absent = differences(&admin, &after).pop().unwrap();
    assert_eq!(absent, ("not_reported".to_owned(), between, 2500, 0));
    assert_eq!(differences(&admin, &before), NONE);
}

#[test]
fn a_won_dispute_is_no_difference() {
    let scene = Scene::start();
    let admin = User::admin(&scene.stack);
    let (_, attempt) = scene.paid();
    let becomes = |detail: &str| {
        let status = json!("charged_back");
        scene.provider.changes(&attempt, "status", status);
        scene
            .provider
            .changes(&attempt, "status_detail", json!(detail));
        scene.webhook(&attempt).expect(200);
    };
    becomes("in_process");
    let lines = [
        line(&attempt, "SETTLEMENT", "25.00", "-1.25"),
        line(&attempt, "CHARGEBACK", "-25.00", "1.25"),
    ];
    let taken = import(&admin, &lines).expect(201).json();
    assert_eq!(differences(&admin, &taken), NONE);
    // The provider has decided, but no webhook came yet.
    let returned = [line(&attempt, "CHARGEBACK", "25.00", "-1.25")];
    let won = import(&admin, &returned).expect(201).json();
    let taken_back = ("sent_back".to_owned(), attempt.clone(), 2500, 0);
    assert_eq!(differences(&admin, &won), [taken_back]);
    becomes("reimbursed");
    for file in [&taken, &won] {
        assert_eq!(differences(&admin, file), NONE);
    }
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
    let one = path.trim_end_matches("/differences");
    assert_eq!(admin.get(one).send().problem(404)["code"], "unknown-file");
    user.get(one).send().expect(403);
    let (booked, reported) = kept(scene);
    assert_eq!(booked, reported);
}

/// Several admins have the same report, and none of its lines counts twice.
#[test]
fn concurrent_imports_of_the_same_report_count_once() {
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
fn the_longest_report_does_not_block_others_and_a_longer_one_is_refused() {
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
    // A line of only quotes and separators costs time in proportion to its length.
    let quotes = format!("{}{}", "\"\"".repeat(50_000), ",".repeat(700_000));
    import(&admin, &[quotes]).problem(400);
    user.get("/payment/balance").send().expect(200);
}
