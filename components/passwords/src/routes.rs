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
                .note("Argon2, bcrypt, and PBKDF2 as `$pbkdf2-sha256$i=…$salt$hash`. The answer to a right password whose hash is not of the present kind has a new hash. Without a hash the same work is done and the answer is no.")
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
    /// Of a right password that is stored under other parameters than the present ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    new_hash: Option<String>,
}

async fn check_password(
    Json(given): Json<GivenPassword>,
) -> Result<Json<CheckedPassword>, Problem> {
    let is_right = hash::is_right(&given.password, given.hash.as_deref());
    let is_outdated = given.hash.as_deref().is_some_and(hash::is_outdated);
    let new_hash = match is_right && is_outdated {
        true => Some(hash::hash(&given.password)?),
        false => None,
    };
    Ok(Json(CheckedPassword { is_right, new_hash }))
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

    #[tokio::test]
    async fn a_right_password_of_an_old_kind_gets_a_new_hash() {
        let old = "$pbkdf2-sha256$i=1000$c2FsdA==$YywoEuRtRgQQK6dhjp1tfS+BKPYma0oDJk0qBGC33LM=";
        let check = async |password: &str, hash: &Value| {
            ask("/check", json!({"password": password, "hash": hash})).await
        };
        let right = check("password", &json!(old)).await;
        assert_eq!(right["is_right"], true, "{right}");
        let new = right["new_hash"].clone();
        let again = check("password", &new).await;
        assert_eq!(again, json!({ "is_right": true }));
        let wrong = check("passwort", &json!(old)).await;
        assert_eq!(wrong, json!({ "is_right": false }));
    }
}
