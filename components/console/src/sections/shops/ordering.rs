//! From the menu to an order: what is chosen is carried from page to page in the form, and its total is shown before it is placed.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::web::{Path, Problem};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Amount, Product, Shop, find_products, find_shop};
use crate::error::Error;
use crate::fields::Fields;
use crate::page::{form_page, go_to};
use crate::visitor::{Anyone, Me, Visitor};

/// A product that is wanted, as an order names it.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    product_id: i64,
    quantity: i64,
    comment: Option<String>,
    choices: Vec<i64>,
}

/// A line with what the menu says of it.
struct Wanted {
    quantity: i64,
    name: String,
    choices: String,
    comment: Option<String>,
    cost: Amount,
    /// The line, for the next form.
    json: String,
}

impl Wanted {
    /// None when the product is no longer on the menu.
    fn of(line: &Line, products: &[Product]) -> Option<Self> {
        let product = products.iter().find(|it| it.id == line.product_id)?;
        let choices = product.options.iter().flat_map(|it| &it.choices);
        let chosen: Vec<_> = choices.filter(|it| line.choices.contains(&it.id)).collect();
        let names: Vec<_> = chosen.iter().map(|it| it.name.as_str()).collect();
        let more = chosen.iter().map(|it| it.price.0);
        let each = more.fold(product.price.0, i64::saturating_add);
        Some(Self {
            quantity: line.quantity,
            name: product.name.clone(),
            choices: names.join(", "),
            comment: line.comment.clone(),
            cost: Amount(each.saturating_mul(line.quantity)),
            json: serde_json::to_string(line).ok()?,
        })
    }
}

/// Lines that the form carries, and those that are filled in.
fn read_lines(form: &Fields, products: &[Product]) -> Result<Vec<Line>, Error> {
    let mut lines = carried_lines(form)?;
    for id in products.iter().map(|it| it.id) {
        let quantity = form.number(&format!("count-{id}"))?.unwrap_or_default();
        if quantity < 0 {
            return Err(Error::refused("A count is a number from 0."));
        }
        if quantity > 0 {
            let field = format!("choice-{id}");
            let choices = form.all(&field).map(str::parse);
            lines.push(Line {
                product_id: id,
                quantity,
                comment: form.optional(&format!("note-{id}")).map(str::to_owned),
                choices: choices
                    .collect::<Result<_, _>>()
                    .map_err(|_| Error::refused("There is no such choice."))?,
            });
        }
    }
    Ok(lines)
}

fn carried_lines(form: &Fields) -> Result<Vec<Line>, Error> {
    let lines = form.all("line").map(serde_json::from_str);
    lines
        .collect::<Result<_, _>>()
        .map_err(|_| Error::refused("The order cannot be read. Choose again."))
}

/// The products of one category, in the order of the menu.
struct Course {
    name: String,
    products: Vec<Product>,
}

fn by_category(products: Vec<Product>, form: &Fields) -> Vec<Course> {
    let mut courses: Vec<Course> = Vec::new();
    for product in products {
        let product = product.filled(form);
        match courses.iter_mut().find(|it| it.name == product.category) {
            Some(course) => course.products.push(product),
            None => courses.push(Course {
                name: product.category.clone(),
                products: vec![product],
            }),
        }
    }
    courses
}

#[derive(Template)]
#[template(path = "shops/menu.html")]
struct MenuPage {
    shop: Shop,
    courses: Vec<Course>,
    /// What was chosen before.
    wanted: Vec<Wanted>,
    form: Fields,
    is_signed_in: bool,
    refusal: Option<String>,
}

fn show(
    me: Option<&Me>,
    shop: Shop,
    products: Vec<Product>,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let lines = carried_lines(&form).unwrap_or_default();
    let content = MenuPage {
        wanted: lines
            .iter()
            .filter_map(|it| Wanted::of(it, &products))
            .collect(),
        courses: by_category(products, &form),
        is_signed_in: me.is_some(),
        shop,
        form,
        refusal,
    };
    form_page(&content.shop.name, me, &content, content.refusal.is_some())
}

pub async fn show_menu(anyone: Anyone, Path(id): Path<i64>) -> Result<Response, Problem> {
    let shop = find_shop(&anyone, id).await?;
    let products = find_products(&anyone, id, false).await?;
    let me = anyone.me.as_ref();
    show(me, shop, products, Fields::default(), None)
}

/// The menu again, to add to what was chosen or to take from it.
pub async fn show_more(
    visitor: Visitor,
    Path(id): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    let shop = find_shop(&visitor, id).await?;
    let products = find_products(&visitor, id, false).await?;
    show(Some(&visitor.me), shop, products, form, None)
}

#[derive(Template)]
#[template(path = "shops/check.html")]
struct CheckPage {
    shop: Shop,
    wanted: Vec<Wanted>,
    tip: Amount,
    amount: Amount,
    form: Fields,
    refusal: Option<String>,
}

/// Shows what an order costs before it is placed.
pub async fn check(
    visitor: Visitor,
    Path(id): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    let shop = find_shop(&visitor, id).await?;
    let products = find_products(&visitor, id, false).await?;
    match checked(&form, &products) {
        Ok((wanted, tip)) => {
            let form = form_of(&form).with_some("email", visitor.me.email.as_ref());
            show_check(&visitor, shop, wanted, tip, form, None)
        }
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            show(Some(&visitor.me), shop, products, form, refusal)
        }
    }
}

fn checked(form: &Fields, products: &[Product]) -> Result<(Vec<Wanted>, Amount), Error> {
    let lines = read_lines(form, products)?;
    let wanted: Vec<_> = lines
        .iter()
        .filter_map(|it| Wanted::of(it, products))
        .collect();
    if wanted.is_empty() {
        return Err(Error::refused("Say how many of what you want."));
    }
    Ok((wanted, Amount(form.cents("tip")?.unwrap_or_default())))
}

/// Another try is another request.
fn form_of(form: &Fields) -> Fields {
    Fields::fresh().with("method", form.text("method"))
}

fn show_check(
    visitor: &Visitor,
    shop: Shop,
    wanted: Vec<Wanted>,
    tip: Amount,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let costs = wanted.iter().map(|it| it.cost.0);
    let content = CheckPage {
        amount: Amount(costs.fold(tip.0, i64::saturating_add)),
        shop,
        wanted,
        tip,
        form,
        refusal,
    };
    let title = "Check your order";
    form_page(title, &visitor.me, &content, content.refusal.is_some())
}

/// Orders at the price that the page showed.
pub async fn place(
    visitor: Visitor,
    Path(id): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    match send_order(&visitor, id, &form).await {
        Ok(order) => Ok(go_to(&format!("/shops/orders/{order}"))),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            let shop = find_shop(&visitor, id).await?;
            // Prices as they are now.
            let products = find_products(&visitor, id, false).await?;
            match checked(&form, &products) {
                Ok((wanted, tip)) => {
                    let form = form_of(&form).with("email", form.text("email"));
                    show_check(&visitor, shop, wanted, tip, form, refusal)
                }
                Err(_) => show(Some(&visitor.me), shop, products, form, refusal),
            }
        }
    }
}

async fn send_order(visitor: &Visitor, shop: i64, form: &Fields) -> Result<i64, Error> {
    #[derive(Deserialize)]
    struct Placed {
        id: i64,
    }
    let method = form.text("method");
    let body = json!({
        "shop_id": shop,
        "order_items": carried_lines(form)?,
        "payment_method": method,
        "tip": form.cents("tip")?.map(Amount),
        "email": form.optional("email").filter(|_| method == "provider"),
        "expected_amount": form.cents("amount")?.map(Amount),
    });
    let key = form.text("key");
    let placed: Placed = visitor
        .send(Method::POST, "orders", "/orders", key, &body)
        .await?;
    Ok(placed.id)
}
