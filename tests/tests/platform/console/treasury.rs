//! Payouts with one admin and with two, promo codes, settled refunds and imported files.

use wharf_tests::{Browser, Stack, User, unique};

use crate::payments::cash_outs::{bank, cash_out, rich, text};
use crate::payments::stuck::Stuck;

const TREASURY: &str = "/console/treasury";

/// A waiting cash-out of so many cents; answers the path of its page.
fn payout(stack: &Stack, cents: i64) -> String {
    let user = rich(stack, cents);
    let opened = cash_out(&user, &bank(&user), cents).expect(201).json();
    format!("{TREASURY}/payouts/{}", text(&opened["id"]))
}

#[test]
fn a_payout_is_approved_and_paid_for_a_reason_that_its_page_keeps() {
    let stack = Stack::shared();
    let path = payout(&stack, 600);
    let mut browser = Browser::of(&stack, &User::admin(&stack));
    let page = browser.open(&path);
    assert!(page.says("6.00 USD") && page.says("021000021/123456789"));
    let (approved, paid) = (format!("{path}/approved"), format!("{path}/paid"));
    assert!(!page.has_form(&paid), "it is approved first");
    let refused = browser.send(&page, &approved, &[("reason", "x")]);
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.answer.text().contains("value=\"x\""));
    let page = browser.send(&page, &approved, &[("reason", "the account is theirs")]);
    assert!(page.says("State approved"), "{}", page.text());
    let page = browser.send(&page, &paid, &[("reason", "reference 4711")]);
    assert!(page.says("State paid"), "{}", page.text());
    assert!(page.says("the account is theirs") && page.says("reference 4711"));
    assert!(!page.has_form(&paid) && !page.has_form(&format!("{path}/returned")));
}

#[test]
fn a_large_payout_waits_on_the_first_page_until_a_second_admin_approves_it() {
    let stack = Stack::shared();
    let path = payout(&stack, 200_000);
    let approved = format!("{path}/approved");
    let mut first = Browser::of(&stack, &User::admin(&stack));
    let page = first.open(&path);
    let page = first.send(&page, &approved, &[("reason", "the owner asked")]);
    assert!(
        page.says("State open") && page.says("(proposed)"),
        "{}",
        page.text()
    );
    let mut second = Browser::of(&stack, &User::second_admin(&stack));
    let waits = |it: &wharf_tests::Page| it.answer.text().contains(&format!("href=\"{path}\""));
    assert!(waits(&second.open(TREASURY)), "the second admin decides");
    assert!(!waits(&first.open(TREASURY)), "the first one cannot");
    let page = second.open(&path);
    let page = second.send(&page, &approved, &[("reason", "seen too")]);
    assert!(page.says("State approved"), "{}", page.text());
    assert!(!waits(&second.open(TREASURY)));
}

#[test]
fn the_house_makes_a_promo_code_once_and_ends_it() {
    let stack = Stack::shared();
    let mut browser = Browser::of(&stack, &User::admin(&stack));
    let list = format!("{TREASURY}/promocodes");
    let code = unique("CONSOLE");
    let filled = [
        ("amount", "2.50"),
        ("max_uses", "3"),
        ("code", &*code),
        ("reason", "a fair"),
    ];
    let page = browser.open(&list);
    let wrong = browser.send(&page, &list, &[("amount", "much"), ("code", &code)]);
    assert_eq!(wrong.answer.status(), 422);
    assert!(wrong.answer.text().contains(&format!("value=\"{code}\"")));
    let made = browser.send(&page, &list, &filled);
    assert!(
        made.says("2.50 USD") && made.says("0 of 3"),
        "{}",
        made.text()
    );
    // A double click sends the same form twice.
    assert_eq!(browser.send(&page, &list, &filled).path, made.path);
    let end = format!("{}/end", made.path);
    let ended = browser.send(&made, &end, &[("reason", "the fair is over")]);
    assert!(
        ended.says("State over") && ended.says("the fair is over"),
        "{}",
        ended.text()
    );
    assert!(!ended.has_form(&end));
}

#[test]
fn a_refused_refund_is_settled_by_hand() {
    let stack = Stack::shared();
    let stuck = Stuck::of(&stack, 800, 300);
    let path = format!("{TREASURY}/refunds/{}", stuck.refund);
    let mut browser = Browser::of(&stack, &User::admin(&stack));
    let page = browser.open(&path);
    assert!(page.says("insufficient_funds") && page.says("8.00 USD"));
    let settled = browser.send(
        &page,
        &format!("{path}/settled"),
        &[("reason", "the payee is broke")],
    );
    assert!(
        settled.says("It waits no more") && settled.says("the payee is broke"),
        "{}",
        settled.text()
    );
}

#[test]
fn a_file_of_the_provider_is_read_or_comes_back_with_what_is_wrong() {
    // A stack of its own: the lines of a file count once, and fees are booked.
    let stack = Stack::start();
    let mut browser = Browser::of(&stack, &User::admin(&stack));
    let path = format!("{TREASURY}/provider-files");
    let page = browser.open(&path);
    let wrong = browser.send(&page, &path, &[("name", "a.csv"), ("csv", "no report")]);
    assert_eq!(wrong.answer.status(), 422);
    assert!(wrong.says("line 1 cannot be read"), "{}", wrong.text());
    assert!(wrong.answer.text().contains("value=\"a.csv\""));
    let csv = "SOURCE_ID,TRANSACTION_TYPE,TRANSACTION_AMOUNT,TRANSACTION_CURRENCY,TRANSACTION_DATE,FEE_AMOUNT\r\n\
        17,SETTLEMENT,5.00,BRL,2026-11-28T10:00:00Z,-1.25\r\n";
    let read = browser.send(&wrong, &path, &[("csv", csv)]);
    assert!(
        read.says("1.25 BRL") && read.says("not booked here 17 0.00 BRL 5.00 BRL"),
        "{}",
        read.text()
    );
    assert!(browser.open(TREASURY).says("The books are sound"));
}

#[test]
fn only_admins_see_the_treasury() {
    let stack = Stack::shared();
    let mut browser = Browser::of(&stack, &User::driver(&stack));
    for path in ["", "/payouts", "/refunds", "/promocodes", "/acts"] {
        let page = browser.try_open(&format!("{TREASURY}{path}"));
        assert_eq!(page.answer.status(), 403, "{path}");
    }
    assert!(!browser.open("/console").says("Treasury"));
}
