//! A new password.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::web::{Dialect, Problem, Routes};
use serde_json::json;

use super::proof;
use crate::error::Error;
use crate::fields::Fields;
use crate::page::{again, go_to, page};
use crate::visitor::Visitor;

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/account/password", show_password, |it| it)
        .post("/account/password", change_password, |it| it)
}

#[derive(Template)]
#[template(path = "account/password.html")]
struct PasswordPage<'a> {
    login: &'a str,
    refusal: Option<String>,
}

const TITLE: &str = "Change your password";

async fn show_password(visitor: Visitor) -> Result<Response, Problem> {
    if !proof::is_recent(&visitor).await? {
        return Ok(proof::ask("/account/password"));
    }
    let content = PasswordPage {
        login: &visitor.me.login,
        refusal: None,
    };
    page(TITLE, &visitor.me, &content)
}

async fn change_password(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    match send_password(&visitor, &form).await {
        // The list shows that every other session ended.
        Ok(()) => Ok(go_to("/account/sessions")),
        Err(refusal) if proof::is_too_old(&refusal) => Ok(proof::ask("/account/password")),
        Err(refusal) => {
            let content = PasswordPage {
                login: &visitor.me.login,
                refusal: Some(refusal.into_text()?),
            };
            again(TITLE, &visitor.me, &content)
        }
    }
}

async fn send_password(visitor: &Visitor, form: &Fields) -> Result<(), Error> {
    let password = form.secret("password");
    if password != form.text("again") {
        return Err(Error::refused("The two passwords differ."));
    }
    let body = json!({ "password": password });
    visitor
        .change(Method::PUT, "signin", "/auth/password", &body)
        .await
}
