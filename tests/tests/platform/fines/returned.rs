//! Payments at the provider that are taken back, as by the payer's bank or an admin of payments.

use serde_json::{Value, json};
use wharf_tests::{Stack, User, eventually};

use super::appeals::appeal;
use super::plans::{begin, kinds, show};
use super::{SOON, Zone, approve, driver, from_now, moved, pay, pay_fine};
use crate::bookings::endow;

/// An admin of payments sends back the money that was paid at the provider for a ticket or a fine.
fn take_back(stack: &Stack, subject: &str, id: &Value) {
    let charge = "SELECT id::text FROM fines.charge
        WHERE subject = $1 AND subject_id = $2 AND method = 'checkout' AND status = 'paid'";
    let id = id.as_i64().unwrap();
    let charge = stack.sql().query_one(charge, &[&subject, &id]).unwrap();
    let charge: String = charge.get(0);
    let path = format!("/payments/{charge}?new_status=refunded&reason=disputed");
    let admin = User::admin(stack);
    admin.request("PATCH", &path).send().expect(200);
}

#[test]
fn a_fine_whose_payment_is_taken_back_is_due_again() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 0);
    let fine = zone.fined(&plate);
    let is_paid = || show(&driver, &fine)["paid"] == json!(true);
    approve(&stack, &pay_fine(&driver, &fine).problem(402)["link"]);
    eventually("the fine is paid", SOON, is_paid);
    take_back(&stack, "fine", &fine["id"]);
    eventually("the fine is due again", SOON, || !is_paid());
    let shown = show(&driver, &fine);
    assert_eq!(
        (&shown["due"], &shown["paid_amount"], &shown["status"]),
        (&json!(20), &Value::Null, &json!("issued"))
    );
    assert_eq!(moved(&stack, "fine", &fine["id"]), 0);
    assert_eq!(kinds(&driver, &fine), ["issued", "paid", "returned"]);
    let told = "SELECT (params ->> 'amount_cents')::bigint FROM notify.inbox
        WHERE template = 'fine_payment_returned' AND params ->> 'fine_id' = $1";
    let number = fine["id"].to_string();
    eventually("the driver is told", SOON, || {
        let told = stack.sql().query(told, &[&number]).unwrap();
        told.iter().map(|it| it.get(0)).collect::<Vec<i64>>() == [2_000]
    });
    endow(&stack, &driver, 2_000);
    pay_fine(&driver, &fine).expect(201);
    assert_eq!(moved(&stack, "fine", &fine["id"]), 2_000);
}

#[test]
fn a_driver_can_appeal_again_after_the_waiver_payment_is_taken_back() {
    let stack = Stack::shared();
    let zone = super::plans::zone(&stack);
    let (driver, plate) = driver(&stack, 0);
    let fine = zone.fined(&plate);
    let waive = format!("/api/v1/fines/{}/pay?waive_appeal=true", fine["id"]);
    let is_paid = || show(&driver, &fine)["paid"] == json!(true);
    approve(&stack, &driver.post(&waive).send().problem(402)["link"]);
    eventually("the fine is paid", SOON, is_paid);
    assert_eq!(appeal(&driver, &fine).problem(409)["code"], "appeal-waived");
    take_back(&stack, "fine", &fine["id"]);
    eventually("the fine is due again", SOON, || !is_paid());
    appeal(&driver, &fine).expect(201);
}

#[test]
fn a_plan_ends_when_one_of_its_payments_is_taken_back() {
    let stack = Stack::shared();
    let zone = super::plans::zone(&stack);
    let (driver, plate) = driver(&stack, 0);
    let fine = zone.fined(&plate);
    approve(&stack, &begin(&driver, &fine, 2).problem(402)["link"]);
    eventually("the first part is paid", SOON, || {
        show(&driver, &fine)["paid_amount"] == json!(10)
    });
    take_back(&stack, "fine", &fine["id"]);
    eventually("the plan is over", SOON, || {
        show(&driver, &fine)["plan"]["status"] == "over"
    });
    // The discount for paying the whole fine early still holds.
    let shown = show(&driver, &fine);
    assert_eq!(
        (&shown["due"], &shown["paid_amount"]),
        (&json!(10), &Value::Null)
    );
    endow(&stack, &driver, 1_000);
    pay_fine(&driver, &fine).expect(201);
    assert_eq!(moved(&stack, "fine", &fine["id"]), 1_000);
}

#[test]
fn a_ticket_whose_payment_is_taken_back_covers_nothing() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 0);
    let ticket = zone.ticket(&driver, &plate, &from_now(&stack, 0), 60);
    let ticket = ticket.expect(201).json();
    approve(&stack, &pay(&driver, &ticket).problem(402)["link"]);
    eventually("the ticket is paid", SOON, || {
        zone.check(&plate)["result"] == "valid"
    });
    take_back(&stack, "ticket", &ticket["id"]);
    eventually("the car is not covered any more", SOON, || {
        zone.check(&plate)["result"] == "none"
    });
    assert_eq!(moved(&stack, "ticket", &ticket["id"]), 0);
}
