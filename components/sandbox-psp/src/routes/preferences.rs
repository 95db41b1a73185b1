//! Preferences: bills that are paid on a page.

use jiff::Timestamp;
use kit::money::decimal;
use kit::setting;
use kit::web::{Created, Json, Problem, Schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::PREFIX;
use super::callers::Merchant;
use crate::bill::{Bill, Kind};
use crate::error::Error;
use crate::store;

/// The address of the page on which a bill is paid.
pub async fn page_of(bill: &Bill) -> Result<String, Error> {
    let public_url = setting("public_url").await?.trim_end_matches('/');
    Ok(format!("{public_url}{PREFIX}/pay/{}", bill.id))
}

#[derive(Deserialize, Schema)]
pub struct NewPreference {
    #[schemars(length(min = 1, max = 1))]
    items: Vec<Item>,
    external_reference: String,
    /// Where the merchant is told of payments.
    #[schemars(extend("format" = "uri"))]
    notification_url: String,
    back_urls: Option<BackUrls>,
    expiration_date_to: Option<Timestamp>,
}

#[derive(Deserialize, Schema)]
struct Item {
    #[schemars(example = &"Two burgers")]
    title: String,
    #[schemars(range(min = 1), example = 1)]
    quantity: i64,
    #[serde(with = "decimal")]
    #[schemars(with = "f64", example = 25.5)]
    unit_price: i64,
    #[schemars(example = &"BRL")]
    currency_id: String,
}

#[derive(Deserialize, Schema)]
struct BackUrls {
    success: String,
}

#[derive(Serialize, Schema)]
pub struct Preference {
    id: String,
    /// The page on which it is paid.
    init_point: String,
    sandbox_init_point: String,
    external_reference: String,
}

pub async fn create_preference(
    merchant: Merchant,
    Json(new): Json<NewPreference>,
) -> Result<Created<Preference>, Problem> {
    let [item] = new.items.as_slice() else {
        return Err(Error::Malformed("items").into());
    };
    let bill = Bill {
        id: Uuid::new_v4().to_string(),
        kind: Kind::Preference,
        reference: new.external_reference,
        title: item.title.clone(),
        amount: item
            .unit_price
            .checked_mul(item.quantity)
            .filter(|it| *it > 0)
            .ok_or(Error::Malformed("unit_price"))?,
        currency: item.currency_id.clone(),
        notification_url: new.notification_url,
        back_url: new.back_urls.map(|it| it.success),
        expires_at: new.expiration_date_to,
    };
    let db = store::open().await?;
    let bill = store::create_bill(&db, &bill, merchant.key.as_deref()).await?;
    let page = page_of(&bill).await?;
    let preference = Preference {
        id: bill.id,
        init_point: page.clone(),
        sandbox_init_point: page.clone(),
        external_reference: bill.reference,
    };
    Ok(Created::at(page, preference))
}
