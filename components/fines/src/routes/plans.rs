//! Plans: fines that are paid in parts.

use kit::identity::Caller;
use kit::store::{Keyed, Once, Replayable};
use kit::web::{Created, Dialect, Json, Path, Problem, Query, Routes, Schema};
use serde::Deserialize;

use super::fines::{PaymentPage, open_page, pay};
use super::tickets::paying;
use crate::error::Error;
use crate::fine::Fine;
use crate::plan::{NewPlan, Plan, Portion};
use crate::store;

pub fn routes() -> Routes {
    Routes::new("Fines", Dialect::Zones)
        .get("/api/v1/fines/{id}/plan", show_plan, |it| {
            it.summary("Show the plan of a fine")
                .note("The parts in which it is paid. Until a plan is chosen, the answer is a preview of one with `parts` parts.")
                .refuses([Error::INVALID_FINE, Error::UNKNOWN_FINE, Error::FORBIDDEN, Error::NO_PLAN])
        })
        .post("/api/v1/fines/{id}/plan", begin_plan, |it| {
            it.summary("Pay a fine in parts")
                .note("For its driver, in as many parts as its zone allowed when the fine was issued. The plan begins when the first part is paid. This request pays it from the caller's wallet; when the wallet does not suffice, the answer is a 402 with the address of a payment page. Parts have no discount, and surcharges do not count while each part is paid in time. A late part ends the plan: the rest of the fine by its schedule is due at once.")
                .refuses(paying())
                .refuses(choosing())
                .refuses([Error::FORBIDDEN])
        })
        .post("/api/v1/fines/{id}/plan/{part}/pay", pay_part, |it| {
            it.summary("Pay a part of a fine")
                .note("Pays from the wallet of the caller, who may pay for anyone. When it does not suffice, the answer is a 402 with the address of a payment page. Parts are paid one after another, each once.")
                .refuses(paying())
                .refuses(following())
        })
        .get("/api/v1/fines/references/{reference}/plan", show_plan_by_reference, |it| {
            it.summary("Show the plan of a fine by its reference")
                .note("Until a plan is chosen, the answer is a preview of one with `parts` parts.")
                .refuses([Error::INVALID_FINE, Error::UNKNOWN_FINE, Error::NO_PLAN])
        })
        .post("/api/v1/fines/references/{reference}/plan", begin_plan_by_reference, |it| {
            it.summary("Pay a fine in parts by its reference")
                .note("Opens a payment page for the first part; the plan begins when it is paid.")
                .refuses(choosing())
                .refuses([Error::ALREADY_PAID, Error::PAYMENT_REFUSED, Error::PAYMENT_UNAVAILABLE])
        })
        .post("/api/v1/fines/references/{reference}/plan/{part}/pay", pay_part_by_reference, |it| {
            it.summary("Pay a part of a fine by its reference")
                .note("Opens a payment page.")
                .refuses(following())
                .refuses([Error::ALREADY_PAID, Error::PAYMENT_REFUSED, Error::PAYMENT_UNAVAILABLE])
        })
}

fn choosing() -> [Problem; 5] {
    [
        Error::INVALID_FINE,
        Error::UNKNOWN_FINE,
        Error::FINE_CANCELLED,
        Error::PLAN_CHOSEN,
        Error::NO_PLAN,
    ]
}

fn following() -> [Problem; 5] {
    [
        Error::UNKNOWN_FINE,
        Error::FINE_CANCELLED,
        Error::UNKNOWN_PART,
        Error::PLAN_OVER,
        Error::PART_EARLY,
    ]
}

#[derive(Deserialize, Schema)]
struct Offer {
    /// Parts of a plan that is not chosen yet.
    #[schemars(range(min = 2, max = 60))]
    parts: Option<u32>,
}

impl Offer {
    fn checked(&self) -> Result<Option<i32>, Error> {
        self.parts
            .map(|parts| NewPlan { parts }.checked())
            .transpose()
    }
}

async fn show_plan(
    caller: Caller,
    Path(id): Path<i64>,
    Query(offer): Query<Offer>,
) -> Result<Json<Plan>, Problem> {
    let parts = offer.checked()?;
    let db = store::open().await?;
    Ok(Json(store::find_plan(&db, id, &caller, parts).await?))
}

async fn begin_plan(
    caller: Caller,
    Path(id): Path<i64>,
    Keyed { body, once }: Keyed<NewPlan>,
) -> Result<Replayable<Created<Fine>>, Problem> {
    let portion = Portion::First {
        of: body.checked()?,
    };
    pay_portion(caller, id, portion, once).await
}

async fn pay_part(
    caller: Caller,
    Path((id, part)): Path<(i64, i32)>,
    once: Once,
) -> Result<Replayable<Created<Fine>>, Problem> {
    pay_portion(caller, id, Portion::Part(part), once).await
}

async fn pay_portion(
    caller: Caller,
    id: i64,
    portion: Portion,
    once: Once,
) -> Result<Replayable<Created<Fine>>, Problem> {
    let db = store::open().await?;
    let pay = async {
        pay(&db, id, &caller, portion).await?;
        let fine = store::find_paid_fine(&db, id).await?;
        Ok(Created::at(format!("/api/v1/fines/{id}/plan"), fine))
    };
    once.answer(&db, &caller, pay).await
}

async fn show_plan_by_reference(
    Path(reference): Path<String>,
    Query(offer): Query<Offer>,
) -> Result<Json<Plan>, Problem> {
    let parts = offer.checked()?;
    let db = store::open().await?;
    Ok(Json(
        store::find_plan_by_reference(&db, &reference, parts).await?,
    ))
}

async fn begin_plan_by_reference(
    Path(reference): Path<String>,
    Json(new): Json<NewPlan>,
) -> Result<Json<PaymentPage>, Problem> {
    let portion = Portion::First { of: new.checked()? };
    Ok(Json(open_page(&reference, portion).await?))
}

async fn pay_part_by_reference(
    Path((reference, part)): Path<(String, i32)>,
) -> Result<Json<PaymentPage>, Problem> {
    Ok(Json(open_page(&reference, Portion::Part(part)).await?))
}
