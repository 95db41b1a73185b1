//! The HTTP face of the sandbox: the provider's API for the merchant, and a page
//! for whoever pays.

mod api;
mod page;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use kit::{Problem, flag};

use crate::error::Error;

/// Where the sandbox stands; the variable `psp_path` of payments says the same.
const PREFIX: &str = "/sandbox-psp";

pub fn router() -> Router {
    let routes = Router::new()
        .merge(api::router())
        .merge(page::router())
        .layer(from_fn(only_in_a_sandbox));
    Router::new().nest(PREFIX, routes)
}

/// Money from here is worth nothing; elsewhere there is no such place.
async fn only_in_a_sandbox(request: Request, next: Next) -> Result<Response, Problem> {
    if flag("sandbox").await? {
        Ok(next.run(request).await)
    } else {
        Err(Error::NotHere.into())
    }
}
