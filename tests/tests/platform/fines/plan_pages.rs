//! Payment pages of a fine that was paid in another way meanwhile: no payment counts twice, and surplus money goes back.

use serde_json::{Value, json};
use wharf_tests::{Stack, at_once, eventually};

use super::plans::{begin, pay_part, show, zone};
use super::{SOON, approve, driver, moved, pay_fine};
use crate::bookings::{balance, endow};

/// Whether no payment of a fine is being opened and no refund is owed.
fn is_settled(stack: &Stack, fine: &Value) -> bool {
    let id = fine["id"].as_i64().unwrap();
    let open = "SELECT count(*) FROM fines.charge LEFT JOIN fines.refund ON charge_id = charge.id
        WHERE subject = 'fine' AND subject_id = $1 AND (charge.status = 'opening' OR refund.status = 'owed')";
    let open = stack.sql().query_one(open, &[&id]).unwrap();
    open.get::<_, i64>(0) == 0
}

#[test]
fn one_of_two_paid_pages_counts_and_the_other_goes_back() {
    let stack = Stack::shared();
    let zone = zone(&stack);
    let (driver, plate) = driver(&stack, 0);
    let fine = zone.fined(&plate);
    // One page is for the first part of two, the other for the whole fine with its discount. Both cost ten.
    let links = [begin(&driver, &fine, 2), pay_fine(&driver, &fine)];
    let links = links.map(|it| it.problem(402)["link"].clone());
    at_once(2, |number| approve(&stack, &links[number]));
    eventually("all is settled", SOON, || is_settled(&stack, &fine));
    assert_eq!(show(&driver, &fine)["paid_amount"], json!(10));
    assert_eq!(moved(&stack, "fine", &fine["id"]), 1_000);
}

/// A page can be paid for half an hour: a payer opens one, pays in another way, and comes back to it.
#[test]
fn a_page_paid_after_another_payment_goes_back() {
    let stack = Stack::shared();
    let zone = zone(&stack);
    let (poor, plate) = driver(&stack, 0);
    let (rich, _) = driver(&stack, 10_000);
    let fine = zone.fined(&plate);
    let by_reference = format!(
        "/api/v1/fines/references/{}",
        fine["reference"].as_str().unwrap()
    );
    let link = |path: &str, body: &Value| {
        let page = stack.post(&format!("{by_reference}{path}")).json(body);
        page.send().expect(200).json()["link"].clone()
    };
    let cents = |fine: &Value| (fine["paid_amount"].as_f64().unwrap_or(0.0) * 100.0).round();
    let settled = |paid: i32| {
        eventually("all is settled", SOON, || is_settled(&stack, &fine));
        assert_eq!(cents(&show(&poor, &fine)), f64::from(paid));
        assert_eq!(moved(&stack, "fine", &fine["id"]), i64::from(paid));
    };
    // One page is for the whole fine with its discount, the other for the first of four parts. Then the driver chooses
    // two parts.
    let whole = link("/pay", &json!({}));
    let other_plan = link("/plan", &json!({ "parts": 4 }));
    endow(&stack, &poor, 1_000);
    begin(&poor, &fine, 2).expect(201);
    approve(&stack, &whole);
    approve(&stack, &other_plan);
    settled(1_000);
    assert_eq!(
        show(&poor, &fine)["plan"]["parts"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    // One page is for the rest of the fine, the other for its second part. Then a friend pays that part.
    let rest = link("/pay", &json!({}));
    let part = link("/plan/2/pay", &json!({}));
    pay_part(&rich, &fine, 2).expect(201);
    approve(&stack, &rest);
    approve(&stack, &part);
    settled(2_000);
    assert_eq!(balance(&rich), 10_000 - 1_000);
}
