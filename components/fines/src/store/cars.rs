//! Cars.

use kit::store::Db;
use kit::web::Page;
use kit::{params, sql};
use uuid::Uuid;

use super::{LONG_PAGE, PAGE, decide};
use crate::car::{Car, CarChange, NewCar};
use crate::error::Error;
use plate::Plate;

pub async fn list_cars_of(db: &Db, owner: Uuid, parked: Option<bool>) -> Result<Vec<Car>, Error> {
    let params = params![owner, parked, LONG_PAGE];
    Ok(db.all(sql!("list_cars_of"), params).await?)
}

pub async fn list_cars(db: &Db, parked: Option<bool>, page: Page) -> Result<Vec<Car>, Error> {
    let params = params![parked, page.limit(PAGE), page.offset()];
    Ok(db.all(sql!("list_cars"), params).await?)
}

pub async fn register_car(
    db: &Db,
    new: &NewCar,
    owner: Uuid,
    as_guest: bool,
) -> Result<Car, Error> {
    let params = params![
        new.plate.as_str(),
        new.plate.shown(),
        owner,
        as_guest,
        new.brand.as_deref(),
        new.model.as_deref()
    ];
    decide(db, sql!("register_car"), params).await
}

pub async fn change_car(
    db: &Db,
    plate: &Plate,
    owner: Uuid,
    change: &CarChange,
) -> Result<Car, Error> {
    let new = change.plate.as_ref();
    let params = params![
        plate.as_str(),
        owner,
        new.map(Plate::as_str),
        new.map(Plate::shown),
        change.brand.as_deref(),
        change.model.as_deref()
    ];
    decide(db, sql!("change_car"), params).await
}

pub async fn remove_car(db: &Db, plate: &Plate, owner: Uuid) -> Result<(), Error> {
    match db
        .run(sql!("remove_car"), params![plate.as_str(), owner])
        .await?
    {
        0 => Err(Error::UnknownCar),
        _ => Ok(()),
    }
}

pub async fn remove_all_cars(db: &Db) -> Result<(), Error> {
    db.run(sql!("remove_all_cars"), params![]).await?;
    Ok(())
}
