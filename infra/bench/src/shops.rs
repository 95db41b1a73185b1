//! Seed data of orders: shops, and users with money of the currency that menus are priced in.

use anyhow::{Context as _, Result};

/// As many as users: with one for all orders, every order would wait for the same number and the same owner's account.
const SHOPS: u64 = 64;

#[derive(Clone)]
pub struct Shops {
    /// Each shop's id and those of two of its products, of which the second is counted.
    shops: Vec<(i64, i64, i64)>,
}

pub async fn seed(url: &str) -> Result<Shops> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    let connection = tokio::spawn(connection);
    client.batch_execute(include_str!("shops.sql")).await?;
    let made = "SELECT shop_id, min(id), max(id) FROM orders.product
        WHERE name IN ('Dish 1', 'Dish 2') GROUP BY shop_id ORDER BY shop_id";
    let rows = client.query(made, &[]).await?;
    let shops = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)))
        .collect::<Result<_>>()?;
    drop(client);
    connection.await??;
    Ok(Shops { shops })
}

impl Shops {
    pub fn pick(&self, number: u64) -> (i64, i64, i64) {
        let at = usize::try_from(number % SHOPS).unwrap_or_default();
        self.shops.get(at).copied().unwrap_or_default()
    }

    /// The shop with a full kitchen.
    pub fn full(&self) -> Result<i64> {
        Ok(self.shops.first().context("a shop")?.0)
    }
}
