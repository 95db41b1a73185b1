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

use crate::error::Error;

/// Neighbours answer in milliseconds, but a password takes its time.
const PATIENCE: Duration = Duration::from_secs(10);

/// A person's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token(pub String);

#[derive(Debug, Deserialize)]
pub struct Me {
    pub user_id: String,
    pub login: String,
    pub roles: kit::Roles,
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

/// Signs in; the token of it.
pub async fn sign_in(login: &str, password: &str) -> Result<Token, Error> {
    #[derive(Deserialize)]
    struct SignedIn {
        token: String,
    }
    let body = json!({ "login": login, "password": password });
    let asked = Asked::new(Method::POST, "signin", "/login").body(&body);
    match asked.answer().await {
        // Who is not let in did not lose a session.
        Err(Error::SignedOut) => Err(Error::WrongCredentials),
        answer => Ok(Token(read::<SignedIn>(answer?)?.token)),
    }
}

pub async fn me(token: &Token) -> Result<Me, Error> {
    read(
        Asked::new(Method::GET, "signin", "/auth/me")
            .by(token)
            .answer()
            .await?,
    )
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

/// Books; `key` makes a repeated message one booking.
pub async fn book(
    token: &Token,
    key: &str,
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
    Ok(read::<Booked>(asked.by(token).once(key).answer().await?)?.booking_id)
}

pub async fn cancel(token: &Token, booking: i64) -> Result<(), Error> {
    let path = format!("/booking/{booking}");
    let asked = Asked::new(Method::DELETE, "bookings", &path);
    asked.by(token).answer().await.map(drop)
}

pub async fn offer(token: &Token, place: &NewPlace) -> Result<i64, Error> {
    #[derive(Deserialize)]
    struct Made {
        id: i64,
    }
    let asked = Asked::new(Method::POST, "bookings", "/parking").body(place);
    Ok(read::<Made>(asked.by(token).answer().await?)?.id)
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

    async fn answer(self) -> Result<Answer, Error> {
        let request = self.request.body(self.body)?;
        let answer = outbound::send(request, PATIENCE).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(match answer.status {
            StatusCode::UNAUTHORIZED => Error::SignedOut,
            status if status.is_client_error() => Error::Refused(why(&answer.body)),
            _ => Error::Unavailable,
        })
    }
}

fn read<T: DeserializeOwned>(answer: Answer) -> Result<T, Error> {
    Ok(serde_json::from_slice(&answer.body)?)
}

/// What a problem says to people.
fn why(body: &[u8]) -> String {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |member: &str| problem.get(member).and_then(Value::as_str);
    text("detail")
        .or_else(|| text("title"))
        .unwrap_or_default()
        .to_owned()
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
