//! What signin asks, by local service chaining.

use kit::web::{Dialect, Json, Problem, Routes, Schema};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::hash;

pub fn routes() -> Routes {
    Routes::new("Passwords", Dialect::Plain)
        .post("/hash", hash_password, |it| {
            it.summary("Hash a password")
                .refuses([Error::NO_RANDOMNESS])
        })
        .post("/check", check_password, |it| {
            it.summary("Check a password against its hash")
                .note("Without a hash the same work is done and the answer is no.")
        })
}

#[derive(Deserialize, Schema)]
struct NewPassword {
    #[schemars(example = &"Correct-Horse-1")]
    password: String,
}

#[derive(Serialize, Schema)]
struct HashedPassword {
    /// Argon2id in PHC form.
    hash: String,
}

async fn hash_password(Json(new): Json<NewPassword>) -> Result<Json<HashedPassword>, Problem> {
    let hash = hash::hash(&new.password)?;
    Ok(Json(HashedPassword { hash }))
}

#[derive(Deserialize, Schema)]
struct GivenPassword {
    #[schemars(example = &"Correct-Horse-1")]
    password: String,
    /// Absent when no account has the name.
    hash: Option<String>,
}

#[derive(Serialize, Schema)]
struct CheckedPassword {
    is_right: bool,
}

async fn check_password(Json(given): Json<GivenPassword>) -> Json<CheckedPassword> {
    Json(CheckedPassword {
        is_right: hash::is_right(&given.password, given.hash.as_deref()),
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use serde_json::{Value, json};

    use super::routes;

    async fn ask(path: &str, body: Value) -> Value {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        kit::testing::ask(routes(), request).await.body
    }

    #[tokio::test]
    async fn the_hashed_password_is_right_and_no_other_is() {
        let hash = ask("/hash", json!({"password": "correct horse"})).await["hash"].clone();
        let check = async |password: &str, hash: &Value| {
            ask("/check", json!({"password": password, "hash": hash})).await["is_right"].clone()
        };
        assert_eq!(check("correct horse", &hash).await, true);
        assert_eq!(check("wrong horse", &hash).await, false);
        assert_eq!(check("correct horse", &Value::Null).await, false);
    }
}
