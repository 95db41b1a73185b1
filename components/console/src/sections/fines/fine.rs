//! Fines: seeing and paying them, and appealing against them.

use askama::Template;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use kit::web::{Dialect, Path, Problem, Query, Routes};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::plans::{Plan, find_offer};
use super::{Amount, ROWS, Refusal, Zones};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::Part;
use crate::page::{form_page, go_to, page};
use crate::visitor::{Client, Visitor};
use crate::words::{Moment, is_web_address, query};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/cars/fines", list_fines, |it| it)
        .get("/cars/fines/{id}", show, |it| it)
        .post("/cars/fines/{id}/pay", send_payment, |it| it)
        .post("/cars/fines/{id}/appeal", appeal, |it| it)
        .post("/cars/fines/{id}/appeal/messages", say, |it| it)
        .post("/cars/fines/{id}/appeal/withdraw", withdraw, |it| it)
}

#[derive(Debug, Deserialize)]
pub struct Fine {
    pub id: i64,
    pub plate: String,
    pub amount: Amount,
    pub date: Moment,
    pub zone_id: i64,
    pub currency: String,
    pub status: String,
    pub due: Amount,
    pub due_until: Option<Moment>,
    due_if_waived: Option<Amount>,
    pub paid_amount: Option<Amount>,
    pub code: Option<String>,
    place: Option<String>,
    latitude: Option<serde_json::Number>,
    longitude: Option<serde_json::Number>,
    pub note: Option<String>,
    pub appeal: Option<String>,
    pub plan: Option<Plan>,
    pub reference: String,
}

impl Fine {
    pub fn is_open(&self) -> bool {
        self.status == "issued"
    }

    /// The place as it was written, and where it is on the map.
    pub fn place(&self) -> String {
        let point = self.latitude.as_ref().zip(self.longitude.as_ref());
        let point = point.map(|(latitude, longitude)| format!("{latitude}, {longitude}"));
        let parts = [self.place.as_deref(), point.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

#[derive(Template)]
#[template(path = "fines/fines.html")]
struct Fines {
    fines: Vec<Fine>,
    zones: Zones,
    next: Option<String>,
}

async fn list_fines(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    // The list does not say whether it goes on: one row more does.
    let limit = (ROWS + 1).to_string();
    let asked = part.query([("limit", &*limit)]);
    let path = format!("/api/v1/users/me/fines?{asked}");
    let mut fines: Vec<Fine> = visitor.get("fines", &path).await?;
    let goes_on = fines.len() > ROWS;
    fines.truncate(ROWS);
    let zones = Zones::find(&visitor, fines.iter().map(|it| it.zone_id)).await?;
    let offset = part.offset.and_then(|it| it.parse::<usize>().ok());
    let next = offset.unwrap_or_default().saturating_add(ROWS).to_string();
    let content = Fines {
        fines,
        zones,
        next: goes_on.then(|| query([("offset", &*next)])),
    };
    page("Your fines", &visitor.me, &content)
}

#[derive(Debug, Deserialize)]
struct Photo {
    by_staff: bool,
    added_at: Moment,
    taken_at: Option<Moment>,
    address: String,
}

#[derive(Debug, Deserialize)]
struct Appeal {
    status: String,
    opened_at: Moment,
    decided_at: Option<Moment>,
    reason: Option<String>,
    messages: Vec<Message>,
}

#[derive(Debug, Deserialize)]
struct Message {
    at: Moment,
    is_staff: bool,
    text: String,
}

/// A line of the history of a fine.
#[derive(Debug, Deserialize)]
struct Line {
    at: Moment,
    kind: String,
    data: Value,
}

impl Line {
    fn text(&self) -> &str {
        match &*self.kind {
            "stepped" => "the amount to pay changed",
            "part_paid" => "a part was paid",
            "planned" => "a plan was chosen",
            "plan_ended" => "the plan ended",
            "message" => "a message in the appeal",
            "photo" => "a photo was added",
            "accepted" => "the appeal was accepted",
            "rejected" => "the appeal was rejected",
            "withdrawn" => "the appeal was withdrawn",
            "returned" => "a payment went back",
            other => other,
        }
    }
}

#[derive(Template)]
#[template(path = "fines/fine.html")]
struct FinePage {
    fine: Fine,
    zones: Zones,
    reason: Option<String>,
    /// Absent for who only paid the fine.
    photos: Option<Vec<Photo>>,
    appeal: Option<Appeal>,
    history: Vec<Line>,
    form: Fields,
    /// The most parts in which it may be paid, and what they would be.
    most_parts: i64,
    offer: Option<Plan>,
    refusal: Option<Refusal>,
}

impl FinePage {
    /// The amount for a driver who gives up the appeal, which is offered until they appeal.
    fn waiver(&self) -> Option<Amount> {
        let amount = self.fine.due_if_waived;
        amount.filter(|_| self.fine.appeal.is_none() && self.photos.is_some())
    }

    /// A fine is appealed once, and not after the appeal was given up for a discount.
    fn can_appeal(&self) -> bool {
        let waives = |it: &Line| it.data.get("waives") == Some(&Value::Bool(true));
        let is_waived = self.fine.status == "paid" && self.history.iter().any(waives);
        let has_rights = self.photos.is_some();
        has_rights && self.fine.appeal.is_none() && self.fine.status != "cancelled" && !is_waived
    }
}

async fn show(
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(asked): Query<super::plans::Asked>,
) -> Result<Response, Problem> {
    let form = Fields::fresh().with_some("parts", asked.parts);
    show_fine(&visitor, id, form, None).await
}

pub async fn show_fine(
    visitor: &Visitor,
    id: i64,
    form: Fields,
    refusal: Option<Error>,
) -> Result<Response, Problem> {
    let path = format!("/api/v1/fines/{id}");
    let fine: Fine = visitor.get("fines", &path).await?;
    let zones = Zones::find(visitor, std::iter::once(fine.zone_id)).await?;
    let (offer, unfit) = match find_offer(visitor, &fine, &form).await {
        Ok(offer) => (offer, None),
        Err(unfit) => (None, Some(unfit)),
    };
    let zone = zones.get(&fine.zone_id);
    let mut photos: Option<Vec<Photo>> = find(visitor, &format!("{path}/photos")).await?;
    if let Some(photos) = &mut photos {
        photos.retain(|it| is_web_address(&it.address));
    }
    let history: Option<Vec<Line>> = find(visitor, &format!("{path}/history")).await?;
    let content = FinePage {
        most_parts: zone.map_or(0, |it| it.rules.fines.plan_parts),
        reason: find_reason(visitor, &fine).await?,
        photos,
        appeal: match fine.appeal {
            Some(_) => find(visitor, &format!("{path}/appeal")).await?,
            None => None,
        },
        history: history.unwrap_or_default(),
        fine,
        zones,
        form,
        offer,
        refusal: refusal.or(unfit).map(Refusal::of).transpose()?,
    };
    let title = format!("Fine {id}");
    form_page(&title, &visitor.me, &content, content.refusal.is_some())
}

/// What is for the driver and for staff, and not for others who may see the fine.
async fn find<T: DeserializeOwned>(visitor: &Visitor, path: &str) -> Result<Option<T>, Error> {
    match visitor.get("fines", path).await {
        Err(Error::Refused { status, .. }) if status == StatusCode::FORBIDDEN => Ok(None),
        found => found.map(Some),
    }
}

/// What the fine is for, in words where the catalogue still has its code.
pub async fn find_reason(client: &Client, fine: &Fine) -> Result<Option<String>, Error> {
    #[derive(Deserialize)]
    struct Violation {
        code: String,
        title: String,
    }
    let Some(code) = &fine.code else {
        return Ok(None);
    };
    let catalogue: Vec<Violation> = client.get("fines", "/api/v1/violations").await?;
    let line = catalogue.into_iter().find(|it| it.code == *code);
    Ok(Some(line.map_or_else(|| code.clone(), |it| it.title)))
}

/// Pays all of a fine from the wallet.
pub async fn pay(visitor: &Visitor, id: i64, form: &Fields) -> Result<(), Error> {
    let waiver = match form.has("waive", "true") {
        true => "?waive_appeal=true",
        false => "",
    };
    let path = format!("/api/v1/fines/{id}/pay{waiver}");
    visitor
        .change_once(Method::POST, "fines", &path, form.text("key"), &json!({}))
        .await
}

async fn send_payment(
    visitor: Visitor,
    Path(id): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    done(&visitor, id, &form, pay(&visitor, id, &form).await).await
}

/// The text of a refused form is still there.
pub async fn done(
    visitor: &Visitor,
    id: i64,
    form: &Fields,
    outcome: Result<(), Error>,
) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(go_to(&format!("/cars/fines/{id}"))),
        Err(refusal) => {
            let form = Fields::fresh()
                .with_some("text", form.optional("text"))
                .with_some("parts", form.optional("parts"));
            show_fine(visitor, id, form, Some(refusal)).await
        }
    }
}

async fn appeal(visitor: Visitor, Path(id): Path<i64>, form: Fields) -> Result<Response, Problem> {
    let said = send_text(&visitor, &format!("/api/v1/fines/{id}/appeal"), &form).await;
    done(&visitor, id, &form, said).await
}

async fn say(visitor: Visitor, Path(id): Path<i64>, form: Fields) -> Result<Response, Problem> {
    let path = format!("/api/v1/fines/{id}/appeal/messages");
    done(&visitor, id, &form, send_text(&visitor, &path, &form).await).await
}

async fn send_text(visitor: &Visitor, path: &str, form: &Fields) -> Result<(), Error> {
    let body = json!({ "text": form.text("text") });
    visitor.change(Method::POST, "fines", path, &body).await
}

async fn withdraw(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    let path = format!("/api/v1/fines/{id}/appeal");
    let withdrawn = visitor.act(Method::DELETE, "fines", &path).await;
    done(&visitor, id, &Fields::default(), withdrawn).await
}
