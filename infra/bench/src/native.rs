//! The other server: axum and tokio-postgres without anything between them and the machine, written as
//! one would write it by hand, with the same answers from the same SQL.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::{Arc, RwLock};

use anyhow::Result;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use clap::Args;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use kit::token::{Claims, Keys};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_postgres::{NoTls, Row};
use uuid::Uuid;

use crate::token::ISSUER;

const FIND: &str = include_str!("../guest/src/sql/find.sql");
const CREATE: &str = include_str!("../guest/src/sql/create.sql");

/// As many as the host gives a component.
const CONNECTIONS: usize = 16;

#[derive(Args)]
pub struct Settings {
    #[arg(long)]
    postgres_url: String,
    #[arg(long)]
    jwks: String,
}

struct Shared {
    pool: Pool,
    keys: Keys,
    /// The kit remembers what it verified, so this does.
    verified: RwLock<HashMap<String, Arc<Claims>>>,
}

type App = State<Arc<Shared>>;

/// Serves on a free port and says which.
pub async fn serve(settings: Settings) -> Result<()> {
    let manager = Manager::from_config(
        tokio_postgres::Config::from_str(&settings.postgres_url)?,
        NoTls,
        ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        },
    );
    let shared = Arc::new(Shared {
        pool: Pool::builder(manager).max_size(CONNECTIONS).build()?,
        keys: Keys::parse(&settings.jwks)?,
        verified: RwLock::default(),
    });
    let router = Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/me", get(show_me))
        .route("/items/{id}", get(show_item))
        .route("/items", post(create_item))
        .with_state(shared);
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("{}", listener.local_addr()?);
    let nodelay = axum::serve::ListenerExt::tap_io(listener, |stream| {
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(nodelay, router).await?)
}

#[derive(Serialize)]
struct Me {
    id: Uuid,
    username: String,
}

async fn show_me(State(app): App, headers: HeaderMap) -> Result<Json<Me>, StatusCode> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|it| it.to_str().ok()?.strip_prefix("Bearer "))
        .ok_or(StatusCode::UNAUTHORIZED)?;
    let claims = app.verify(token).ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(Json(Me {
        id: claims.sub,
        username: claims.username.clone(),
    }))
}

impl Shared {
    fn verify(&self, token: &str) -> Option<Arc<Claims>> {
        let now = kit::now().as_second();
        let known = self.verified.read().ok()?.get(token).cloned();
        if let Some(claims) = known.filter(|it| it.exp > now) {
            return Some(claims);
        }
        let claims = Arc::new(self.keys.verify(token, ISSUER, ISSUER, now).ok()?);
        self.verified
            .write()
            .ok()?
            .insert(token.to_owned(), Arc::clone(&claims));
        Some(claims)
    }

    async fn connection(&self) -> Result<Object, StatusCode> {
        self.pool
            .get()
            .await
            .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
    }
}

#[derive(Serialize)]
struct Item {
    id: i64,
    name: String,
    owner: Uuid,
    cents: i64,
}

impl From<Row> for Item {
    fn from(row: Row) -> Self {
        Self {
            id: row.get(0),
            name: row.get(1),
            owner: row.get(2),
            cents: row.get(3),
        }
    }
}

async fn show_item(State(app): App, Path(id): Path<i64>) -> Result<Json<Item>, StatusCode> {
    let broken = |_| StatusCode::INTERNAL_SERVER_ERROR;
    let db = app.connection().await?;
    let find = db.prepare_cached(FIND).await.map_err(broken)?;
    let row = db.query_opt(&find, &[&id]).await.map_err(broken)?;
    row.map(|it| Json(it.into())).ok_or(StatusCode::NOT_FOUND)
}

#[derive(Deserialize)]
struct NewItem {
    name: String,
    owner: Uuid,
    cents: i64,
}

async fn create_item(State(app): App, Json(new): Json<NewItem>) -> Result<Json<Item>, StatusCode> {
    let broken = |_| StatusCode::INTERNAL_SERVER_ERROR;
    let db = app.connection().await?;
    let create = db.prepare_cached(CREATE).await.map_err(broken)?;
    let row = db
        .query_one(&create, &[&new.name, &new.owner, &new.cents])
        .await
        .map_err(broken)?;
    Ok(Json(row.into()))
}
