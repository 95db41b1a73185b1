//! Zones and their staff: checks and fines on the street, appeals, and what runs a zone.

use serde_json::json;
use wharf_tests::{Browser, Stack, User};

use crate::fines::{Zone, driver, parked, plate, zone_body};

fn page(zone: &Zone, rest: &str) -> String {
    format!("/console/control/zones/{}{rest}", zone.id)
}

#[test]
fn a_controller_checks_a_plate_issues_one_fine_and_hides_it() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let mut browser = Browser::of(&stack, &zone.controller);
    let desk = browser.open("/console/control");
    assert_eq!(
        desk.text().matches("Fines Appeals").count(),
        1,
        "{}",
        desk.text()
    );
    let plate = plate();
    let (checks, issue) = (page(&zone, "/checks"), page(&zone, "/issue"));
    let street = browser.open(&page(&zone, ""));
    assert!(!street.says("Staff"), "{}", street.text());
    let wrong = browser.send(&street, &checks, &[("plate", "!!")]);
    assert_eq!(wrong.answer.status(), 422);
    assert!(wrong.answer.text().contains("value=\"!!\""));
    let checked = browser.send(&street, &checks, &[("plate", &*plate)]);
    assert!(
        checked.says(&format!("{plate} is not paid")),
        "{}",
        checked.text()
    );

    let form = browser.open(&checked.link("Issue a fine"));
    let filled = [("place", "Main Street 7"), ("note", "<b>by the gate</b>")];
    let refused = browser.send(&form, &issue, &filled);
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.answer.text().contains("value=\"Main Street 7\""));
    let fine = browser.send(&refused, &issue, &[("amount", "20,50")]);
    assert!(
        fine.says("Due now 20.50 USD") && fine.says("<b>by the gate</b>"),
        "{}",
        fine.text()
    );
    // A double click sends the same form twice.
    let again = browser.send(&refused, &issue, &[("amount", "20,50")]);
    assert_eq!(again.path, fine.path);
    let found = browser.open(&page(&zone, &format!("/fines?plate={plate}&state=issued")));
    assert_eq!(found.text().matches("20.50 USD").count(), 1);
    let paid = browser.open(&page(&zone, "/fines?state=paid"));
    assert!(paid.says("There is no such fine"), "{}", paid.text());

    let hidden = browser.send(&fine, &format!("{}/hide", fine.path), &[]);
    assert_eq!(hidden.path, page(&zone, "/fines"));
    assert!(hidden.says("There is no such fine"), "{}", hidden.text());
    assert_eq!(browser.try_open(&fine.path).answer.status(), 404);
}

#[test]
fn a_car_with_a_ticket_is_listed_and_fined_by_an_admin_with_a_reason_alone() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 1_000);
    parked(&stack, &zone, &driver, &plate, 60);
    let mut controller = Browser::of(&stack, &zone.controller);
    let listed = controller.open(&page(&zone, "/parked"));
    assert!(listed.says(&plate), "{}", listed.text());
    let street = controller.open(&page(&zone, ""));
    let checked = controller.send(&street, &page(&zone, "/checks"), &[("plate", &*plate)]);
    assert!(
        checked.says("is paid until") && !checked.says("Issue a fine"),
        "{}",
        checked.text()
    );
    let issue = page(&zone, "/issue");
    let filled = [("plate", &*plate), ("amount", "10")];
    let form = controller.open(&issue);
    let refused = controller.send(&form, &issue, &filled);
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.says("covers the car"), "{}", refused.text());

    let mut admin = Browser::of(&stack, &zone.admin);
    let form = admin.open(&issue);
    let filled = [
        filled[0],
        filled[1],
        ("override_reason", "It blocks a hydrant"),
    ];
    let fine = admin.send(&form, &issue, &filled);
    assert!(fine.says("It blocks a hydrant"), "{}", fine.text());
}

#[test]
fn an_admin_of_the_zone_decides_an_appeal_with_its_case() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 0);
    let fine = zone.fined(&plate);
    let appeal = format!("/api/v1/fines/{}/appeal", fine["id"]);
    let said = json!({ "text": "The machine <i>was</i> broken." });
    driver.post(&appeal).json(&said).send().expect(201);
    let path = format!("/console/control/fines/{}", fine["id"]);
    let (messages, decision) = (format!("{path}/messages"), format!("{path}/decision"));

    let mut controller = Browser::of(&stack, &zone.controller);
    let open = controller.open(&page(&zone, "/appeals"));
    assert_eq!(open.link("Fine"), path);
    let case = controller.open(&path);
    assert!(
        case.says("The machine <i>was</i> broken.") && !case.has_form(&decision),
        "{}",
        case.text()
    );
    let asked = controller.send(&case, &messages, &[("text", "Which machine?")]);
    assert!(asked.says("Which machine?"), "{}", asked.text());

    let mut admin = Browser::of(&stack, &zone.admin);
    let case = admin.open(&path);
    let blank = admin.send(&case, &decision, &[("verdict", "accept"), ("reason", " ")]);
    assert_eq!(blank.answer.status(), 422);
    let reason = [("verdict", "accept"), ("reason", "It was out of order.")];
    let decided = admin.send(&case, &decision, &reason);
    assert!(
        decided.says("cancelled, appeal accepted") && decided.says("It was out of order."),
        "{}",
        decided.text()
    );
    assert!(!decided.has_form(&decision));
    let late = admin.send(&case, &decision, &reason);
    assert_eq!(late.answer.status(), 422);
    let open = admin.open(&page(&zone, "/appeals"));
    assert!(open.says("No appeal is open"), "{}", open.text());
    let file = admin.open(&format!("{path}/case.json"));
    assert!(file.answer.json()["signature"].is_string());
}

#[test]
fn a_zone_is_founded_once_given_rules_staff_and_a_kiosk_and_removed() {
    let stack = Stack::shared();
    let mut browser = Browser::of(&stack, &User::zone_admin(&stack));
    let body = zone_body();
    let text = |member: &str| body[member].as_str().expect("a text").to_owned();
    let (name, geometry) = (text("name"), text("geometry"));
    let form = browser.open("/console/control/zones/new");
    let filled = [
        ("name", &*name),
        ("offset", "0,5"),
        ("lin", "1.2"),
        ("currency", "EUR"),
        ("geometry", "{}"),
    ];
    let refused = browser.send(&form, "/console/control/zones", &filled);
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.answer.text().contains(&name));
    let whole = [("geometry", &*geometry)];
    let zone = browser.send(&refused, "/console/control/zones", &whole);
    assert!(zone.says("0.5 + 1.2 × hours EUR"), "{}", zone.text());
    let again = browser.send(&refused, "/console/control/zones", &whole);
    assert_eq!(again.path, zone.path);

    let rules = format!("{}/rules", zone.path);
    let form = browser.open(&rules);
    let wrong = browser.send(&form, &rules, &[("rates", "all day long")]);
    assert_eq!(wrong.answer.status(), 422);
    assert!(wrong.says("is no rate as"), "{}", wrong.text());
    let filled = [
        ("timezone", "Europe/Lisbon"),
        (
            "rates",
            "mon,tue 08:00-20:00 100%\r\nholiday 08:00-12:00 50%",
        ),
        ("capacity", "40"),
    ];
    let changed = browser.send(&wrong, &rules, &filled);
    assert!(
        changed.says("holiday 08:00-12:00 50%") && changed.says("0 of 40"),
        "{}",
        changed.text()
    );

    let staff = format!("{}/staff", zone.path);
    let controller = User::controller(&stack);
    let form = browser.open(&staff);
    let nobody = [("username", "nobody-of-that-name")];
    assert_eq!(browser.send(&form, &staff, &nobody).answer.status(), 422);
    let appointed = browser.send(&form, &staff, &[("username", &*controller.login)]);
    let dismiss = format!("Dismiss {}", controller.login);
    assert!(appointed.says(&dismiss), "{}", appointed.text());
    let login = [("username", &*controller.login)];
    let dismissed = browser.send(&appointed, &format!("{staff}/dismiss"), &login);
    assert!(!dismissed.says(&dismiss), "{}", dismissed.text());

    let kiosks = format!("{}/kiosks", zone.path);
    let form = browser.open(&kiosks);
    let filled = [
        ("id", &*name),
        ("latitude", "46.07"),
        ("longitude", "11.12"),
    ];
    let astray = [filled[0], ("latitude", "north"), filled[2], ("otp", "0")];
    let refused = browser.send(&form, &kiosks, &astray);
    assert!(refused.says("\"north\" is no number"), "{}", refused.text());
    let drawn = browser.send(&form, &format!("{kiosks}/passcode"), &[]);
    let registered = browser.send(&drawn, &kiosks, &filled);
    let remove = format!("Remove {name}");
    assert!(registered.says(&remove), "{}", registered.text());
    let removed = browser.send(&registered, &format!("{kiosks}/remove"), &[]);
    assert!(!removed.says(&remove), "{}", removed.text());

    let gone = browser.send(&changed, &format!("{}/remove", zone.path), &[]);
    assert_eq!(gone.path, "/console/control");
    assert!(!gone.says(&name), "{}", gone.text());
    assert_eq!(browser.try_open(&zone.path).answer.status(), 404);
}

#[test]
fn strangers_see_neither_checks_nor_fines_and_the_catalogue_is_for_admins() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let fine = zone.fined(&plate());
    let mut stranger = Browser::of(&stack, &User::driver(&stack));
    assert!(
        stranger
            .open("/console/control")
            .says("You work in no zone yet")
    );
    let shown = stranger.open(&page(&zone, ""));
    assert!(
        shown.says("A stay costs") && !shown.has_form(&page(&zone, "/checks")),
        "{}",
        shown.text()
    );
    let fine = format!("/console/control/fines/{}", fine["id"]);
    let zone_pages = ["/checks", "/parked", "/fines", "/appeals", "/staff"];
    let closed = zone_pages.map(|it| page(&zone, it));
    let everywhere = ["/console/control/fines", "/console/control/statistics"];
    for path in closed.iter().map(String::as_str).chain(everywhere) {
        assert_eq!(stranger.try_open(path).answer.status(), 403, "{path}");
    }
    assert_eq!(stranger.try_open(&fine).answer.status(), 403);

    let catalogue = "/console/control/violations";
    assert!(!stranger.open(catalogue).has_form(catalogue));
    let mut admin = Browser::of(&stack, &User::admin(&stack));
    let code = format!("C{}", plate());
    let form = admin.open(catalogue);
    let filled = [
        ("code", &*code),
        ("title", "On the pavement"),
        ("amount", "30.5"),
        ("currency", "USD"),
    ];
    let saved = admin.send(&form, catalogue, &filled);
    assert!(
        saved.says(&format!("{code} On the pavement 30.50 USD")),
        "{}",
        saved.text()
    );
    let mut controller = Browser::of(&stack, &zone.controller);
    let issue = page(&zone, "/issue");
    let form = controller.open(&issue);
    let plate = plate();
    let fined = controller.send(&form, &issue, &[("plate", &*plate), ("code", &*code)]);
    assert!(fined.says("Amount 30.50 USD"), "{}", fined.text());
    let mut remove = || admin.send(&saved, &format!("{catalogue}/remove"), &[("code", &*code)]);
    assert!(!remove().says(&code));
    assert_eq!(remove().answer.status(), 422);
    let figures = admin.open("/console/control/statistics");
    assert!(figures.says("Open appeals"), "{}", figures.text());
}
