//! The accounts' dialect: e-mail and password, and the token in a cookie that scripts of the page cannot read.

use axum::http::{HeaderMap, HeaderName, header};
use kit::identity::{Role, session_cookie};
use kit::web::{Dialect, Json, Problem, Routes, Schema};
use serde::{Deserialize, Serialize};

use crate::account::NewAccount;
use crate::authentication::{self, Attempt};
use crate::client::{Actor, Client};
use crate::error::Error;
use crate::issue::Renewal;
use crate::name::{Email, Login};
use crate::password::Password;
use crate::routes::parking::show_me;
use crate::routes::{registering, signing_in};

pub fn routes() -> Routes {
    Routes::new("Signing in", Dialect::Accounts)
        .post(["/auth/signup", "/api/auth/signup"], sign_up, |it| {
            it.summary("Sign up")
                .note("The account is a customer's, and its login is the e-mail.")
                .instead("POST /auth/register")
                .refuses(registering())
        })
        .post(["/auth/signin", "/api/auth/signin"], sign_in, |it| {
            it.summary("Sign in with a cookie")
                .returns_header(
                    200,
                    "Set-Cookie",
                    "`access_token`, for as long as the token lives",
                )
                .instead("POST /auth/login")
                .refuses(signing_in())
        })
        .post(["/auth/signout", "/api/auth/signout"], sign_out, |it| {
            it.summary("Sign out")
                .note("Ends the session of the token that is shown.")
                .returns_header(
                    200,
                    "Set-Cookie",
                    "An empty `access_token` that has expired",
                )
                .refuses([Error::UNKNOWN_SESSION])
        })
        .about("Users")
        .get("/api/auth/me", show_me, |it| {
            it.summary("Show the caller").instead("GET /auth/me")
        })
}

/// A message for people.
#[derive(Serialize, Schema)]
struct Message {
    message: &'static str,
}

type Cookie = [(HeaderName, String); 1];

#[derive(Deserialize, Schema)]
struct SignUp {
    email: Email,
    password: Password,
}

async fn sign_up(client: Client, Json(body): Json<SignUp>) -> Result<Json<Message>, Problem> {
    let login = Login::from(&body.email);
    let new = NewAccount::new(login, Some(body.email), Role::Customer);
    authentication::register(new, Some(&body.password), &client)
        .await
        .map_err(|it| match it {
            // The e-mail is the login here.
            Error::LoginTaken => Error::EmailTaken,
            other => other,
        })?;
    let message = "User created";
    Ok(Json(Message { message }))
}

#[derive(Deserialize, Schema)]
struct SignIn {
    /// The e-mail or the login.
    #[schemars(example = &"ana@example.org")]
    email: String,
    #[schemars(example = &"Correct-Horse-1")]
    password: String,
    /// A code of the second factor, when the account has one.
    code: Option<String>,
}

async fn sign_in(
    client: Client,
    headers: HeaderMap,
    Json(body): Json<SignIn>,
) -> Result<(Cookie, Json<Message>), Problem> {
    let attempt = Attempt {
        name: &body.email,
        password: &body.password,
        code: body.code.as_deref(),
    };
    let signed_in = authentication::sign_in(attempt, Renewal::SignIn, &client).await?;
    let message = "Signed in";
    let cookie = cookie(&headers, &signed_in.token, signed_in.expires_in_s);
    Ok((cookie, Json(Message { message })))
}

async fn sign_out(actor: Actor, headers: HeaderMap) -> Result<(Cookie, Json<Message>), Problem> {
    authentication::sign_out(&actor).await?;
    let message = "Signed out";
    Ok((cookie(&headers, "", 0), Json(Message { message })))
}

fn cookie(headers: &HeaderMap, token: &str, seconds: i64) -> Cookie {
    [(header::SET_COOKIE, session_cookie(headers, token, seconds))]
}
