//! What a shop sold, day by day.

use askama::Template;
use axum::response::Response;
use kit::web::{Path, Problem, Query, Schema};
use serde::Deserialize;

use super::super::shops::{Amount, Shop, find_shop};
use crate::lists::given;
use crate::page::form_page;
use crate::visitor::Visitor;
use crate::words::query;

#[derive(Debug, Deserialize)]
struct Day {
    day: String,
    orders: i64,
    revenue: Amount,
    waiting_p50_seconds: Option<i64>,
    waiting_p90_seconds: Option<i64>,
    best_sellers: Vec<BestSeller>,
}

impl Day {
    /// Half of the orders, and nine of ten, were ready after so long.
    fn waiting(&self) -> String {
        let waiting = self.waiting_p50_seconds.zip(self.waiting_p90_seconds);
        waiting.map_or(String::new(), |(half, most)| {
            format!("{}, {}", minutes(half), minutes(most))
        })
    }

    fn best_sellers(&self) -> String {
        let sold = self.best_sellers.iter();
        let sold = sold.map(|it| format!("{} × {}", it.quantity, it.name));
        sold.collect::<Vec<_>>().join(", ")
    }
}

fn minutes(seconds: i64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[derive(Debug, Deserialize)]
struct BestSeller {
    name: String,
    quantity: i64,
}

#[derive(Deserialize, Schema)]
pub struct Days {
    /// As `2026-01-31`, by the shop's clock.
    from: Option<String>,
    to: Option<String>,
}

impl Days {
    fn query(&self) -> String {
        query(given([("from", &self.from), ("to", &self.to)]))
    }
}

#[derive(Template)]
#[template(path = "kitchen/figures.html")]
struct FiguresPage {
    shop: Shop,
    asked: Days,
    days: Vec<Day>,
    refusal: Option<String>,
}

impl FiguresPage {
    fn orders(&self) -> i64 {
        self.days.iter().map(|it| it.orders).sum()
    }

    fn revenue(&self) -> Amount {
        Amount(self.days.iter().map(|it| it.revenue.0).sum())
    }
}

/// The last month, when no days are asked for.
pub async fn show_figures(
    visitor: Visitor,
    Path(shop): Path<i64>,
    Query(asked): Query<Days>,
) -> Result<Response, Problem> {
    let shop = find_shop(&visitor, shop).await?;
    let path = format!("/shops/{}/figures?{}", shop.id, asked.query());
    let found = visitor.get::<Vec<Day>>("orders", &path).await;
    let (mut days, refusal) = match found {
        Ok(days) => (days, None),
        Err(refusal) if refusal.is("invalid-dates") => (Vec::new(), Some(refusal.into_text()?)),
        Err(refusal) => return Err(refusal.into()),
    };
    days.reverse();
    let content = FiguresPage {
        shop,
        asked,
        days,
        refusal,
    };
    let title = format!("Figures of {}", content.shop.name);
    form_page(&title, &visitor.me, &content, content.refusal.is_some())
}
