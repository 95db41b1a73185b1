//! What is delivered names the request that caused it.

use serde_json::json;
use wharf_tests::{eventually, unique};

use super::{Person, SOON, Told};

/// From a booking to its notice, from the notice to the webhook.
#[test]
fn a_webhook_is_called_with_the_id_of_the_request_that_caused_it() {
    let told = Told::shared();
    let (ana, olga) = (
        Person::registered(told, "driver", 1),
        Person::registered(told, "owner", 1),
    );
    ana.endow(told, 10_000);
    let place = json!({
        "name": unique("Garage"), "city": "Porto", "address": "Rua das Flores 1", "parking_type": "covered",
        "hourly_rate": 100, "capacity": 9,
    });
    let place = olga.request(told, "POST", "/parking").json(&place).send();
    let place = place.expect(200).json()["id"].clone();
    let path = format!("/{}", ana.login);
    ana.hooked(told, &path);

    let mut sql = told.stack.sql();
    let mut at = |minutes: i32| -> String {
        let moment =
            "SELECT to_char(now() AT TIME ZONE 'UTC' + make_interval(days => 2, mins => $1),
            'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
        sql.query_one(moment, &[&minutes]).unwrap().get(0)
    };
    let wishes = [(0, 60), (120, 180)].map(
        |(from, to)| json!({ "parking_place_id": place, "date_from": at(from), "date_to": at(to) }),
    );
    let cause = unique("cause");
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let book = || ana.request(told, "POST", "/booking");
    book()
        .header("x-request-id", &cause)
        .header("traceparent", trace)
        .json(&wishes[0])
        .send()
        .expect(200);
    eventually("she is told", SOON, || told.calls(&path).len() == 1);
    let call = &told.calls(&path)[0];
    assert_eq!(call.json()["type"], "booking_created_driver");
    assert_eq!(call.headers["x-request-id"], cause.as_str());
    assert_eq!(call.headers["traceparent"], trace);
    let kinds = "SELECT string_agg(DISTINCT kind, ' ' ORDER BY kind) FROM events.entry
        WHERE request_id = $1 AND kind IN ('notify', 'deliver:webhook', 'deliver:telegram')";
    let kinds: String = sql.query_one(kinds, &[&cause]).unwrap().get(0);
    assert_eq!(kinds, "deliver:telegram deliver:webhook notify");

    // A request without one has that of the host.
    let booked = book()
        .without_header("x-request-id")
        .json(&wishes[1])
        .send()
        .expect(200);
    eventually("she is told again", SOON, || told.calls(&path).len() == 2);
    let call = &told.calls(&path)[1];
    assert_eq!(
        call.headers["x-request-id"].to_str().ok(),
        booked.header("x-request-id")
    );
    assert!(!call.headers.contains_key("traceparent"));
}

/// Several are delivered by one instance at the same time, and each of them writes an event of its own: its owner is told that
/// the webhook is gone.
#[test]
fn an_event_that_follows_from_another_names_its_request() {
    let told = Told::shared();
    let mut sql = told.stack.sql();
    let gone: Vec<(String, String)> = (0..3)
        .map(|_| {
            let ana = Person::registered(told, "driver", 1);
            let (webhook, _) = ana.hooked(told, &format!("/{}/410", ana.login));
            let call = json!({ "webhook": webhook, "body": { "type": "test" } }).to_string();
            (webhook, call)
        })
        .collect();
    let causes: Vec<String> = gone.iter().map(|_| unique("cause")).collect();
    let (webhooks, calls): (Vec<String>, Vec<String>) = gone.into_iter().unzip();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    sql.execute(
        "INSERT INTO events.outbox (kind, aggregate, payload, request_id, traceparent)
        SELECT 'deliver:webhook', 'test:' || call.webhook, call.payload::jsonb, call.cause, $4
        FROM unnest($1::text[], $2::text[], $3::text[]) AS call (webhook, payload, cause)",
        &[&webhooks, &calls, &causes, &trace],
    )
    .unwrap();
    for (webhook, cause) in webhooks.iter().zip(&causes) {
        let follows = "SELECT request_id FROM events.entry
            WHERE aggregate = 'webhook:' || $1 AND payload ->> 'template' = 'webhook_disabled'";
        let mut found = None;
        eventually("the owner is to be told", SOON, || {
            found = sql.query_opt(follows, &[webhook]).unwrap();
            found.is_some()
        });
        let named: Option<String> = found.unwrap().get(0);
        assert_eq!(named.as_ref(), Some(cause));
    }
}
