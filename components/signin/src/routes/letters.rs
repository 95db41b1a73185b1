//! Secrets that travel by e-mail: a new password for one that was forgotten, and the proof of a mailbox. notify
//! delivers the letters.

use std::time::Duration;

use axum::http::StatusCode;
use futures::future::join;
use kit::store::event;
use kit::web::{Dialect, Json, NoContent, Problem, Routes, Schema};
use serde::Deserialize;
use spin_sdk::time::sleep;

use crate::account::Change;
use crate::authentication;
use crate::calls::passwords;
use crate::client::Client;
use crate::error::Error;
use crate::first_admin;
use crate::identity::{Proven, Unscoped};
use crate::letter::{Letter, Purpose};
use crate::name::Email;
use crate::password::Password;
use crate::revocation::mark_revoked;
use crate::routes::zones::find_letter;
use crate::store::{self, accounts, letters};
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
                    .refuses([
                        Error::BAD_SECRET,
                        Error::PASSWORD_IS_NAME,
                        Error::COMMON_PASSWORD,
                        Error::TOO_MANY_TRIES,
                        Error::BUSY,
                    ])
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
                    .note("A new e-mail that waits for its proof replaces the former one.")
                    .refuses([Error::BAD_SECRET, Error::EMAIL_TAKEN])
            },
        )
        .put(["/auth/email", "/api/auth/email"], change_email, |it| {
            it.summary("Change the e-mail")
                .note("A proven e-mail is replaced once the new one is proven by the letter that is sent to it: 202. An e-mail that was never proven is replaced at once: 204.")
                .returns_nothing(202)
                .returns_nothing(204)
                .refuses([Error::EMAIL_TAKEN, Error::TOO_MANY_TRIES])
        })
        .put(["/auth/password", "/api/auth/password"], set_password, |it| {
            it.summary("Set a new password")
                .note("Every other session ends. The most common passwords are refused.")
                .refuses([
                    Error::PASSWORD_IS_NAME,
                    Error::COMMON_PASSWORD,
                    Error::TOO_MANY_TRIES,
                    Error::BUSY,
                ])
        })
}

#[derive(Deserialize, Schema)]
struct NewEmail {
    email: Email,
}

async fn change_email(
    Proven(actor): Proven,
    Json(body): Json<NewEmail>,
) -> Result<StatusCode, Problem> {
    let db = store::open().await?;
    let me = accounts::find_caller(&db, actor.caller.session).await?;
    let email = body.email.as_str();
    first_admin::check_names(
        None,
        Some(email).filter(|it| Some(*it) != me.email.as_deref()),
    )
    .await?;
    let letter = find_letter(&db, &actor, &me, email).await?;
    let change = Change {
        email: Some(email),
        letter: letter.as_ref(),
        ..Change::default()
    };
    let (user, _) = accounts::update_account(&db, &actor, me.id, change).await?;
    event::wake();
    if letter.is_some() {
        return Ok(StatusCode::ACCEPTED);
    }
    authentication::announce(&user);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, Schema)]
struct NewPassword {
    password: Password,
}

async fn set_password(
    Proven(actor): Proven,
    Json(body): Json<NewPassword>,
) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    let me = accounts::find_caller(&db, actor.caller.session).await?;
    if body.password.is_name(&me.login, me.email.as_deref()) {
        return Err(Error::PasswordIsName.into());
    }
    if body.password.is_common() {
        return Err(Error::CommonPassword.into());
    }
    let limits = limit::new_passwords(&me.id.to_string(), &actor.client);
    throttle::count(&db, &limits).await?;
    let hash = passwords::hash(body.password.as_str(), &actor.client).await?;
    let change = Change {
        password_hash: Some(&hash),
        ..Change::default()
    };
    let (_, ended) = accounts::update_account(&db, &actor, me.id, change).await?;
    mark_revoked(&ended).await?;
    event::wake();
    Ok(NoContent)
}

/// How long an answer to a reset request takes at least: several times what the database needs.
const RESET_TAKES: Duration = Duration::from_millis(100);

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
    // A known e-mail means more work. The answer comes at the same time, so that it does not tell which e-mails are known.
    let (sent, ()) = join(
        letters::send_reset(&db, email, Letter::new(Purpose::Reset), &client),
        sleep(RESET_TAKES),
    )
    .await;
    sent?;
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
    if body.password.is_common() {
        return Err(Error::CommonPassword.into());
    }
    let limits = limit::new_passwords(&account.id.to_string(), &client);
    throttle::count(&db, &limits).await?;
    let hash = passwords::hash(body.password.as_str(), &client).await?;
    let ended = letters::reset_password(&db, digest, &hash, &client).await?;
    mark_revoked(&ended).await?;
    event::wake();
    Ok(NoContent)
}

async fn send_verification(Unscoped(actor): Unscoped) -> Result<StatusCode, Problem> {
    let db = store::open().await?;
    let Some(email) = letters::find_unproven_email(&db, actor.caller.session).await? else {
        return Ok(StatusCode::NO_CONTENT);
    };
    let mut limits = limit::letters(&email, &actor.client);
    limits.extend(limit::letters_by(actor.caller.id));
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
