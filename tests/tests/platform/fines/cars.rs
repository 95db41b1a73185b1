//! Cars of drivers, and plates without an owner.

use serde_json::json;
use wharf_tests::{Stack, User};

use super::{Zone, driver, parked, pay_fine, plate, register};
use crate::bookings::endow;

#[test]
fn a_car_is_registered_changed_and_removed() {
    let stack = Stack::shared();
    let (driver, plate) = driver(&stack, 0);
    let cars = || {
        driver
            .get("/api/v1/users/me/cars")
            .send()
            .expect(200)
            .json()
    };
    assert_eq!(
        cars(),
        json!([{ "plate": plate, "brand": "Fiat", "model": "Panda" }])
    );
    // However it is written, it is the same plate.
    let written = format!("{}-{}", &plate[..4], plate[4..].to_lowercase());
    let other = User::driver(&stack);
    let taken = json!({ "plate": written });
    other
        .post("/api/v1/users/me/cars")
        .json(&taken)
        .send()
        .problem(409);
    let path = format!("/api/v1/users/me/cars/{written}");
    other
        .patch(&path)
        .json(&json!({ "brand": "Tesla" }))
        .send()
        .problem(404);
    other.delete(&path).send().problem(404);
    let changed = driver
        .patch(&path)
        .json(&json!({ "brand": "Lancia" }))
        .send()
        .expect(200);
    assert_eq!(
        changed.json(),
        json!({ "plate": plate, "brand": "Lancia", "model": "Panda" })
    );
    driver.delete(&path).send().expect(204);
    assert_eq!(cars(), json!([]));
    driver.delete(&path).send().problem(404);
    register(&other, &plate);
}

#[test]
fn a_car_gets_another_plate() {
    let stack = Stack::shared();
    let (driver, old) = driver(&stack, 0);
    let (_, taken) = super::driver(&stack, 0);
    let path = format!("/api/v1/users/me/cars/{old}");
    driver
        .patch(&path)
        .json(&json!({ "plate": taken }))
        .send()
        .problem(409);
    // A refusal leaves both cars, also when the other one is the driver's own.
    let own = plate();
    register(&driver, &own);
    driver
        .patch(&path)
        .json(&json!({ "plate": own }))
        .send()
        .problem(409);
    let other = format!("/api/v1/users/me/cars/{own}");
    driver.delete(&other).send().expect(204);
    let new = plate();
    driver
        .patch(&path)
        .json(&json!({ "plate": new }))
        .send()
        .expect(200);
    let cars = driver
        .get("/api/v1/users/me/cars")
        .send()
        .expect(200)
        .json();
    assert_eq!(
        cars,
        json!([{ "plate": new, "brand": "Fiat", "model": "Panda" }])
    );
    register(&User::driver(&stack), &old);
}

/// Anyone may register a plate that has no owner.
#[test]
fn a_new_owner_of_a_car_does_not_see_where_it_parked_before() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (seller, plate) = driver(&stack, 2_000);
    let over = parked(&stack, &zone, &seller, &plate, 30);
    let running = parked(&stack, &zone, &seller, &plate, 60);
    let end = "UPDATE fines.ticket SET start_at = start_at - interval '1 hour', end_at = now() - interval '1 minute' WHERE id = $1";
    let mut sql = stack.sql();
    assert_eq!(sql.execute(end, &[&over["id"].as_i64()]).unwrap(), 1);
    let car = format!("/api/v1/users/me/cars/{plate}");
    seller.delete(&car).send().expect(204);
    let buyer = User::driver(&stack);
    register(&buyer, &plate);
    let listed = |user: &User| {
        let listed = user.get("/api/v1/users/me/tickets").send().expect(200);
        let listed = listed.json().as_array().unwrap().clone();
        listed.iter().map(|it| it["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&buyer), [running["id"].clone()]);
    assert_eq!(
        listed(&seller),
        [running["id"].clone(), over["id"].clone()],
        "who bought them sees them"
    );
    let show = |user: &User| {
        let path = format!("/api/v1/tickets/{}", over["id"]);
        user.get(&path).send().status()
    };
    assert_eq!((show(&buyer), show(&seller)), (403, 200));
}

#[test]
fn an_invalid_plate_is_refused() {
    let stack = Stack::shared();
    let driver = User::driver(&stack);
    for wrong in ["", "A", "ABCDEFGHIJKLMNOP", "AB/12", "漢字"] {
        let body = json!({ "plate": wrong });
        driver
            .post("/api/v1/users/me/cars")
            .json(&body)
            .send()
            .problem(400);
    }
    driver.get("/api/v1/cars").send().problem(403);
    driver.delete("/api/v1/cars").send().problem(403);
}

#[test]
fn a_parked_car_is_one_with_a_valid_ticket() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 1_000);
    let other = super::plate();
    register(&driver, &other);
    parked(&stack, &zone, &driver, &plate, 30);
    let plates = |query: &str| {
        let cars = driver
            .get(&format!("/api/v1/users/me/cars?{query}"))
            .send()
            .expect(200)
            .json();
        let cars = cars.as_array().unwrap().iter();
        cars.map(|it| it["plate"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        plates("currently_parked=true"),
        std::slice::from_ref(&plate)
    );
    assert_eq!(
        plates("currently_parked=false"),
        std::slice::from_ref(&other)
    );
    assert_eq!(plates(""), [plate, other]);
}

#[test]
fn lists_of_a_driver_are_whole_when_no_page_is_asked_for() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack).id;
    let driver = User::driver(&stack);
    let (login, prefix) = (&driver.login, plate());
    let many = format!(
        "CREATE TEMPORARY TABLE me AS SELECT id FROM signin.account WHERE login = '{login}';
        INSERT INTO fines.car (plate, shown, owner)
        SELECT plate, plate, id
        FROM me, generate_series(1, 101) AS n, LATERAL (SELECT '{prefix}' || lpad(upper(to_hex(n)), 2, '0') AS plate) AS named;
        INSERT INTO fines.ticket (request, zone_id, plate, buyer, start_at, end_at, price, currency, stay_from)
        SELECT gen_random_uuid(), {zone}, plate, id, now(), now() + interval '1 hour', 100, 'USD', now()
        FROM me JOIN fines.car ON owner = id;
        INSERT INTO fines.fine (request, reference, zone_id, plate, shown, amount, currency, issuer, schedule, noted_due)
        SELECT gen_random_uuid(), plate, {zone}, plate, plate, 100, 'USD', me.id, rules -> 'fines', 100
        FROM me JOIN fines.car ON owner = me.id JOIN fines.zone ON zone.id = {zone};
        INSERT INTO fines.driver (user_id, seq, version) SELECT id, 101, 1 FROM me;
        INSERT INTO fines.feed (user_id, seq, fine_id)
        SELECT me.id, row_number() OVER (ORDER BY fine.id), fine.id
        FROM me JOIN fines.car ON owner = me.id JOIN fines.fine USING (plate);"
    );
    stack.sql().batch_execute(&many).unwrap();
    let rows = |path: &str| {
        let listed = driver.get(&format!("/api/v1/users/me/{path}")).send();
        listed.expect(200).json().as_array().unwrap().len()
    };
    assert_eq!(
        [rows("cars"), rows("tickets"), rows("fines")],
        [101, 101, 101]
    );
    assert_eq!(
        [rows("tickets?limit=100"), rows("fines?limit=100")],
        [100, 100]
    );
}

/// The shared guest.
fn guest(stack: &Stack) -> User {
    // The client registers the guest on first use.
    let account = json!({ "login": "guest", "email": "guest@example.org", "password": "Correct-Horse-1", "role": "driver" });
    stack.post("/register").json(&account).send();
    let session = stack
        .post("/login")
        .json(&json!({ "login": "guest", "password": "Correct-Horse-1" }))
        .send()
        .expect(200);
    let mut guest = User::driver(stack);
    guest.token = session.json()["token"].as_str().unwrap().to_owned();
    guest
}

#[test]
fn plates_of_the_shared_guest_have_no_owner() {
    let stack = Stack::shared();
    let guest = guest(&stack);
    let plate = plate();
    let body = json!({ "plate": plate });
    let register_again = || guest.post("/api/v1/users/me/cars").json(&body).send();
    register(&guest, &plate);
    register_again().problem(409);
    let cars = guest.get("/api/v1/users/me/cars").send().expect(200);
    assert_eq!(cars.json(), json!([]));
    register(&User::driver(&stack), &plate);
    register_again().problem(409);
}

#[test]
fn tickets_and_fines_of_one_guest_are_closed_to_the_next() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let guest = guest(&stack);
    endow(&stack, &guest, 3_000);
    let plate = plate();
    register(&guest, &plate);
    let ticket = parked(&stack, &zone, &guest, &plate, 60);
    let listed = guest.get("/api/v1/users/me/tickets").send().expect(200);
    assert_eq!(listed.json(), json!([]));
    let path = format!("/api/v1/tickets/{}", ticket["id"]);
    guest.get(&path).send().problem(403);
    guest.post(&format!("{path}/end")).send().problem(403);
    assert_eq!(zone.check(&plate)["result"], json!("valid"));
    let fine = zone.fined(&super::plate());
    pay_fine(&guest, &fine).expect(201);
    let path = format!("/api/v1/fines/{}", fine["id"]);
    guest.get(&path).send().problem(403);
}
