//! Two hosts on the same stores, as behind a load balancer: what holds on one holds on both.

use std::time::Duration;

use serde_json::json;
use wharf_tests::{Options, Request, Stack, User, at_once, eventually_some};

use super::{assert_books_agree, at, balance, count_fullest, driver, offer, wish};

#[test]
fn a_place_and_a_price_are_given_once_by_two_hosts_too() {
    let first = Options::default().start_cabled();
    let second = first.start_second();
    let hosts = [&first, &second];
    let in_turn = |number: usize, user: &User, method: &str, path: &str| -> Request {
        let host: &Stack = hosts[number % 2];
        host.request(method, path).api_key(&user.token)
    };

    let owner = User::owner(&first);
    let place = offer(&owner, 100, 5);
    let drivers: Vec<_> = (0..4).map(|_| driver(&first, 1_000_000)).collect();
    let answers = at_once(200, |number| {
        // All of them share the hour from 10:00 to 11:00.
        let minute = u32::try_from(number).unwrap();
        let (from, to) = (600 - minute % 60, 660 + minute % 45);
        let driver = &drivers[number / 2 % 4];
        let wish = wish(place, &at(&first, from), &at(&first, to));
        // Where so many want one place, some are sent away for a moment.
        eventually_some("an answer", Duration::from_secs(60), || {
            let asked = in_turn(number, driver, "POST", "/booking").json(&wish);
            // The same booking, when its payment took too long to be answered.
            let asked = asked.header("idempotency-key", &format!("wish-{number}"));
            Some(asked.send()).filter(|it| it.status() != 503)
        })
    });
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|it| it.status() == 200);
    assert_eq!(won.len(), 5);
    for answer in lost {
        assert_eq!(answer.problem(409)["code"], "no_availability");
    }
    assert_eq!(count_fullest(&mut first.sql(), place), 5);
    assert_books_agree(&first);

    for answer in won {
        let address = format!("/booking/{}", answer.json()["booking_id"]);
        at_once(6, |number| match number % 3 {
            0 => in_turn(number, &owner, "DELETE", &address).send(),
            _ => in_turn(number, &owner, "PUT", &address)
                .json(&json!({ "status": "Canceled" }))
                .send(),
        })
        .iter()
        .for_each(|it| assert!(matches!(it.status(), 200 | 404), "{it}"));
    }
    for driver in &drivers {
        assert_eq!(balance(driver), 1_000_000);
    }
    assert_eq!(balance(&owner), 0);
    let refunds = "SELECT count(*) FROM payments.transfer WHERE kind = 'refund'";
    let refunds: i64 = first.sql().query_one(refunds, &[]).unwrap().get(0);
    assert_eq!(refunds, 5);
    assert_books_agree(&first);
}
