//! Personal access tokens, for programs that act for a person.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::web::{Dialect, Path, Problem, Routes};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{proof, sessions};
use crate::error::Error;
use crate::fields::Fields;
use crate::page::{form_page, go_to, page};
use crate::visitor::Visitor;
use crate::words::Moment;

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get(PATH, list_tokens, |it| it)
        .post(PATH, create_token, |it| it)
        .post("/account/tokens/{id}/end", end_token, |it| it)
}

const PATH: &str = "/account/tokens";
const TITLE: &str = "Personal access tokens";

/// What programs often need.
const SCOPES: [&str; 5] = [
    "read",
    "write",
    "modpacks:read files:read",
    "modpacks:write files:write",
    "payments:read",
];

#[derive(Debug, Deserialize)]
struct Token {
    id: Uuid,
    name: Option<String>,
    scope: Option<String>,
    made_at: Moment,
    expires_at: Moment,
}

#[derive(Template)]
#[template(path = "account/tokens.html")]
struct TokensPage {
    tokens: Vec<Token>,
    /// Whether one may be made now.
    is_recent: bool,
    form: Fields,
    refusal: Option<String>,
}

async fn list_tokens(visitor: Visitor) -> Result<Response, Problem> {
    show(&visitor, Fields::default(), None).await
}

async fn show(
    visitor: &Visitor,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let content = TokensPage {
        tokens: visitor.get("signin", "/auth/tokens").await?,
        is_recent: proof::is_recent(visitor).await?,
        form,
        refusal,
    };
    form_page(TITLE, &visitor.me, &content, content.refusal.is_some())
}

/// The secret of a new token, which is shown once.
#[derive(Debug, Deserialize, Template)]
#[template(path = "account/token.html")]
struct Created {
    token: String,
    expires_at: Moment,
}

async fn create_token(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    match send_token(&visitor, &form).await {
        Ok(created) => page("Your new token", &visitor.me, &created),
        Err(refusal) if proof::is_too_old(&refusal) => Ok(proof::ask(PATH)),
        Err(refusal) => show(&visitor, form, Some(refusal.into_text()?)).await,
    }
}

async fn send_token(visitor: &Visitor, form: &Fields) -> Result<Created, Error> {
    let body = json!({
        "name": form.text("name"),
        "scope": form.text("scope"),
        "days": form.number("days")?,
    });
    visitor
        .send(Method::POST, "signin", "/auth/tokens", "", &body)
        .await
}

/// A token ends as a session does.
async fn end_token(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    sessions::end(&visitor, id).await?;
    Ok(go_to(PATH))
}
