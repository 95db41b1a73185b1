//! A component whose last path segment selects what it does: respond, loop, allocate, trap, stream, call out.
//! Everything that the host must contain or pass on is an act here, so a new test rarely needs a new guest.

use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use spin_sdk::http::body::{self, IncomingBodyExt};
use spin_sdk::http::{BoxBody, FullBody, Request, Response, StatusCode, box_body};
use spin_sdk::http_service;
use spin_sdk::wasip3::http::types::Fields;

#[http_service]
async fn act(request: Request) -> Response<BoxBody> {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let act = path
        .rsplit('/')
        .find(|word| !word.is_empty())
        .unwrap_or("hello");
    match act {
        "loop" => loop_forever(),
        "hoard" => hoard(),
        "trap" => panic!("asked to trap"),
        "sleep" => sleep(&query).await,
        "headers" => headers(&request),
        "echo" => echo(request),
        "length" => length(request).await,
        "drip" => drip(&query),
        "stall" => stall(),
        "fetch" => fetch(&query).await,
        "variable" => variable(&query).await,
        "publish" => publish(&query).await,
        "print" => print(&query),
        "flood" => flood(),
        "park" => park(),
        "environment" => text(format!("{:?}", std::env::vars().collect::<Vec<_>>())),
        _ => text("hello\n"),
    }
}

fn text(text: impl Into<Bytes>) -> Response<BoxBody> {
    Response::new(box_body(FullBody::new(text.into())))
}

fn refused(cause: impl ToString) -> Response<BoxBody> {
    let mut answer = text(cause.to_string());
    *answer.status_mut() = StatusCode::BAD_GATEWAY;
    answer
}

/// Neither yields nor ends.
fn loop_forever() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

/// Takes memory until there is none.
fn hoard() -> ! {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        hoard.push(vec![1; 1 << 20]);
    }
}

/// Prints without end.
fn flood() -> ! {
    loop {
        println!("{}", "words ".repeat(20));
    }
}

/// Keeps creating header fields, whose memory belongs to the host.
fn park() -> ! {
    loop {
        let field = ("x".to_owned(), vec![b'x'; 30_000]);
        if let Ok(fields) = Fields::from_list(&[field]) {
            std::mem::forget(fields);
        }
    }
}

async fn sleep(milliseconds: &str) -> Response<BoxBody> {
    spin_sdk::time::sleep(Duration::from_millis(milliseconds.parse().unwrap_or(100))).await;
    text("slept\n")
}

fn headers(request: &Request) -> Response<BoxBody> {
    let mut lines: Vec<String> = request
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    lines.sort();
    text(lines.concat())
}

/// Sends each part of the body back as it arrives.
fn echo(request: Request) -> Response<BoxBody> {
    let mut incoming = request.into_body().stream();
    let (mut sender, body) = body::stream::<Bytes>();
    spin_sdk::wasip3::spawn(async move {
        while let Some(Ok(piece)) = incoming.next().await {
            if sender.send(piece).await.is_err() {
                return;
            }
        }
    });
    Response::new(box_body(body))
}

async fn length(request: Request) -> Response<BoxBody> {
    match request.into_body().bytes().await {
        Ok(body) => text(format!("{}\n", body.len())),
        Err(cause) => refused(cause),
    }
}

/// Sends three parts, `query` milliseconds apart.
fn drip(query: &str) -> Response<BoxBody> {
    let pause = Duration::from_millis(query.parse().unwrap_or(50));
    let (mut sender, body) = body::stream::<String>();
    spin_sdk::wasip3::spawn(async move {
        for piece in 1..=3 {
            if sender.send(format!("{piece}\n")).await.is_err() {
                return;
            }
            spin_sdk::time::sleep(pause).await;
        }
    });
    Response::new(box_body(body))
}

/// Responds, then never finishes the body.
fn stall() -> Response<BoxBody> {
    let (mut sender, body) = body::stream::<String>();
    spin_sdk::wasip3::spawn(async move {
        let _ = sender.send("begun\n".to_owned()).await;
        spin_sdk::time::sleep(Duration::from_millis(50)).await;
        loop_forever();
    });
    Response::new(box_body(body))
}

/// Calls the URL that is the query.
async fn fetch(url: &str) -> Response<BoxBody> {
    match spin_sdk::http::get(url).await {
        Ok(answer) => {
            let status = answer.status();
            match answer.into_body().bytes().await {
                Ok(body) => text([format!("{status}\n").as_bytes(), &body].concat()),
                Err(cause) => refused(cause),
            }
        }
        Err(cause) => refused(format!("{cause:?}")),
    }
}

async fn variable(name: &str) -> Response<BoxBody> {
    match spin_sdk::variables::get(name).await {
        Ok(value) => text(value),
        Err(cause) => refused(format!("{cause:?}")),
    }
}

async fn publish(message: &str) -> Response<BoxBody> {
    let Ok(address) = spin_sdk::variables::get("redis_url").await else {
        return refused("no redis_url");
    };
    let published = async {
        let redis = spin_sdk::redis::Connection::open(address).await?;
        redis.publish("news", &message.as_bytes().to_vec()).await
    };
    match published.await {
        Ok(()) => text("published\n"),
        Err(cause) => refused(format!("{cause:?}")),
    }
}

fn print(words: &str) -> Response<BoxBody> {
    println!("{words} on stdout");
    eprintln!("{words} on stderr");
    text("printed\n")
}
