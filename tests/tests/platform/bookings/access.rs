//! Who may do what, and what nonsense is answered.

use serde_json::{Value, json};
use wharf_tests::{Request, Stack, User};

use super::{at, book, booked, driver, offer, place_body, wish};

/// Somebody who may use the platform in some part.
struct Cast {
    owner: User,
    other_owner: User,
    driver: User,
    other_driver: User,
    admin: User,
}

fn cast(stack: &Stack) -> Cast {
    Cast {
        owner: User::owner(stack),
        other_owner: User::owner(stack),
        driver: driver(stack, 100_000),
        other_driver: driver(stack, 100_000),
        admin: User::admin(stack),
    }
}

impl Cast {
    /// What nobody, driver, other driver, owner, other owner and admin are answered; each time to a
    /// request made anew.
    fn answered(
        &self,
        stack: &Stack,
        ask: impl Fn(&dyn Fn(&str, &str) -> Request) -> Request,
    ) -> [u16; 6] {
        let users = [
            &self.driver,
            &self.other_driver,
            &self.owner,
            &self.other_owner,
            &self.admin,
        ];
        let mut answered = [0; 6];
        let status = |request: Request| {
            let answer = request.send();
            if answer.status() >= 400 {
                answer.problem(answer.status());
            }
            answer.status()
        };
        answered[0] = status(ask(&|method, path| stack.request(method, path)));
        for (user, slot) in users.into_iter().zip(&mut answered[1..]) {
            *slot = status(ask(&|method, path| user.request(method, path)));
        }
        answered
    }
}

#[test]
fn everybody_may_do_what_is_theirs_and_nothing_else() {
    let stack = Stack::shared();
    let cast = cast(&stack);
    let place = offer(&cast.owner, 60, 50);
    let id = booked(&stack, &cast.driver, place, 0, 60);
    let (the_place, the_booking) = (format!("/parking/{place}"), format!("/booking/{id}"));
    let whole = wish(place, &at(&stack, 0), &at(&stack, 60));
    let later = json!({ "date_to": at(&stack, 70) });
    let confirmed = json!({ "status": "Confirmed" });
    let canceled = json!({ "status": "Canceled" });
    let listed = format!("/booking?parking_place_id={place}");
    let me = cast.driver.get("/auth/me").send().json()["id"]
        .as_str()
        .unwrap()
        .to_owned();

    //                             nobody driver other owner other admin
    let table: [(&str, &str, Option<&Value>, [u16; 6]); 19] = [
        ("GET", "/parking", None, [200, 200, 200, 200, 200, 200]),
        ("GET", &the_place, None, [200, 200, 200, 200, 200, 200]),
        (
            "POST",
            "/parking",
            Some(&place_body(1, 1)),
            [401, 403, 403, 200, 200, 403],
        ),
        (
            "PUT",
            &the_place,
            Some(&place_body(60, 50)),
            [401, 403, 403, 200, 403, 200],
        ),
        ("GET", "/booking", None, [401, 200, 200, 403, 403, 200]),
        ("GET", &listed, None, [401, 200, 200, 200, 403, 200]),
        (
            "GET",
            "/booking?parking_place_id=999999999",
            None,
            [401, 404, 404, 404, 404, 404],
        ),
        (
            "GET",
            &format!("/booking?user_id={me}"),
            None,
            [401, 200, 403, 403, 403, 200],
        ),
        (
            "POST",
            "/booking",
            Some(&whole),
            [401, 200, 200, 403, 403, 403],
        ),
        (
            "POST",
            "/booking/quote",
            Some(&whole),
            [200, 200, 200, 200, 200, 200],
        ),
        ("GET", &the_booking, None, [401, 200, 403, 200, 403, 200]),
        (
            "GET",
            "/booking/999999999",
            None,
            [401, 404, 404, 404, 404, 404],
        ),
        (
            "PUT",
            &format!("{the_booking}/end"),
            Some(&later),
            [401, 200, 403, 403, 403, 200],
        ),
        (
            "PUT",
            &the_booking,
            Some(&confirmed),
            [401, 400, 403, 400, 403, 400],
        ),
        (
            "GET",
            "/booking/refunds",
            None,
            [401, 403, 403, 403, 403, 200],
        ),
        (
            "PUT",
            "/booking/999999999",
            Some(&confirmed),
            [401, 404, 404, 404, 404, 404],
        ),
        (
            "PUT",
            &the_booking,
            Some(&canceled),
            [401, 200, 403, 200, 403, 200],
        ),
        (
            "DELETE",
            "/booking/999999999",
            None,
            [401, 404, 404, 404, 404, 404],
        ),
        (
            "DELETE",
            "/parking/999999999",
            None,
            [401, 404, 404, 404, 404, 404],
        ),
    ];
    for (method, path, body, expected) in table {
        let answered = cast.answered(&stack, |request| match body {
            Some(body) => request(method, path).json(body),
            None => request(method, path),
        });
        assert_eq!(answered, expected, "{method} {path}");
    }

    for (remover, expected) in [
        (&cast.other_driver, 403),
        (&cast.other_owner, 403),
        (&cast.driver, 200),
        (&cast.owner, 404),
    ] {
        assert_eq!(remover.delete(&the_booking).send().status(), expected);
    }
    for canceler in [&cast.owner, &cast.admin] {
        let id = booked(&stack, &cast.driver, place, 0, 60);
        canceler
            .delete(&format!("/booking/{id}"))
            .send()
            .expect(200);
    }
    let (one, two) = (offer(&cast.owner, 1, 1), offer(&cast.owner, 1, 1));
    for (remover, place, expected) in [
        (&cast.driver, one, 403),
        (&cast.other_owner, one, 403),
        (&cast.owner, one, 200),
        (&cast.owner, one, 404),
        (&cast.admin, two, 200),
    ] {
        assert_eq!(
            remover.delete(&format!("/parking/{place}")).send().status(),
            expected
        );
    }
}

#[test]
fn lists_show_what_is_ones_own() {
    let stack = Stack::shared();
    let cast = cast(&stack);
    let (place, elsewhere) = (offer(&cast.owner, 60, 9), offer(&cast.other_owner, 60, 9));
    let own = booked(&stack, &cast.driver, place, 0, 60);
    let own_elsewhere = booked(&stack, &cast.driver, elsewhere, 0, 60);
    let other = booked(&stack, &cast.other_driver, place, 0, 60);
    let ids = |user: &User, query: &str| {
        let listed = user
            .get(&format!("/booking{query}"))
            .send()
            .expect(200)
            .json();
        let ids = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["booking_id"].as_i64().unwrap());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ids(&cast.driver, ""), [own_elsewhere, own]);
    assert_eq!(ids(&cast.driver, "?limit=1&offset=1"), [own]);
    assert_eq!(ids(&cast.other_driver, ""), [other]);
    let of_place = format!("?parking_place_id={place}");
    assert_eq!(ids(&cast.driver, &of_place), [own]);
    assert_eq!(ids(&cast.owner, &of_place), [other, own]);
    assert_eq!(ids(&cast.admin, &of_place), [other, own]);

    let canceled = format!("/booking/{other}");
    cast.other_driver
        .put(&canceled)
        .json(&json!({ "status": "Canceled" }))
        .send()
        .expect(200);
    let with = |filter: &str| ids(&cast.owner, &format!("{of_place}&{filter}"));
    assert_eq!(with("status=Canceled"), [other]);
    assert_eq!(with("status=Confirmed"), [own]);
    assert_eq!(with("status="), [other, own]);
    let later = at(&stack, 60);
    assert_eq!(with(&format!("date_to={later}")), [other, own]);
    assert!(with(&format!("date_from={later}")).is_empty());

    // What was booked at a place stays its owner's to see when it is offered no more.
    cast.driver
        .delete(&format!("/booking/{own}"))
        .send()
        .expect(200);
    cast.owner
        .delete(&format!("/parking/{place}"))
        .send()
        .expect(200);
    assert_eq!(ids(&cast.owner, &of_place), [other]);
    let strange = cast.other_owner.get(&format!("/booking{of_place}"));
    strange.send().problem(403);
}

/// Forms of older clients send every field, filled or not.
#[test]
fn what_is_left_empty_in_a_search_does_not_matter() {
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
    let id = booked(&stack, &driver, place, 0, 60);
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
