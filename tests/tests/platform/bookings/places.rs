//! What owners offer, and how drivers find it.

use serde_json::{Value, json};
use wharf_tests::{Stack, User, unique};

use super::place_body;

#[test]
fn a_place_is_offered_shown_changed_and_removed() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let me = owner.get("/auth/me").send().json()["id"].clone();
    let mut body = place_body(150, 20);
    let id = owner.post("/parking").json(&body).send().expect(200).json()["id"]
        .as_i64()
        .unwrap();
    let address = format!("/parking/{id}");
    (body["id"], body["owner_id"]) = (json!(id), me);
    assert_eq!(stack.get(&address).send().expect(200).json(), body);

    body["hourly_rate"] = json!(175);
    body["latitude"] = json!(41.15);
    body["longitude"] = json!(-8.61);
    assert_eq!(
        owner.put(&address).json(&body).send().expect(200).json(),
        body
    );
    assert_eq!(stack.get(&address).send().expect(200).json(), body);

    assert_eq!(
        owner.delete(&address).send().expect(200).json()["status"],
        "success"
    );
    stack.get(&address).send().problem(404);
}

#[test]
fn a_place_that_is_offered_again_with_its_key_is_one() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let body = place_body(150, 20);
    let offer = || {
        owner
            .post("/parking")
            .header("idempotency-key", "a-place")
            .json(&body)
            .send()
            .expect(200)
    };
    let (first, again) = (offer(), offer());
    assert_eq!(first.json(), again.json());
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
}

/// The host may die after the place was made and before its answer was kept.
#[test]
fn a_place_whose_answer_was_never_kept_is_found_by_its_request() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let (key, body) = (unique("place"), place_body(150, 20));
    let offer = || {
        owner
            .post("/parking")
            .header("idempotency-key", &key)
            .json(&body)
            .send()
            .expect(200)
            .json()
    };
    let first = offer();
    let lost = "DELETE FROM bookings.idempotency_key WHERE key LIKE '%' || $1";
    assert_eq!(stack.sql().execute(lost, &[&key]).unwrap(), 1);
    assert_eq!(offer(), first);
}

/// The replaced system had no limit, and its clients ask for no page.
#[test]
fn an_owner_of_many_places_sees_all_of_them() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let me = owner.get("/auth/me").send().expect(200).json()["id"].clone();
    let me = me.as_str().unwrap();
    let id: uuid::Uuid = me.parse().unwrap();
    let many = "INSERT INTO bookings.place (owner, name, city, address, parking_type, hourly_rate, capacity)
        SELECT $1, 'place ' || number, 'Lisboa', 'Rua 1', 'covered', 100, 1 FROM generate_series(1, 130) AS number";
    stack.sql().execute(many, &[&id]).unwrap();
    let listed = |query: &str| {
        let path = format!("/parking?owner_id={me}{query}");
        let answer = owner.get(&path).send().expect(200);
        let rows = answer.json().as_array().unwrap().len();
        (rows, answer.header("link").map(str::to_owned))
    };
    assert_eq!(listed(""), (130, None));
    let last: i64 = stack
        .sql()
        .query_one(
            "SELECT id FROM bookings.place WHERE owner = $1 AND name = 'place 100'",
            &[&id],
        )
        .unwrap()
        .get(0);
    let next = format!("</parking?owner_id={me}&limit=100&after={last}>; rel=\"next\"");
    assert_eq!(listed("&limit=1000"), (100, Some(next)));
    assert_eq!(listed(&format!("&after={last}")), (30, None));
    assert_eq!(listed("&offset=100"), (30, None));
}

#[test]
fn places_are_found_by_everything_that_is_known_of_them() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let me = owner.get("/auth/me").send().json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let city = unique("Braga");
    let offer = |name: &str, kind: &str, rate: i64, at: Option<(f64, f64)>| {
        let mut body = place_body(rate, 1);
        body["name"] = json!(name);
        body["city"] = json!(city);
        body["parking_type"] = json!(kind);
        if let Some((latitude, longitude)) = at {
            body["latitude"] = json!(latitude);
            body["longitude"] = json!(longitude);
        }
        owner.post("/parking").json(&body).send().expect(200).json()["id"]
            .as_i64()
            .unwrap()
    };
    let north = offer("Norte Central", "outdoor", 100, Some((60.0, 10.0)));
    let south = offer("Sul 100%", "multi-level", 200, Some((-30.0, 10.0)));
    let nowhere = offer("central de Braga", "underground", 300, None);
    let found = |query: &str| {
        let found = stack
            .get(&format!("/parking?city={city}&{query}"))
            .send()
            .expect(200)
            .json();
        found
            .as_array()
            .unwrap()
            .iter()
            .map(|it: &Value| it["id"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    let all = [north, south, nowhere];
    assert_eq!(found(""), all);
    assert_eq!(found(&format!("owner_id={me}")), all);
    assert!(found("owner_id=00000000-0000-4000-8000-000000000000").is_empty());
    assert_eq!(found("name=CENTRAL"), [north, nowhere]);
    // A percent sign is one.
    assert_eq!(found("name=%25"), [south]);
    assert_eq!(found("parking_type=multi-level"), [south]);
    assert_eq!(found("lowest_rate=200"), [south, nowhere]);
    assert_eq!(found("lowest_rate=101&highest_rate=200"), [south]);
    assert_eq!(found("limit=2"), [north, south]);
    assert_eq!(found("limit=2&offset=2"), [nowhere]);
    let page = stack.get(&format!("/parking?city={city}&limit=2")).send();
    let next = format!("</parking?city={city}&limit=2&after={south}>; rel=\"next\"");
    assert_eq!(page.header("link"), Some(next.as_str()));
    let last = stack.get(&format!("/parking?city={city}&limit=2&offset=2"));
    assert_eq!(last.send().header("link"), None);
    // The nearest first; places without coordinates last.
    assert_eq!(found("latitude=-20&longitude=11"), [south, north, nowhere]);
    assert_eq!(found("latitude=59&longitude=-170"), [north, south, nowhere]);
    let near = stack.get(&format!("/parking?city={city}&latitude=60&longitude=11"));
    let near = near.send().expect(200).json();
    // A degree of longitude is half as long there as at the equator.
    let distance = near[0]["distance_km"].as_f64().unwrap();
    assert!((55.0..56.0).contains(&distance), "{distance}");
    assert!(near[2].get("distance_km").is_none());
    // A city is the whole name of one.
    let part = &city[..city.len() - 1];
    assert_eq!(
        stack
            .get(&format!("/parking?city={part}"))
            .send()
            .expect(200)
            .json(),
        json!([])
    );
}

#[test]
fn a_name_is_found_in_any_case_of_any_alphabet() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let city = unique("Moscow");
    let mut body = place_body(100, 1);
    (body["name"], body["city"]) = (json!("Парковка у Ёлки"), json!(city));
    owner.post("/parking").json(&body).send().expect(200);
    for part in ["парковка", "ПАРКОВКА", "ёлки", "ЁЛК"] {
        let encoded: String = part.bytes().map(|it| format!("%{it:02X}")).collect();
        let found = stack.get(&format!("/parking?city={city}&name={encoded}"));
        let found = found.send().expect(200).json();
        assert_eq!(found[0]["name"], body["name"], "{part}");
    }
}
