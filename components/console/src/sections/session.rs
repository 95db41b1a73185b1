//! Signing in, up and out, and the first page.

use askama::Template;
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use kit::identity::session_cookie;
use kit::web::{Dialect, Problem, Query, Routes, Schema};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::Error;
use crate::fields::Fields;
use crate::page::{self, PREFIX, Section, again, page, sections_for};
use crate::visitor::{Anyone, Visitor};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/", show_home, |it| it)
        .get("/sign-in", show_sign_in, |it| it)
        .post("/sign-in", sign_in, |it| it)
        .get("/sign-up", show_sign_up, |it| it)
        .post("/sign-up", sign_up, |it| it)
        .post("/sign-out", sign_out, |it| it)
}

#[derive(Template)]
#[template(path = "session/home.html")]
struct Home {
    sections: Vec<&'static Section>,
}

async fn show_home(visitor: Visitor) -> Result<Response, Problem> {
    let sections = sections_for(Some(&visitor.me));
    page("Console", &visitor.me, &Home { sections })
}

#[derive(Template, Default)]
#[template(path = "session/sign_in.html")]
struct SignIn {
    form: Fields,
    refusal: Option<String>,
    /// Whether the account has a second factor.
    asks_code: bool,
}

#[derive(Deserialize, Schema)]
struct After {
    /// The page that was asked for.
    next: Option<String>,
}

async fn show_sign_in(Query(after): Query<After>) -> Result<Response, Problem> {
    let form = Fields::default().with_some("next", after.next);
    let content = SignIn {
        form,
        ..SignIn::default()
    };
    page("Sign in", None, &content)
}

async fn sign_in(anyone: Anyone, headers: HeaderMap, form: Fields) -> Result<Response, Problem> {
    let body = json!({
        "login": form.text("login"),
        "password": form.secret("password"),
        "code": form.optional("code"),
    });
    match token_from(&anyone, "/auth/login", &body).await {
        Ok(token) => Ok(begin(&headers, &token, &next_page(&form))),
        Err(refusal) => {
            let asks_code = refusal.is("code-required") || form.optional("code").is_some();
            let content = SignIn {
                asks_code,
                refusal: Some(refusal.into_text()?),
                form,
            };
            again("Sign in", None, &content)
        }
    }
}

#[derive(Template, Default)]
#[template(path = "session/sign_up.html")]
struct SignUp {
    form: Fields,
    refusal: Option<String>,
}

async fn show_sign_up() -> Result<Response, Problem> {
    page("Sign up", None, &SignUp::default())
}

async fn sign_up(anyone: Anyone, headers: HeaderMap, form: Fields) -> Result<Response, Problem> {
    let body = json!({
        "login": form.text("login"),
        "email": form.text("email"),
        "password": form.secret("password"),
        "role": form.text("role"),
    });
    match token_from(&anyone, "/auth/register", &body).await {
        Ok(token) => Ok(begin(&headers, &token, PREFIX)),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            again("Sign up", None, &SignUp { form, refusal })
        }
    }
}

async fn sign_out(visitor: Visitor, headers: HeaderMap) -> Result<Response, Problem> {
    visitor.act(Method::POST, "signin", "/auth/signout").await?;
    let cookie = [(header::SET_COOKIE, session_cookie(&headers, "", 0))];
    Ok((cookie, page::go_to("/sign-in")).into_response())
}

async fn token_from(anyone: &Anyone, path: &str, body: &Value) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Begun {
        token: String,
    }
    let begun: Begun = anyone.send(Method::POST, "signin", path, "", body).await?;
    Ok(begun.token)
}

/// The browser keeps the token for as long as it lives.
pub fn begin(headers: &HeaderMap, token: &str, path: &str) -> Response {
    let seconds = seconds_left(token, kit::now().as_second()).unwrap_or(0);
    let cookie = [(header::SET_COOKIE, session_cookie(headers, token, seconds))];
    (cookie, axum::response::Redirect::to(path)).into_response()
}

fn seconds_left(token: &str, now_s: i64) -> Option<i64> {
    #[derive(Deserialize)]
    struct Claims {
        exp: i64,
    }
    let claims = BASE64_URL_SAFE_NO_PAD
        .decode(token.split('.').nth(1)?)
        .ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    Some(claims.exp - now_s)
}

/// A page of ours, and never another site.
pub fn next_page(form: &Fields) -> String {
    let next = form.text("next");
    let path = next.split('?').next().unwrap_or_default();
    let is_ours = path == PREFIX || path.starts_with("/console/");
    // A browser skips control characters, reads `\` as `/`, and goes up at `..`: out of the console, to what leads elsewhere.
    let is_plain = next.bytes().all(|it| it.is_ascii_graphic() && it != b'\\');
    let goes_up = path.to_ascii_lowercase().replace("%2e", ".").contains("/.");
    match is_ours && is_plain && !goes_up {
        true => next.to_owned(),
        false => PREFIX.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_leads_to_no_other_site() {
        let next = |it: &str| next_page(&Fields::default().with("next", it));
        assert_eq!(
            next("/console/bookings?after=7"),
            "/console/bookings?after=7"
        );
        for it in [
            "",
            "https://evil.test",
            "//evil.test",
            "/console.evil",
            "/console@evil",
            "/console/../files/7/download",
            "/console/%2E%2e/files/7/download",
            "/console/.\t./files",
            "/console\\..\\files",
            "/console/\\..\\files",
            "/console/a\nb",
        ] {
            assert_eq!(next(it), PREFIX, "{it}");
        }
    }

    #[test]
    fn a_cookie_lives_as_long_as_its_token() {
        let claims = BASE64_URL_SAFE_NO_PAD.encode(br#"{"exp":1000}"#);
        assert_eq!(seconds_left(&format!("a.{claims}.b"), 400), Some(600));
        assert_eq!(seconds_left("opaque", 400), None);
    }
}
