//! Dead letters, pauses and webhooks.

use std::time::Duration;

use serde_json::json;
use uuid::Uuid;
use wharf_tests::{Browser, Stack, User, eventually};

use crate::jobs::{emit, wait_until_settled};

const OPERATIONS: &str = "/console/operations";

#[test]
fn a_dead_letter_says_why_and_is_sent_again_or_discarded() {
    // A stack of its own: other tests send all dead letters again.
    let stack = Stack::start();
    let mut sql = stack.sql();
    let about = "poison:1";
    let secret = json!({ "name": "<b>", "password": "p4ss" });
    let event: Uuid = emit(&mut sql, "user:updated", about, &secret);
    wait_until_settled(&mut sql, event, "dead");
    let mut browser = Browser::of(&stack, &User::admin(&stack));
    let list = format!("{OPERATIONS}/events?state=dead&aggregate={about}");
    let path = format!("{OPERATIONS}/events/{event}");
    assert!(browser.open(&list).answer.text().contains(&path));
    let page = browser.open(&path);
    assert!(
        page.says("the payload does not fit the kind"),
        "{}",
        page.text()
    );
    let html = page.answer.text();
    assert!(!html.contains("p4ss") && !html.contains("<b>\""));

    browser.send(&page, &format!("{path}/requeue"), &[]);
    wait_until_settled(&mut sql, event, "dead");
    let discard = format!("{path}/discard");
    let page = browser.open(&path);
    let over = browser.send(&page, &discard, &[]);
    assert!(!over.has_form(&discard), "{}", over.text());
    assert!(browser.open(&list).says("No dead letter is there"));
    let twice = browser.send(&page, &discard, &[]);
    assert_eq!(twice.answer.status(), 422);
}

#[test]
fn a_lane_and_a_kind_are_paused_and_resumed() {
    // A stack of its own: events of other tests would wait.
    let stack = Stack::start();
    let admin = User::admin(&stack);
    let mut browser = Browser::of(&stack, &admin);
    let lanes = format!("{OPERATIONS}/lanes");
    let lane = |what| [("function", "payments"), ("lane", "main"), ("do", what)];
    eventually("a lane is in use", Duration::from_secs(60), || {
        browser.open(OPERATIONS).has_form(&lanes)
    });
    let page = browser.open(OPERATIONS);
    let paused = browser.send(&page, &lanes, &lane("pause"));
    assert!(paused.says("paused by admin"), "{}", paused.text());
    let resumed = browser.send(&paused, &lanes, &lane("resume"));
    assert!(!resumed.says("paused by admin"), "{}", resumed.text());

    let kinds = format!("{OPERATIONS}/kinds");
    let resume = [("kind", "user:created"), ("do", "resume")];
    let pause = [("kind", "user:created"), ("do", "pause")];
    let paused = browser.send(&resumed, &kinds, &pause);
    assert_eq!(paused.answer.status(), 200);
    let resumed = browser.send(&paused, &kinds, &resume);
    assert_eq!(resumed.answer.status(), 200);
    let twice = browser.send(&resumed, &kinds, &resume);
    assert_eq!(twice.answer.status(), 422);
    assert!(twice.answer.text().contains("value=\"user:created\""));
}

#[test]
fn a_webhook_shows_its_secret_once_and_is_deleted() {
    let stack = Stack::shared();
    let mut browser = Browser::of(&stack, &User::second_admin(&stack));
    let path = format!("{OPERATIONS}/webhooks");
    let list = browser.open(&path);
    let wrong = browser.send(&list, &path, &[("url", "http://example.com/hook")]);
    assert_eq!(wrong.answer.status(), 422);
    assert!(
        wrong
            .answer
            .text()
            .contains("value=\"http://example.com/hook\"")
    );
    let filled = [
        ("url", "https://example.com/hook"),
        ("templates", "payment_approved"),
    ];
    let made = browser.send(&wrong, &path, &filled);
    assert!(made.says("whsec_"), "{}", made.text());
    let page = browser.open(&made.link("To the webhook"));
    assert!(page.says("payment_approved") && !page.says("whsec_"));
    let deleted = browser.send(&page, &format!("{}/delete", page.path), &[]);
    assert!(deleted.says("You have no webhook"), "{}", deleted.text());
}

#[test]
fn only_admins_see_operations() {
    let stack = Stack::shared();
    let mut browser = Browser::of(&stack, &User::driver(&stack));
    for path in ["", "/events", "/events?state=dead"] {
        let page = browser.try_open(&format!("{OPERATIONS}{path}"));
        assert_eq!(page.answer.status(), 403, "{path}");
    }
}
