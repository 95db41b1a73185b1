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

use bindings::exports::wharf::http::handler::{Guest, Request, Response};
use spin_sdk::http::IntoResponse;
use spin_sdk::http_service;

#[http_service]
async fn streamed(_: spin_sdk::http::Request) -> impl IntoResponse {
    "streamed\n"
}

struct Whole;

impl Guest for Whole {
    async fn handle(request: Request) -> Response {
        let path = request.uri.split('?').next().unwrap_or_default();
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
            _ => describe(&request),
        }
    }
}

fn answer(body: &str) -> Response {
    Response {
        status: 200,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    }
}

fn with_header(name: &str, value: &str) -> Response {
    Response {
        headers: vec![(name.to_owned(), value.as_bytes().to_vec())],
        ..answer("")
    }
}

/// The request as text.
fn describe(request: &Request) -> Response {
    let mut text = format!("{} {}\n", request.method, request.uri);
    for (name, value) in &request.headers {
        text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value)));
    }
    text.push_str(&format!("{} bytes\n", request.body.len()));
    answer(&text)
}
