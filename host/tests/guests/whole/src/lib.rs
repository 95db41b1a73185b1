//! Serves requests over `wharf:http`; over `wasi:http` it only responds "streamed".

mod bindings {
    use super::Whole;
    use spin_sdk::wit_bindgen;
    wit_bindgen::generate!({
        path: "../../../../wit/http.wit",
        world: "function",
        runtime_path: "spin_sdk::wit_bindgen::rt",
    });
    export!(Whole);
}

use std::time::Duration;

use bindings::exports::wharf::http::handler::Guest;
use spin_sdk::http::IntoResponse;
use spin_sdk::http_service;

#[http_service]
async fn streamed(_: spin_sdk::http::Request) -> impl IntoResponse {
    "streamed\n"
}

/// A response whose head is written without any check.
struct Response {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    /// Behind the fields.
    rest: Vec<u8>,
    body: Vec<u8>,
}

struct Whole;

impl Guest for Whole {
    async fn handle(head: Vec<u8>, body: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
        let response = Self::answer(&head, &body).await;
        let mut head = response.status.to_le_bytes().to_vec();
        for (name, value) in &response.headers {
            for text in [name.as_bytes(), value] {
                head.extend((text.len() as u32).to_le_bytes());
                head.extend(text);
            }
        }
        head.extend(response.rest);
        (head, response.body)
    }
}

impl Whole {
    async fn answer(head: &[u8], body: &[u8]) -> Response {
        let (is_vouched, mut head) = head.split_first().unwrap();
        let (method, uri) = (text(&mut head), text(&mut head));
        head = &head[2..];
        let path = uri.split('?').next().unwrap_or_default();
        match path.rsplit('/').next().unwrap_or_default() {
            "trap" => panic!("asked to trap"),
            "loop" => loop {
                std::hint::black_box(());
            },
            "sleep" => {
                spin_sdk::time::sleep(Duration::from_millis(300)).await;
                answer("slept\n")
            }
            "later" => {
                spin_sdk::wit_bindgen::spawn(async {
                    spin_sdk::time::sleep(Duration::from_secs(1)).await;
                    println!("later");
                });
                answer("begun\n")
            }
            "late-trap" => {
                spin_sdk::wit_bindgen::spawn(async {
                    spin_sdk::time::sleep(Duration::from_millis(100)).await;
                    panic!("asked to trap after the answer");
                });
                answer("begun\n")
            }
            "wait" => {
                spin_sdk::time::sleep(Duration::from_secs(60)).await;
                answer("waited\n")
            }
            "grow" => {
                std::hint::black_box(vec![1_u8; 40 << 20]);
                answer("grown\n")
            }
            "large" => Response {
                body: vec![b'x'; 15 << 20],
                ..answer("")
            },
            "huge" => Response {
                body: vec![b'x'; 17 << 20],
                ..answer("")
            },
            "many" => Response {
                headers: vec![(String::new(), Vec::new()); 40_000],
                ..answer("")
            },
            "1" => Response {
                status: 1,
                ..answer("")
            },
            "101" => Response {
                status: 101,
                ..answer("")
            },
            "204" => Response {
                status: 204,
                ..answer("nothing, says its status\n")
            },
            "name" => with_header("no name", "x"),
            "value" => with_header("x-value", "two\nlines"),
            "long" => with_header("x-long", &"x".repeat(40 << 10)),
            "lie" => Response {
                headers: vec![
                    ("content-length".to_owned(), b"1".to_vec()),
                    ("connection".to_owned(), b"close".to_vec()),
                    ("x-own".to_owned(), b"kept".to_vec()),
                ],
                ..answer("not one byte\n")
            },
            "cut" => Response {
                rest: vec![9, 0, 0, 0, b'x'],
                ..answer("")
            },
            "vouched" => answer(&format!("{is_vouched}\n")),
            _ => {
                let mut told = format!("{method} {uri}\n");
                while !head.is_empty() {
                    let (name, value) = (text(&mut head), text(&mut head));
                    told.push_str(&format!("{name}: {value}\n"));
                }
                answer(&format!("{told}{} bytes\n", body.len()))
            }
        }
    }
}

/// Takes a text from the beginning of a head.
fn text(head: &mut &[u8]) -> String {
    let (length, rest) = head.split_first_chunk().unwrap();
    let (text, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
    *head = rest;
    String::from_utf8_lossy(text).into_owned()
}

fn answer(body: &str) -> Response {
    Response {
        status: 200,
        headers: Vec::new(),
        rest: Vec::new(),
        body: body.as_bytes().to_vec(),
    }
}

fn with_header(name: &str, value: &str) -> Response {
    Response {
        headers: vec![(name.to_owned(), value.as_bytes().to_vec())],
        ..answer("")
    }
}
