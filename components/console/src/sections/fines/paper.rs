//! A fine for a person who has its paper: seen by its reference, paid by anybody.

use askama::Template;
use axum::response::Response;
use kit::web::{Dialect, Problem, Query, Routes, Schema};
use serde::Deserialize;

use super::fine::{Fine, find_reason, pay};
use super::{Refusal, Zones};
use crate::error::Error;
use crate::fields::Fields;
use crate::page::{form_page, go_to};
use crate::visitor::{Anyone, Client, Me, Visitor};
use crate::words::{query, segment};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/cars/paper", show_paper, |it| it)
        .post("/cars/paper", pay_by_wallet, |it| it)
}

#[derive(Deserialize, Schema)]
struct Asked {
    /// Of the fine, as it stands on the paper; or its number.
    reference: Option<String>,
}

#[derive(Template)]
#[template(path = "fines/paper.html")]
struct Paper {
    reference: String,
    fine: Option<Fine>,
    /// The catalogue of reasons is for people who are signed in.
    reason: Option<String>,
    zones: Zones,
    form: Fields,
    is_signed_in: bool,
    /// The query that leads back here after the sign-in.
    sign_in: String,
    refusal: Option<Refusal>,
}

async fn show_paper(anyone: Anyone, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let asked = asked.reference.unwrap_or_default();
    let reference = asked.trim().to_uppercase();
    // By its number a fine is shown to its driver and its payers.
    if reference.parse::<i64>().is_ok() {
        return Ok(go_to(&format!("/cars/fines/{reference}")));
    }
    show(&anyone, anyone.me.as_ref(), reference, None).await
}

async fn show(
    client: &Client,
    me: Option<&Me>,
    reference: String,
    refusal: Option<Error>,
) -> Result<Response, Problem> {
    let (fine, unfit) = match find_fine(client, &reference).await {
        Ok(fine) => (fine, None),
        Err(unfit) => (None, Some(unfit)),
    };
    let zones = Zones::find(client, fine.iter().map(|it| it.zone_id)).await?;
    let reason = match &fine {
        Some(fine) if me.is_some() => find_reason(client, fine).await?,
        Some(fine) => fine.code.clone(),
        None => None,
    };
    let here = query([("reference", &*reference)]);
    let content = Paper {
        sign_in: query([("next", &*format!("/console/cars/paper?{here}"))]),
        reference,
        fine,
        reason,
        zones,
        form: Fields::fresh(),
        is_signed_in: me.is_some(),
        refusal: refusal.or(unfit).map(Refusal::of).transpose()?,
    };
    let title = "A fine by its paper";
    form_page(title, me, &content, content.refusal.is_some())
}

async fn find_fine(client: &Client, reference: &str) -> Result<Option<Fine>, Error> {
    if reference.is_empty() {
        return Ok(None);
    }
    let path = format!("/api/v1/fines/references/{}", segment(reference));
    client.get("fines", &path).await.map(Some)
}

async fn pay_by_wallet(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let reference = form.text("reference").to_owned();
    let paid = match find_fine(&visitor, &reference).await {
        Ok(Some(fine)) => pay(&visitor, fine.id, &form).await,
        Ok(None) => Err(Error::refused("Say the reference of the fine.")),
        Err(refusal) => Err(refusal),
    };
    match paid {
        Ok(()) => {
            let here = query([("reference", &*reference)]);
            Ok(go_to(&format!("/cars/paper?{here}")))
        }
        Err(refusal) => show(&visitor, Some(&visitor.me), reference, Some(refusal)).await,
    }
}
