//! The function `passwords`: it hashes, so that no other request of signin waits behind a hash. New passwords go to
//! `passwords-new`, a second entry of it in the manifest, so that a flood of them takes no place of a sign-in.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode, header};
use kit::web::outbound::{self, Failed};
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::Error;
use crate::hash_queue::{self, Queue};
use crate::password::MAX_CHARACTERS;

/// How often a request queues for a hash. One turn in the queue takes a second at most; a person waits for a
/// page about as long as all of them.
const MAX_TURNS: usize = 5;
/// Bounds one turn, queue and hash.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Serialize)]
struct New<'a> {
    password: &'a str,
}

#[derive(Deserialize)]
struct Hashed {
    hash: String,
}

/// The form of a password that may be stored.
pub async fn hash(password: &str, client: &Client) -> Result<String, Error> {
    let hashed: Hashed = ask(Queue::New, &New { password }, client).await?;
    Ok(hashed.hash)
}

#[derive(Serialize)]
struct Given<'a> {
    password: &'a str,
    hash: Option<&'a str>,
}

/// What came of a password that was given.
#[derive(Deserialize)]
pub struct Checked {
    pub is_right: bool,
    /// The right password under the present parameters, when it is stored under others.
    pub new_hash: Option<String>,
}

/// Whether `given` is the password behind `stored`. The same work is done when there is none.
pub async fn check(given: &str, stored: Option<&str>, client: &Client) -> Result<Checked, Error> {
    // A longer text cannot be right, and one character more than the longest password keeps it wrong.
    let password: String = given.chars().take(MAX_CHARACTERS + 1).collect();
    let question = Given {
        password: &password,
        hash: stored,
    };
    ask(Queue::Checks, &question, client).await
}

async fn ask<T: for<'a> Deserialize<'a>>(
    queue: Queue,
    question: &impl Serialize,
    client: &Client,
) -> Result<T, Error> {
    let question = Bytes::from(serde_json::to_vec(question)?);
    let place = hash_queue::join(queue, client).await?;
    let answer = wait(queue, &question).await;
    place.leave().await;
    answer
}

async fn wait<T: for<'a> Deserialize<'a>>(queue: Queue, question: &Bytes) -> Result<T, Error> {
    let address = match queue {
        Queue::Checks => "http://passwords.spin.internal/check",
        Queue::New => "http://passwords-new.spin.internal/hash",
    };
    for _ in 0..MAX_TURNS {
        let request = Request::post(address)
            .header(header::CONTENT_TYPE, "application/json")
            .body(question.clone())
            .map_err(|_| Failed::NoAddress)?;
        let answer = outbound::send(request, PATIENCE).await?;
        match answer.status {
            StatusCode::OK => return Ok(serde_json::from_slice(&answer.body)?),
            // The queue is full.
            StatusCode::SERVICE_UNAVAILABLE => {}
            other => return Err(Failed::NoAnswer(format!("passwords: {other}")).into()),
        }
    }
    Err(Error::Busy)
}
