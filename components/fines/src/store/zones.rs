//! Zones, the people who run them, kiosks.

use kit::identity::Caller;
use kit::store::{Db, FromRow};
use kit::web::Page;
use kit::{params, sql};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{PAGE, ZONE_PAGE, decide, list};
use crate::calls::Person;
use crate::car::{NewTotem, Totem};
use crate::error::Error;
use crate::geometry::Shape;
use crate::zone::{Checked, Neighbours, Occupancy, Outline, Zone, ZoneRole, ZoneUser};

pub async fn list_zones(db: &Db, page: Page) -> Result<Vec<Zone>, Error> {
    let params = params![page.limit(ZONE_PAGE), page.offset()];
    Ok(db.all(sql!("list_zones"), params).await?)
}

pub async fn list_zones_of(db: &Db, user: Uuid) -> Result<Vec<Zone>, Error> {
    Ok(db.all(sql!("list_zones_of"), params![user]).await?)
}

pub async fn find_zone(db: &Db, id: i64) -> Result<Zone, Error> {
    db.optional(sql!("find_zone"), params![id])
        .await?
        .ok_or(Error::UnknownZone)
}

/// Zones whose bounds contain a place, the oldest first.
pub async fn list_zones_at(db: &Db, latitude: f64, longitude: f64) -> Result<Vec<Zone>, Error> {
    Ok(db
        .all(sql!("list_zones_at"), params![latitude, longitude])
        .await?)
}

/// The zones that a shape may overlap.
pub async fn find_neighbours(
    db: &Db,
    shape: &Shape,
    except: Option<i64>,
) -> Result<Neighbours, Error> {
    let bounds = shape.bounds();
    let params = params![bounds.west, bounds.south, bounds.east, bounds.north, except];
    let outlines: Vec<Outline> = db.all(sql!("find_neighbours"), params).await?;
    let seen = outlines.iter().map(|it| it.revision).max();
    let zones = outlines.iter().map(|it| Ok((it.id, it.shape()?)));
    Ok(Neighbours {
        zones: zones.collect::<Result<_, Error>>()?,
        seen: seen.unwrap_or(0),
    })
}

pub async fn create_zone(
    db: &Db,
    request: Uuid,
    caller: &Caller,
    new: &Checked,
    seen: i64,
    payee: Uuid,
) -> Result<Zone, Error> {
    let shape = new.shape.as_ref().ok_or(Error::Stored("a new zone"))?;
    let bounds = shape.bounds();
    let params = params![
        request,
        caller.id,
        &caller.username,
        &members(new),
        &shape.text(),
        bounds.west,
        bounds.south,
        bounds.east,
        bounds.north,
        seen,
        payee
    ];
    decide(db, sql!("create_zone"), params).await
}

pub async fn change_zone(
    db: &Db,
    id: i64,
    caller: &Caller,
    change: &Checked,
    seen: i64,
) -> Result<Zone, Error> {
    let bounds = change.shape.as_ref().map(Shape::bounds);
    let text = change.shape.as_ref().map(Shape::text);
    let params = params![
        id,
        caller.id,
        caller.is_admin(),
        &members(change),
        text,
        bounds.map(|it| it.west),
        bounds.map(|it| it.south),
        bounds.map(|it| it.east),
        bounds.map(|it| it.north),
        seen
    ];
    decide(db, sql!("change_zone"), params).await
}

/// The given members of a zone as one value: absent ones are left out.
fn members(it: &Checked) -> Value {
    let mut members = Map::new();
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            members.insert(name.to_owned(), value);
        }
    };
    add("name", it.name.as_ref().map(|it| json!(it)));
    add("available", it.available.map(|it| json!(it)));
    add("metadata", it.metadata.clone());
    add(
        "price_offset",
        it.price_offset.map(|it| json!(it.to_string())),
    );
    add("price_lin", it.price_lin.map(|it| json!(it.to_string())));
    add("price_exp", it.price_exp.map(|it| json!(it.to_string())));
    add("currency", it.currency.map(|it| json!(it)));
    add("rules", it.rules.as_ref().map(|it| json!(it)));
    add("payee", it.payee.map(|it| json!(it)));
    Value::Object(members)
}

pub async fn remove_zone(db: &Db, id: i64, caller: &Caller) -> Result<(), Error> {
    let params = params![id, caller.id, caller.is_admin()];
    decide(db, sql!("remove_zone"), params).await
}

pub async fn find_occupancy(db: &Db, id: i64) -> Result<Occupancy, Error> {
    db.optional(sql!("find_occupancy"), params![id])
        .await?
        .ok_or(Error::UnknownZone)
}

// The people of zones.

pub async fn list_zone_users(db: &Db, id: i64, caller: &Caller) -> Result<Vec<ZoneUser>, Error> {
    let params = params![id, caller.id, caller.is_admin()];
    list(db, sql!("list_zone_users"), params).await
}

pub async fn assign_role(
    db: &Db,
    zone: i64,
    caller: &Caller,
    user: &Person,
    role: ZoneRole,
) -> Result<ZoneUser, Error> {
    let params = params![
        zone,
        caller.id,
        caller.is_admin(),
        &caller.username,
        user.id,
        &user.login,
        role
    ];
    decide(db, sql!("assign_role"), params).await
}

pub async fn withdraw_role(
    db: &Db,
    zone: i64,
    caller: &Caller,
    username: &str,
) -> Result<(), Error> {
    let params = params![zone, caller.id, caller.is_admin(), username];
    decide(db, sql!("withdraw_role"), params).await
}

/// Refuses a caller who does not run a zone, before another function is called.
pub async fn check_zone_admin(db: &Db, zone: i64, caller: &Caller) -> Result<(), Error> {
    let params = params![zone, caller.id, caller.is_admin()];
    decide(db, sql!("check_zone_admin"), params).await
}

// Kiosks.

/// Whether a zone exists, and whether a kiosk is registered.
#[derive(FromRow)]
pub struct TotemPlace {
    pub has_zone: bool,
    pub is_registered: bool,
}

pub async fn find_totem_place(db: &Db, new: &NewTotem) -> Result<TotemPlace, Error> {
    let params = params![&new.id, new.zone_id];
    Ok(db.one(sql!("find_totem_place"), params).await?)
}

pub async fn register_totem(db: &Db, new: &NewTotem, user: &Person) -> Result<Totem, Error> {
    let params = params![
        &new.id,
        new.zone_id,
        new.latitude,
        new.longitude,
        user.id,
        user.is_admin
    ];
    decide(db, sql!("register_totem"), params).await
}

pub async fn list_totems(db: &Db, page: Page) -> Result<Vec<Totem>, Error> {
    let params = params![page.limit(PAGE), page.offset()];
    Ok(db.all(sql!("list_totems"), params).await?)
}

pub async fn find_totem(db: &Db, id: &str) -> Result<Totem, Error> {
    db.optional(sql!("find_totem"), params![id])
        .await?
        .ok_or(Error::UnknownTotem)
}

pub async fn remove_totem(db: &Db, id: &str, caller: &Caller) -> Result<(), Error> {
    let params = params![id, caller.id, caller.is_admin()];
    decide(db, sql!("remove_totem"), params).await
}
