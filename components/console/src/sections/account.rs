//! Your profile, password and sessions.

mod email;
mod factor;
mod notices;
mod password;
mod proof;
mod sessions;
mod tokens;

use askama::Template;
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse, Response};
use kit::identity::session_cookie;
use kit::web::{Dialect, Problem, Query, Routes};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{Part, earlier};
use crate::page::{again, go_to, page};
use crate::visitor::{Client, Me, Visitor};
use crate::words::Moment;

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/account", show_account, |it| it)
        .get("/account/profile", show_profile, |it| it)
        .post("/account/profile", change_profile, |it| it)
        .post("/account/telegram/unlink", unlink_telegram, |it| it)
        .get("/account/audit", list_audit, |it| it)
        .get("/account/delete", show_deletion, |it| it)
        .post("/account/delete", delete_account, |it| it)
        .and(proof::routes())
        .and(email::routes())
        .and(password::routes())
        .and(factor::routes())
        .and(sessions::routes())
        .and(tokens::routes())
        .and(notices::routes())
}

/// The names of a person.
#[derive(Debug, Deserialize)]
pub struct Names {
    name: Option<String>,
    surname: Option<String>,
}

impl Names {
    fn is_empty(&self) -> bool {
        self.to_string().is_empty()
    }
}

/// Those that there are.
impl std::fmt::Display for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = [&self.name, &self.surname];
        let names = names.into_iter().flatten().map(String::as_str);
        let names: Vec<_> = names.filter(|it| !it.is_empty()).collect();
        write!(f, "{}", names.join(" "))
    }
}

#[derive(Debug, Deserialize)]
struct Chat {
    /// 0 for none.
    telegram_id: i64,
}

#[derive(Template)]
#[template(path = "account/account.html")]
struct AccountPage<'a> {
    me: &'a Me,
    names: Names,
    chat: Chat,
}

async fn show_account(visitor: Visitor) -> Result<Response, Problem> {
    let content = AccountPage {
        me: &visitor.me,
        names: find_names(&visitor).await?,
        chat: visitor.get("signin", "/auth/me").await?,
    };
    page("Your account", &visitor.me, &content)
}

async fn find_names(visitor: &Visitor) -> Result<Names, Error> {
    visitor.get("signin", "/api/v1/users/me").await
}

#[derive(Template)]
#[template(path = "account/profile.html")]
struct ProfilePage {
    form: Fields,
    refusal: Option<String>,
}

async fn show_profile(visitor: Visitor) -> Result<Response, Problem> {
    let names = find_names(&visitor).await?;
    let form = Fields::default()
        .with("username", &visitor.me.login)
        .with_some("name", names.name)
        .with_some("surname", names.surname);
    let content = ProfilePage {
        form,
        refusal: None,
    };
    page("Your profile", &visitor.me, &content)
}

async fn change_profile(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let body = json!({
        "username": form.text("username"),
        "name": form.text("name"),
        "surname": form.text("surname"),
    });
    match change(&visitor, &body).await {
        Ok(()) => Ok(go_to("/account")),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            let content = ProfilePage { form, refusal };
            again("Your profile", &visitor.me, &content)
        }
    }
}

/// The bot sends notices to a chat again when the person signs in there.
async fn unlink_telegram(visitor: Visitor) -> Result<Response, Problem> {
    change(&visitor, &json!({ "telegram_id": 0 })).await?;
    Ok(go_to("/account"))
}

async fn change(visitor: &Visitor, body: &Value) -> Result<(), Error> {
    visitor
        .change(Method::PATCH, "signin", "/api/v1/users/me", body)
        .await
}

/// A line of the audit trail.
#[derive(Debug, Deserialize)]
pub struct AuditEvent {
    id: i64,
    pub at: Moment,
    pub what: String,
    /// The account that did it, when it was another one.
    pub actor: Option<Uuid>,
    pub address: String,
    pub detail: Option<String>,
}

/// A part of an audit trail.
pub struct Audit {
    pub events: Vec<AuditEvent>,
    pub next: Option<Part>,
}

const AUDIT_LINES: usize = 100;

impl Audit {
    /// That part of the trail at that path of signin.
    pub async fn find(client: &Client, path: &str, part: &Part) -> Result<Self, Error> {
        let asked = part.query([("limit", &*AUDIT_LINES.to_string())]);
        let events: Vec<AuditEvent> = client.get("signin", &format!("{path}?{asked}")).await?;
        Ok(Self {
            next: earlier(&events, AUDIT_LINES, |it| it.id),
            events,
        })
    }

    /// Which of these things happened last, when the part tells.
    pub fn last_of(&self, things: &[&str]) -> Option<&str> {
        let mut events = self.events.iter().map(|it| it.what.as_str());
        events.find(|it| things.contains(it))
    }
}

#[derive(Template)]
#[template(path = "account/audit.html")]
struct AuditPage {
    audit: Audit,
}

async fn list_audit(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    let audit = Audit::find(&visitor, "/auth/audit", &part).await?;
    let content = AuditPage { audit };
    page("What happened to your account", &visitor.me, &content)
}

#[derive(Template)]
#[template(path = "account/delete.html")]
struct DeletePage<'a> {
    login: &'a str,
    refusal: Option<String>,
}

const DELETION: &str = "Delete your account";

async fn show_deletion(visitor: Visitor) -> Result<Response, Problem> {
    if !proof::is_recent(&visitor).await? {
        return Ok(proof::ask("/account/delete"));
    }
    let login = &visitor.me.login;
    let refusal = None;
    page(DELETION, &visitor.me, &DeletePage { login, refusal })
}

async fn delete_account(
    visitor: Visitor,
    headers: HeaderMap,
    form: Fields,
) -> Result<Response, Problem> {
    let login = &visitor.me.login;
    let erased = match form.text("login") == login {
        true => visitor.act(Method::DELETE, "signin", "/auth/me").await,
        false => Err(Error::refused("Type your login, to be sure.")),
    };
    match erased {
        Ok(()) => {
            let cookie = [(header::SET_COOKIE, session_cookie(&headers, "", 0))];
            Ok((cookie, go_to("/sign-in")).into_response())
        }
        Err(refusal) if proof::is_too_old(&refusal) => Ok(proof::ask("/account/delete")),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            again(DELETION, &visitor.me, &DeletePage { login, refusal })
        }
    }
}
