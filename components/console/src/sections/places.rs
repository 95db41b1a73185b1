//! The parking places that an owner offers: what they are, their rules, who booked them, and their gate.

mod bookings;
mod gate;
mod rules;

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::identity::Role;
use kit::money::decimal;
use kit::web::{Dialect, Path, Problem, Query, Routes, Schema};
use serde::Deserialize;
use serde_json::{Number, Value, json};

use super::parking::{Place, Rules, TYPES, find_place, find_rules};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{LIMIT, Part};
use crate::page::{again, form_page, go_to, page};
use crate::visitor::Visitor;
use crate::words::Cents;

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/places", list_places, |it| it)
        .get("/places/new", show_offer, |it| it)
        .post("/places/new", offer_place, |it| it)
        .get("/places/overstays", bookings::list_owing, |it| it)
        .get("/places/{id}", show_place, |it| it)
        .get("/places/{id}/change", show_change, |it| it)
        .post("/places/{id}/change", change_place, |it| it)
        .post("/places/{id}/remove", remove_place, |it| it)
        .get("/places/{id}/rules", rules::show_rules, |it| it)
        .post("/places/{id}/rules", rules::set_rules, |it| it)
        .get("/places/{id}/gate", gate::show_gate, |it| it)
        .post("/places/{id}/gate", gate::pass_gate, |it| it)
        .get("/places/{id}/bookings", bookings::list_bookings, |it| it)
        .get(
            "/places/{id}/bookings/{booking}",
            bookings::show_booking,
            |it| it,
        )
        .post(
            "/places/{id}/bookings/{booking}/cancel",
            bookings::cancel_booking,
            |it| it,
        )
        .post(
            "/places/{id}/bookings/{booking}/waive",
            bookings::waive_overstay,
            |it| it,
        )
}

/// A place of the visitor; admins see all.
async fn find_own(visitor: &Visitor, id: i64) -> Result<Place, Problem> {
    let place: Place = visitor.get("bookings", &format!("/parking/{id}")).await?;
    check_own(visitor, &place)?;
    Ok(place)
}

fn check_own(visitor: &Visitor, place: &Place) -> Result<(), Problem> {
    match place.owner_id == visitor.me.user_id || visitor.me.is(Role::Admin) {
        true => Ok(()),
        false => Err(Error::forbidden("Another owner offers this place.").into()),
    }
}

/// The same, or none when it was removed: then bookings decides who sees what was booked there.
async fn find_own_if_any(visitor: &Visitor, id: i64) -> Result<Option<Place>, Problem> {
    let place = find_place(visitor, id).await?;
    match &place {
        Some(place) => check_own(visitor, place)?,
        None => check_offers(visitor)?,
    }
    Ok(place)
}

fn check_offers(visitor: &Visitor) -> Result<(), Problem> {
    match visitor.me.roles.any(&[Role::Owner, Role::Admin]) {
        true => Ok(()),
        false => Err(Error::forbidden("Only owners offer places.").into()),
    }
}

#[derive(Deserialize, Schema)]
struct Asked {
    city: Option<String>,
    name: Option<String>,
}

/// What the owner earned.
#[derive(Deserialize)]
struct Balance {
    balance: Cents,
    held: Option<Cents>,
    owed: Option<Cents>,
}

#[derive(Deserialize)]
struct Commission {
    basis_points: i64,
}

struct Earnings {
    balance: Balance,
    /// Of the house, in percent.
    commission: String,
}

#[derive(Template)]
#[template(path = "places/list.html")]
struct List {
    city: String,
    name: String,
    places: Vec<Place>,
    next: Option<String>,
    /// None for admins who offer nothing themselves.
    earnings: Option<Earnings>,
    sees_all: bool,
}

async fn list_places(
    visitor: Visitor,
    Query(asked): Query<Asked>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    check_offers(&visitor)?;
    let (is_owner, sees_all) = (visitor.me.is(Role::Owner), visitor.me.is(Role::Admin));
    let owner = match sees_all {
        true => String::new(),
        false => visitor.me.user_id.to_string(),
    };
    let (city, name) = (
        asked.city.unwrap_or_default(),
        asked.name.unwrap_or_default(),
    );
    let search = part.query([
        ("owner_id", &*owner),
        ("city", &*city),
        ("name", &*name),
        LIMIT,
    ]);
    let found = visitor
        .list("bookings", &format!("/parking?{search}"))
        .await?;
    let content = List {
        next: found
            .next
            .map(|it| it.query([("city", &*city), ("name", &*name)])),
        places: found.rows,
        city,
        name,
        earnings: match is_owner {
            true => Some(find_earnings(&visitor).await?),
            false => None,
        },
        sees_all,
    };
    let title = if sees_all { "Places" } else { "Your places" };
    page(title, &visitor.me, &content)
}

async fn find_earnings(visitor: &Visitor) -> Result<Earnings, Error> {
    let balance = visitor.get("payments", "/payment/balance").await?;
    let commission: Commission = visitor.get("payments", "/payment/commission").await?;
    Ok(Earnings {
        balance,
        commission: decimal::text(commission.basis_points),
    })
}

#[derive(Template)]
#[template(path = "places/form.html")]
struct PlaceForm {
    /// None for a new one.
    id: Option<i64>,
    form: Fields,
    refusal: Option<String>,
}

async fn show_offer(visitor: Visitor) -> Result<Response, Problem> {
    let content = PlaceForm {
        id: None,
        form: Fields::fresh(),
        refusal: None,
    };
    page("Offer a place", &visitor.me, &content)
}

async fn offer_place(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    struct Made {
        id: i64,
    }
    let made = match place_body(&form) {
        Ok(body) => {
            let key = form.text("key");
            visitor
                .send::<Made>(Method::POST, "bookings", "/parking", key, &body)
                .await
        }
        Err(refusal) => Err(refusal),
    };
    match made {
        Ok(made) => Ok(go_to(&format!("/places/{}", made.id))),
        Err(refusal) => {
            let content = PlaceForm {
                id: None,
                form: form.renewed(),
                refusal: Some(refusal.into_text()?),
            };
            again("Offer a place", &visitor.me, &content)
        }
    }
}

/// What a form says about a place, for bookings.
fn place_body(form: &Fields) -> Result<Value, Error> {
    let degrees = |name: &str| {
        let number = form.optional(name).map(str::parse::<Number>).transpose();
        number.map_err(|_| Error::refused(format!("the {name} is a number, as -8.6151")))
    };
    Ok(json!({
        "name": form.text("name"),
        "city": form.text("city"),
        "address": form.text("address"),
        "parking_type": form.text("parking_type"),
        "hourly_rate": form.cents("hourly_rate")?,
        "capacity": form.number("capacity")?,
        "latitude": degrees("latitude")?,
        "longitude": degrees("longitude")?,
    }))
}

#[derive(Template)]
#[template(path = "places/place.html")]
struct PlacePage {
    place: Place,
    rules: Rules,
    refusal: Option<String>,
}

async fn show_place(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    show(&visitor, id, None).await
}

async fn show(visitor: &Visitor, id: i64, refusal: Option<String>) -> Result<Response, Problem> {
    let content = PlacePage {
        place: find_own(visitor, id).await?,
        rules: find_rules(visitor, id).await?,
        refusal,
    };
    form_page(
        &content.place.name,
        &visitor.me,
        &content,
        content.refusal.is_some(),
    )
}

async fn show_change(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    let place = find_own(&visitor, id).await?;
    let form = Fields::default()
        .with("name", &place.name)
        .with("city", &place.city)
        .with("address", &place.address)
        .with("parking_type", &place.parking_type)
        .with("hourly_rate", place.hourly_rate)
        .with("capacity", place.capacity)
        .with_some("latitude", place.latitude)
        .with_some("longitude", place.longitude);
    let content = PlaceForm {
        id: Some(id),
        form,
        refusal: None,
    };
    page(&format!("Change {}", place.name), &visitor.me, &content)
}

async fn change_place(
    visitor: Visitor,
    Path(id): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    let changed = match place_body(&form) {
        Ok(body) => {
            let path = format!("/parking/{id}");
            visitor.change(Method::PUT, "bookings", &path, &body).await
        }
        Err(refusal) => Err(refusal),
    };
    match changed {
        Ok(()) => Ok(go_to(&format!("/places/{id}"))),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            let place = find_own(&visitor, id).await?;
            let content = PlaceForm {
                id: Some(id),
                form,
                refusal,
            };
            again(&format!("Change {}", place.name), &visitor.me, &content)
        }
    }
}

async fn remove_place(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    let path = format!("/parking/{id}");
    match visitor.act(Method::DELETE, "bookings", &path).await {
        // What was booked there is still known.
        Ok(()) => Ok(go_to(&format!("/places/{id}/bookings"))),
        Err(refusal) => show(&visitor, id, Some(refusal.into_text()?)).await,
    }
}
