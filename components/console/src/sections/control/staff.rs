//! The people and the kiosks of a zone.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::web::{Dialect, Path, Problem, Query, Routes};
use serde::Deserialize;
use serde_json::json;

use super::{Desk, find_desk, look_through};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::Part;
use crate::page::{again, form_page, go_to, page};
use crate::visitor::{Client, Visitor};
use crate::words::{Moment, segment};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/control/zones/{id}/staff", show_staff, |it| it)
        .post("/control/zones/{id}/staff", appoint, |it| it)
        .post("/control/zones/{id}/staff/dismiss", dismiss, |it| it)
        .get("/control/zones/{id}/kiosks", show_kiosks, |it| it)
        .post("/control/zones/{id}/kiosks", register, |it| it)
        .post("/control/zones/{id}/kiosks/passcode", draw_passcode, |it| {
            it
        })
        .post("/control/zones/{id}/kiosks/remove", remove, |it| it)
}

#[derive(Debug, Deserialize)]
pub struct Person {
    username: String,
    role: String,
    assigned_at: Moment,
    assigned_by: String,
}

/// The people of a zone; refused to those who do not run it.
pub async fn find_staff(client: &Client, zone: i64) -> Result<Vec<Person>, Error> {
    let path = format!("/api/v1/zones/{zone}/users");
    match client.get("fines", &path).await {
        Err(refusal) if refusal.is("no-zone-users") => Ok(Vec::new()),
        answer => answer,
    }
}

#[derive(Template)]
#[template(path = "control/staff.html")]
struct Staff {
    desk: Desk,
    people: Vec<Person>,
    form: Fields,
    refusal: Option<String>,
}

async fn show_staff(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    show(&visitor, id, Fields::default(), None).await
}

async fn show(
    visitor: &Visitor,
    id: i64,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let content = Staff {
        people: find_staff(visitor, id).await?,
        desk: find_desk(visitor, id).await?,
        form,
        refusal,
    };
    let title = format!("Staff of {}", content.desk.zone.name);
    form_page(&title, &visitor.me, &content, content.refusal.is_some())
}

async fn appoint(visitor: Visitor, Path(id): Path<i64>, form: Fields) -> Result<Response, Problem> {
    let path = format!("/api/v1/zones/{id}/users");
    let body = json!({ "username": form.text("username"), "role": form.text("role") });
    let appointed = visitor.change(Method::POST, "fines", &path, &body).await;
    match appointed {
        Ok(()) => Ok(go_to(&format!("/control/zones/{id}/staff"))),
        Err(refusal) => show(&visitor, id, form, Some(refusal.into_text()?)).await,
    }
}

/// Those who dismiss themselves do not see the staff any more.
async fn dismiss(visitor: Visitor, Path(id): Path<i64>, form: Fields) -> Result<Response, Problem> {
    let username = form.text("username");
    let path = format!("/api/v1/zones/{id}/users/{}", segment(username));
    match visitor.act(Method::DELETE, "fines", &path).await {
        Ok(_) if username == visitor.me.login => Ok(go_to("/control")),
        Ok(()) => Ok(go_to(&format!("/control/zones/{id}/staff"))),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            show(&visitor, id, Fields::default(), refusal).await
        }
    }
}

#[derive(Debug, Deserialize)]
struct Kiosk {
    id: String,
    zone_id: i64,
    latitude: serde_json::Number,
    longitude: serde_json::Number,
    registration_time: Moment,
}

#[derive(Debug, Deserialize)]
struct Passcode {
    otp: String,
    valid_until: Moment,
}

#[derive(Template)]
#[template(path = "control/kiosks.html")]
struct Kiosks {
    desk: Desk,
    kiosks: Vec<Kiosk>,
    next: Option<Part>,
    passcode: Option<Passcode>,
    form: Fields,
    refusal: Option<String>,
}

/// A page of kiosks, without those of other zones.
async fn find_kiosks(
    visitor: &Visitor,
    zone: i64,
    part: Part,
    form: Fields,
) -> Result<Kiosks, Problem> {
    let is_here = |it: &Kiosk| it.zone_id == zone;
    let found = look_through(visitor, "/api/v1/totems", part, is_here).await?;
    Ok(Kiosks {
        desk: find_desk(visitor, zone).await?,
        kiosks: found.rows,
        next: found.next,
        passcode: None,
        form,
        refusal: None,
    })
}

fn show_page(visitor: &Visitor, content: &Kiosks) -> Result<Response, Problem> {
    let title = format!("Kiosks of {}", content.desk.zone.name);
    match content.refusal {
        None => page(&title, &visitor.me, content),
        Some(_) => again(&title, &visitor.me, content),
    }
}

async fn show_kiosks(
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let content = find_kiosks(&visitor, id, part, Fields::default()).await?;
    show_page(&visitor, &content)
}

/// The passcode is a secret, so it is shown at once and stands in no address.
async fn draw_passcode(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    let passcode: Passcode = visitor.get("signin", "/api/v1/otp").await?;
    let form = Fields::default().with("otp", &passcode.otp);
    let mut content = find_kiosks(&visitor, id, Part::default(), form).await?;
    content.passcode = Some(passcode);
    show_page(&visitor, &content)
}

async fn register(
    visitor: Visitor,
    Path(id): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    match send_kiosk(&visitor, id, &form).await {
        Ok(()) => Ok(go_to(&format!("/control/zones/{id}/kiosks"))),
        Err(refusal) => refuse(&visitor, id, form, refusal).await,
    }
}

async fn send_kiosk(visitor: &Visitor, zone: i64, form: &Fields) -> Result<(), Error> {
    let degrees = |name: &str| {
        let text = form.text(name);
        serde_json::from_str::<serde_json::Number>(text)
            .map_err(|_| Error::refused(format!("\"{text}\" is no number of degrees")))
    };
    let body = json!({
        "id": form.text("id"),
        "zone_id": zone,
        "latitude": degrees("latitude")?,
        "longitude": degrees("longitude")?,
        "otp": form.text("otp"),
    });
    visitor
        .change(Method::POST, "fines", "/api/v1/totems", &body)
        .await
        .map_err(|refusal| match refusal.is("wrong-passcode") {
            // A 401 that does not end the visitor's session.
            true => Error::refused("The passcode is wrong, used up or too old."),
            false => refusal,
        })
}

async fn remove(visitor: Visitor, Path(id): Path<i64>, form: Fields) -> Result<Response, Problem> {
    let path = format!("/api/v1/totems/{}", segment(form.text("id")));
    match visitor.act(Method::DELETE, "fines", &path).await {
        Ok(()) => Ok(go_to(&format!("/control/zones/{id}/kiosks"))),
        Err(refusal) => refuse(&visitor, id, Fields::default(), refusal).await,
    }
}

async fn refuse(
    visitor: &Visitor,
    zone: i64,
    form: Fields,
    refusal: Error,
) -> Result<Response, Problem> {
    let refusal = Some(refusal.into_text()?);
    let mut content = find_kiosks(visitor, zone, Part::default(), form).await?;
    content.refusal = refusal;
    show_page(visitor, &content)
}
