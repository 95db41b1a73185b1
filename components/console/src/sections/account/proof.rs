//! Proving again who one is. What is hard to undo wants a proof from the last minutes (RFC 9470).

use askama::Template;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use kit::identity::{PROOF_TOO_OLD, RECENT_S};
use kit::web::{Dialect, Problem, Query, Routes, Schema};
use serde::Deserialize;
use serde_json::json;

use crate::error::Error;
use crate::fields::Fields;
use crate::page::{PREFIX, again, go_to, page};
use crate::sections::session::{begin, next_page};
use crate::visitor::Visitor;
use crate::words::{Moment, query};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/account/proof", show_proof, |it| it)
        .post("/account/proof", prove, |it| it)
}

#[derive(Debug, Deserialize)]
struct Session {
    proven_at: Moment,
    amr: Vec<String>,
}

async fn find_session(visitor: &Visitor) -> Result<Session, Error> {
    visitor.get("signin", "/auth/session").await
}

/// Whether the last proof still counts when a form is sent that is shown now.
pub async fn is_recent(visitor: &Visitor) -> Result<bool, Error> {
    let session = find_session(visitor).await?;
    let age = kit::now().duration_since(session.proven_at.0);
    Ok(age.as_secs() <= RECENT_S / 2)
}

pub fn is_too_old(refusal: &Error) -> bool {
    refusal.is(PROOF_TOO_OLD.code())
}

/// Leads to the page of proofs, and on to that path.
pub fn ask(path: &str) -> Response {
    let next = query([("next", &*format!("{PREFIX}{path}"))]);
    go_to(&format!("/account/proof?{next}"))
}

#[derive(Template)]
#[template(path = "account/proof.html")]
struct ProofPage {
    form: Fields,
    /// Whether the account has a second factor.
    asks_code: bool,
    refusal: Option<String>,
}

const TITLE: &str = "Prove who you are";

#[derive(Deserialize, Schema)]
struct After {
    /// The page that wants the proof.
    next: Option<String>,
}

async fn show_proof(visitor: Visitor, Query(after): Query<After>) -> Result<Response, Problem> {
    let session = find_session(&visitor).await?;
    let content = ProofPage {
        form: Fields::default().with_some("next", after.next),
        // A guess: when it is wrong, the refusal says what is wanted.
        asks_code: session.amr.iter().any(|it| it == "otp"),
        refusal: None,
    };
    page(TITLE, &visitor.me, &content)
}

async fn prove(visitor: Visitor, headers: HeaderMap, form: Fields) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    struct Proven {
        access_token: String,
    }
    let password = Some(form.secret("password")).filter(|it| !it.is_empty());
    let code = form.optional("code");
    let body = json!({ "password": password, "code": code });
    let sent = visitor
        .send::<Proven>(Method::POST, "signin", "/auth/reauthenticate", "", &body)
        .await;
    match sent {
        Ok(proven) => Ok(begin(&headers, &proven.access_token, &next_page(&form))),
        Err(refusal) => {
            let asks_code =
                refusal.is("code-required") || (code.is_some() && !refusal.is("password-required"));
            let content = ProofPage {
                refusal: Some(refusal.into_text()?),
                asks_code,
                form,
            };
            again(TITLE, &visitor.me, &content)
        }
    }
}
