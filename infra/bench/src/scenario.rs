//! What is asked, of both servers alike. A further line here is a further row of the table.

use anyhow::Result;

use crate::token::Keys;

pub struct Scenario {
    pub name: &'static str,
    /// The request with this number; numbers go up without end, on every connection differently.
    pub request: Box<dyn Fn(u64) -> Vec<u8> + Send + Sync>,
}

/// Rows in the table that is read.
const ITEMS: u64 = 100_000;

pub fn all(keys: &Keys) -> Result<Vec<Scenario>> {
    let token = keys.token()?;
    let body = r#"{"name":"a bench","owner":"00000000-0000-4000-8000-000000000001","cents":1990}"#;
    Ok(vec![
        scenario("hello", |_| get("/hello", "")),
        scenario("JWT check", move |_| {
            get("/me", &format!("authorization: Bearer {token}\r\n"))
        }),
        scenario("indexed read", |number| {
            get(&format!("/items/{}", scattered(number) % ITEMS + 1), "")
        }),
        scenario("write", |_| post("/items", body)),
    ])
}

fn scenario(
    name: &'static str,
    request: impl Fn(u64) -> Vec<u8> + Send + Sync + 'static,
) -> Scenario {
    Scenario {
        name,
        request: Box::new(request),
    }
}

fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: bench.test\r\n{headers}\r\n").into_bytes()
}

fn post(path: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench.test\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Numbers in an order that no cache likes, the same in every run.
fn scattered(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 16
}
