//! The menu as its shop edits it.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::web::{Path, Problem};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::shops::{Amount, DAYS, Hours, Product, Shop, find_products, find_shop};
use super::enter;
use crate::error::Error;
use crate::fields::Fields;
use crate::page::{form_page, go_to};
use crate::visitor::{Client, Visitor};
use crate::words::Moment;

#[derive(Debug, Deserialize)]
struct Category {
    id: i64,
    name: String,
    enabled: bool,
}

async fn find_categories(client: &Client, shop: i64) -> Result<Vec<Category>, Error> {
    let asked = format!("/category?shop_id={shop}&all=true&limit=100");
    client.get("orders", &asked).await
}

/// A category to choose.
struct Choice {
    id: i64,
    name: String,
    is_chosen: bool,
}

fn choices(categories: &[Category], form: &Fields) -> Vec<Choice> {
    let choice = |it: &Category| Choice {
        id: it.id,
        name: it.name.clone(),
        is_chosen: form.has("category", &it.id.to_string()),
    };
    categories.iter().map(choice).collect()
}

#[derive(Template)]
#[template(path = "kitchen/menu.html")]
struct MenuPage {
    shop: Shop,
    choices: Vec<Choice>,
    categories: Vec<Category>,
    products: Vec<Product>,
    form: Fields,
    hours: Vec<Window>,
    refusal: Option<String>,
}

pub async fn show_menu(visitor: Visitor, Path(shop): Path<i64>) -> Result<Response, Problem> {
    show(&visitor, shop, blank(), None).await
}

/// The form of a new product.
fn blank() -> Fields {
    Fields::default().with("enabled", "yes")
}

async fn show(
    visitor: &Visitor,
    shop: i64,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let (shop, _) = enter(visitor, shop).await?;
    let categories = find_categories(visitor, shop.id).await?;
    let content = MenuPage {
        products: find_products(visitor, shop.id, true).await?,
        choices: choices(&categories, &form),
        hours: windows(&form),
        shop,
        categories,
        form,
        refusal,
    };
    let title = format!("Menu of {}", content.shop.name);
    form_page(&title, &visitor.me, &content, content.refusal.is_some())
}

/// Back to the menu.
async fn done(
    visitor: &Visitor,
    shop: i64,
    form: Fields,
    outcome: Result<(), Error>,
) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(go_to(&format!("/kitchen/{shop}/menu"))),
        Err(refusal) => show(visitor, shop, form, Some(refusal.into_text()?)).await,
    }
}

/// Sends what is to be changed, for the answer that it was.
async fn send(visitor: &Visitor, method: Method, path: &str, body: &Value) -> Result<(), Error> {
    visitor.change(method, "orders", path, body).await
}

pub async fn create_category(
    visitor: Visitor,
    Path(shop): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    let body = json!({ "name": form.text("category_name"), "shop_id": shop });
    let outcome = send(&visitor, Method::POST, "/category", &body).await;
    let form = blank().with("category_name", form.text("category_name"));
    done(&visitor, shop, form, outcome).await
}

pub async fn change_category(
    visitor: Visitor,
    Path((shop, category)): Path<(i64, i64)>,
    form: Fields,
) -> Result<Response, Problem> {
    let body = json!({ "name": form.text("name"), "enabled": form.has("enabled", "yes") });
    let path = format!("/category/{category}");
    let outcome = send(&visitor, Method::PATCH, &path, &body).await;
    done(&visitor, shop, blank(), outcome).await
}

pub async fn delete_category(
    visitor: Visitor,
    Path((shop, category)): Path<(i64, i64)>,
) -> Result<Response, Problem> {
    let path = format!("/category/{category}");
    let outcome = visitor.act(Method::DELETE, "orders", &path).await;
    done(&visitor, shop, blank(), outcome).await
}

/// A window of the week, as the form of a product shows it.
struct Window {
    number: usize,
    days: Vec<Day>,
    from: String,
    to: String,
}

struct Day {
    number: u8,
    name: &'static str,
    is_chosen: bool,
}

/// As many windows as a product can have.
const MAX_WINDOWS: usize = 20;

/// Those that are filled in, and an empty one.
fn windows(form: &Fields) -> Vec<Window> {
    let mut windows = Vec::new();
    for number in 0..MAX_WINDOWS {
        let day = |(number_of_day, name): (u8, &'static str)| Day {
            number: number_of_day,
            name,
            is_chosen: form.has(&format!("days-{number}"), &number_of_day.to_string()),
        };
        let window = Window {
            number,
            days: (1..).zip(DAYS).map(day).collect(),
            from: form.text(&format!("from-{number}")).to_owned(),
            to: form.text(&format!("to-{number}")).to_owned(),
        };
        let is_last = window.is_empty();
        windows.push(window);
        if is_last {
            break;
        }
    }
    windows
}

impl Window {
    fn is_empty(&self) -> bool {
        self.from.is_empty() && self.to.is_empty() && self.days.iter().all(|it| !it.is_chosen)
    }
}

/// What a form says of a product.
fn product_of(form: &Fields) -> Result<Value, Error> {
    let Some(price) = form.cents("price")? else {
        return Err(Error::refused("Say what it costs."));
    };
    let Some(category) = form.number("category")? else {
        return Err(Error::refused("Choose a category."));
    };
    let filled = (0..MAX_WINDOWS).map(|number| Hours {
        days: form
            .all(&format!("days-{number}"))
            .filter_map(|it| it.parse().ok())
            .collect(),
        from: form.text(&format!("from-{number}")).to_owned(),
        to: form.text(&format!("to-{number}")).to_owned(),
    });
    let is_filled = |it: &Hours| !(it.days.is_empty() && it.from.is_empty() && it.to.is_empty());
    let hours: Vec<_> = filled.filter(is_filled).collect();
    let allergens = form.text("allergens").split(',').map(str::trim);
    let allergens: Vec<_> = allergens.filter(|it| !it.is_empty()).collect();
    Ok(json!({
        "name": form.text("name"),
        "price": Amount(price),
        "category_id": category,
        "description": form.text("description"),
        "allergens": allergens,
        "station": form.optional("station").unwrap_or("kitchen"),
        "enabled": form.has("enabled", "yes"),
        "hours": hours,
    }))
}

pub async fn create_product(
    visitor: Visitor,
    Path(shop): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    let outcome = send_new(&visitor, &form).await;
    done(&visitor, shop, form, outcome).await
}

async fn send_new(visitor: &Visitor, form: &Fields) -> Result<(), Error> {
    let mut body = product_of(form)?;
    if let (Some(stock), Some(body)) = (form.number("stock")?, body.as_object_mut()) {
        body.insert("stock".to_owned(), json!(stock));
    }
    send(visitor, Method::POST, "/products", &body).await
}

/// A change of a stock.
#[derive(Debug, Deserialize)]
struct Movement {
    change: i64,
    stock: Option<i64>,
    reason: String,
    order_id: Option<i64>,
    created_at: Moment,
}

#[derive(Template)]
#[template(path = "kitchen/product.html")]
struct ProductPage {
    shop: Shop,
    product: Product,
    choices: Vec<Choice>,
    hours: Vec<Window>,
    movements: Vec<Movement>,
    form: Fields,
    refusal: Option<String>,
}

pub async fn show_product(
    visitor: Visitor,
    Path((shop, product)): Path<(i64, i64)>,
) -> Result<Response, Problem> {
    let product = find_product(&visitor, product).await?;
    let form = form_of(&product);
    show_one(&visitor, shop, product, form, None).await
}

async fn find_product(client: &Client, id: i64) -> Result<Product, Error> {
    client.get("orders", &format!("/products/{id}")).await
}

fn form_of(product: &Product) -> Fields {
    let mut form = Fields::default()
        .with("name", &product.name)
        .with("price", product.price)
        .with("category", product.category_id)
        .with("description", &product.description)
        .with("allergens", product.allergens())
        .with("station", &product.station);
    if product.enabled {
        form = form.with("enabled", "yes");
    }
    for (number, hours) in product.hours.iter().enumerate() {
        form = form
            .with(&format!("from-{number}"), &hours.from)
            .with(&format!("to-{number}"), &hours.to);
        for day in &hours.days {
            form = form.with(&format!("days-{number}"), day);
        }
    }
    form
}

async fn show_one(
    visitor: &Visitor,
    shop: i64,
    product: Product,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let categories = find_categories(visitor, shop).await?;
    let path = format!("/products/{}/stock?limit=20", product.id);
    let content = ProductPage {
        movements: visitor.get("orders", &path).await?,
        shop: find_shop(visitor, shop).await?,
        choices: choices(&categories, &form),
        hours: windows(&form),
        product,
        form,
        refusal,
    };
    form_page(
        &content.product.name,
        &visitor.me,
        &content,
        content.refusal.is_some(),
    )
}

/// Back to the product.
async fn done_one(
    visitor: &Visitor,
    shop: i64,
    id: i64,
    form: Option<Fields>,
    outcome: Result<(), Error>,
) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(go_to(&format!("/kitchen/{shop}/menu/{id}"))),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            let product = find_product(visitor, id).await?;
            let form = form.unwrap_or_else(|| form_of(&product));
            show_one(visitor, shop, product, form, refusal).await
        }
    }
}

pub async fn change_product(
    visitor: Visitor,
    Path((shop, product)): Path<(i64, i64)>,
    form: Fields,
) -> Result<Response, Problem> {
    let outcome = send_change(&visitor, product, &form).await;
    done_one(&visitor, shop, product, Some(form), outcome).await
}

async fn send_change(visitor: &Visitor, id: i64, form: &Fields) -> Result<(), Error> {
    let body = product_of(form)?;
    send(visitor, Method::PATCH, &format!("/products/{id}"), &body).await
}

/// Takes a product from the menu, or puts it on the menu again, with one button.
pub async fn offer_product(
    visitor: Visitor,
    Path((shop, product)): Path<(i64, i64)>,
    form: Fields,
) -> Result<Response, Problem> {
    let body = json!({ "enabled": form.has("enabled", "yes") });
    let path = format!("/products/{product}");
    let outcome = send(&visitor, Method::PATCH, &path, &body).await;
    done(&visitor, shop, blank(), outcome).await
}

pub async fn move_stock(
    visitor: Visitor,
    Path((shop, product)): Path<(i64, i64)>,
    form: Fields,
) -> Result<Response, Problem> {
    let outcome = send_stock(&visitor, product, &form).await;
    done_one(&visitor, shop, product, None, outcome).await
}

async fn send_stock(visitor: &Visitor, id: i64, form: &Fields) -> Result<(), Error> {
    let body = json!({
        "reason": form.text("reason"),
        "quantity": form.number("quantity")?,
        "choice_id": form.number("choice")?,
    });
    send(
        visitor,
        Method::POST,
        &format!("/products/{id}/stock"),
        &body,
    )
    .await
}

pub async fn delete_product(
    visitor: Visitor,
    Path((shop, product)): Path<(i64, i64)>,
) -> Result<Response, Problem> {
    let path = format!("/products/{product}");
    let outcome = visitor.act(Method::DELETE, "orders", &path).await;
    done(&visitor, shop, blank(), outcome).await
}
