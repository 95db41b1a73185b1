//! Passwords: what one may be. How it is kept and checked is the function
//! `passwords`' work, so that no other request waits behind a hash.

use std::fmt;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode, header};
use kit::outbound::{self, Failed};
use serde::{Deserialize, Serialize};

use crate::account::Malformed;
use crate::error::Error;

/// A password that somebody may choose.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Password(String);

impl TryFrom<String> for Password {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        if (8..=LONGEST).contains(&text.chars().count()) {
            Ok(Self(text))
        } else {
            Err(Malformed("a password is 8 to 128 characters"))
        }
    }
}

const LONGEST: usize = 128;

impl Password {
    /// The first thing anybody tries is a name.
    pub fn is_name(&self, login: &str, email: Option<&str>) -> bool {
        let same = |name: &str| name.eq_ignore_ascii_case(&self.0);
        same(login) || email.is_some_and(same)
    }

    pub async fn hash(&self) -> Result<String, Error> {
        hash(&self.0).await
    }
}

/// It is in nobody's log.
impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[derive(Serialize)]
struct New<'a> {
    password: &'a str,
}

#[derive(Deserialize)]
struct Hashed {
    hash: String,
}

/// The form of a password that may be stored.
pub async fn hash(password: &str) -> Result<String, Error> {
    let hashed: Hashed = ask("hash", &New { password }).await?;
    Ok(hashed.hash)
}

#[derive(Serialize)]
struct Given<'a> {
    password: &'a str,
    hash: Option<&'a str>,
}

#[derive(Deserialize)]
struct Checked {
    is_right: bool,
}

/// Whether `given` is the password behind `stored`; the same work when there is none.
pub async fn is_right(given: &str, stored: Option<&str>) -> Result<bool, Error> {
    // What nobody can have chosen is not worth more than its beginning.
    let password: String = given.chars().take(LONGEST + 1).collect();
    let checked: Checked = ask(
        "check",
        &Given {
            password: &password,
            hash: stored,
        },
    )
    .await?;
    Ok(checked.is_right)
}

/// How often somebody may queue for a hash. A turn in the queue takes a second at most, and a
/// person waits about as long as this for a page.
const TURNS: usize = 5;
const PATIENCE: Duration = Duration::from_secs(10);

async fn ask<T: for<'a> Deserialize<'a>>(
    what: &str,
    question: &impl Serialize,
) -> Result<T, Error> {
    let question = Bytes::from(serde_json::to_vec(question)?);
    for _ in 0..TURNS {
        let request = Request::post(format!("http://passwords.spin.internal/{what}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(question.clone())
            .map_err(|_| Failed::NoAddress)?;
        let answer = outbound::send(request, PATIENCE).await?;
        match answer.status {
            StatusCode::OK => return Ok(serde_json::from_slice(&answer.body)?),
            StatusCode::SERVICE_UNAVAILABLE => {}
            other => return Err(Failed::NoAnswer(format!("passwords: {other}")).into()),
        }
    }
    // More hashes at once would only make all of them late.
    Err(Error::Busy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_password_counts_characters_and_takes_any() {
        let fits = |text: &str| Password::try_from(text.to_owned()).is_ok();
        assert!(fits("ãçéíõú☃𝄞"));
        assert!(!fits("1234567"));
        assert!(fits(&"☃".repeat(128)));
        assert!(!fits(&"x".repeat(129)));
    }

    #[test]
    fn a_name_is_no_password() {
        let (login, email) = ("ana_maria", Some("ana@example.org"));
        assert!(password("Ana_Maria").is_name(login, email));
        assert!(password("ana@example.org").is_name(login, email));
        assert!(!password("ana_maria1").is_name(login, None));
    }
}
