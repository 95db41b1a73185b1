//! Accounts, their roles and sessions.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::identity::{Role, Roles};
use kit::web::{Dialect, Path, Problem, Query, Routes, Schema};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::account::{Audit, Names};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{LIMIT, Part};
use crate::page::{again, form_page, go_to, page};
use crate::visitor::Visitor;
use crate::words::{Moment, query};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/people", list_people, |it| it)
        .get("/people/find", find_person, |it| it)
        .get("/people/{id}", show_person, |it| it)
        .post("/people/{id}/roles", set_roles, |it| it)
        .post("/people/{id}/sign-out", sign_out, |it| it)
        .post("/people/{id}/factor", remove_factor, |it| it)
        .post("/people/{id}/disable", disable, |it| it)
        .post("/people/{id}/enable", enable, |it| it)
}

/// An account in the list.
#[derive(Debug, Deserialize)]
struct Listed {
    /// The serial number.
    id: i64,
    username: String,
    #[serde(flatten)]
    names: Names,
    email: Option<String>,
}

impl Listed {
    /// By which its page is found.
    fn query(&self) -> String {
        query([("name", &*self.username)])
    }
}

#[derive(Template)]
#[template(path = "people/list.html")]
struct List {
    people: Vec<Listed>,
    next: Option<Part>,
    name: String,
    refusal: Option<String>,
}

async fn list_people(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    let path = format!("/api/v1/users?{}", part.query([LIMIT]));
    let list = visitor.list("signin", &path).await?;
    let content = List {
        people: list.rows,
        next: list.next,
        name: String::new(),
        refusal: None,
    };
    page("People", &visitor.me, &content)
}

#[derive(Debug, Deserialize)]
struct Person {
    id: Uuid,
    login: String,
    email: Option<String>,
    roles: Roles,
    is_disabled: bool,
    is_email_verified: bool,
    has_second_factor: bool,
    telegram_id: Option<i64>,
    created_at: Moment,
    last_session_at: Option<Moment>,
}

/// Whom a login or an id names.
#[derive(Debug, Deserialize)]
struct Found {
    id: Uuid,
}

#[derive(Deserialize, Schema)]
struct Wanted {
    /// A login, or the id of an account.
    name: Option<String>,
}

async fn find_person(visitor: Visitor, Query(wanted): Query<Wanted>) -> Result<Response, Problem> {
    let name = wanted.name.unwrap_or_default();
    let name = name.trim();
    let by = match name.parse::<Uuid>() {
        Ok(_) => "user_id",
        Err(_) => "login",
    };
    let found = match name {
        "" => Err(Error::refused("Say whom.")),
        _ => look_up(&visitor, by, name).await,
    };
    match found {
        Ok(person) => Ok(go_to(&format!("/people/{}", person.id))),
        Err(refusal) => {
            let content = List {
                people: Vec::new(),
                next: None,
                name: name.to_owned(),
                refusal: Some(refusal.into_text()?),
            };
            again("People", &visitor.me, &content)
        }
    }
}

async fn look_up(visitor: &Visitor, by: &str, name: &str) -> Result<Found, Error> {
    let wanted = query([(by, name)]);
    visitor.get("signin", &format!("/auth/user?{wanted}")).await
}

#[derive(Template)]
#[template(path = "people/person.html")]
struct PersonPage {
    person: Person,
    me: Uuid,
    is_me: bool,
    audit: Audit,
    form: Fields,
    refusal: Option<String>,
}

async fn show_person(
    visitor: Visitor,
    Path(id): Path<Uuid>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    show(&visitor, id, &part, None, None).await
}

/// `filled` is a form that was refused.
async fn show(
    visitor: &Visitor,
    id: Uuid,
    part: &Part,
    filled: Option<Fields>,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let path = format!("/auth/users/{id}");
    let person: Person = visitor.get("signin", &path).await?;
    let audit = Audit::find(visitor, &format!("{path}/audit"), part).await?;
    let me = visitor.me.user_id;
    let content = PersonPage {
        is_me: person.id == me,
        form: filled.unwrap_or_else(|| form_of(person.roles)),
        person,
        me,
        audit,
        refusal,
    };
    let title = &content.person.login;
    form_page(title, &visitor.me, &content, content.refusal.is_some())
}

fn form_of(roles: Roles) -> Fields {
    let form = Fields::default();
    roles
        .iter()
        .fold(form, |form, it| form.with("role", it.name()))
}

async fn set_roles(
    visitor: Visitor,
    Path(id): Path<Uuid>,
    form: Fields,
) -> Result<Response, Problem> {
    let roles: Vec<_> = form.all("role").collect();
    match send_roles(&visitor, id, &roles).await {
        Ok(()) => Ok(go_to(&format!("/people/{id}"))),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            show(&visitor, id, &Part::default(), Some(form), refusal).await
        }
    }
}

async fn send_roles(
    visitor: &Visitor,
    id: Uuid,
    roles: &[impl serde::Serialize],
) -> Result<(), Error> {
    let path = format!("/auth/users/{id}/roles");
    let body = json!({ "roles": roles });
    visitor.change(Method::PUT, "signin", &path, &body).await
}

async fn sign_out(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let path = format!("/auth/users/{id}/sessions");
    let ended = visitor.act(Method::DELETE, "signin", &path).await;
    done(&visitor, id, ended).await
}

async fn remove_factor(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let path = format!("/auth/users/{id}/totp");
    let removed = match visitor.act(Method::DELETE, "signin", &path).await {
        // There is such an account, because its page is shown with the refusal: a page that was open for long has the form.
        Err(refusal) if refusal.is("unknown-user") => {
            Err(Error::refused("The account has no second factor."))
        }
        removed => removed,
    };
    done(&visitor, id, removed).await
}

async fn disable(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    act(&visitor, id, "disable").await
}

async fn enable(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    act(&visitor, id, "enable").await
}

async fn act(visitor: &Visitor, id: Uuid, act: &str) -> Result<Response, Problem> {
    let path = format!("/auth/users/{id}/{act}");
    let acted = visitor.act(Method::POST, "signin", &path).await;
    done(visitor, id, acted).await
}

async fn done(
    visitor: &Visitor,
    id: Uuid,
    outcome: Result<(), Error>,
) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(go_to(&format!("/people/{id}"))),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            show(visitor, id, &Part::default(), None, refusal).await
        }
    }
}
