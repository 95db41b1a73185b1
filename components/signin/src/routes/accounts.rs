//! The accounts' dialect: e-mail and password, the token in a cookie that no
//! script of the page can read.

use axum::Router;
use axum::http::{HeaderMap, HeaderName, Uri, header};
use axum::routing::{get, post};
use kit::{Caller, Dialect, Json, Problem, Role, Spellings, speaking};
use serde::{Deserialize, Serialize};

use crate::account::{Email, Login, NewAccount};
use crate::client::Client;
use crate::entering::{self, Attempt};
use crate::error::Error;
use crate::issue::Patience;
use crate::password::Password;
use crate::routes::parking::show_me;

pub fn router() -> Router {
    let table = Router::new()
        .spelled(["/auth/signup", "/api/auth/signup"], post(sign_up))
        .spelled(["/auth/signin", "/api/auth/signin"], post(sign_in))
        .spelled(["/auth/signout", "/api/auth/signout"], post(sign_out))
        .route("/api/auth/me", get(show_me));
    speaking(Dialect::Accounts, table)
}

#[derive(Serialize)]
struct Done {
    message: &'static str,
}

type Cookie = [(HeaderName, String); 1];

#[derive(Deserialize)]
struct SignUp {
    email: Email,
    password: Password,
}

async fn sign_up(client: Client, Json(asked): Json<SignUp>) -> Result<Json<Done>, Problem> {
    let login = Login::from(&asked.email);
    let new = NewAccount::new(login, Some(asked.email), Role::Customer);
    entering::register(new, Some(&asked.password), &client)
        .await
        .map_err(|it| match it {
            // The e-mail is the login here.
            Error::LoginTaken => Error::EmailTaken,
            other => other,
        })?;
    Ok(Json(Done {
        message: "User created",
    }))
}

#[derive(Deserialize)]
struct SignIn {
    email: String,
    password: String,
    code: Option<String>,
}

async fn sign_in(
    client: Client,
    headers: HeaderMap,
    Json(asked): Json<SignIn>,
) -> Result<(Cookie, Json<Done>), Problem> {
    let attempt = Attempt {
        name: &asked.email,
        password: &asked.password,
        code: asked.code.as_deref(),
    };
    let entered = entering::sign_in(attempt, Patience::SignsInAgain, &client).await?;
    let message = "Signed in";
    let cookie = cookie(&headers, &entered.token, entered.expires_in_s);
    Ok((cookie, Json(Done { message })))
}

async fn sign_out(
    caller: Caller,
    client: Client,
    headers: HeaderMap,
) -> Result<(Cookie, Json<Done>), Problem> {
    entering::leave(&caller, &client).await?;
    let message = "Signed out";
    Ok((cookie(&headers, "", 0), Json(Done { message })))
}

fn cookie(headers: &HeaderMap, token: &str, seconds: i64) -> Cookie {
    let secure = if is_plain_local(headers) {
        ""
    } else {
        "; Secure"
    };
    let text =
        format!("access_token={token}; HttpOnly; SameSite=Lax; Path=/; Max-Age={seconds}{secure}");
    [(header::SET_COOKIE, text)]
}

/// Whether a browser on this machine came without TLS: it would drop a secure cookie. Everybody
/// else's cookie is secure, also when a proxy in front of us took the TLS off.
fn is_plain_local(headers: &HeaderMap) -> bool {
    let address = headers
        .get("spin-full-url")
        .and_then(|it| it.to_str().ok())
        .and_then(|it| it.parse::<Uri>().ok())
        .unwrap_or_default();
    address.scheme_str() == Some("http")
        && matches!(address.host(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("spin-full-url", address.parse().unwrap());
        let [(_, cookie)] = cookie(&headers, "t", 60);
        cookie
    }

    #[test]
    fn a_cookie_is_secure_but_for_plain_http_on_this_machine() {
        let plain = "access_token=t; HttpOnly; SameSite=Lax; Path=/; Max-Age=60";
        for local in [
            "http://localhost:3000/x",
            "http://127.0.0.1/x",
            "http://[::1]:1/x",
        ] {
            assert_eq!(at(local), plain, "{local}");
        }
        for other in [
            "https://localhost/x",
            "http://wharf.example/x",
            "http://localhost.evil/x",
            "/x",
        ] {
            assert_eq!(at(other), format!("{plain}; Secure"), "{other}");
        }
    }
}
