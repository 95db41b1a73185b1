//! Who works in a shop, and the shop itself.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::identity::Role;
use kit::web::{Path, Problem};
use serde::Deserialize;
use uuid::Uuid;

use super::super::shops::{Shop, find_shop};
use super::{enter, shop_of};
use crate::error::Error;
use crate::fields::Fields;
use crate::page::{form_page, go_to};
use crate::visitor::Visitor;
use crate::words::Moment;

#[derive(Debug, Deserialize)]
struct Member {
    user_id: Uuid,
    role: String,
    assigned_at: Moment,
}

/// The roles in a shop, and what they may do.
const ROLES: [(&str, &str); 4] = [
    ("kitchen", "kitchen: prepares orders, counts stock"),
    ("counter", "counter: takes money, hands over"),
    ("kiosk", "kiosk: orders for others"),
    ("manager", "manager: all, and refunds, menu, staff"),
];

struct Choice {
    role: &'static str,
    about: &'static str,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "kitchen/staff.html")]
struct StaffPage {
    shop: Shop,
    members: Vec<Member>,
    roles: Vec<Choice>,
    form: Fields,
    refusal: Option<String>,
}

pub async fn list_staff(visitor: Visitor, Path(shop): Path<i64>) -> Result<Response, Problem> {
    show_staff(&visitor, shop, Fields::default(), None).await
}

async fn show_staff(
    visitor: &Visitor,
    shop: i64,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let members = visitor
        .get("orders", &format!("/shops/{shop}/staff"))
        .await?;
    let roles = ROLES.iter().map(|(role, about)| Choice {
        role,
        about,
        is_chosen: form.has("role", role),
    });
    let content = StaffPage {
        shop: find_shop(visitor, shop).await?,
        members,
        roles: roles.collect(),
        form,
        refusal,
    };
    let title = format!("Staff of {}", content.shop.name);
    form_page(&title, &visitor.me, &content, content.refusal.is_some())
}

pub async fn appoint(
    visitor: Visitor,
    Path(shop): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    assign(&visitor, shop, form, Method::PUT).await
}

pub async fn dismiss(
    visitor: Visitor,
    Path(shop): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    assign(&visitor, shop, form, Method::DELETE).await
}

async fn assign(
    visitor: &Visitor,
    shop: i64,
    form: Fields,
    method: Method,
) -> Result<Response, Problem> {
    match send_role(visitor, shop, &form, method).await {
        Ok(()) => Ok(go_to(&format!("/kitchen/{shop}/staff"))),
        Err(refusal) => show_staff(visitor, shop, form, Some(refusal.into_text()?)).await,
    }
}

async fn send_role(
    visitor: &Visitor,
    shop: i64,
    form: &Fields,
    method: Method,
) -> Result<(), Error> {
    let asked = form.text("user");
    let user: Uuid = asked
        .parse()
        .map_err(|_| Error::refused(format!("\"{asked}\" is no id of an account")))?;
    // Both are a part of the path.
    let role = ROLES.iter().find(|it| it.0 == form.text("role"));
    let (role, _) = role.ok_or_else(|| Error::refused("Choose a role."))?;
    let path = format!("/shops/{shop}/staff/{user}/{role}");
    visitor.act(method, "orders", &path).await
}

#[derive(Template)]
#[template(path = "kitchen/shop.html")]
struct ShopPage {
    shop: Shop,
    is_admin: bool,
    form: Fields,
    refusal: Option<String>,
}

pub async fn show_shop(visitor: Visitor, Path(shop): Path<i64>) -> Result<Response, Problem> {
    let (shop, _) = enter(&visitor, shop).await?;
    let form = Fields::default()
        .with("name", &shop.name)
        .with("time_zone", &shop.time_zone)
        .with_some("owner", shop.owner);
    show(&visitor, shop, form, None)
}

fn show(
    visitor: &Visitor,
    shop: Shop,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let content = ShopPage {
        is_admin: visitor.me.is(Role::Admin),
        shop,
        form,
        refusal,
    };
    form_page(
        &content.shop.name,
        &visitor.me,
        &content,
        content.refusal.is_some(),
    )
}

pub async fn change_shop(
    visitor: Visitor,
    Path(shop): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    let path = format!("/shops/{shop}");
    let changed = visitor
        .change(Method::PATCH, "orders", &path, &shop_of(&form))
        .await;
    match changed {
        Ok(()) => Ok(go_to(&format!("/kitchen/{shop}/shop"))),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            show(&visitor, find_shop(&visitor, shop).await?, form, refusal)
        }
    }
}
