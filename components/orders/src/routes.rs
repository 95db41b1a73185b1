//! The HTTP face of orders.

mod kitchen;
mod menu;
mod orders;
mod photos;
mod shops;
mod tracking;

use axum::response::{IntoResponse, Response};
use kit::identity::Clock;
use kit::web::{Dialect, Json, Listed, NoContent, Operation, Output, Problem, Routes, Schema};
use serde::Serialize;

use crate::error::Error;
use crate::order::Tracked;
use crate::saga;

pub fn routes() -> Routes {
    Routes::of([menu(), ordering(), shops()])
}

fn menu() -> Routes {
    let (categories, category) = (
        ["/category", "/categories"],
        ["/category/{category_id}", "/categories/{category_id}"],
    );
    let photo = "/products/{product_id}/photos/{photo_id}";
    Routes::new("Menus", Dialect::FastFood)
        .get(categories, menu::list_categories, |it| {
            it.summary("List categories")
                .note("Lists offered categories; with `all` every one, for staff who edit the menu. With `category_id` the answer is that one category instead of a list.")
                .refuses([Error::UNKNOWN_CATEGORY])
        })
        .post(categories, menu::create_category, |it| {
            it.summary("Create a category")
                .refuses([Error::INVALID_NAME, Error::NAME_TAKEN])
                .refuses(of_shop())
        })
        .get(category, menu::show_category, |it| {
            it.summary("Show a category").refuses([Error::UNKNOWN_CATEGORY])
        })
        .patch(category, menu::change_category, |it| {
            it.summary("Change a category")
                .refuses(changing())
                .refuses([Error::UNKNOWN_CATEGORY])
        })
        .delete(category, menu::delete_category, |it| {
            it.summary("Delete a category")
                .note("With its products. Orders keep names and prices.")
                .refuses([Error::UNKNOWN_CATEGORY, Error::FORBIDDEN])
        })
        .get("/products", menu::list_products, |it| {
            it.summary("List products")
                .note("Lists offered products; with `all` every one, for staff who edit the menu. With `product_id` the answer is that one product instead of a list.")
                .refuses([Error::UNKNOWN_PRODUCT])
        })
        .post("/products", menu::create_product, |it| {
            it.summary("Create a product")
                .refuses(product_fields())
                .refuses([Error::UNKNOWN_CATEGORY, Error::FORBIDDEN, Error::NAME_TAKEN])
        })
        .get("/products/{product_id}", menu::show_product, |it| {
            it.summary("Show a product").refuses([Error::UNKNOWN_PRODUCT])
        })
        .patch("/products/{product_id}", menu::change_product, |it| {
            it.summary("Change a product")
                .note("`options` replaces all options; a choice that keeps its name keeps its id.")
                .refuses(product_fields())
                .refuses(changing())
                .refuses([Error::UNKNOWN_CATEGORY, Error::UNKNOWN_PRODUCT])
        })
        .delete("/products/{product_id}", menu::delete_product, |it| {
            it.summary("Delete a product")
                .note("Orders keep its name and price.")
                .refuses([Error::UNKNOWN_PRODUCT, Error::FORBIDDEN])
        })
        .post("/products/{product_id}/photos", photos::add_photo, |it| {
            it.summary("Add a photo to a product")
                .note("The bytes are PUT at the address in the answer; then the photo is completed, and the product shows it after its others. A product has at most ten.")
                .refuses([
                    Error::INVALID_PHOTO,
                    Error::UNKNOWN_PRODUCT,
                    Error::FORBIDDEN,
                    Error::TOO_MANY_PHOTOS,
                ])
        })
        .put("/products/{product_id}/photos", photos::order_photos, |it| {
            it.summary("Show the photos of a product in another order")
                .note("Name each photo that the product shows once. The first one becomes its `photo`.")
                .refuses([
                    Error::UNKNOWN_PRODUCT,
                    Error::FORBIDDEN,
                    Error::OTHER_PHOTOS,
                ])
        })
        .post(photo, photos::complete_photo, |it| {
            it.summary("Complete a photo of a product")
                .note("Call it when the bytes were put. They are read once and do not change afterwards. Repeated: no effect.")
                .refuses([
                    Error::UNKNOWN_PRODUCT,
                    Error::UNKNOWN_PHOTO,
                    Error::FORBIDDEN,
                    Error::NO_BYTES,
                    Error::NO_PHOTO,
                ])
        })
        .get(photo, photos::show_photo, |it| {
            it.summary("Show a photo of a product")
                .note("A path of `photos` of a product. It leads to the bytes in S3, which are served with the announced media type, as an attachment.")
                .returns_nothing(302)
                .returns_header(302, "Location", "Where the bytes are, for five minutes")
                .refuses([Error::UNKNOWN_PHOTO])
        })
        .delete(photo, photos::drop_photo, |it| {
            it.summary("Take a photo of a product away")
                .refuses([Error::UNKNOWN_PRODUCT, Error::UNKNOWN_PHOTO, Error::FORBIDDEN])
        })
        .get("/products/{product_id}/stock", menu::list_movements, |it| {
            it.summary("List the changes of a stock")
                .note("The newest first.")
                .refuses([Error::UNKNOWN_PRODUCT, Error::FORBIDDEN])
        })
        .post("/products/{product_id}/stock", menu::move_stock, |it| {
            it.summary("Count or fill up a stock")
                .note("`delivery` adds to the free stock. `count` is the number of pieces there, including those that unprepared orders have reserved. When these orders need more, the newest of them are rejected and refunded.")
                .refuses([
                    Error::UNKNOWN_PRODUCT,
                    Error::UNKNOWN_CHOICE,
                    Error::FORBIDDEN,
                    Error::INVALID_STOCK,
                ])
        })
}

fn ordering() -> Routes {
    Routes::new("Orders", Dialect::FastFood)
        .get("/orders", orders::list_orders, |it| {
            it.summary("List orders")
                .note("Customers see their own orders, staff the orders of their shops, admins all. The newest first. An `order_id` of no order is a 404.")
                .refuses([Error::UNKNOWN_ORDER])
        })
        .post("/orders", orders::create_order, |it| {
            it.summary("Order")
                .note("The server prices the items, reserves their stock and gives the order a number. A wallet pays at once. Otherwise the answer says where to pay, or a cashier confirms the payment at the counter. `status` and `payment_status` in the body are ignored. With `expected_amount` the order is refused when it costs anything else, as after a change of the menu.")
                .refuses(placing())
        })
        .post("/orders/checkout", orders::create_order, |it| {
            it.summary("Order, as older clients do")
                .instead("POST /orders")
                .refuses(placing())
        })
        .post("/orders/webhook", orders::hear_webhook, |it| {
            it.summary("Claim that an order was paid")
                .note("The body is only a hint: the provider is asked soon.")
                .instead("POST /payments/webhook")
        })
        .get("/orders/follow/{link}", tracking::follow_order, |it| {
            it.summary("Follow an order by its link")
                .note("Without an account. With `If-None-Match` a 304 says that nothing has changed.")
                .header("If-None-Match", false, "The ETag of the last answer")
                .returns::<tracking::Followed>(200)
                .returns_header(200, "ETag", "Changes with the order")
                .returns_nothing(304)
                .refuses([Error::UNKNOWN_ORDER])
        })
        .get("/orders/follow/{link}/live", tracking::follow_order_live, |it| {
            live(it.summary("Watch an order by its link"))
                .note("Without an account. The data of an event is what `GET /orders/follow/{link}` answers.")
        })
        .get("/orders/{order_id}", orders::show_order, |it| {
            it.summary("Show an order").refuses([Error::UNKNOWN_ORDER])
        })
        .patch("/orders/{order_id}", orders::change_order, |it| {
            it.summary("Take an order a step on")
                .note("`next_states` of the order lists the possible steps. Its present status changes nothing. `cancelled` after the payment becomes `refunded`. Within a minute staff may take back a step in the kitchen. `paid` is for cashiers, of orders that are paid at the counter. For other orders, and with any `payment_status`, the provider is asked.")
                .refuses(stepping())
        })
        .put("/orders/{order_id}/status", orders::change_order, |it| {
            it.summary("Take an order a step on, as older clients do")
                .instead("PATCH /orders/{order_id}")
                .refuses(stepping())
        })
        .patch("/orders/{order_id}/payment", orders::change_payment, |it| {
            it.summary("Look after the payment of an order")
                .note("`approved` confirms a payment at the counter, for cashiers. With `payment_method` `counter` a cashier takes the money of an order that was to be paid through the provider: its payment there is called off, and money that is paid there all the same goes back. In all other cases the body is only a hint, and the provider is asked.")
                .refuses(stepping())
                .refuses([Error::ALREADY_PAID])
        })
        .post("/orders/{order_id}/refund", orders::refund_items, |it| {
            it.summary("Give items back")
                .note("Refunds the price of the items, less their part of the discount, in the way it was paid: to the wallet, through the provider or at the counter. A provider that does not answer is asked again. Pieces that were not prepared yet go back into the stock; others do with `restock`.")
                .refuses([
                    Error::UNKNOWN_ORDER,
                    Error::FORBIDDEN,
                    Error::NOTHING_TO_REFUND,
                ])
        })
        .get("/orders/{order_id}/tracking", tracking::track_order, |it| {
            it.summary("List the steps of an order")
                .note("With `If-None-Match` a 304 says that nothing has changed.")
                .header("If-None-Match", false, "The ETag of the last answer")
                .returns::<Vec<Tracked>>(200)
                .returns_header(200, "ETag", "Changes with the order")
                .returns_nothing(304)
                .refuses([Error::UNKNOWN_ORDER])
        })
        .get("/orders/{order_id}/tracking/live", tracking::track_order_live, |it| {
            live(it.summary("Watch the steps of an order"))
                .note("The data of an event is what `GET /orders/{order_id}/tracking` answers.")
        })
        .about("Kitchens")
        .get("/kitchen", kitchen::list_kitchen, |it| {
            it.summary("List the orders of a kitchen")
                .note("Ready orders, then orders in preparation, then waiting ones; the oldest first. With `station` only the orders and items of that station.")
                .refuses(of_shop())
        })
        .get("/kitchen/items", kitchen::list_pending, |it| {
            it.summary("List the pieces that are still to be made")
                .note("How many pieces of each product all waiting and started orders need, the most wanted product first.")
                .refuses(of_shop())
        })
        .about("Operation")
        .post("/orders/tick", tick, |it| {
            it.summary("Sweep orders")
                .note("Does what the host's tick does, on platforms that have none.")
        })
}

fn shops() -> Routes {
    Routes::new("Shops", Dialect::FastFood)
        .get("/shops", shops::list_shops, |it| it.summary("List shops"))
        .post("/shops", shops::create_shop, |it| {
            it.summary("Open a shop")
                .refuses([Error::INVALID_NAME, Error::UNKNOWN_TIME_ZONE])
        })
        .get("/shops/{shop_id}", shops::show_shop, |it| {
            it.summary("Show a shop").refuses([Error::UNKNOWN_SHOP])
        })
        .patch("/shops/{shop_id}", shops::change_shop, |it| {
            it.summary("Change a shop").refuses([
                Error::INVALID_NAME,
                Error::UNKNOWN_TIME_ZONE,
                Error::UNKNOWN_SHOP,
                Error::EMPTY_PATCH,
            ])
        })
        .get("/shops/{shop_id}/staff", shops::list_staff, |it| {
            it.summary("List the staff of a shop").refuses(of_shop())
        })
        .put(
            "/shops/{shop_id}/staff/{user_id}/{role}",
            shops::give_role,
            |it| {
                it.summary("Give a person a role in a shop")
                    .note("For admins, and managers of the shop. Repeated: no effect.")
                    .refuses(of_shop())
            },
        )
        .delete(
            "/shops/{shop_id}/staff/{user_id}/{role}",
            shops::take_role,
            |it| it.summary("Take a role in a shop away").refuses(of_shop()),
        )
        .get("/shops/{shop_id}/menu.csv", menu::export_menu, |it| {
            it.summary("Export the menu of a shop")
                .note("The file has the offered products; staff who edit the menu get all.")
                .returns_media(200, "text/csv")
        })
        .put("/shops/{shop_id}/menu.csv", menu::import_menu, |it| {
            it.summary("Import a menu")
                .note("Products and categories are known by their names: those of the file are created or changed, others stay. All of the file or nothing of it.")
                .takes::<String>("text/csv")
                .refuses(of_shop())
                .refuses([Error::INVALID_FILE, Error::NAME_TAKEN])
        })
        .get("/shops/{shop_id}/figures", shops::list_figures, |it| {
            it.summary("Show the figures of a shop, day by day")
                .note("The last 30 days when no days are named.")
                .refuses(of_shop())
                .refuses([Error::INVALID_DATES])
        })
        .get(
            "/shops/{shop_id}/figures.csv",
            shops::export_figures,
            |it| {
                it.summary("Export the figures of a shop")
                    .returns_media(200, "text/csv")
                    .refuses(of_shop())
                    .refuses([Error::INVALID_DATES])
            },
        )
        .get("/shops/{shop_id}/coupons", shops::list_coupons, |it| {
            it.summary("List the coupons of a shop").refuses(of_shop())
        })
        .post("/shops/{shop_id}/coupons", shops::create_coupon, |it| {
            it.summary("Create a coupon")
                .refuses(of_shop())
                .refuses([Error::INVALID_COUPON, Error::NAME_TAKEN])
        })
        .delete(
            "/shops/{shop_id}/coupons/{code}",
            shops::withdraw_coupon,
            |it| {
                it.summary("Withdraw a coupon")
                    .note("Orders that used the coupon keep their price.")
                    .refuses(of_shop())
                    .refuses([Error::UNKNOWN_COUPON])
            },
        )
}

/// The common description of all streams.
fn live(it: Operation) -> Operation {
    it.note("Server-sent events: the present state, then each change, and a comment now and then. The stream ends when the order changes no more, or after ten minutes: connect again then, as browsers do by themselves. 503 when all places for streams are taken.")
        .header("Accept", true, "`text/event-stream`")
        .header("Last-Event-ID", false, "The id of the last event: 204 when nothing can follow it")
        .returns_media(200, "text/event-stream")
        .returns_nothing(204)
        .refuses([Error::UNKNOWN_ORDER, Error::NO_STREAM])
}

fn of_shop() -> [Problem; 2] {
    [Error::UNKNOWN_SHOP, Error::FORBIDDEN]
}

fn changing() -> [Problem; 4] {
    [
        Error::EMPTY_PATCH,
        Error::FORBIDDEN,
        Error::INVALID_NAME,
        Error::NAME_TAKEN,
    ]
}

fn product_fields() -> [Problem; 6] {
    [
        Error::INVALID_NAME,
        Error::INVALID_TEXT,
        Error::INVALID_PRICE,
        Error::INVALID_STOCK,
        Error::INVALID_HOURS,
        Error::INVALID_OPTIONS,
    ]
}

fn placing() -> Vec<Problem> {
    vec![
        Error::NO_ITEMS,
        Error::INVALID_ITEM,
        Error::INVALID_TIP,
        Error::UNKNOWN_SHOP,
        Error::UNKNOWN_CUSTOMER,
        Error::FORBIDDEN,
        Error::UNKNOWN_PRODUCT,
        Error::UNKNOWN_CHOICE,
        Error::NOT_OFFERED,
        Error::NOT_SERVED_NOW,
        Error::SOLD_OUT,
        Error::WRONG_CHOICES,
        Error::TOO_EXPENSIVE,
        Error::PRICE_CHANGED,
        Error::UNKNOWN_COUPON,
        Error::COUPON_USED_UP,
        Error::COUPON_NEEDS_MORE,
        Error::NOT_THEIR_WALLET,
        Error::NO_WALLET_HERE,
        Error::OWN_SHOP,
        Error::INSUFFICIENT_FUNDS,
        Error::PAYMENT_REFUSED,
        Error::PAYMENT_UNAVAILABLE,
        Error::ACCOUNTS_UNAVAILABLE,
    ]
}

fn stepping() -> [Problem; 8] {
    [
        Error::MISSING_STATUS,
        Error::INVALID_STATUS,
        Error::UNKNOWN_ORDER,
        Error::FORBIDDEN,
        Error::NO_SUCH_STEP,
        Error::TOO_LATE,
        Error::NOT_PAID,
        Error::PAYMENT_UNAVAILABLE,
    ]
}

/// One thing when its id was asked for; a list otherwise.
pub enum Found<T> {
    One(Json<T>),
    Several(Listed<T>),
}

impl<T: Serialize> IntoResponse for Found<T> {
    fn into_response(self) -> Response {
        match self {
            Self::One(one) => one.into_response(),
            Self::Several(several) => several.into_response(),
        }
    }
}

#[derive(Schema)]
#[schemars(untagged)]
#[allow(dead_code)]
enum OneOrSeveral<T> {
    One(T),
    Several(Vec<T>),
}

impl<T: Schema> Output for Found<T> {
    fn describe(operation: &mut Operation) {
        Listed::<T>::describe(operation);
        operation.add_answer::<OneOrSeveral<T>>(200);
    }
}

async fn tick(_: Clock) -> Result<NoContent, Problem> {
    saga::sweep().await?;
    Ok(NoContent)
}
