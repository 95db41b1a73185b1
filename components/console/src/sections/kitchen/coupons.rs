//! Coupons of a shop.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::web::{Path, Problem, Query};
use serde::Deserialize;
use serde_json::json;

use super::super::shops::{Amount, Shop, find_shop};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{LIMIT, Part};
use crate::page::{form_page, go_to};
use crate::visitor::Visitor;
use crate::words::{Moment, segment};

#[derive(Debug, Deserialize)]
struct Coupon {
    code: String,
    percent: Option<i64>,
    amount: Option<Amount>,
    min_amount: Amount,
    max_uses: Option<i64>,
    used: i64,
    valid_until: Option<Moment>,
}

impl Coupon {
    fn takes_off(&self) -> String {
        match (self.percent, self.amount) {
            (Some(percent), _) => format!("{percent} %"),
            (None, Some(amount)) => format!("{amount} BRL"),
            (None, None) => String::new(),
        }
    }
}

#[derive(Template)]
#[template(path = "kitchen/coupons.html")]
struct CouponsPage {
    shop: Shop,
    coupons: Vec<Coupon>,
    next: Option<Part>,
    form: Fields,
    refusal: Option<String>,
}

pub async fn list_coupons(
    visitor: Visitor,
    Path(shop): Path<i64>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    show(&visitor, shop, &part, Fields::default(), None).await
}

async fn show(
    visitor: &Visitor,
    shop: i64,
    part: &Part,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let path = format!("/shops/{shop}/coupons?{}", part.query([LIMIT]));
    let listed = visitor.list("orders", &path).await?;
    let content = CouponsPage {
        shop: find_shop(visitor, shop).await?,
        coupons: listed.rows,
        next: listed.next,
        form,
        refusal,
    };
    let title = format!("Coupons of {}", content.shop.name);
    form_page(&title, &visitor.me, &content, content.refusal.is_some())
}

pub async fn create_coupon(
    visitor: Visitor,
    Path(shop): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    let created = send_coupon(&visitor, shop, &form).await;
    done(&visitor, shop, form, created).await
}

async fn send_coupon(visitor: &Visitor, shop: i64, form: &Fields) -> Result<(), Error> {
    let zone = find_shop(visitor, shop).await?.zone();
    let amount = |name: &str| Ok::<_, Error>(form.cents(name)?.map(Amount));
    let body = json!({
        "code": form.text("code"),
        "percent": form.number("percent")?,
        "amount": amount("amount")?,
        "min_amount": amount("min_amount")?,
        "max_uses": form.number("max_uses")?,
        "valid_until": form.moment("valid_until", &zone)?,
    });
    let path = format!("/shops/{shop}/coupons");
    visitor.change(Method::POST, "orders", &path, &body).await
}

pub async fn withdraw_coupon(
    visitor: Visitor,
    Path(shop): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    let code = segment(form.text("withdrawn"));
    let path = format!("/shops/{shop}/coupons/{code}");
    let withdrawn = visitor.act(Method::DELETE, "orders", &path).await;
    done(&visitor, shop, form, withdrawn).await
}

async fn done(
    visitor: &Visitor,
    shop: i64,
    form: Fields,
    outcome: Result<(), Error>,
) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(go_to(&format!("/kitchen/{shop}/coupons"))),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            show(visitor, shop, &Part::default(), form, refusal).await
        }
    }
}
