//! The requests, the same for both servers. One scenario is one row of the table.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::city::City;
use crate::events::DELETE_WAITING;
use crate::modpacks::{Modpacks, PACKS, hashes};
use crate::shops::Shops;
use crate::token::Keys;
use crate::users::Users;

/// Appends the request with this number to the buffer.
pub type Request = dyn Fn(u64, &mut Vec<u8>);

pub struct Scenario {
    pub name: &'static str,
    /// SQL round trips per request, on either server.
    pub statements: u32,
    /// The required ratio of requests per second, host to native.
    pub required: Option<f64>,
    /// The required latency of the host over one connection.
    pub within: Option<Duration>,
    pub request: Rc<Request>,
    /// The number of the next request. It continues over all loads, so that no write repeats an earlier one.
    pub counter: Rc<Cell<u64>>,
    /// The URL of a database, and a statement to run there before each load.
    pub before: Option<(String, &'static str)>,
}

/// The scenario whose statement `pgbench` measures alone, too.
pub const SEND: &str = "POST /payments/send";
/// Rows in the table that is read.
const ITEMS: u64 = 100_000;
/// More than any cache of verified tokens holds, so that each token has to be verified.
const TOKENS: u64 = 20_000;

/// The scenarios of the small function.
pub fn small_function(keys: &Keys) -> Result<Vec<Scenario>> {
    let cached = get("/me", &keys.token(1)?);
    let uncached = (0..TOKENS)
        .map(|_| Ok(get("/me", &keys.token(1)?)))
        .collect::<Result<Vec<_>>>()?;
    let hello = get("/hello", "");
    let new = post(
        "/items",
        "",
        &json!({ "name": "a bench", "owner": crate::token::user_id(1), "cents": 1990 }),
    );
    Ok(vec![
        scenario("hello", 0, Some(0.6), move |_, out| out.extend(&hello)),
        scenario("JWT, one token (cached)", 0, Some(0.55), move |_, out| {
            out.extend(&cached)
        }),
        scenario(
            "JWT, many tokens (verified)",
            0,
            Some(0.5),
            move |number, out| out.extend(pick(&uncached, number)),
        ),
        scenario("indexed read", 1, Some(0.65), |number, out| {
            let path = format!("/items/{}", scattered(number) % ITEMS + 1);
            out.extend(get(&path, ""));
        }),
        scenario("write", 1, Some(0.65), move |_, out| out.extend(&new)),
    ])
}

/// The scenarios of the product.
pub fn product(users: &Users) -> Vec<Scenario> {
    let callers: Vec<_> = users
        .tokens
        .iter()
        .map(|token| get("/payment/balance", token))
        .collect();
    let one = get("/payment/balance", users.token(0));
    let searches: Vec<_> = users
        .cities
        .iter()
        .map(|it| get(&format!("/parking?city={it}"), ""))
        .collect();
    let (senders, seekers) = (users.clone(), users.clone());
    vec![
        scenario(
            "GET /payment/balance, one caller",
            1,
            Some(0.6),
            move |_, out| out.extend(&one),
        ),
        scenario(
            "GET /payment/balance, 64 callers",
            1,
            Some(0.6),
            move |number, out| {
                out.extend(pick(&callers, number));
            },
        ),
        scenario(SEND, 1, Some(0.9), move |number, out| {
            let (from, to) = (number, scattered(number));
            let body = json!({
                "fromPaymentAccountId": senders.account(from, "a"),
                "toPaymentAccountId": senders.account(to, "b"),
                "amount": 0.01,
            });
            out.extend(post("/payments/send", senders.token(from), &body));
        }),
        scenario("GET /parking?city=", 1, Some(0.65), move |number, out| {
            out.extend(pick(&searches, number))
        }),
        scenario(
            "GET /parking?city=, with room for an hour",
            1,
            None,
            move |number, out| {
                let (_, from, to) = seekers.window(number);
                let city = seekers.city(number);
                let path = format!("/parking?city={city}&date_from={from}&date_to={to}");
                out.extend(get(&path, ""));
            },
        ),
        booking("POST /booking", users, Users::window),
        // 500 a second are required.
        Scenario {
            required: None,
            ..booking(
                "POST /booking, one owner",
                users,
                Users::window_of_one_owner,
            )
        },
    ]
}

/// The scenarios of orders.
pub fn orders(users: &Users, shops: &Shops) -> Result<Vec<Scenario>> {
    let kitchen = get(
        &format!("/kitchen?shop_id={}", shops.full()?),
        users.token(0),
    );
    let (menus, users, shops) = (shops.clone(), users.clone(), shops.clone());
    Ok(vec![
        scenario("GET /products", 1, Some(0.6), move |number, out| {
            let (shop, ..) = menus.pick(number);
            out.extend(get(&format!("/products?shop_id={shop}"), ""));
        }),
        scenario(
            "POST /orders, paid by wallet",
            3,
            Some(0.75),
            move |number, out| {
                let (shop, first, second) = shops.pick(number);
                let body = json!({
                    "shop_id": shop,
                    "payment_method": "wallet",
                    "order_items": [
                        { "product_id": first, "quantity": 1 },
                        { "product_id": second, "quantity": 2 },
                    ],
                });
                out.extend(post("/orders", users.token(scattered(number)), &body));
            },
        ),
        Scenario {
            within: Some(Duration::from_millis(5)),
            ..scenario(
                "GET /kitchen, 100 of 10000 orders",
                1,
                None,
                move |_, out| out.extend(&kitchen),
            )
        },
    ])
}

/// The scenarios of fines, by name.
pub const FINES: [&str; 5] = [
    "fines: check a plate",
    "fines: poll, unchanged (304)",
    "fines: poll 20",
    "fines: find a zone by coordinate",
    "fines: issue one",
];

/// The scenarios of fines, in a city with a million tickets.
pub fn fines(users: &Users, city: &City) -> Vec<Scenario> {
    let [check, unchanged, poll, zone, issue] = FINES;
    let (checked, issued) = (city.clone(), city.clone());
    let (controllers, issuers) = (users.clone(), users.clone());
    let polls = |header: &str| {
        let tokens = users.tokens.iter();
        let polls = tokens.map(|it| get_with("/api/v1/users/me/fines", it, header));
        polls.collect::<Vec<_>>()
    };
    // Each of them has twenty fines, none of which changes.
    let (known, unknown) = (polls("if-none-match: \"20\"\r\n"), polls(""));
    let within = |milliseconds, scenario| Scenario {
        within: Some(Duration::from_millis(milliseconds)),
        ..scenario
    };
    vec![
        within(
            3,
            scenario(check, 1, Some(0.6), move |number, out| {
                let stop = checked.covered(number);
                let path = format!("/api/v1/zones/{}/checks", stop.zone);
                let body = json!({ "plate": stop.plate });
                out.extend(post(&path, controllers.token(stop.controller), &body));
            }),
        ),
        scenario(unchanged, 1, Some(0.6), move |number, out| {
            out.extend(pick(&known, number));
        }),
        within(
            5,
            scenario(poll, 1, None, move |number, out| {
                out.extend(pick(&unknown, number));
            }),
        ),
        within(
            5,
            scenario(zone, 1, None, |number, out| {
                let (latitude, longitude) = City::place(number);
                let path = format!("/api/v1/zones/location?lat={latitude}&lon={longitude}");
                out.extend(get(&path, ""));
            }),
        ),
        within(
            10,
            scenario(issue, 2, None, move |number, out| {
                let stop = issued.uncovered(number);
                let path = format!("/api/v1/zones/{}/fines", stop.zone);
                let body = json!({ "plate": stop.plate, "amount": 20 });
                out.extend(post(&path, issuers.token(stop.controller), &body));
            }),
        ),
    ]
}

/// The scenarios of modpacks.
pub fn modpacks(packs: &Modpacks) -> Vec<Scenario> {
    let addresses: Vec<_> = packs
        .files
        .iter()
        .map(|it| get(&format!("/files/{it}/address"), ""))
        .collect();
    let lookups: Vec<_> = (0..10)
        .map(|it| post("/files/lookup", "", &json!({ "hashes": hashes(it) })))
        .collect();
    vec![
        scenario("modpacks: latest version", 1, Some(0.6), |number, out| {
            let path = format!("/modpacks/{}/latest", number % PACKS + 1);
            out.extend(get(&path, ""));
        }),
        scenario(
            "modpacks: look-up of 1000 hashes",
            1,
            None,
            move |number, out| {
                out.extend(pick(&lookups, number));
            },
        ),
        scenario(
            "modpacks: presigned address",
            1,
            None,
            move |number, out| {
                out.extend(pick(&addresses, scattered(number)));
            },
        ),
    ]
}

/// Bookings while the same process delivers their notices. The native server delivers none, so waiting notices are
/// deleted before each load.
pub fn booking_and_notices(users: &Users, url: &str) -> Scenario {
    let before = Some((url.to_owned(), DELETE_WAITING));
    Scenario {
        before,
        // The native server delivers no notices.
        required: None,
        ..booking("POST /booking, its notices too", users, Users::window)
    }
}

fn booking(
    name: &'static str,
    users: &Users,
    window: fn(&Users, u64) -> (i64, Timestamp, Timestamp),
) -> Scenario {
    let users = users.clone();
    scenario(name, 3, Some(0.85), move |number, out| {
        let (place, from, to) = window(&users, number);
        let body = json!({ "parking_place_id": place, "date_from": from, "date_to": to });
        out.extend(post("/booking", users.token(number), &body));
    })
}

fn scenario(
    name: &'static str,
    statements: u32,
    required: Option<f64>,
    request: impl Fn(u64, &mut Vec<u8>) + 'static,
) -> Scenario {
    Scenario {
        name,
        statements,
        required,
        within: None,
        request: Rc::new(request),
        counter: Rc::default(),
        before: None,
    }
}

fn pick(requests: &[Vec<u8>], number: u64) -> &[u8] {
    let count = u64::try_from(requests.len()).unwrap_or(u64::MAX).max(1);
    let at = usize::try_from(number % count).unwrap_or_default();
    requests.get(at).map_or(&[], Vec::as_slice)
}

/// Scatters numbers to defeat caches; the same in every run.
pub fn scattered(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 16
}

pub fn get(path: &str, token: &str) -> Vec<u8> {
    get_with(path, token, "")
}

/// With these header lines besides.
fn get_with(path: &str, token: &str, headers: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nhost: bench.test\r\n{}{headers}\r\n",
        bearer(token)
    )
    .into_bytes()
}

pub fn post(path: &str, token: &str, body: &Value) -> Vec<u8> {
    let (token, body) = (bearer(token), body.to_string());
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench.test\r\n{token}content-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn bearer(token: &str) -> String {
    match token {
        "" => String::new(),
        token => format!("authorization: Bearer {token}\r\n"),
    }
}
