//! What signin asks, in memory.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use kit::{Json, Problem};
use serde::{Deserialize, Serialize};

use crate::hash;

pub fn router() -> Router {
    Router::new()
        .route("/hash", post(hash_password))
        .route("/check", post(check_password))
}

#[derive(Deserialize)]
struct New {
    password: String,
}

#[derive(Serialize)]
struct Hashed {
    hash: String,
}

async fn hash_password(Json(new): Json<New>) -> Result<Json<Hashed>, Problem> {
    let hash = hash::hash(&new.password).ok_or(Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "no-randomness",
        "The machine has no random numbers to give",
    ))?;
    Ok(Json(Hashed { hash }))
}

#[derive(Deserialize)]
struct Given {
    password: String,
    /// Absent when nobody is called so.
    hash: Option<String>,
}

#[derive(Serialize)]
struct Checked {
    is_right: bool,
}

async fn check_password(Json(given): Json<Given>) -> Json<Checked> {
    Json(Checked {
        is_right: hash::is_right(&given.password, given.hash.as_deref()),
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use serde_json::{Value, json};

    async fn ask(path: &str, body: Value) -> Value {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let response = kit::answer(super::router(), request).await;
        let body = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&body).unwrap()
    }

    #[tokio::test]
    async fn what_was_hashed_is_right_and_nothing_else_is() {
        let hash = ask("/hash", json!({"password": "correct horse"})).await["hash"].clone();
        let check = async |password: &str, hash: &Value| {
            ask("/check", json!({"password": password, "hash": hash})).await["is_right"].clone()
        };
        assert_eq!(check("correct horse", &hash).await, true);
        assert_eq!(check("wrong horse", &hash).await, false);
        assert_eq!(check("correct horse", &Value::Null).await, false);
    }
}
