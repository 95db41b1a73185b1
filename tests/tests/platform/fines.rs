//! Parking zones, tickets and fines: the rights of drivers, controllers and cities, and payments that count once.

mod appeals;
mod booked;
mod cars;
mod cases;
mod checks;
mod fleets;
mod growth;
mod issuing;
mod matrix;
mod money;
pub(crate) mod photos;
mod plan_pages;
mod plans;
mod polling;
mod returned;
mod tickets;
mod zones;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use wharf_tests::{Answer, Stack, User, unique};

use crate::bookings::endow;

const SOON: Duration = Duration::from_secs(60);

/// The south-west corner of a square, a tenth of a degree wide, that no other zone of these tests covers.
fn ground() -> (f64, f64) {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    static FIRST: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    // The first square is random, because an earlier run may have used the same stack.
    let first = *FIRST.get_or_init(|| uuid::Uuid::new_v4().as_fields().0 % 1_000_000);
    let cell = first + TAKEN.fetch_add(1, Ordering::Relaxed);
    // Quarters of a degree are exact both as binary and as decimal numbers, so that a point on a border stays on it.
    (
        f64::from(cell % 1_360) / 4.0 - 170.0,
        f64::from(cell / 1_360 % 640) / 4.0 - 80.0,
    )
}

fn square(west: f64, south: f64, size: f64) -> Value {
    let (east, north) = (west + size, south + size);
    json!([
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south]
    ])
}

fn polygon(rings: &[Value]) -> Value {
    json!({ "type": "Polygon", "coordinates": rings })
}

/// A zone that costs 0.50 for each ticket and 1.20 for each hour.
pub(crate) fn zone_body() -> Value {
    let (west, south) = ground();
    json!({
        "name": unique("Zone"),
        "available": true,
        "geometry": polygon(&[square(west, south, 0.1)]).to_string(),
        "metadata": { "color": "blue" },
        "price_offset": 0.5,
        "price_lin": 1.2,
        "price_exp": 1,
    })
}

/// A zone and its staff.
pub(crate) struct Zone {
    pub(crate) id: i64,
    pub(crate) admin: User,
    pub(crate) controller: User,
}

impl Zone {
    pub(crate) fn found(stack: &Stack) -> Self {
        Self::found_with(stack, &json!({}))
    }

    /// A zone whose body also has these members.
    pub(crate) fn found_with(stack: &Stack, members: &Value) -> Self {
        let admin = User::zone_admin(stack);
        let mut body = zone_body();
        for (name, value) in members.as_object().unwrap() {
            body[name] = value.clone();
        }
        let zone = admin.post("/api/v1/zones").json(&body).send().expect(201);
        let id = zone.json()["id"].as_i64().unwrap();
        let controller = User::controller(stack);
        let role = json!({ "username": controller.login, "role": "controller" });
        admin
            .post(&format!("/api/v1/zones/{id}/users"))
            .json(&role)
            .send()
            .expect(201);
        Self {
            id,
            admin,
            controller,
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/v1/zones/{}{rest}", self.id)
    }

    /// A check of a car by the zone's controller.
    fn check(&self, plate: &str) -> Value {
        let request = self.controller.post(&self.path("/checks"));
        let answer = request.json(&json!({ "plate": plate })).send();
        answer.expect(201).json()
    }

    pub(crate) fn fine(&self, user: &User, body: &Value) -> Answer {
        user.post(&self.path("/fines")).json(body).send()
    }

    /// A fine of 20 by the controller.
    pub(crate) fn fined(&self, plate: &str) -> Value {
        let body = json!({ "plate": plate, "amount": 20 });
        self.fine(&self.controller, &body).expect(201).json()
    }

    fn ticket(&self, user: &User, plate: &str, start: &str, minutes: i64) -> Answer {
        let body = json!({ "plate": plate, "start_date": start, "duration": minutes });
        user.post(&self.path("/tickets")).json(&body).send()
    }
}

/// A plate that no car had before.
pub(crate) fn plate() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let random = uuid::Uuid::new_v4().simple().to_string().to_uppercase();
    let number = MADE.fetch_add(1, Ordering::Relaxed) % 100;
    format!("{}{number:02}", &random[..8])
}

fn register(user: &User, plate: &str) {
    user.post("/api/v1/users/me/cars")
        .json(&json!({ "plate": plate, "brand": "Fiat", "model": "Panda" }))
        .send()
        .expect(201);
}

/// A driver with a car and so many cents.
pub(crate) fn driver(stack: &Stack, cents: i64) -> (User, String) {
    let driver = User::driver(stack);
    if cents > 0 {
        endow(stack, &driver, cents);
    }
    let plate = plate();
    register(&driver, &plate);
    (driver, plate)
}

/// So many minutes from this moment.
fn from_now(stack: &Stack, minutes: i32) -> String {
    let moment = "SELECT to_char((now() + make_interval(mins => $1)) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
    stack.sql().query_one(moment, &[&minutes]).unwrap().get(0)
}

/// A paid ticket that began now.
pub(crate) fn parked(
    stack: &Stack,
    zone: &Zone,
    driver: &User,
    plate: &str,
    minutes: i64,
) -> Value {
    let ticket = zone.ticket(driver, plate, &from_now(stack, 0), minutes);
    pay(driver, &ticket.expect(201).json()).expect(201).json()
}

fn pay(user: &User, ticket: &Value) -> Answer {
    user.post(&format!("/api/v1/tickets/{}/pay", ticket["id"]))
        .send()
}

fn pay_fine(user: &User, fine: &Value) -> Answer {
    user.post(&format!("/api/v1/fines/{}/pay", fine["id"]))
        .send()
}

/// The cents that the ledger moved for a ticket or a fine, less its refunds.
fn moved(stack: &Stack, subject: &str, id: &Value) -> i64 {
    let sum = "SELECT coalesce(sum(CASE kind WHEN 'refund' THEN -transfer.amount ELSE transfer.amount END), 0)::bigint
        FROM payments.transfer JOIN fines.charge ON charge.id IN (transfer.id, transfer.refund_of)
        WHERE subject = $1 AND subject_id = $2";
    let id = id.as_i64().unwrap();
    stack.sql().query_one(sum, &[&subject, &id]).unwrap().get(0)
}

/// The unfinished payments and refunds of a ticket or a fine.
fn unsettled(stack: &Stack, subject: &str, id: &Value) -> i64 {
    let count = "SELECT count(*) FROM fines.charge LEFT JOIN fines.refund ON charge_id = charge.id
        WHERE subject = $1 AND subject_id = $2 AND (charge.status = 'opening' OR refund.status = 'owed')";
    let id = id.as_i64().unwrap();
    let count = stack.sql().query_one(count, &[&subject, &id]);
    count.unwrap().get(0)
}

/// The path of a page of the sandbox's provider.
fn page(stack: &Stack, link: &Value) -> String {
    let here = format!("http://{}", stack.address());
    let link = link.as_str().expect("a link");
    link.strip_prefix(&here)
        .expect("the sandbox is here")
        .to_owned()
}

/// A person presses the button that pays.
pub(crate) fn approve(stack: &Stack, link: &Value) {
    let page = page(stack, link);
    stack.post(&page).form("decision=approve").send();
}

/// Makes a fine older by so many days.
fn age(stack: &Stack, fine: &Value, days: i32) {
    let id = fine["id"].as_i64().unwrap();
    let age = "UPDATE fines.fine SET issued_at = issued_at - make_interval(days => $2),
        next_step_at = next_step_at - make_interval(days => $2),
        plan_until = plan_until - make_interval(days => $2) WHERE id = $1";
    stack.sql().execute(age, &[&id, &days]).unwrap();
}
