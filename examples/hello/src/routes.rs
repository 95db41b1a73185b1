//! The HTTP face of hello.

use kit::web::{Created, Dialect, Json, Path, Problem, Routes, Schema};
use serde::Deserialize;

use crate::error::Error;
use crate::greeting::{Greeting, check_name};
use crate::store;

pub fn routes() -> Routes {
    Routes::new("Greetings", Dialect::Plain)
        .post("/greetings", create_greeting, |it| {
            it.summary("Greet a person").refuses([Error::INVALID_NAME])
        })
        .get("/greetings/{id}", show_greeting, |it| {
            it.summary("Show a greeting")
                .refuses([Error::UNKNOWN_GREETING])
        })
}

#[derive(Deserialize, Schema)]
struct NewGreeting {
    #[schemars(length(min = 1, max = 100), example = &"Ana")]
    name: String,
}

async fn create_greeting(Json(new): Json<NewGreeting>) -> Result<Created<Greeting>, Problem> {
    let name = check_name(&new.name)?;
    let greeting = store::create_greeting(&store::open().await?, name).await?;
    kit::store::event::wake();
    Ok(Created::at(format!("/greetings/{}", greeting.id), greeting))
}

async fn show_greeting(Path(id): Path<i64>) -> Result<Json<Greeting>, Problem> {
    let greeting = store::find_greeting(&store::open().await?, id).await?;
    Ok(Json(greeting.ok_or(Error::UnknownGreeting)?))
}
