//! The server that the host is compared with: an ordinary axum server that serves the same requests with the same SQL.
//! One process, plain axum extractors, a pool of connections with prepared statements.
//!
//! Like the functions, it verifies the signature of a token once and caches it until it expires, and asks Redis every
//! few seconds whether the session was revoked. It has no request ids, metrics, access log, problem bodies, or wake-up
//! after a booking.

mod caller;
mod fines;
mod items;
mod modpacks;
mod orders;
mod parking;
mod payments;

use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use tokio::net::TcpListener;
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row};

use crate::native::caller::Tokens;

#[derive(clap::Args)]
pub struct Options {
    #[arg(long)]
    bench_url: String,
    #[arg(long)]
    product_url: String,
    #[arg(long)]
    redis_url: String,
    #[arg(long)]
    jwks: String,
}

/// The default number of connections of a component.
const CONNECTIONS: usize = 16;

pub struct Shared {
    bench: Pool,
    payments: Pool,
    bookings: Pool,
    orders: Pool,
    fines: Pool,
    modpacks: Pool,
    tokens: Tokens,
}

type State = axum::extract::State<Arc<Shared>>;

/// Serves until it is killed.
pub fn run(options: &Options) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(serve(options))
}

async fn serve(options: &Options) -> Result<()> {
    let shared = Shared {
        bench: pool(&options.bench_url, "bench")?,
        payments: pool(&options.product_url, "payments")?,
        bookings: pool(&options.product_url, "bookings")?,
        orders: pool(&options.product_url, "orders")?,
        fines: pool(&options.product_url, "fines")?,
        modpacks: pool(&options.product_url, "modpacks")?,
        tokens: Tokens::new(&options.jwks, &options.redis_url).await?,
    };
    let router = Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/me", get(caller::show))
        .route("/items", post(items::create))
        .route("/items/{id}", get(items::show))
        .route("/payment/balance", get(payments::balance))
        .route("/payments/send", post(payments::send))
        .route("/parking", get(parking::search))
        .route("/booking", post(parking::book))
        .route("/products", get(orders::list_products))
        .route("/orders", post(orders::create_order))
        .route("/kitchen", get(orders::list_kitchen))
        .route("/api/v1/zones/{id}/checks", post(fines::check_plate))
        .route("/api/v1/zones/{id}/fines", post(fines::issue))
        .route("/api/v1/zones/location", get(fines::find_zone))
        .route("/api/v1/users/me/fines", get(fines::poll))
        .route("/modpacks/{id}/latest", get(modpacks::show_latest))
        .route("/files/lookup", post(modpacks::look_up))
        .route("/files/{id}/address", get(modpacks::show_address))
        .with_state(Arc::new(shared));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!(r#"{{"base_url":"http://{}"}}"#, listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}

/// A pool with the role and the schema of a component.
fn pool(url: &str, schema: &str) -> Result<Pool> {
    let mut config: tokio_postgres::Config = url.parse()?;
    config.options(format!("-csearch_path={schema} -crole=wharf_{schema}"));
    let recycling = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let manager = Manager::from_config(config, NoTls, recycling);
    Ok(Pool::builder(manager).max_size(CONNECTIONS).build()?)
}

pub async fn query_all(
    db: &Object,
    sql: &str,
    params: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, Failed> {
    let statement = db.prepare_cached(sql).await?;
    Ok(db.query(&statement, params).await?)
}

pub async fn query_one(
    db: &Object,
    sql: &str,
    params: &[&(dyn ToSql + Sync)],
) -> Result<Row, Failed> {
    let statement = db.prepare_cached(sql).await?;
    Ok(db.query_one(&statement, params).await?)
}

/// Any failure: the client ends the benchmark at the first one.
#[derive(Debug)]
pub struct Failed(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, format!("{:#}", self.0)).into_response()
    }
}
