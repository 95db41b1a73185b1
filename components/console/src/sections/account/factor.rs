//! The second factor: an authenticator app and its backup codes.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::web::{Dialect, Problem, Routes};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Audit, proof};
use crate::fields::Fields;
use crate::lists::Part;
use crate::page::{again, form_page, go_to, page};
use crate::visitor::Visitor;

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/account/factor", show_factor, |it| it)
        .post("/account/factor", enrol, |it| it)
        .post("/account/factor/confirm", confirm, |it| it)
        .post("/account/factor/codes", renew_codes, |it| it)
        .post("/account/factor/remove", remove, |it| it)
}

const TITLE: &str = "Second factor";

#[derive(Template)]
#[template(path = "account/factor.html")]
struct FactorPage {
    /// Whether it is on, when the audit trail tells.
    is_on: Option<bool>,
    /// Whether it may be turned on now.
    is_recent: bool,
    refusal: Option<String>,
}

async fn show_factor(visitor: Visitor) -> Result<Response, Problem> {
    show(&visitor, None).await
}

async fn show(visitor: &Visitor, refusal: Option<String>) -> Result<Response, Problem> {
    let audit = Audit::find(visitor, "/auth/audit", &Part::default()).await?;
    let last = audit.last_of(&["second-factor-added", "second-factor-removed"]);
    let content = FactorPage {
        is_on: last.map(|it| it == "second-factor-added"),
        is_recent: proof::is_recent(visitor).await?,
        refusal,
    };
    form_page(TITLE, &visitor.me, &content, content.refusal.is_some())
}

/// What an app is told once.
#[derive(Template, Deserialize)]
#[template(path = "account/enrolment.html")]
struct Enrolment {
    secret: String,
    uri: String,
    #[serde(skip)]
    refusal: Option<String>,
}

impl Enrolment {
    /// A link is one to an app, and to no site.
    fn has_link(&self) -> bool {
        self.uri.starts_with("otpauth://totp/")
    }
}

/// The page of a secret is an answer to a form, because the secret cannot be asked for again.
async fn enrol(visitor: Visitor) -> Result<Response, Problem> {
    let enrolment = visitor
        .send::<Enrolment>(Method::POST, "signin", "/auth/totp", "", &Value::Null)
        .await;
    match enrolment {
        Ok(enrolment) => page(TITLE, &visitor.me, &enrolment),
        Err(refusal) if proof::is_too_old(&refusal) => Ok(proof::ask("/account/factor")),
        Err(refusal) => show(&visitor, Some(refusal.into_text()?)).await,
    }
}

/// Each works once.
#[derive(Template, Deserialize)]
#[template(path = "account/backup_codes.html")]
struct BackupCodes {
    backup_codes: Vec<String>,
}

async fn confirm(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let body = json!({ "code": form.text("code") });
    let confirmed = visitor
        .send::<BackupCodes>(Method::POST, "signin", "/auth/totp/confirm", "", &body)
        .await;
    match confirmed {
        Ok(codes) => page("Your backup codes", &visitor.me, &codes),
        Err(refusal) => {
            let content = Enrolment {
                secret: form.text("secret").to_owned(),
                uri: form.text("uri").to_owned(),
                refusal: Some(refusal.into_text()?),
            };
            again(TITLE, &visitor.me, &content)
        }
    }
}

async fn renew_codes(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let body = json!({ "code": form.text("code") });
    let renewed = visitor
        .send::<BackupCodes>(Method::POST, "signin", "/auth/totp/backup-codes", "", &body)
        .await;
    match renewed {
        Ok(codes) => page("Your backup codes", &visitor.me, &codes),
        Err(refusal) => show(&visitor, Some(refusal.into_text()?)).await,
    }
}

async fn remove(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let body = json!({ "code": form.text("code") });
    let removed = visitor
        .change(Method::DELETE, "signin", "/auth/totp", &body)
        .await;
    match removed {
        Ok(()) => Ok(go_to("/account/factor")),
        Err(refusal) => show(&visitor, Some(refusal.into_text()?)).await,
    }
}
