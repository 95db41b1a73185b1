//! What a request may not say.

use serde_json::json;
use wharf_tests::{Request, Stack, User};

use super::super::{at, book, book_confirmed, driver, offer, place_body, wish};

/// Forms of older clients send every field, filled or not.
#[test]
fn empty_search_parameters_are_ignored() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let me = owner.get("/auth/me").send().json()["id"].clone();
    let place = offer(&owner, 60, 1);
    let found = |empty: &str| {
        let query = format!("/parking?owner_id={}&{empty}", me.as_str().unwrap());
        stack.get(&query).send().expect(200).json()[0]["id"].clone()
    };
    assert_eq!(found("city=&name=&parking_type="), place);
    assert_eq!(
        found("date_from=&date_to=&limit=&latitude=&longitude="),
        place
    );
}

#[test]
fn dates_that_cannot_be_booked_are_refused() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 60, 1);
    let driver = driver(&stack, 1_000);
    let noon = at(&stack, 720);
    for (from, to) in [
        (noon.as_str(), noon.as_str()),
        (&at(&stack, 721), &noon),
        ("2020-01-01T00:00:00Z", "2020-01-01T01:00:00Z"),
        ("2020-01-01T00:00:00Z", &noon),
        (&noon, "9999-12-31T23:59:59Z"),
        (&noon, "99999-01-01T00:00:00Z"),
        (&noon, "-0001-01-01T00:00:00Z"),
        ("tomorrow", &noon),
        ("", &noon),
        (&noon, "2026-02-30T00:00:00Z"),
        (&noon, "1e400"),
    ] {
        let problem = driver
            .post("/booking")
            .json(&wish(place, from, to))
            .send()
            .problem(400);
        assert_eq!(problem["code"], "invalid-dates", "{from} {to}");
        stack
            .post("/booking/quote")
            .json(&wish(place, from, to))
            .send()
            .problem(400);
    }
    for missing in ["parking_place_id", "date_from", "date_to"] {
        let mut wish = wish(place, &at(&stack, 0), &noon);
        wish.as_object_mut().unwrap().remove(missing);
        let problem = driver.post("/booking").json(&wish).send().problem(400);
        assert_eq!(problem["code"], "missing-field");
        assert!(
            problem["error_message"].as_str().unwrap().contains(missing),
            "{problem}"
        );
    }
    book(&stack, &driver, 999_999_999, 0, 60).problem(404);
}

#[test]
fn nonsense_is_refused_and_breaks_nothing() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let driver = driver(&stack, 1_000);
    let place = offer(&owner, 60, 1);
    let id = book_confirmed(&stack, &driver, place, 0, 60);
    let refused = |request: Request| {
        let answer = request.send();
        assert!((400..500).contains(&answer.status()), "{answer}");
        answer.problem(answer.status());
    };
    let bodies = [
        "",
        "null",
        "[]",
        "{",
        "\"x\"",
        "0",
        "{}x",
        "{\"status\":null}",
        "{\"status\":\"Paid\"}",
        "{\"parking_place_id\":1e99}",
        "{\"parking_place_id\":\"1\"}",
        "{\"date_to\":17}",
        "\u{0}",
        "{\"name\":[]}",
        "{\"date_to\":\"\u{7f}\"}",
    ];
    for body in bodies {
        for (user, method, path) in [
            (&driver, "POST", "/booking".to_owned()),
            (&driver, "POST", "/booking/quote".to_owned()),
            (&driver, "PUT", format!("/booking/{id}")),
            (&driver, "PUT", format!("/booking/{id}/end")),
            (&owner, "POST", "/parking".to_owned()),
            (&owner, "PUT", format!("/parking/{place}")),
        ] {
            refused(user.request(method, &path).body("application/json", body));
            refused(user.request(method, &path).body("text/plain", body));
        }
    }
    refused(
        driver
            .post("/booking")
            .body("application/json", "[".repeat(100_000)),
    );
    for path in [
        "/booking/x",
        "/booking/-",
        "/booking/99999999999999999999",
        "/booking/%00",
        "/booking/1%2F2",
    ] {
        refused(driver.get(path));
        refused(driver.delete(path));
    }
    for query in [
        "parking_type=tree",
        "owner_id=1",
        "limit=x",
        "offset=99999999999999999999",
        "date_from=2026-01-01T00:00:00Z",
        "date_from=x&date_to=y",
        "latitude=1",
        "latitude=91&longitude=0",
        "latitude=NaN&longitude=NaN",
        "lowest_rate=cheap",
        "city=%00",
        "name=%00",
    ] {
        refused(stack.get(&format!("/parking?{query}")));
    }
    for query in [
        "user_id=x",
        "parking_place_id=x",
        "limit=-",
        "status=Paid",
        "date_from=soon",
    ] {
        refused(driver.get(&format!("/booking?{query}")));
    }
    for (member, value) in [
        ("name", json!("")),
        ("name", json!("   ")),
        ("name", json!("a\u{0}b")),
        ("name", json!("x".repeat(501))),
        ("city", json!("<SCRIPT>alert(1)")),
        ("address", json!("javascript:alert(1)")),
        ("parking_type", json!("tree")),
        ("hourly_rate", json!(0)),
        ("hourly_rate", json!(-1)),
        ("hourly_rate", json!(1_000_001)),
        ("hourly_rate", json!(1.5)),
        ("hourly_rate", json!(i64::MAX)),
        ("capacity", json!(0)),
        ("capacity", json!(100_001)),
        ("capacity", json!(5_000_000_000_i64)),
        ("latitude", json!(10)),
        ("latitude", json!("north")),
    ] {
        let mut body = place_body(60, 1);
        body[member] = value;
        refused(owner.post("/parking").json(&body));
        refused(owner.put(&format!("/parking/{place}")).json(&body));
    }
    // What only looks dangerous is text.
    let mut body = place_body(60, 1);
    body["name"] = json!("O'Hara \"; DROP TABLE place; -- %_\\ ☃ 𝄞");
    body["owner_id"] = json!("00000000-0000-4000-8000-000000000000");
    let made = owner.post("/parking").json(&body).send().expect(200).json();
    let shown = stack
        .get(&format!("/parking/{}", made["id"]))
        .send()
        .expect(200)
        .json();
    assert_eq!(shown["name"], body["name"]);
    assert_ne!(shown["owner_id"], body["owner_id"]);
    stack
        .get("/parking?name=%25&city=%27&limit=9223372036854775807")
        .send()
        .expect(200);
    driver.get(&format!("/booking/{id}")).send().expect(200);
}

#[test]
fn owners_cannot_book_their_own_place() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 100, 1);
    let driver = driver(&stack, 1_000);
    let give = "UPDATE bookings.place SET owner = $2::text::uuid WHERE id = $1";
    let me = driver.get("/auth/me").send().expect(200).json();
    let id = me["id"].as_str().unwrap();
    stack.sql().execute(give, &[&place, &id]).unwrap();
    let refused = book(&stack, &driver, place, 0, 60).problem(400);
    assert_eq!(refused["code"], "own-place");
}
