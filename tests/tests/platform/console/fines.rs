//! Cars, tickets and fines of drivers.

use std::time::Duration;

use serde_json::{Value, json};
use wharf_tests::{Browser, Stack, User, eventually, photo};

use crate::bookings::{balance, endow};
use crate::fines::{Zone, approve, driver, photos, plate};

const SOON: Duration = Duration::from_secs(60);

fn fine_path(fine: &Value) -> String {
    format!("/console/cars/fines/{}", fine["id"])
}

#[test]
fn a_driver_adds_a_car_buys_a_ticket_once_extends_it_and_ends_it() {
    let stack = Stack::shared();
    let rules = json!({ "control": { "refund_early_end": true }, "pricing": { "timezone": "America/Sao_Paulo" } });
    let zone = Zone::found_with(&stack, &json!({ "rules": rules }));
    let driver = User::driver(&stack);
    endow(&stack, &driver, 1_000);
    let mut browser = Browser::of(&stack, &driver);
    let plate = plate();
    let cars = browser.open("/console/cars");
    let cars = browser.send(
        &cars,
        "/console/cars",
        &[("plate", &*plate), ("model", "Panda")],
    );
    assert!(cars.says(&plate) && cars.says("Panda"), "{}", cars.text());

    let path = format!("/console/cars/zones/{}", zone.id);
    let asked = browser.open(&format!("{path}?plate={plate}&minutes=60"));
    assert!(asked.says("It costs 1.70"), "{}", asked.text());
    let bought = browser.send(&asked, &path, &[]);
    assert!(bought.says("left"), "{}", bought.text());
    assert!(bought.says("America/Sao_Paulo"), "{}", bought.text());
    // A double click sends the same form twice.
    assert_eq!(browser.send(&asked, &path, &[]).path, bought.path);
    assert_eq!(balance(&driver), 830);
    assert!(browser.open("/console/cars").says("valid now"));

    let longer = browser.open(&format!("{}?minutes=30", bought.path));
    assert!(longer.says("It costs 0.60"), "{}", longer.text());
    let extended = browser.send(&longer, &format!("{}/extend", bought.path), &[]);
    assert!(extended.says("starts in"), "{}", extended.text());
    assert!(extended.says("Extends"), "{}", extended.text());
    assert_eq!(balance(&driver), 770);
    let end = format!("{}/end", extended.path);
    let ended = browser.send(&extended, &end, &[]);
    assert!(
        ended.says("State over") && !ended.has_form(&end),
        "{}",
        ended.text()
    );
    eventually("the difference is back", SOON, || balance(&driver) == 830);

    let listed = browser.open("/console/cars/tickets");
    assert_eq!(listed.text().matches(&plate).count(), 2);
    let mut stranger = Browser::of(&stack, &User::driver(&stack));
    assert_eq!(stranger.try_open(&bought.path).answer.status(), 403);
}

#[test]
fn a_car_is_changed_and_removed_and_a_plate_that_does_not_fit_is_still_there() {
    let stack = Stack::shared();
    let (driver, first) = driver(&stack, 0);
    let mut browser = Browser::of(&stack, &driver);
    let cars = browser.open("/console/cars");
    let refused = browser.send(&cars, "/console/cars", &[("plate", "!"), ("brand", "Opel")]);
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.answer.text().contains("value=\"Opel\""));

    let car = browser.open(&cars.link(&first));
    let second = plate();
    let changed = browser.send(&car, "/console/cars/car", &[("plate", &*second)]);
    assert!(
        changed.says(&second) && !changed.says(&first),
        "{}",
        changed.text()
    );
    let car = browser.open(&changed.link(&second));
    let removed = browser.send(&car, "/console/cars/car/remove", &[]);
    assert!(
        removed.says("You have no car yet") && !removed.says(&second),
        "{}",
        removed.text()
    );
}

#[test]
fn a_ticket_that_the_wallet_cannot_pay_is_paid_at_the_provider() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 0);
    let mut browser = Browser::of(&stack, &driver);
    let path = format!("/console/cars/zones/{}", zone.id);
    let asked = browser.open(&format!("{path}?plate={plate}&minutes=60"));
    let refused = browser.send(&asked, &path, &[]);
    assert_eq!(refused.answer.status(), 422);
    assert!(
        refused.says("Your wallet does not suffice"),
        "{}",
        refused.text()
    );
    let tickets = driver.get("/api/v1/users/me/tickets").send().expect(200);
    let ticket = format!("/console/cars/tickets/{}", tickets.json()[0]["id"]);
    assert!(browser.open(&ticket).says("not paid"));
    approve(&stack, &json!(refused.link("Pay at the provider")));
    eventually("the ticket is paid", SOON, || {
        browser.open(&ticket).says("left")
    });

    let unknown = browser.open(&format!(
        "{path}?plate={}&minutes=60",
        crate::fines::plate()
    ));
    let refused = browser.send(&unknown, &path, &[]);
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.says("no car with that plate"), "{}", refused.text());
    let long = browser.try_open(&format!("{path}?plate={plate}&minutes=99999"));
    assert_eq!(long.answer.status(), 422);
}

#[test]
fn a_driver_sees_why_they_were_fined_pays_appeals_and_reads_the_decision() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 5_000);
    let body = json!({ "plate": plate, "amount": 20, "place": "Rua <b>1</b>", "note": "Blocked the gate" });
    let fine = zone.fine(&zone.controller, &body).expect(201).json();
    let bytes = photo("a car before a gate");
    let upload = photos::add(&zone.controller, &fine, bytes.len())
        .expect(201)
        .json();
    photos::put(&upload["address"], &bytes).expect(200);
    photos::complete(&zone.controller, &fine, &upload).expect(200);

    let mut browser = Browser::of(&stack, &driver);
    let listed = browser.open("/console/cars/fines");
    assert!(listed.says(&plate) && listed.says("20.00"));
    let path = fine_path(&fine);
    let shown = browser.open(&path);
    assert!(
        shown.says("Rua <b>1</b>") && shown.says("Blocked the gate"),
        "{}",
        shown.text()
    );
    let photo = shown.link("Photo 1");
    assert!(photo.starts_with("http") && photo.contains("X-Amz-Signature"));
    let pay = format!("{path}/pay");
    let paid = browser.send(&shown, &pay, &[]);
    assert!(paid.says("Paid so far 20.00"), "{}", paid.text());
    assert!(!paid.has_form(&pay));
    assert_eq!(balance(&driver), 3_000);
    assert_eq!(browser.send(&shown, &pay, &[]).path, path);
    assert_eq!(balance(&driver), 3_000);

    let appeal = format!("{path}/appeal");
    let refused = browser.send(&paid, &appeal, &[("text", " ")]);
    assert_eq!(refused.answer.status(), 422);
    let text = "The gate was mine.";
    let opened = browser.send(&paid, &appeal, &[("text", text)]);
    assert!(
        opened.says(text) && opened.says("Appeal open"),
        "{}",
        opened.text()
    );
    let said = format!("{appeal}/messages");
    let said = browser.send(&opened, &said, &[("text", "See the deed.")]);
    assert!(said.says("See the deed."), "{}", said.text());
    let decision = json!({ "accept": true, "reason": "It is." });
    zone.admin
        .post(&format!("/api/v1/fines/{}/appeal/decision", fine["id"]))
        .json(&decision)
        .send()
        .expect(200);
    let decided = browser.open(&path);
    assert!(
        decided.says("State cancelled") && decided.says("The reason: It is."),
        "{}",
        decided.text()
    );
    assert!(!decided.has_form(&appeal));
    let mut stranger = Browser::of(&stack, &User::driver(&stack));
    assert_eq!(stranger.try_open(&path).answer.status(), 403);
}

#[test]
fn a_fine_is_paid_in_parts() {
    let stack = Stack::shared();
    let rules = json!({ "fines": { "plan_parts": 4 } });
    let zone = Zone::found_with(&stack, &json!({ "rules": rules }));
    let (driver, plate) = driver(&stack, 5_000);
    let fine = zone.fined(&plate);
    let path = fine_path(&fine);
    let mut browser = Browser::of(&stack, &driver);
    assert_eq!(
        browser.try_open(&format!("{path}?parts=5")).answer.status(),
        422
    );
    let asked = browser.open(&format!("{path}?parts=2"));
    assert!(asked.says("Pay in 2 parts"), "{}", asked.text());
    let begun = browser.send(&asked, &format!("{path}/plan"), &[]);
    assert!(begun.says("To pay now 10.00"), "{}", begun.text());
    let paid = browser.send(&begun, &format!("{path}/plan/2"), &[]);
    assert!(paid.says("State paid"), "{}", paid.text());
    assert_eq!(balance(&driver), 3_000);
}

#[test]
fn anybody_finds_a_fine_by_its_paper_and_pays_it_after_signing_in() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let plate = plate();
    let fine = zone.fined(&plate);
    let reference = fine["reference"].as_str().unwrap().to_lowercase();
    let path = format!("/console/cars/paper?reference={reference}");
    let mut browser = Browser::new(&stack);
    let found = browser.open(&path);
    assert!(
        found.says(&plate) && found.says("20.00"),
        "{}",
        found.text()
    );
    assert!(!found.has_form("/console/cars/paper"));
    let sign_in = found.link("Sign in to pay");
    assert!(
        sign_in.starts_with("/console/sign-in?next=%2Fconsole%2Fcars%2Fpaper"),
        "{sign_in}"
    );
    for unknown in ["NOPE", "../../zones"] {
        let unknown = browser.try_open(&format!("/console/cars/paper?reference={unknown}"));
        assert_eq!(unknown.answer.status(), 422);
    }

    let friend = User::driver(&stack);
    endow(&stack, &friend, 2_500);
    let mut browser = Browser::of(&stack, &friend);
    let found = browser.open(&path);
    let paid = browser.send(&found, "/console/cars/paper", &[]);
    assert!(paid.says("State paid"), "{}", paid.text());
    assert_eq!(balance(&friend), 500);
    // Who paid a fine sees it, but neither its photos nor its appeal.
    let shown = browser.open(&fine_path(&fine));
    assert!(!shown.says("Photos"), "{}", shown.text());
}
