//! The other functions, as the bot asks them: over HTTP in memory, in the name of
//! whoever signed in, by the contract that every client knows.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Method, Request, StatusCode, header};
use jiff::Timestamp;
use kit::outbound::{self, Answer};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::Error;

/// Neighbours answer in milliseconds, but a password takes its time.
const PATIENCE: Duration = Duration::from_secs(10);

/// A person's token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Token(pub String);

#[derive(Debug, Deserialize)]
pub struct Me {
    pub user_id: String,
    pub login: String,
    pub roles: kit::Roles,
    /// 0: none.
    pub telegram_id: i64,
}

#[derive(Debug, Deserialize)]
pub struct Balance {
    pub balance: i64,
    pub currency: kit::Currency,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Place {
    pub id: i64,
    pub name: String,
    pub city: String,
    pub address: String,
    /// Cents of USD.
    pub hourly_rate: i64,
    pub capacity: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NewPlace {
    pub name: String,
    pub city: String,
    pub address: String,
    pub parking_type: String,
    pub hourly_rate: i64,
    pub capacity: i32,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Booking {
    pub booking_id: i64,
    pub date_from: Timestamp,
    pub date_to: Timestamp,
    pub parking_place_id: i64,
    /// Cents of USD.
    pub full_cost: i64,
    pub status: String,
}

#[derive(Debug, Deserialize)]
pub struct Quote {
    pub full_cost: i64,
    pub available: bool,
}

/// What signin gives to whoever signs in or stays.
#[derive(Debug, Deserialize)]
pub struct Tokens {
    #[serde(rename = "access_token")]
    pub token: Token,
    pub refresh_token: String,
    /// For how long the token is good.
    #[serde(rename = "expires_in")]
    pub seconds: i64,
}

/// What somebody gives to sign in.
#[derive(Clone, Debug, PartialEq)]
pub struct Credentials {
    pub login: String,
    pub password: String,
    /// Of the second factor.
    pub code: Option<String>,
}

pub async fn sign_in(given: &Credentials) -> Result<Tokens, Error> {
    let body = json!({
        "username": given.login,
        "password": given.password,
        "code": given.code,
    });
    let asked = Asked::new(Method::POST, "signin", "/api/v1/login").body(&body);
    let answer = asked.send().await?;
    match answer.status {
        StatusCode::UNAUTHORIZED if said(&answer.body, "code") == "code-required" => {
            Err(Error::CodeRequired)
        }
        // Who is not let in did not lose a session.
        StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND => Err(Error::WrongCredentials),
        _ => read(accepted(answer)?),
    }
}

/// The next pair of tokens, for a refresh token that is spent by it.
pub async fn refresh(spent: &str) -> Result<Tokens, Error> {
    let body = json!({ "refresh_token": spent });
    let asked = Asked::new(Method::POST, "signin", "/auth/refresh").body(&body);
    read(asked.answer().await?)
}

/// Ends the session at signin: nobody else can go on with its tokens.
pub async fn sign_out(token: &Token) -> Result<(), Error> {
    let asked = Asked::new(Method::POST, "signin", "/auth/signout");
    asked.by(token).answer().await.map(drop)
}

pub async fn me(token: &Token) -> Result<Me, Error> {
    read(
        Asked::new(Method::GET, "signin", "/auth/me")
            .by(token)
            .answer()
            .await?,
    )
}

/// Whoever has no Telegram id is told here from now on: a private chat's id is its person's.
pub async fn link(token: &Token, chat: i64) -> Result<(), Error> {
    let body = json!({ "telegram_id": chat });
    let asked = Asked::new(Method::PATCH, "signin", "/api/v1/users/me").body(&body);
    asked.by(token).answer().await.map(drop)
}

pub async fn balance(token: &Token) -> Result<Balance, Error> {
    let asked = Asked::new(Method::GET, "payments", "/payment/balance");
    read(asked.by(token).answer().await?)
}

pub async fn bookings(token: &Token) -> Result<Vec<Booking>, Error> {
    let asked = Asked::new(Method::GET, "bookings", "/booking?limit=20");
    read(asked.by(token).answer().await?)
}

pub async fn places_in(city: &str) -> Result<Vec<Place>, Error> {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("city", city)
        .append_pair("limit", "20")
        .finish();
    let path = format!("/parking?{query}");
    read(Asked::new(Method::GET, "bookings", &path).answer().await?)
}

pub async fn places_of(owner: &str) -> Result<Vec<Place>, Error> {
    let path = format!("/parking?owner_id={owner}&limit=20");
    read(Asked::new(Method::GET, "bookings", &path).answer().await?)
}

pub async fn place(id: i64) -> Result<Place, Error> {
    let path = format!("/parking/{id}");
    read(Asked::new(Method::GET, "bookings", &path).answer().await?)
}

pub async fn quote(place: i64, from: Timestamp, to: Timestamp) -> Result<Quote, Error> {
    let body = json!({ "parking_place_id": place, "date_from": from, "date_to": to });
    let asked = Asked::new(Method::POST, "bookings", "/booking/quote").body(&body);
    read(asked.answer().await?)
}

/// Books; however often it is asked for with one `key`, it is one booking.
pub async fn book(
    token: &Token,
    key: Uuid,
    place: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<i64, Error> {
    #[derive(Deserialize)]
    struct Booked {
        booking_id: i64,
    }
    let body = json!({ "parking_place_id": place, "date_from": from, "date_to": to });
    let asked = Asked::new(Method::POST, "bookings", "/booking").body(&body);
    let asked = asked.by(token).once(&key.to_string());
    Ok(read::<Booked>(asked.answer().await?)?.booking_id)
}

pub async fn cancel(token: &Token, booking: i64) -> Result<(), Error> {
    let path = format!("/booking/{booking}");
    let asked = Asked::new(Method::DELETE, "bookings", &path);
    asked.by(token).answer().await.map(drop)
}

pub async fn offer(token: &Token, key: &str, place: &NewPlace) -> Result<i64, Error> {
    #[derive(Deserialize)]
    struct Made {
        id: i64,
    }
    let asked = Asked::new(Method::POST, "bookings", "/parking").body(place);
    Ok(read::<Made>(asked.by(token).once(key).answer().await?)?.id)
}

/// A request on its way to a neighbour.
struct Asked {
    request: axum::http::request::Builder,
    body: Bytes,
}

impl Asked {
    fn new(method: Method, function: &str, path: &str) -> Self {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{function}.spin.internal{path}"));
        Self {
            request,
            body: Bytes::new(),
        }
    }

    fn by(mut self, token: &Token) -> Self {
        self.request = self.request.header("api_key", &token.0);
        self
    }

    fn once(mut self, key: &str) -> Self {
        self.request = self.request.header("idempotency-key", key);
        self
    }

    fn body(mut self, body: &impl Serialize) -> Self {
        self.request = self
            .request
            .header(header::CONTENT_TYPE, "application/json");
        self.body = serde_json::to_vec(body).unwrap_or_default().into();
        self
    }

    async fn send(self) -> Result<Answer, Error> {
        let request = self.request.body(self.body)?;
        Ok(outbound::send(request, PATIENCE).await?)
    }

    async fn answer(self) -> Result<Answer, Error> {
        accepted(self.send().await?)
    }
}

fn accepted(answer: Answer) -> Result<Answer, Error> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    Err(match answer.status {
        StatusCode::UNAUTHORIZED => Error::SignedOut,
        StatusCode::CONFLICT if said(&answer.body, "code") == "idempotency-key-in-use" => {
            Error::Running
        }
        status if status.is_client_error() => Error::Refused(why(&answer.body)),
        _ => Error::Unavailable,
    })
}

fn read<T: DeserializeOwned>(answer: Answer) -> Result<T, Error> {
    Ok(serde_json::from_slice(&answer.body)?)
}

/// What a problem says to people.
fn why(body: &[u8]) -> String {
    match said(body, "detail") {
        nothing if nothing.is_empty() => said(body, "title"),
        detail => detail,
    }
}

/// A member of a problem.
fn said(body: &[u8], member: &str) -> String {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = problem.get(member).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_why() {
        assert_eq!(
            why(br#"{"title":"No room","detail":"full at 9"}"#),
            "full at 9"
        );
        assert_eq!(why(br#"{"title":"No room"}"#), "No room");
        assert_eq!(why(b"<html>"), "");
    }
}
