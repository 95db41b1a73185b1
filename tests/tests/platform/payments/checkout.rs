//! Payments through the sandbox's provider, from the view of a customer, a shop and an admin.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wharf_tests::{Answer, Stack, User, eventually, unique};

use super::{assert_sound, key};

/// The relay runs every second.
const SOON: Duration = Duration::from_secs(60);

fn open(user: &User, body: &Value) -> Value {
    user.post("/payments/").json(body).send().expect(200).json()
}

fn order(user: &User) -> Value {
    let body = json!({
        "order_id": unique("order"), "amount": 25.5, "description": "Two sandwiches", "customer_id": 7,
        "email": user.email,
    });
    open(user, &body)
}

/// The path of the page where this is paid.
fn page(stack: &Stack, payment: &Value) -> String {
    let link = payment["payment_link"].as_str().expect("a link");
    let here = format!("http://{}", stack.address());
    link.strip_prefix(&here)
        .expect("the sandbox is here")
        .to_owned()
}

/// A person presses a button on the page.
fn press(stack: &Stack, page: &str, decision: &str) -> Answer {
    stack
        .post(page)
        .form(&format!("decision={decision}"))
        .send()
}

fn status(user: &User, payment: &Value) -> Value {
    let id = payment["payment_id"].as_str().unwrap();
    user.get(&format!("/payments/?payment_id={id}"))
        .send()
        .expect(200)
        .json()["status"]
        .clone()
}

/// The balance of the house account of sales in this currency, by the transfers.
fn booked(stack: &Stack, payment: &Value) -> i64 {
    let id: uuid::Uuid = payment["payment_id"].as_str().unwrap().parse().unwrap();
    let sum =
        "SELECT coalesce(sum(CASE WHEN kind = 'refund' THEN -amount ELSE amount END), 0)::bigint
        FROM payments.transfer WHERE id = $1 OR refund_of = $1";
    stack.sql().query_one(sum, &[&id]).unwrap().get(0)
}

#[test]
fn a_payment_is_opened_with_a_link_and_a_code_and_approved_on_the_page() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let payment = order(&user);
    assert_eq!(
        (&payment["status"], &payment["amount"]),
        (&json!("pending"), &json!(25.5))
    );
    let png = STANDARD
        .decode(payment["qr_code"].as_str().unwrap())
        .unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    let id = payment["payment_id"].as_str().unwrap();
    let svg = user
        .get(&format!("/payments/{id}/qr.svg"))
        .send()
        .expect(200);
    assert_eq!(svg.header("content-type"), Some("image/svg+xml"));
    assert!(svg.text().starts_with("<svg"));

    let page = page(&stack, &payment);
    let html = stack.get(&page).send().expect(200).text();
    assert!(
        html.contains("Two sandwiches") && html.contains("25.50 BRL"),
        "{html}"
    );
    let paid = press(&stack, &page, "approve").expect(303);
    assert_eq!(
        (status(&user, &payment), booked(&stack, &payment)),
        (json!("approved"), 2550)
    );
    // The payer is led to an existing page without having signed in.
    let here = format!("http://{}", stack.address());
    let thanks = paid.header("location").unwrap().strip_prefix(&here);
    let thanks = stack.get(thanks.unwrap()).send().expect(200);
    assert!(thanks.text().contains("Thank you"), "{thanks}");
    // It cannot be paid twice.
    press(&stack, &page, "approve").expect(409);
    let admin = User::admin(&stack);
    admin
        .request(
            "PATCH",
            &format!("/payments/{id}?new_status=refunded&reason=by+phone"),
        )
        .send()
        .expect(200);
    assert_eq!(
        (status(&user, &payment), booked(&stack, &payment)),
        (json!("refunded"), 0)
    );
    let sent_back =
        "SELECT count(*) FROM sandbox_psp.payment JOIN sandbox_psp.bill ON bill.id = payment.bill
        WHERE bill.reference = $1 AND payment.status = 'refunded'";
    assert_eq!(
        stack
            .sql()
            .query_one(sent_back, &[&id])
            .unwrap()
            .get::<_, i64>(0),
        1
    );
    assert_sound(&stack);
}

#[test]
fn a_payer_can_try_again_after_a_declined_attempt() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let payment = order(&user);
    let page = page(&stack, &payment);
    press(&stack, &page, "decline").expect(200);
    assert_eq!(
        (status(&user, &payment), booked(&stack, &payment)),
        (json!("rejected"), 0)
    );
    press(&stack, &page, "approve").expect(303);
    assert_eq!(
        (status(&user, &payment), booked(&stack, &payment)),
        (json!("approved"), 2550)
    );
}

#[test]
fn a_code_can_be_scanned_where_there_is_no_page() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let body =
        json!({ "order_id": unique("order"), "amount": 3, "customer_id": "8", "method": "qr" });
    let payment = open(&user, &body);
    assert_eq!(
        (&payment["status"], &payment["payment_link"]),
        (&json!("pending"), &Value::Null)
    );
    assert!(payment["qr_code"].is_string());
    // The text that a phone reads from the code.
    let id: uuid::Uuid = payment["payment_id"].as_str().unwrap().parse().unwrap();
    let scan: String = stack
        .sql()
        .query_one("SELECT scan FROM payments.checkout WHERE id = $1", &[&id])
        .unwrap()
        .get(0);
    let scanned = json!({ "payment_link": scan });
    press(&stack, &page(&stack, &scanned), "approve").expect(200);
    assert_eq!(
        (status(&user, &payment), booked(&stack, &payment)),
        (json!("approved"), 300)
    );
}

#[test]
fn only_its_owner_and_admins_find_a_payment_by_order_or_customer() {
    let stack = Stack::shared();
    let (user, stranger, admin) = (
        User::driver(&stack),
        User::driver(&stack),
        User::admin(&stack),
    );
    let (order_id, customer) = (unique("order"), unique("customer"));
    let body = json!({ "order_id": order_id, "amount": 1, "customer_id": customer });
    let payment = open(&user, &body);
    for query in [
        format!("order_id={order_id}"),
        format!("customer_id={customer}"),
    ] {
        let path = format!("/payments/?{query}");
        let found = user.get(&path).send().expect(200).json();
        assert_eq!(found[0]["payment_id"], payment["payment_id"], "{query}");
        assert_eq!(admin.get(&path).send().expect(200).json(), found);
        stranger.get(&path).send().expect(404);
    }
    let id = payment["payment_id"].as_str().unwrap();
    stranger
        .get(&format!("/payments/?payment_id={id}"))
        .send()
        .expect(404);
    stranger
        .get(&format!("/payments/{id}/qr.png"))
        .send()
        .expect(404);
    for nothing in ["payment_id=7", "order_id=nobody-s", "customer_id=nobody-s"] {
        user.get(&format!("/payments/?{nothing}"))
            .send()
            .expect(404);
    }
    let none = user.get("/payments/").send().expect(400).json();
    assert_eq!(
        (&none["status code"], &none["msg"].is_string()),
        (&json!(400), &true)
    );
}

#[test]
fn only_an_admin_approves_a_payment_by_hand() {
    let stack = Stack::shared();
    let (user, admin) = (User::driver(&stack), User::admin(&stack));
    let payment = order(&user);
    let id = payment["payment_id"].as_str().unwrap();
    let patch = |by: &User, status: &str| {
        by.request("PATCH", &format!("/payments/{id}?new_status={status}"))
            .send()
    };
    patch(&user, "approved").expect(403);
    patch(&admin, "splendid").expect(422);
    patch(&admin, "refunded&reason=by+phone").expect(409);
    // The form that clients of the replaced system send.
    patch(&admin, "approved").expect(200);
    let acts = admin.get(&format!("/payments/acts?about={id}"));
    let acts = acts.send().expect(200).json();
    assert_eq!(acts[0]["reason"], "no reason was given");
    patch(&admin, "approved&reason=in+cash").expect(200);
    patch(&admin, "rejected").expect(409);
    assert_eq!(
        (status(&user, &payment), booked(&stack, &payment)),
        (json!("approved"), 2550)
    );
    // The customer still pays; that money goes back.
    press(&stack, &page(&stack, &payment), "approve").expect(303);
    assert_eq!(booked(&stack, &payment), 2550);
    let back =
        "SELECT count(*) FROM payments.psp_payment WHERE checkout = $1 AND verdict = 'returned'";
    let id: uuid::Uuid = id.parse().unwrap();
    assert_eq!(
        stack
            .sql()
            .query_one(back, &[&id])
            .unwrap()
            .get::<_, i64>(0),
        1
    );
    assert_sound(&stack);
}

#[test]
fn a_payment_sent_twice_with_one_key_is_one_payment() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let key = key();
    let body = json!({ "order_id": unique("order"), "amount": 9.99, "customer_id": 1 });
    let copy = || {
        user.post("/payments/")
            .header("idempotency-key", &key)
            .json(&body)
            .send()
    };
    let first = copy().expect(200).json();
    let again = copy().expect(200);
    assert_eq!(
        (again.header("idempotent-replayed"), again.json()),
        (Some("true"), first)
    );
    for wrong in [
        json!(0),
        json!(-1),
        json!("1"),
        json!(0.001),
        json!(1e13),
        Value::Null,
    ] {
        let body = json!({ "order_id": "1", "amount": wrong, "customer_id": 1 });
        user.post("/payments/").json(&body).send().expect(422);
    }
}

/// Covers the wallet, every account, unused codes that the user paid for, and money that arrives later.
#[test]
fn money_of_an_erased_person_waits_until_it_is_claimed() {
    let stack = Stack::shared();
    let (user, heir, admin) = (
        User::driver(&stack),
        User::driver(&stack),
        User::admin(&stack),
    );
    let id = |user: &User| user.get("/auth/me").send().expect(200).json()["id"].clone();
    let (erased, claimant) = (id(&user), id(&heir));
    super::account(&user, 12.5);
    super::activate(&user, &super::promocode(&admin, 750, 1)).expect(200);
    let generate = |amount: i64| {
        let body = json!({ "amount": amount });
        let made = user.post("/payment/promocode/generate").json(&body).send();
        made.expect(200).json()["code"].as_str().unwrap().to_owned()
    };
    let (used, unused) = (generate(50), generate(300));
    super::activate(&heir, &used).expect(200);
    super::activate(&heir, &super::promocode(&admin, 1, 1)).expect(200);
    user.delete("/auth/me").send().expect(204);
    let erased_id: uuid::Uuid = erased.as_str().unwrap().parse().unwrap();
    let left = "SELECT coalesce((SELECT amount FROM payments.unclaimed WHERE owner = $1), 0),
        (SELECT coalesce(sum(balance), 0)::bigint FROM payments.account WHERE owner = $1)";
    let standing = || {
        let row = stack.sql().query_one(left, &[&erased_id]).unwrap();
        (row.get::<_, i64>(0), row.get::<_, i64>(1))
    };
    eventually("it is set aside", SOON, || standing() == (1950, 0));
    let over = super::activate(&heir, &unused).problem(400);
    assert_eq!(over["code"], "promocode-expired");
    let path = format!(
        "/payments/unclaimed/{}/handed-over",
        erased.as_str().unwrap()
    );
    let claim = |by: &User, claimant: &Value| {
        let body = json!({ "claimant_id": claimant, "currency": "USD", "reason": "passport seen" });
        by.post(&path).json(&body).send()
    };
    let of_person = format!("/payments/unclaimed?user_id={erased_id}");
    let left_behind = || admin.get(&of_person).send().expect(200).json();
    assert_eq!(left_behind()[0]["amount"], json!(19.5));
    claim(&heir, &claimant).expect(403);
    claim(&admin, &erased).problem(404);
    claim(&admin, &claimant).expect(200);
    claim(&admin, &claimant).problem(404);
    assert_eq!(left_behind(), json!([]));
    assert_eq!(super::wallet(&heir), 2001);
    assert_eq!(standing(), (0, 0));
    assert_sound(&stack);
}

/// Also when a function opens payments for its customers.
#[test]
fn an_e_mail_is_deleted_once_it_is_no_longer_needed() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let name = super::account(&user, 1.0);
    let (id, email): (uuid::Uuid, _) = {
        let me = user.get("/auth/me").send().expect(200).json();
        let id = me["id"].as_str().unwrap().parse().unwrap();
        (id, user.email.clone())
    };
    let known = |sql: &mut postgres::Client| -> i64 {
        let count = "SELECT (SELECT count(*) FROM payments.holder WHERE email = $1)
            + (SELECT count(*) FROM payments.checkout WHERE email = $1)";
        sql.query_one(count, &[&email]).unwrap().get(0)
    };
    let mut sql = stack.sql();
    eventually("payments knows of the user", SOON, || known(&mut sql) == 1);
    // The provider has the e-mail now, so the checkout no longer keeps it.
    order(&user);
    assert_eq!(known(&mut sql), 1);
    let waiting = "INSERT INTO payments.checkout (id, opener, reference, customer, owner, amount, currency,
            description, email, method, credit, expires_at)
        SELECT gen_random_uuid(), 'tests', '1', '1', $1, 1, currency, '', $2, 'link', id, now() + interval '1 hour'
        FROM payments.account WHERE name = $3";
    sql.execute(waiting, &[&id, &email, &name]).unwrap();
    assert_eq!(known(&mut sql), 2);
    user.delete("/auth/me").send().expect(204);
    eventually("payments has forgotten", SOON, || known(&mut sql) == 0);

    // An old event arrives late, as after a restored outbox or from a stuck relay.
    let late = "SELECT payments.note_holder($1, $2, told_at - 1, 'USD') FROM payments.holder WHERE id = $1";
    sql.query_one(late, &[&id, &email]).unwrap();
    assert_eq!(known(&mut sql), 0);
    let never_seen = uuid::Uuid::new_v4();
    sql.query_one("SELECT payments.forget_holder($1, 7)", &[&never_seen])
        .unwrap();
    sql.query_one(
        "SELECT payments.note_holder($1, $2, 6, 'USD')",
        &[&never_seen, &email],
    )
    .unwrap();
    assert_eq!(known(&mut sql), 0);
}
