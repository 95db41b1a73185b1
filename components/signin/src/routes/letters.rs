//! Secrets that travel by letter: a new password for who forgot the old one,
//! and the proof that a mailbox is somebody's. The letters themselves are
//! events; who delivers them is not our business.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use kit::{Dialect, Json, Problem, Spellings, event, speaking};
use serde::Deserialize;

use crate::account::Email;
use crate::client::{Client, Person};
use crate::entering;
use crate::error::Error;
use crate::password::Password;
use crate::store::{self, Letter};
use crate::{secret, tries};

pub fn router() -> Router {
    let table = Router::new()
        .spelled(
            ["/auth/password/forgot", "/api/auth/password/forgot"],
            post(forget_password),
        )
        .spelled(
            ["/auth/password/reset", "/api/auth/password/reset"],
            post(reset_password),
        )
        .spelled(
            ["/auth/email/verification", "/api/auth/email/verification"],
            post(send_verification),
        )
        .spelled(
            ["/auth/email/verify", "/api/auth/email/verify"],
            post(verify_email),
        );
    speaking(Dialect::Plain, table)
}

/// Somebody is at their desk and waits for it.
const RESET_SECONDS: i64 = 30 * 60;
/// It may be read tomorrow.
const VERIFY_SECONDS: i64 = 2 * 86_400;

#[derive(Deserialize)]
struct Forgotten {
    email: Email,
}

/// The answer is the same whether somebody is called so or not.
async fn forget_password(
    client: Client,
    Json(forgotten): Json<Forgotten>,
) -> Result<StatusCode, Problem> {
    let email = forgotten.email.as_str();
    let db = store::open().await?;
    let gates = tries::letter(email, &client);
    tries::take(&db, &gates).await?;
    let secret = secret::new("wharf_reset");
    store::send_reset(&db, email, letter(&secret, RESET_SECONDS), &client).await?;
    event::wake();
    Ok(StatusCode::ACCEPTED)
}

fn letter(secret: &str, seconds: i64) -> Letter<'_> {
    Letter {
        digest: secret::digest(secret),
        secret,
        seconds,
    }
}

#[derive(Deserialize)]
struct Reset {
    token: String,
    password: Password,
}

async fn reset_password(client: Client, Json(reset): Json<Reset>) -> Result<StatusCode, Problem> {
    let digest = secret::digest(&reset.token);
    let db = store::open().await?;
    // Looked at first, so that nobody makes us hash for nothing.
    let account = store::read_letter(&db, digest.clone(), "reset").await?;
    if reset
        .password
        .is_name(&account.login, account.email.as_deref())
    {
        return Err(Error::PasswordIsName.into());
    }
    let hash = reset.password.hash().await?;
    let ended = store::reset_password(&db, digest, &hash, &client).await?;
    entering::tell_ended(ended).await?;
    event::wake();
    Ok(StatusCode::NO_CONTENT)
}

async fn send_verification(Person(caller): Person, client: Client) -> Result<StatusCode, Problem> {
    let db = store::open().await?;
    let gates = tries::letter(&caller.id.to_string(), &client);
    tries::take(&db, &gates).await?;
    let secret = secret::new("wharf_verify");
    let letter = letter(&secret, VERIFY_SECONDS);
    if store::send_verification(&db, caller.session, letter, &client).await? {
        event::wake();
        Ok(StatusCode::ACCEPTED)
    } else {
        // There is no mailbox, or nothing left to prove.
        Ok(StatusCode::NO_CONTENT)
    }
}

#[derive(Deserialize)]
struct Verification {
    token: String,
}

async fn verify_email(
    client: Client,
    Json(asked): Json<Verification>,
) -> Result<StatusCode, Problem> {
    let db = store::open().await?;
    store::verify_email(&db, secret::digest(&asked.token), &client).await?;
    Ok(StatusCode::NO_CONTENT)
}
