//! Promo codes for which the house pays.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use jiff::tz::TimeZone;
use kit::web::{Dialect, Path, Problem, Query, Routes};
use serde::Deserialize;
use serde_json::json;

use super::acts::{Traced, trace};
use super::list;
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::Part;
use crate::page::{again, form_page, go_to, page};
use crate::visitor::Visitor;
use crate::words::{Cents, Moment, query, segment};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/treasury/promocodes", list_codes, |it| it)
        .post("/treasury/promocodes", create, |it| it)
        .get("/treasury/promocodes/{code}", show_code, |it| it)
        .post("/treasury/promocodes/{code}/end", end, |it| it)
}

#[derive(Debug, Deserialize)]
struct Promocode {
    code: String,
    amount: Cents,
    max_uses: i64,
    used_count: i64,
    max_uses_per_user: Option<i64>,
    expires_at: Option<Moment>,
    is_active: bool,
}

impl Promocode {
    /// Codes that users paid for are masked: they are their money, and no page of theirs is here.
    fn is_masked(&self) -> bool {
        self.code.contains('*')
    }

    fn page(&self) -> String {
        format!("/console/treasury/promocodes/{}", segment(&self.code))
    }
}

#[derive(Template)]
#[template(path = "treasury/promocodes.html")]
struct List {
    codes: Vec<Promocode>,
    next: Option<Part>,
    form: Fields,
    refusal: Option<String>,
}

async fn list_codes(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    let listed = list(&visitor, "/payment/promocode", &part).await?;
    let content = List {
        codes: listed.rows,
        next: listed.next,
        form: Fields::fresh().with("max_uses", 1),
        refusal: None,
    };
    page("Promo codes", &visitor.me, &content)
}

async fn create(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    match send(&visitor, &form).await {
        Ok(code) => Ok(go_to(&format!("/treasury/promocodes/{}", segment(&code)))),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            let listed = list(&visitor, "/payment/promocode", &Part::default()).await?;
            let fields = [
                "amount",
                "max_uses",
                "max_uses_per_user",
                "code",
                "expires_at",
                "reason",
            ];
            let again_form = fields.iter().fold(Fields::fresh(), |new, name| {
                new.with_some(name, form.optional(name))
            });
            let content = List {
                codes: listed.rows,
                next: listed.next,
                form: again_form,
                refusal,
            };
            again("Promo codes", &visitor.me, &content)
        }
    }
}

async fn send(visitor: &Visitor, form: &Fields) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Coined {
        code: String,
    }
    let amount = form.cents("amount")?;
    let body = json!({
        "amount": amount.ok_or_else(|| Error::refused("Say how much a use is worth."))?,
        "max_uses": form.number("max_uses")?,
        "max_uses_per_user": form.number("max_uses_per_user")?,
        "code": form.optional("code"),
        "expires_at": form.moment("expires_at", &TimeZone::UTC)?,
        "reason": form.text("reason"),
    });
    let (path, key) = ("/payment/promocode", form.text("key"));
    let coined: Coined = visitor
        .send(Method::POST, "payments", path, key, &body)
        .await?;
    Ok(coined.code)
}

#[derive(Template)]
#[template(path = "treasury/promocode.html")]
struct CodePage {
    code: Promocode,
    trace: Vec<Traced>,
    form: Fields,
    refusal: Option<String>,
}

async fn show_code(visitor: Visitor, Path(code): Path<String>) -> Result<Response, Problem> {
    show(&visitor, &code, Fields::default(), None).await
}

async fn show(
    visitor: &Visitor,
    code: &str,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let path = format!("/payment/promocode/{}", segment(code));
    let content = CodePage {
        code: visitor.get("payments", &path).await?,
        trace: trace(visitor, code).await?,
        form,
        refusal,
    };
    let title = "Promo code";
    form_page(title, &visitor.me, &content, content.refusal.is_some())
}

async fn end(
    visitor: Visitor,
    Path(code): Path<String>,
    form: Fields,
) -> Result<Response, Problem> {
    let reason = query([("reason", form.text("reason"))]);
    let name = segment(&code);
    let path = format!("/payment/promocode/{name}?{reason}");
    match visitor.act(Method::DELETE, "payments", &path).await {
        Ok(()) => Ok(go_to(&format!("/treasury/promocodes/{name}"))),
        Err(refusal) => show(&visitor, &code, form, Some(refusal.into_text()?)).await,
    }
}
