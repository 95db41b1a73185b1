//! Cars.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::web::{Dialect, Problem, Query, Routes, Schema};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::Error;
use crate::fields::Fields;
use crate::page::{again, form_page, go_to, page};
use crate::visitor::{Client, Visitor};
use crate::words::{query, segment};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/cars", list_cars, |it| it)
        .post("/cars", add_car, |it| it)
        .get("/cars/car", show_car, |it| it)
        .post("/cars/car", change_car, |it| it)
        .post("/cars/car/remove", remove_car, |it| it)
}

const CARS: &str = "/api/v1/users/me/cars";

#[derive(Debug, Deserialize)]
pub struct Car {
    pub plate: String,
    brand: Option<String>,
    model: Option<String>,
}

impl Car {
    pub fn name(&self) -> String {
        let parts = [self.brand.as_deref(), self.model.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    fn query(&self) -> String {
        query([("plate", &*self.plate)])
    }
}

pub async fn find_cars(client: &Client) -> Result<Vec<Car>, Error> {
    client.get("fines", CARS).await
}

#[derive(Template)]
#[template(path = "fines/cars.html")]
struct Cars {
    cars: Vec<Car>,
    /// Plates with a valid ticket.
    parked: Vec<String>,
    form: Fields,
    refusal: Option<String>,
}

async fn list_cars(visitor: Visitor) -> Result<Response, Problem> {
    show_cars(&visitor, Fields::default(), None).await
}

async fn show_cars(
    visitor: &Visitor,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let parked = format!("{CARS}?currently_parked=true");
    let parked: Vec<Car> = visitor.get("fines", &parked).await?;
    let content = Cars {
        cars: find_cars(visitor).await?,
        parked: parked.into_iter().map(|it| it.plate).collect(),
        form,
        refusal,
    };
    let title = "Your cars";
    form_page(title, &visitor.me, &content, content.refusal.is_some())
}

fn body(form: &Fields) -> Value {
    json!({
        "plate": form.text("plate"),
        "brand": form.optional("brand"),
        "model": form.optional("model"),
    })
}

async fn add_car(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let added = visitor
        .change(Method::POST, "fines", CARS, &body(&form))
        .await;
    match added {
        Ok(()) => Ok(go_to("/cars")),
        Err(refusal) => show_cars(&visitor, form, Some(refusal.into_text()?)).await,
    }
}

#[derive(Deserialize, Schema)]
struct Named {
    plate: String,
}

#[derive(Template)]
#[template(path = "fines/car.html")]
struct CarPage<'a> {
    /// Its plate until it is changed.
    car: &'a str,
    form: Fields,
    refusal: Option<String>,
}

async fn show_car(
    visitor: Visitor,
    Query(Named { plate }): Query<Named>,
) -> Result<Response, Problem> {
    let cars = find_cars(&visitor).await?;
    let Some(car) = cars.into_iter().find(|it| it.plate == plate) else {
        return Ok(go_to("/cars"));
    };
    let form = Fields::default()
        .with("plate", &car.plate)
        .with_some("brand", car.brand)
        .with_some("model", car.model);
    let content = CarPage {
        car: &car.plate,
        form,
        refusal: None,
    };
    page(&car.plate, &visitor.me, &content)
}

async fn change_car(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let car = form.text("car").to_owned();
    let path = format!("{CARS}/{}", segment(&car));
    let changed = visitor
        .change(Method::PATCH, "fines", &path, &body(&form))
        .await;
    match changed {
        Ok(()) => Ok(go_to("/cars")),
        Err(refusal) => {
            let content = CarPage {
                car: &car,
                form,
                refusal: Some(refusal.into_text()?),
            };
            again(&car, &visitor.me, &content)
        }
    }
}

async fn remove_car(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let path = format!("{CARS}/{}", segment(form.text("car")));
    match visitor.act(Method::DELETE, "fines", &path).await {
        Ok(()) => Ok(go_to("/cars")),
        Err(refusal) => show_cars(&visitor, Fields::default(), Some(refusal.into_text()?)).await,
    }
}
