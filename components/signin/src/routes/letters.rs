//! Secrets that travel by e-mail: a new password for one that was forgotten, and the proof of a mailbox. notify
//! delivers the letters.

use axum::http::StatusCode;
use kit::store::event;
use kit::web::{Dialect, Json, NoContent, Problem, Routes, Schema};
use serde::Deserialize;

use crate::calls::passwords;
use crate::client::Client;
use crate::error::Error;
use crate::identity::Unscoped;
use crate::letter::{Letter, Purpose};
use crate::name::Email;
use crate::password::Password;
use crate::revocation::mark_revoked;
use crate::store::{self, letters};
use crate::{limit, secret, throttle};

pub fn routes() -> Routes {
    Routes::new("Passwords and e-mail", Dialect::Plain)
        .post(
            ["/auth/password/forgot", "/api/auth/password/forgot"],
            send_reset,
            |it| {
                it.summary("Ask for a reset letter")
                    .note("The answer is the same whether an account has that e-mail or not.")
                    .returns_nothing(202)
                    .refuses([Error::TOO_MANY_TRIES])
            },
        )
        .post(
            ["/auth/password/reset", "/api/auth/password/reset"],
            reset_password,
            |it| {
                it.summary("Set a new password by letter")
                    .note("Every session of the account ends.")
                    .refuses([Error::BAD_SECRET, Error::PASSWORD_IS_NAME, Error::BUSY])
            },
        )
        .post(
            ["/auth/email/verification", "/api/auth/email/verification"],
            send_verification,
            |it| {
                it.summary("Ask for a verification letter")
                    .note("204: there is no e-mail, or it is verified already.")
                    .returns_nothing(202)
                    .returns_nothing(204)
                    .refuses([Error::TOO_MANY_TRIES])
            },
        )
        .post(
            ["/auth/email/verify", "/api/auth/email/verify"],
            verify_email,
            |it| {
                it.summary("Verify an e-mail by letter")
                    .refuses([Error::BAD_SECRET])
            },
        )
}

#[derive(Deserialize, Schema)]
struct ForgottenPassword {
    email: Email,
}

async fn send_reset(
    client: Client,
    Json(body): Json<ForgottenPassword>,
) -> Result<StatusCode, Problem> {
    let email = body.email.as_str();
    let db = store::open().await?;
    throttle::count(&db, &limit::letters(email, &client)).await?;
    letters::send_reset(&db, email, Letter::new(Purpose::Reset), &client).await?;
    event::wake();
    Ok(StatusCode::ACCEPTED)
}

#[derive(Deserialize, Schema)]
struct PasswordReset {
    /// The secret in the letter.
    token: String,
    password: Password,
}

async fn reset_password(
    client: Client,
    Json(body): Json<PasswordReset>,
) -> Result<NoContent, Problem> {
    let digest = secret::digest(&body.token);
    let db = store::open().await?;
    // Checked first, so that a wrong secret costs no hash.
    let account = letters::find_letter_owner(&db, digest.clone(), Purpose::Reset).await?;
    let email = account.email.as_deref();
    if body.password.is_name(&account.login, email) {
        return Err(Error::PasswordIsName.into());
    }
    let hash = passwords::hash(body.password.as_str()).await?;
    let ended = letters::reset_password(&db, digest, &hash, &client).await?;
    mark_revoked(&ended).await?;
    event::wake();
    Ok(NoContent)
}

async fn send_verification(Unscoped(actor): Unscoped) -> Result<StatusCode, Problem> {
    let db = store::open().await?;
    let limits = limit::letters(&actor.caller.id.to_string(), &actor.client);
    throttle::count(&db, &limits).await?;
    let is_sent = letters::send_verification(&db, &actor, Letter::new(Purpose::Verify)).await?;
    if !is_sent {
        return Ok(StatusCode::NO_CONTENT);
    }
    event::wake();
    Ok(StatusCode::ACCEPTED)
}

#[derive(Deserialize, Schema)]
struct Verification {
    /// The secret in the letter.
    token: String,
}

async fn verify_email(
    client: Client,
    Json(body): Json<Verification>,
) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    letters::verify_email(&db, secret::digest(&body.token), &client).await?;
    Ok(NoContent)
}
