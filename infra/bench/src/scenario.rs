//! What is asked, of both servers alike: one scenario is one row of the table.

use std::cell::Cell;
use std::rc::Rc;

use anyhow::Result;
use serde_json::{Value, json};

use crate::events::FORGET;
use crate::people::People;
use crate::token::Keys;

/// Writes the request with this number.
pub type Request = dyn Fn(u64, &mut Vec<u8>);

pub struct Scenario {
    pub name: &'static str,
    /// SQL round trips that one answer takes, on either side.
    pub statements: u32,
    /// What is owed of the native server's requests per second.
    pub owed: Option<f64>,
    pub request: Rc<Request>,
    /// How many were written so far: numbers go on over all loads, so that no write meets its own past.
    pub asked: Rc<Cell<u64>>,
    /// A database, and what is done there before each load.
    pub before: Option<(String, &'static str)>,
}

/// Rows in the table that is read.
const ITEMS: u64 = 100_000;
/// More tokens than any memory of verified ones holds, so that each is met as a stranger.
const STRANGERS: u64 = 20_000;

/// Of the small function.
pub fn plain(keys: &Keys) -> Result<Vec<Scenario>> {
    let known = get("/me", &keys.token(1)?);
    let strangers = (0..STRANGERS)
        .map(|_| Ok(get("/me", &keys.token(1)?)))
        .collect::<Result<Vec<_>>>()?;
    let hello = get("/hello", "");
    let new = post(
        "/items",
        "",
        &json!({ "name": "a bench", "owner": crate::token::person(1), "cents": 1990 }),
    );
    Ok(vec![
        scenario("hello", 0, Some(0.27), move |_, out| out.extend(&hello)),
        scenario("JWT, one caller (remembered)", 0, None, move |_, out| {
            out.extend(&known)
        }),
        scenario(
            "JWT, ever another (verified)",
            0,
            None,
            move |number, out| out.extend(pick(&strangers, number)),
        ),
        scenario("indexed read", 1, Some(0.33), |number, out| {
            let path = format!("/items/{}", scattered(number) % ITEMS + 1);
            out.extend(get(&path, ""));
        }),
        scenario("write", 1, None, move |_, out| out.extend(&new)),
    ])
}

/// Of the product.
pub fn product(people: &People) -> Vec<Scenario> {
    let callers: Vec<_> = people
        .tokens
        .iter()
        .map(|token| get("/payment/balance", token))
        .collect();
    let one = get("/payment/balance", people.token(0));
    let searches: Vec<_> = people
        .cities
        .iter()
        .map(|it| get(&format!("/parking?city={it}"), ""))
        .collect();
    let (senders, seekers) = (people.clone(), people.clone());
    vec![
        scenario(
            "GET /payment/balance, one caller",
            1,
            Some(0.33),
            move |_, out| out.extend(&one),
        ),
        scenario(
            "GET /payment/balance, 64 callers",
            1,
            Some(0.33),
            move |number, out| {
                out.extend(pick(&callers, number));
            },
        ),
        scenario("POST /payments/send", 1, Some(0.33), move |number, out| {
            let (from, to) = (number, scattered(number));
            let body = json!({
                "fromPaymentAccountId": senders.account(from, "a"),
                "toPaymentAccountId": senders.account(to, "b"),
                "amount": 0.01,
            });
            out.extend(post("/payments/send", senders.token(from), &body));
        }),
        scenario("GET /parking?city=", 1, Some(0.33), move |number, out| {
            out.extend(pick(&searches, number))
        }),
        scenario(
            "GET /parking?city=, with room for an hour",
            1,
            Some(0.33),
            move |number, out| {
                let (_, from, to) = seekers.window(number);
                let city = seekers.city(number);
                let path = format!("/parking?city={city}&date_from={from}&date_to={to}");
                out.extend(get(&path, ""));
            },
        ),
        booking("POST /booking", people),
    ]
}

/// The same booking where notices are sent on meanwhile, by the same process. The native server sends none,
/// so what it leaves is taken away.
pub fn booking_and_notices(people: &People, url: &str) -> Scenario {
    let before = Some((url.to_owned(), FORGET));
    Scenario {
        before,
        // The native server has nobody to tell.
        owed: None,
        ..booking("POST /booking, its notices too", people)
    }
}

fn booking(name: &'static str, people: &People) -> Scenario {
    let people = people.clone();
    scenario(name, 3, Some(0.33), move |number, out| {
        let (place, from, to) = people.window(number);
        let body = json!({ "parking_place_id": place, "date_from": from, "date_to": to });
        out.extend(post("/booking", people.token(number), &body));
    })
}

fn scenario(
    name: &'static str,
    statements: u32,
    owed: Option<f64>,
    request: impl Fn(u64, &mut Vec<u8>) + 'static,
) -> Scenario {
    Scenario {
        name,
        statements,
        owed,
        request: Rc::new(request),
        asked: Rc::default(),
        before: None,
    }
}

fn pick(requests: &[Vec<u8>], number: u64) -> &[u8] {
    let count = u64::try_from(requests.len()).unwrap_or(u64::MAX).max(1);
    let at = usize::try_from(number % count).unwrap_or_default();
    requests.get(at).map_or(&[], Vec::as_slice)
}

/// Numbers in an order that no cache likes, the same in every run.
pub fn scattered(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 16
}

pub fn get(path: &str, token: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nhost: bench.test\r\n{}\r\n",
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
