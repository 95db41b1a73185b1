//! What becomes of a fine: lists, its case, the appeal.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::tz::TimeZone;
use kit::web::{Dialect, Path, Problem, Query, Routes, Schema};
use serde::Deserialize;
use serde_json::{Map, Number, Value, json};
use uuid::Uuid;

use super::{Amount, Desk, file, find_desk, zones};
use crate::fields::Fields;
use crate::lists::{LIMIT, Part, given};
use crate::page::{form_page, go_to, page};
use crate::visitor::Visitor;
use crate::words::{Cents, Moment, is_web_address, segment};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/control/fines", list_all_fines, |it| it)
        .get("/control/zones/{id}/fines", list_fines, |it| it)
        .get("/control/zones/{id}/appeals", list_appeals, |it| it)
        .post("/control/find", find, |it| it)
        .get("/control/fines/{id}", show_fine, |it| it)
        .get("/control/fines/{id}/case.json", save_case, |it| it)
        .post("/control/fines/{id}/hide", hide, |it| it)
        .post("/control/fines/{id}/messages", say, |it| it)
        .post("/control/fines/{id}/decision", decide, |it| it)
}

#[derive(Debug, Deserialize)]
struct Fine {
    id: i64,
    plate: String,
    amount: Amount,
    date: Moment,
    zone_id: i64,
    currency: String,
    status: String,
    due: Amount,
    due_until: Option<Moment>,
    paid_amount: Option<Amount>,
    code: Option<String>,
    place: Option<String>,
    latitude: Option<Number>,
    longitude: Option<Number>,
    note: Option<String>,
    appeal: Option<String>,
    reference: String,
}

impl Fine {
    fn state(&self) -> String {
        match &self.appeal {
            None => self.status.clone(),
            Some(appeal) => format!("{}, appeal {appeal}", self.status),
        }
    }
}

#[derive(Deserialize, Schema)]
struct Wanted {
    plate: Option<String>,
    /// That of the fine, or `appealed`.
    state: Option<String>,
}

impl Wanted {
    fn filters(&self) -> [(&str, &str); 2] {
        given([("plate", &self.plate), ("state", &self.state)])
    }

    /// The same in the words of fines.
    fn asked(&self) -> [(&str, &str); 3] {
        let [plate, (_, state)] = self.filters();
        let (status, appealed) = match state {
            "appealed" => ("", "true"),
            status => (status, ""),
        };
        [plate, ("status", status), ("appealed", appealed)]
    }
}

const STATES: [(&str, &str); 5] = [
    ("", "all"),
    ("issued", "issued"),
    ("paid", "paid"),
    ("cancelled", "cancelled"),
    ("appealed", "with an open appeal"),
];

#[derive(Template)]
#[template(path = "control/fines.html")]
struct Fines {
    /// Absent for those of all zones.
    desk: Option<Desk>,
    wanted: Wanted,
    fines: Vec<Fine>,
    next: Option<String>,
}

impl Fines {
    fn path(&self) -> String {
        match &self.desk {
            None => "/console/control/fines".to_owned(),
            Some(desk) => format!("/console/control/zones/{}/fines", desk.zone.id),
        }
    }

    fn is_state(&self, state: &str) -> bool {
        self.wanted.state.as_deref().unwrap_or_default() == state
    }
}

async fn list_all_fines(
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    show_list(&visitor, None, "/api/v1/fines", wanted, part).await
}

async fn list_fines(
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(wanted): Query<Wanted>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let desk = find_desk(&visitor, id).await?;
    let path = format!("/api/v1/zones/{id}/fines");
    show_list(&visitor, Some(desk), &path, wanted, part).await
}

async fn show_list(
    visitor: &Visitor,
    desk: Option<Desk>,
    path: &str,
    wanted: Wanted,
    part: Part,
) -> Result<Response, Problem> {
    let asked = part.query(wanted.asked().into_iter().chain([LIMIT]));
    let found = visitor.list("fines", &format!("{path}?{asked}")).await?;
    let content = Fines {
        desk,
        fines: found.rows,
        next: found.next.map(|it| it.query(wanted.filters())),
        wanted,
    };
    let title = match &content.desk {
        None => "All fines".to_owned(),
        Some(desk) => format!("Fines in {}", desk.zone.name),
    };
    page(&title, &visitor.me, &content)
}

#[derive(Debug, Deserialize)]
struct Appeal {
    fine_id: i64,
    opened_at: Moment,
}

#[derive(Template)]
#[template(path = "control/appeals.html")]
struct Appeals {
    desk: Desk,
    time_zone: TimeZone,
    appeals: Vec<Appeal>,
    next: Option<Part>,
}

async fn list_appeals(
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let path = format!("/api/v1/zones/{id}/appeals?{}", part.query([LIMIT]));
    let list = visitor.list("fines", &path).await?;
    let desk = find_desk(&visitor, id).await?;
    let content = Appeals {
        time_zone: desk.zone.time_zone(),
        desk,
        appeals: list.rows,
        next: list.next,
    };
    let title = format!("Open appeals in {}", content.desk.zone.name);
    page(&title, &visitor.me, &content)
}

/// Leads to the fine of a reference. The reference is a secret, so that it stands in no address.
async fn find(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let reference = segment(form.text("reference"));
    let path = format!("/api/v1/fines/references/{reference}");
    match visitor.get::<Fine>("fines", &path).await {
        Ok(fine) => Ok(go_to(&format!("/control/fines/{}", fine.id))),
        Err(refusal) => {
            zones::show_list(&visitor, &Part::default(), Some(refusal.into_text()?)).await
        }
    }
}

/// A signed file, of which the payload is shown.
#[derive(Deserialize)]
struct SignedFile {
    payload: String,
}

#[derive(Debug, Deserialize)]
struct Case {
    fine: Reasons,
    check: Option<Check>,
    photos: Vec<Value>,
    deadlines: Deadlines,
    payments: Vec<Payment>,
    appeal: Option<AppealFile>,
    history: Vec<Line>,
}

#[derive(Debug, Deserialize)]
struct Reasons {
    override_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Check {
    checked_at: Moment,
    result: String,
}

#[derive(Debug, Deserialize)]
struct Deadlines {
    appeal_until: Moment,
}

#[derive(Debug, Deserialize)]
struct Payment {
    amount_cents: Cents,
    method: String,
    began_at: Moment,
    refunded_cents: Cents,
}

#[derive(Debug, Deserialize)]
struct AppealFile {
    status: String,
    opened_at: Moment,
    decided_at: Option<Moment>,
    reason: Option<String>,
    messages: Vec<Message>,
}

#[derive(Debug, Deserialize)]
struct Message {
    at: Moment,
    by_staff: bool,
    text: String,
}

#[derive(Debug, Deserialize)]
struct Line {
    at: Moment,
    kind: String,
    actor: Option<Uuid>,
    data: Map<String, Value>,
}

impl Line {
    fn what(&self) -> String {
        self.kind.replace('_', " ")
    }

    fn details(&self) -> String {
        let told = self.data.iter().map(|(name, value)| match value {
            Value::Number(cents) if ["amount", "due", "was", "total"].contains(&name.as_str()) => {
                let cents = Cents(cents.as_i64().unwrap_or_default());
                format!("{name} {cents}")
            }
            Value::String(text) => format!("{name} {text}"),
            other => format!("{name} {other}"),
        });
        told.collect::<Vec<_>>().join(", ")
    }
}

#[derive(Debug, Deserialize)]
struct Photo {
    by_staff: bool,
    added_at: Moment,
    address: String,
}

impl Photo {
    /// The store of photos has an address of its own.
    fn link(&self) -> Option<&str> {
        Some(self.address.as_str()).filter(|it| is_web_address(it))
    }
}

#[derive(Template)]
#[template(path = "control/fine.html")]
struct FinePage {
    fine: Fine,
    desk: Desk,
    time_zone: TimeZone,
    case: Case,
    photos: Vec<Photo>,
    /// Whether the visitor issued the fine: then others decide its appeal.
    is_own: bool,
    form: Fields,
    refusal: Option<String>,
}

impl FinePage {
    fn is_issued(&self) -> bool {
        self.fine.status == "issued"
    }

    fn has_open_appeal(&self) -> bool {
        self.fine.appeal.as_deref() == Some("open")
    }
}

async fn show_fine(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    show(&visitor, id, Fields::default(), None).await
}

async fn show(
    visitor: &Visitor,
    id: i64,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let fine: Fine = visitor.get("fines", &format!("/api/v1/fines/{id}")).await?;
    let desk = find_desk(visitor, fine.zone_id).await?;
    let signed: SignedFile = visitor
        .get("fines", &format!("/api/v1/fines/{id}/case"))
        .await?;
    let case = read_case(&signed)?;
    let photos = match case.photos.is_empty() {
        true => Vec::new(),
        false => {
            let path = format!("/api/v1/fines/{id}/photos");
            visitor.get("fines", &path).await?
        }
    };
    let issued = case.history.iter().find(|it| it.kind == "issued");
    let issuer = issued.and_then(|it| it.actor);
    let content = FinePage {
        time_zone: desk.zone.time_zone(),
        is_own: issuer == Some(visitor.me.user_id),
        fine,
        desk,
        case,
        photos,
        form,
        refusal,
    };
    let title = format!("Fine {id}");
    form_page(&title, &visitor.me, &content, content.refusal.is_some())
}

fn read_case(signed: &SignedFile) -> Result<Case, Problem> {
    let payload = URL_SAFE_NO_PAD
        .decode(&signed.payload)
        .map_err(|it| Problem::internal(&it))?;
    serde_json::from_slice(&payload).map_err(|it| Problem::internal(&it))
}

async fn save_case(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    let path = format!("/api/v1/fines/{id}/case");
    let case = visitor.call(Method::GET, "fines", &path).await?;
    Ok(file(
        case,
        "application/json",
        &format!("fine-{id}-case.json"),
    ))
}

/// A hidden fine is seen no more, so that its zone is shown.
async fn hide(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    let path = format!("/api/v1/fines/{id}");
    let fine: Fine = visitor.get("fines", &path).await?;
    match visitor.act(Method::DELETE, "fines", &path).await {
        Ok(()) => Ok(go_to(&format!("/control/zones/{}/fines", fine.zone_id))),
        Err(refusal) => show(&visitor, id, Fields::default(), Some(refusal.into_text()?)).await,
    }
}

async fn say(visitor: Visitor, Path(id): Path<i64>, form: Fields) -> Result<Response, Problem> {
    let path = format!("/api/v1/fines/{id}/appeal/messages");
    let body = json!({ "text": form.text("text") });
    done(&visitor, id, form, &path, &body).await
}

async fn decide(visitor: Visitor, Path(id): Path<i64>, form: Fields) -> Result<Response, Problem> {
    let path = format!("/api/v1/fines/{id}/appeal/decision");
    let body = json!({
        "accept": form.has("verdict", "accept"),
        "reason": form.text("reason"),
    });
    done(&visitor, id, form, &path, &body).await
}

async fn done(
    visitor: &Visitor,
    id: i64,
    form: Fields,
    path: &str,
    body: &Value,
) -> Result<Response, Problem> {
    let sent = visitor.change(Method::POST, "fines", path, body).await;
    match sent {
        Ok(()) => Ok(go_to(&format!("/control/fines/{id}"))),
        Err(refusal) => show(visitor, id, form, Some(refusal.into_text()?)).await,
    }
}
