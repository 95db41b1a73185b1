//! Calls to other functions: requests over HTTP in memory, in the name of the person who signed in, by the contract of
//! every client.

use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use kit::web::Call;
use kit::web::outbound::Answer;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::error::Error;
use crate::platform::{
    Balance, Booking, Credentials, Me, NewPlace, Place, PlaceChange, Quote, Token, Tokens,
};

/// Signin counts the attempts of each chat apart.
pub async fn sign_in(given: &Credentials, chat: i64) -> Result<Tokens, Error> {
    let body = json!({
        "username": given.login,
        "password": given.password,
        "code": given.code,
    });
    let call = Call::new(Method::POST, "signin", "/api/v1/login").body(&body);
    let answer = call.header("x-chat", &chat.to_string()).send().await?;
    match answer.status {
        StatusCode::UNAUTHORIZED if member_of(&answer.body, "code") == "code-required" => {
            Err(Error::CodeRequired)
        }
        // Not `SignedOut`: there was no session yet.
        StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND => Err(Error::WrongCredentials),
        _ => read(check(answer)?),
    }
}

/// Exchanges a refresh token, which works once, for the next tokens.
pub async fn refresh_tokens(spent: &str) -> Result<Tokens, Error> {
    let body = json!({ "refresh_token": spent });
    let call = Call::new(Method::POST, "signin", "/auth/refresh").body(&body);
    read(answer_to(call).await?)
}

/// Ends the session at signin, so that its tokens stop working.
pub async fn sign_out(token: &Token) -> Result<(), Error> {
    let call = Call::new(Method::POST, "signin", "/auth/signout");
    answer_to(call.by(&token.0)).await.map(drop)
}

pub async fn find_me(token: &Token) -> Result<Me, Error> {
    read(answer_to(Call::new(Method::GET, "signin", "/auth/me").by(&token.0)).await?)
}

/// Sends the notices of a person to this chat. The id of a private chat is also the Telegram id of its person.
pub async fn link_chat(token: &Token, chat: i64) -> Result<(), Error> {
    let body = json!({ "telegram_id": chat });
    let call = Call::new(Method::PATCH, "signin", "/api/v1/users/me").body(&body);
    answer_to(call.by(&token.0)).await.map(drop)
}

pub async fn find_balance(token: &Token) -> Result<Balance, Error> {
    let call = Call::new(Method::GET, "payments", "/payment/balance");
    read(answer_to(call.by(&token.0)).await?)
}

pub async fn list_bookings(token: &Token) -> Result<Vec<Booking>, Error> {
    let call = Call::new(Method::GET, "bookings", "/booking?limit=20");
    read(answer_to(call.by(&token.0)).await?)
}

pub async fn search_places(city: &str) -> Result<Vec<Place>, Error> {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("city", city)
        .append_pair("limit", "20")
        .finish();
    let path = format!("/parking?{query}");
    read(answer_to(Call::new(Method::GET, "bookings", &path)).await?)
}

pub async fn list_places(owner: Uuid) -> Result<Vec<Place>, Error> {
    let path = format!("/parking?owner_id={owner}&limit=20");
    read(answer_to(Call::new(Method::GET, "bookings", &path)).await?)
}

pub async fn find_place(id: i64) -> Result<Place, Error> {
    let path = format!("/parking/{id}");
    read(answer_to(Call::new(Method::GET, "bookings", &path)).await?)
}

pub async fn quote_booking(place: i64, from: Timestamp, to: Timestamp) -> Result<Quote, Error> {
    let body = json!({ "parking_place_id": place, "date_from": from, "date_to": to });
    let call = Call::new(Method::POST, "bookings", "/booking/quote").body(&body);
    read(answer_to(call).await?)
}

/// Books a place. Calls with the same `key` make one booking.
pub async fn create_booking(
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
    let call = Call::new(Method::POST, "bookings", "/booking").body(&body);
    let call = call.by(&token.0).once(&key.to_string());
    Ok(read::<Booked>(answer_to(call).await?)?.booking_id)
}

pub async fn cancel_booking(token: &Token, booking: i64) -> Result<(), Error> {
    let path = format!("/booking/{booking}");
    let call = Call::new(Method::DELETE, "bookings", &path);
    answer_to(call.by(&token.0)).await.map(drop)
}

pub async fn create_place(token: &Token, key: &str, place: &NewPlace) -> Result<i64, Error> {
    #[derive(Deserialize)]
    struct Made {
        id: i64,
    }
    let call = Call::new(Method::POST, "bookings", "/parking").body(place);
    Ok(read::<Made>(answer_to(call.by(&token.0).once(key)).await?)?.id)
}

/// Changes one member of a place; bookings takes the whole place, so the others are sent as they are.
pub async fn change_place(token: &Token, id: i64, change: PlaceChange) -> Result<(), Error> {
    const MEMBERS: [&str; 8] = [
        "name",
        "city",
        "address",
        "parking_type",
        "hourly_rate",
        "capacity",
        "latitude",
        "longitude",
    ];
    let path = format!("/parking/{id}");
    let place = answer_to(Call::new(Method::GET, "bookings", &path)).await?;
    let mut place: Map<String, Value> = read(place)?;
    place.retain(|name, _| MEMBERS.contains(&name.as_str()));
    let (member, value) = change.member();
    place.insert(member.to_owned(), value);
    let call = Call::new(Method::PUT, "bookings", &path).body(&place);
    answer_to(call.by(&token.0)).await.map(drop)
}

pub async fn remove_place(token: &Token, id: i64) -> Result<(), Error> {
    let path = format!("/parking/{id}");
    let call = Call::new(Method::DELETE, "bookings", &path);
    answer_to(call.by(&token.0)).await.map(drop)
}

async fn answer_to(call: Call) -> Result<Answer, Error> {
    check(call.send().await?)
}

fn check(answer: Answer) -> Result<Answer, Error> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    Err(match answer.status {
        StatusCode::UNAUTHORIZED => Error::SignedOut,
        StatusCode::CONFLICT if member_of(&answer.body, "code") == "idempotency-key-in-use" => {
            Error::Running
        }
        status if status.is_client_error() => Error::Refused(reason_in(&answer.body)),
        _ => Error::Unavailable,
    })
}

fn read<T: DeserializeOwned>(answer: Answer) -> Result<T, Error> {
    Ok(serde_json::from_slice(&answer.body)?)
}

/// The text of a problem for people.
fn reason_in(body: &[u8]) -> String {
    match member_of(body, "detail") {
        nothing if nothing.is_empty() => member_of(body, "title"),
        detail => detail,
    }
}

/// A member of a problem.
fn member_of(body: &[u8], member: &str) -> String {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = problem.get(member).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_reason_in() {
        assert_eq!(
            reason_in(br#"{"title":"No room","detail":"full at 9"}"#),
            "full at 9"
        );
        assert_eq!(reason_in(br#"{"title":"No room"}"#), "No room");
        assert_eq!(reason_in(b"<html>"), "");
    }
}
