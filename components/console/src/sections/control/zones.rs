//! Zones: what they are, founding and changing them.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::identity::Role;
use kit::web::{Dialect, Path, Problem, Query, Routes};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Desk, Zone, find_desk, plain};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::Part;
use crate::page::{again, form_page, go_to, page};
use crate::visitor::{Me, Visitor};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/control", show_desk, |it| it)
        .get("/control/zones/new", show_new, |it| it)
        .post("/control/zones", found, |it| it)
        .get("/control/zones/{id}", show_zone, |it| it)
        .get("/control/zones/{id}/change", show_change, |it| it)
        .post("/control/zones/{id}/change", change, |it| it)
        .post("/control/zones/{id}/remove", remove, |it| it)
}

#[derive(Template)]
#[template(path = "control/desk.html")]
struct DeskPage {
    zones: Vec<Zone>,
    next: Option<Part>,
    is_admin: bool,
    may_found: bool,
    refusal: Option<String>,
}

async fn show_desk(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    show_list(&visitor, &part, None).await
}

/// The zones of the visitor; those of everybody for an admin.
pub async fn show_list(
    visitor: &Visitor,
    part: &Part,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let is_admin = visitor.me.is(Role::Admin);
    let path = match is_admin {
        true => format!("/api/v1/zones?{}", part.query([("limit", "20")])),
        false => "/api/v1/zones/me".to_owned(),
    };
    let list = visitor.list("fines", &path).await?;
    let content = DeskPage {
        zones: list.rows,
        next: list.next,
        is_admin,
        may_found: is_admin || visitor.me.is(Role::ZoneAdmin),
        refusal,
    };
    form_page("Control", &visitor.me, &content, content.refusal.is_some())
}

#[derive(Debug, Deserialize)]
struct Occupancy {
    occupied: i64,
    capacity: Option<i64>,
}

#[derive(Template)]
#[template(path = "control/zone.html")]
struct ZonePage {
    desk: Desk,
    occupancy: Occupancy,
    rules: Vec<(&'static str, String)>,
    form: Fields,
    refusal: Option<String>,
}

async fn show_zone(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    show(&visitor, id, Fields::fresh(), None).await
}

pub async fn show(
    visitor: &Visitor,
    id: i64,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let desk = find_desk(visitor, id).await?;
    let occupancy = format!("/api/v1/zones/{id}/occupancy");
    let content = ZonePage {
        occupancy: visitor.get("fines", &occupancy).await?,
        rules: desk.zone.rules.told(),
        desk,
        form,
        refusal,
    };
    form_page(
        &content.desk.zone.name,
        &visitor.me,
        &content,
        content.refusal.is_some(),
    )
}

#[derive(Template)]
#[template(path = "control/edit.html")]
struct EditPage {
    /// Absent for a new zone.
    id: Option<i64>,
    is_admin: bool,
    form: Fields,
    refusal: Option<String>,
}

impl EditPage {
    fn action(&self) -> String {
        match self.id {
            None => "/console/control/zones".to_owned(),
            Some(id) => format!("/console/control/zones/{id}/change"),
        }
    }

    fn show(&self, me: &Me) -> Result<Response, Problem> {
        let title = match self.id {
            None => "Found a zone".to_owned(),
            Some(id) => format!("Change zone {id}"),
        };
        match self.refusal {
            None => page(&title, Some(me), self),
            Some(_) => again(&title, Some(me), self),
        }
    }
}

async fn show_new(visitor: Visitor) -> Result<Response, Problem> {
    let form = Fields::fresh().with("available", "true").with("exp", 1);
    let content = EditPage {
        id: None,
        is_admin: visitor.me.is(Role::Admin),
        form,
        refusal: None,
    };
    content.show(&visitor.me)
}

/// The members of a zone that are filled in.
fn members(form: &Fields) -> Map<String, Value> {
    let mut members = Map::new();
    for (member, field) in [
        ("name", "name"),
        ("geometry", "geometry"),
        ("currency", "currency"),
        ("payee", "payee"),
    ] {
        if let Some(text) = form.optional(field) {
            members.insert(member.to_owned(), json!(text));
        }
    }
    for (member, field) in [
        ("price_offset", "offset"),
        ("price_lin", "lin"),
        ("price_exp", "exp"),
    ] {
        if let Some(text) = form.optional(field) {
            members.insert(member.to_owned(), json!(text.replace(',', ".")));
        }
    }
    let available = form.has("available", "true");
    members.insert("available".to_owned(), json!(available));
    members
}

async fn found(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let key = form.text("key");
    let founded = visitor
        .send::<Zone>(Method::POST, "fines", "/api/v1/zones", key, &members(&form))
        .await;
    match founded {
        Ok(zone) => Ok(go_to(&format!("/control/zones/{}", zone.id))),
        Err(refusal) => {
            let content = EditPage {
                id: None,
                is_admin: visitor.me.is(Role::Admin),
                form: form.renewed(),
                refusal: Some(refusal.into_text()?),
            };
            content.show(&visitor.me)
        }
    }
}

async fn show_change(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    let zone: Zone = visitor.get("fines", &format!("/api/v1/zones/{id}")).await?;
    let form = Fields::fresh()
        .with("name", &zone.name)
        .with("available", zone.available)
        .with("offset", plain(&zone.price_offset))
        .with("lin", plain(&zone.price_lin))
        .with("exp", plain(&zone.price_exp));
    let content = EditPage {
        id: Some(id),
        is_admin: visitor.me.is(Role::Admin),
        form,
        refusal: None,
    };
    content.show(&visitor.me)
}

async fn change(visitor: Visitor, Path(id): Path<i64>, form: Fields) -> Result<Response, Problem> {
    match send_change(&visitor, id, &Value::Object(members(&form))).await {
        Ok(()) => Ok(go_to(&format!("/control/zones/{id}"))),
        Err(refusal) => {
            let content = EditPage {
                id: Some(id),
                is_admin: visitor.me.is(Role::Admin),
                form,
                refusal: Some(refusal.into_text()?),
            };
            content.show(&visitor.me)
        }
    }
}

pub async fn send_change(visitor: &Visitor, id: i64, change: &Value) -> Result<(), Error> {
    let path = format!("/api/v1/zones/{id}");
    visitor.change(Method::PATCH, "fines", &path, change).await
}

async fn remove(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    let path = format!("/api/v1/zones/{id}");
    match visitor.act(Method::DELETE, "fines", &path).await {
        Ok(()) => Ok(go_to("/control")),
        Err(refusal) => show(&visitor, id, Fields::fresh(), Some(refusal.into_text()?)).await,
    }
}
