//! Shops, their staff, figures and coupons.

use std::fmt::Write;

use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use kit::identity::{Admin, Caller, NO_TOKEN};
use kit::money::decimal;
use kit::store::Db;
use kit::web::{Created, Json, Listed, NoContent, Page, Path, Problem, Query, Schema};
use serde::Deserialize;
use uuid::Uuid;

use super::menu::Price;
use crate::error::Error;
use crate::menu_file::quoted;
use crate::product::check_name;
use crate::shop::{Coupon, Figures, Member, Shop, StaffRole};
use crate::store;
use crate::store::shops::{self, NewCoupon as Stored};

#[derive(Deserialize, Schema)]
pub struct Wanted {
    /// `true`: only those where the caller works.
    #[serde(default)]
    mine: bool,
}

pub async fn list_shops(
    caller: Option<Caller>,
    uri: Uri,
    Query(Wanted { mine }): Query<Wanted>,
    Query(page): Query<Page>,
) -> Result<Listed<Shop>, Problem> {
    let db = store::open().await?;
    let listed = match (mine, caller) {
        (false, _) => shops::list_shops(&db, page).await?,
        (true, Some(caller)) => shops::list_shops_of(&db, caller.id, page).await?,
        (true, None) => return Err(NO_TOKEN),
    };
    Ok(Listed::page(&uri, page, shops::PAGE, listed))
}

pub async fn show_shop(Path(id): Path<i64>) -> Result<Json<Shop>, Problem> {
    Ok(Json(shops::find_shop(&store::open().await?, id).await?))
}

#[derive(Deserialize, Schema)]
pub struct NewShop {
    #[schemars(length(min = 1, max = 100))]
    name: String,
    owner: Option<Uuid>,
    #[schemars(length(max = 60), example = &"America/Sao_Paulo")]
    time_zone: Option<String>,
}

pub async fn create_shop(_: Admin, Json(new): Json<NewShop>) -> Result<Created<Shop>, Problem> {
    let name = check_name(&new.name, 100)?;
    let db = store::open().await?;
    let shop = shops::create_shop(&db, &name, new.owner, new.time_zone.as_deref()).await?;
    Ok(Created::at(format!("/shops/{}", shop.id), shop))
}

/// Absent fields stay as they are.
#[derive(Deserialize, Schema)]
pub struct ShopChange {
    #[schemars(length(min = 1, max = 100))]
    name: Option<String>,
    /// The user whose wallet receives what is paid by wallet.
    owner: Option<Uuid>,
    #[schemars(length(max = 60), example = &"America/Sao_Paulo")]
    time_zone: Option<String>,
}

pub async fn change_shop(
    _: Admin,
    Path(id): Path<i64>,
    Json(change): Json<ShopChange>,
) -> Result<Json<Shop>, Problem> {
    if change.name.is_none() && change.owner.is_none() && change.time_zone.is_none() {
        return Err(Error::EmptyPatch.into());
    }
    let name = change.name.map(|it| check_name(&it, 100)).transpose()?;
    let db = store::open().await?;
    let zone = change.time_zone.as_deref();
    let changed = shops::change_shop(&db, id, name.as_deref(), change.owner, zone).await?;
    Ok(Json(changed))
}

pub async fn list_staff(
    caller: Caller,
    Path(shop): Path<i64>,
) -> Result<Json<Vec<Member>>, Problem> {
    let db = store::open().await?;
    Ok(Json(shops::list_staff(&db, shop, &caller).await?))
}

pub async fn give_role(
    caller: Caller,
    Path((shop, user, role)): Path<(i64, Uuid, StaffRole)>,
) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    shops::assign_staff(&db, shop, &caller, user, role, true).await?;
    Ok(NoContent)
}

pub async fn take_role(
    caller: Caller,
    Path((shop, user, role)): Path<(i64, Uuid, StaffRole)>,
) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    shops::assign_staff(&db, shop, &caller, user, role, false).await?;
    Ok(NoContent)
}

#[derive(Deserialize, Schema)]
pub struct Days {
    #[schemars(extend("format" = "date"))]
    from: Option<String>,
    #[schemars(extend("format" = "date"))]
    to: Option<String>,
}

const MAX_DAYS: i32 = 366;
const USUAL_DAYS: i64 = 30;

impl Days {
    /// The days asked for, as the database reads them.
    fn checked(&self, now: Timestamp) -> Result<(String, String), Error> {
        let parse = |text: &Option<String>| match text {
            Some(text) => Date::strptime("%Y-%m-%d", text)
                .map(Some)
                .map_err(|_| Error::InvalidDates),
            None => Ok(None),
        };
        // A shop's day may have begun before that of UTC.
        let days = |n: i64| Span::new().try_days(n).map_err(|_| Error::InvalidDates);
        let tomorrow = now
            .to_zoned(jiff::tz::TimeZone::UTC)
            .date()
            .saturating_add(days(1)?);
        let to = parse(&self.to)?.unwrap_or(tomorrow);
        let from = match parse(&self.from)? {
            Some(from) => from,
            None => to.saturating_sub(days(USUAL_DAYS)?),
        };
        let length = from.until(to).map_err(|_| Error::InvalidDates)?.get_days();
        let is_year = from.year() >= 1970 && to.year() <= 9999;
        match (0..=MAX_DAYS).contains(&length) && is_year {
            true => Ok((from.to_string(), to.to_string())),
            false => Err(Error::InvalidDates),
        }
    }
}

pub async fn list_figures(
    caller: Caller,
    Path(shop): Path<i64>,
    Query(days): Query<Days>,
) -> Result<Json<Vec<Figures>>, Problem> {
    let db = store::open().await?;
    Ok(Json(figures(&db, shop, &caller, &days).await?))
}

async fn figures(db: &Db, shop: i64, caller: &Caller, days: &Days) -> Result<Vec<Figures>, Error> {
    let (from, to) = days.checked(kit::now())?;
    shops::list_figures(db, shop, caller, &from, &to).await
}

pub async fn export_figures(
    caller: Caller,
    Path(shop): Path<i64>,
    Query(days): Query<Days>,
) -> Result<Response, Problem> {
    let figures = figures(&store::open().await?, shop, &caller, &days).await?;
    let mut text =
        "day,orders,revenue,waiting_p50_seconds,waiting_p90_seconds,best_sellers\r\n".to_owned();
    for it in figures {
        let seconds = |it: Option<i64>| it.map(|it| it.to_string()).unwrap_or_default();
        let (p50, p90) = (
            seconds(it.waiting_p50_seconds),
            seconds(it.waiting_p90_seconds),
        );
        let revenue = decimal::text(it.revenue);
        let best = it.best_sellers.iter();
        let best: Vec<_> = best
            .map(|it| format!("{} × {}", it.quantity, it.name))
            .collect();
        let (day, orders, best) = (it.day, it.orders, quoted(&best.join("; ")));
        write!(text, "{day},{orders},{revenue},{p50},{p90},{best}\r\n")
            .map_err(|it| Problem::internal(&it))?;
    }
    let csv = [(header::CONTENT_TYPE, "text/csv; charset=utf-8")];
    Ok((csv, text).into_response())
}

#[derive(Deserialize, Schema)]
pub struct NewCoupon {
    #[schemars(length(min = 3, max = 40))]
    code: String,
    /// Off the price of the items; either this or `amount`.
    #[schemars(range(min = 1, max = 100), example = 10)]
    percent: Option<i32>,
    #[schemars(with = "Option<f64>")]
    amount: Option<Price>,
    /// The lowest price of the items for which it counts.
    #[schemars(with = "Option<f64>")]
    min_amount: Option<Price>,
    #[schemars(range(min = 1))]
    max_uses: Option<i32>,
    valid_until: Option<Timestamp>,
}

pub async fn create_coupon(
    caller: Caller,
    Path(shop): Path<i64>,
    Json(new): Json<NewCoupon>,
) -> Result<Created<Coupon>, Problem> {
    let stored = Stored {
        code: &new.code,
        percent: new.percent,
        amount: new.amount.map(|it| it.0),
        min_amount: new.min_amount.map_or(0, |it| it.0),
        max_uses: new.max_uses,
        valid_until: new.valid_until,
    };
    let db = store::open().await?;
    let coupon = shops::create_coupon(&db, shop, &caller, stored).await?;
    Ok(Created::at(format!("/shops/{shop}/coupons"), coupon))
}

pub async fn list_coupons(
    caller: Caller,
    uri: Uri,
    Path(shop): Path<i64>,
    Query(page): Query<Page>,
) -> Result<Listed<Coupon>, Problem> {
    let db = store::open().await?;
    let listed = shops::list_coupons(&db, shop, &caller, page).await?;
    Ok(Listed::page(&uri, page, shops::PAGE, listed))
}

pub async fn withdraw_coupon(
    caller: Caller,
    Path((shop, code)): Path<(i64, String)>,
) -> Result<NoContent, Problem> {
    let db = store::open().await?;
    shops::withdraw_coupon(&db, shop, &caller, &code).await?;
    Ok(NoContent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(from: Option<&str>, to: Option<&str>) -> Result<(String, String), Error> {
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        let own = |it: Option<&str>| it.map(str::to_owned);
        Days {
            from: own(from),
            to: own(to),
        }
        .checked(now)
    }

    #[test]
    fn figures_are_of_the_last_days_unless_days_are_named() {
        let (from, to) = days(None, None).unwrap();
        assert_eq!((from.as_str(), to.as_str()), ("2026-01-31", "2026-03-02"));
        assert!(days(Some("2026-01-01"), Some("2026-01-01")).is_ok());
        for (from, to) in [
            ("2026-01-02", "2026-01-01"),
            ("2024-01-01", "2026-01-01"),
            ("yesterday", "2026-01-01"),
        ] {
            assert!(days(Some(from), Some(to)).is_err(), "{from} {to}");
        }
    }
}
