//! Who may do what, and what nonsense is answered.

mod refusals;

use serde_json::{Value, json};
use wharf_tests::{Request, Stack, User};

use super::{at, book_confirmed, driver, offer, place_body, wish};

/// Users of every kind.
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
    /// The statuses for no token, driver, other driver, owner, other owner and admin; each time to a
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
fn every_role_can_do_exactly_what_it_may() {
    let stack = Stack::shared();
    let cast = cast(&stack);
    let place = offer(&cast.owner, 60, 50);
    let id = book_confirmed(&stack, &cast.driver, place, 0, 60);
    let (the_place, the_booking) = (format!("/parking/{place}"), format!("/booking/{id}"));
    let whole = wish(place, &at(&stack, 0), &at(&stack, 60));
    let later = json!({ "date_to": at(&stack, 70) });
    let sooner = json!({ "date_from": at(&stack, 10) });
    let rules = format!("{the_place}/rules");
    let car = json!({ "plate": "AA 123 BB" });
    let confirmed = json!({ "status": "Confirmed" });
    let canceled = json!({ "status": "Canceled" });
    let listed = format!("/booking?parking_place_id={place}");
    let me = cast.driver.get("/auth/me").send().json()["id"]
        .as_str()
        .unwrap()
        .to_owned();

    //                             none   driver other owner other admin
    let table: [(&str, &str, Option<&Value>, [u16; 6]); 29] = [
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
            &format!("{the_booking}/start"),
            Some(&sooner),
            [401, 200, 403, 403, 403, 200],
        ),
        ("GET", &rules, None, [200, 200, 200, 200, 200, 200]),
        (
            "PUT",
            &rules,
            Some(&json!({ "time_zone": "Europe/Lisbon" })),
            [401, 403, 403, 200, 403, 200],
        ),
        (
            "POST",
            &format!("{the_place}/check-in"),
            Some(&car),
            [401, 403, 403, 404, 403, 404],
        ),
        (
            "POST",
            &format!("{the_place}/check-out"),
            Some(&car),
            [401, 403, 403, 409, 403, 409],
        ),
        (
            "POST",
            "/parking/999999999/check-in",
            Some(&car),
            [401, 404, 404, 404, 404, 404],
        ),
        (
            "POST",
            "/parking/999999999/check-out",
            Some(&car),
            [401, 404, 404, 404, 404, 404],
        ),
        (
            "PUT",
            &format!("{the_booking}/plate"),
            Some(&car),
            [401, 200, 403, 403, 403, 200],
        ),
        (
            "DELETE",
            &format!("{the_booking}/overstay"),
            None,
            [401, 403, 403, 200, 403, 200],
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
            "GET",
            "/booking/overstays",
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
        let id = book_confirmed(&stack, &cast.driver, place, 0, 60);
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
    let own = book_confirmed(&stack, &cast.driver, place, 0, 60);
    let own_elsewhere = book_confirmed(&stack, &cast.driver, elsewhere, 0, 60);
    let other = book_confirmed(&stack, &cast.other_driver, place, 0, 60);
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
