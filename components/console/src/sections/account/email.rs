//! The e-mail of an account, and its proof by a letter.

use askama::Template;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use kit::web::{Dialect, Problem, Query, Routes, Schema};
use serde::Deserialize;
use serde_json::json;

use super::proof;
use crate::error::Error;
use crate::fields::Fields;
use crate::page::{form_page, go_to};
use crate::visitor::Visitor;

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/account/email", show_email, |it| it)
        .post("/account/email", change_email, |it| it)
        .post("/account/email/letter", send_letter, |it| it)
        .post("/account/email/code", verify_email, |it| it)
}

#[derive(Template)]
#[template(path = "account/email.html")]
struct EmailPage<'a> {
    email: Option<&'a str>,
    /// Whether it may be changed now.
    is_recent: bool,
    note: Option<&'static str>,
    form: Fields,
    refusal: Option<String>,
}

#[derive(Deserialize, Schema)]
struct Told {
    /// What was done, in a word.
    told: Option<String>,
}

impl Told {
    fn note(&self) -> Option<&'static str> {
        match self.told.as_deref()? {
            "changed" => Some(
                "Your e-mail was changed. If the former one was proven, the new one counts once it is proven: a letter with a code is on its way to it.",
            ),
            "sent" => Some("A letter with a code is on its way."),
            "nothing" => Some("There is no e-mail to prove, or it is proven already."),
            "proven" => Some("Your e-mail is proven."),
            _ => None,
        }
    }
}

async fn show_email(visitor: Visitor, Query(told): Query<Told>) -> Result<Response, Problem> {
    show(&visitor, told.note(), Fields::default(), None).await
}

async fn show(
    visitor: &Visitor,
    note: Option<&'static str>,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let content = EmailPage {
        email: visitor.me.email.as_deref(),
        is_recent: proof::is_recent(visitor).await?,
        note,
        form,
        refusal,
    };
    form_page(
        "Your e-mail",
        &visitor.me,
        &content,
        content.refusal.is_some(),
    )
}

async fn change_email(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let body = json!({ "email": form.text("email") });
    let changed = visitor
        .change(Method::PUT, "signin", "/auth/email", &body)
        .await;
    done(&visitor, form, changed.map(|_| "changed")).await
}

async fn send_letter(visitor: Visitor) -> Result<Response, Problem> {
    let sent = visitor
        .call(Method::POST, "signin", "/auth/email/verification")
        .await;
    let told = sent.map(|it| match it.status {
        StatusCode::ACCEPTED => "sent",
        _ => "nothing",
    });
    done(&visitor, Fields::default(), told).await
}

async fn verify_email(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let body = json!({ "token": form.text("code") });
    let verified = visitor
        .change(Method::POST, "signin", "/auth/email/verify", &body)
        .await;
    done(&visitor, form, verified.map(|_| "proven")).await
}

async fn done(
    visitor: &Visitor,
    form: Fields,
    outcome: Result<&str, Error>,
) -> Result<Response, Problem> {
    match outcome {
        Ok(told) => Ok(go_to(&format!("/account/email?told={told}"))),
        Err(refusal) if proof::is_too_old(&refusal) => Ok(proof::ask("/account/email")),
        Err(refusal) => show(visitor, None, form, Some(refusal.into_text()?)).await,
    }
}
