//! Settlement files of the provider: imported, and compared with the books.

use std::collections::BTreeMap;

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::web::{Dialect, Path, Problem, Query, Routes};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{list, name_of};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::Part;
use crate::page::{again, go_to, page};
use crate::visitor::Visitor;
use crate::words::{Cents, Moment};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/treasury/provider-files", list_files, |it| it)
        .post("/treasury/provider-files", import, |it| it)
        .get("/treasury/provider-files/{id}", show_file, |it| it)
}

#[derive(Debug, Deserialize)]
struct ProviderFile {
    id: Uuid,
    name: String,
    lines: i64,
    repeated: i64,
    skipped: i64,
    others: BTreeMap<String, i64>,
    fees: BTreeMap<String, Cents>,
    first_at: Moment,
    last_at: Moment,
    imported_at: Moment,
    imported_by: Uuid,
}

#[derive(Template)]
#[template(path = "treasury/provider_files.html")]
struct List {
    files: Vec<ProviderFile>,
    next: Option<Part>,
    form: Fields,
    refusal: Option<String>,
}

async fn list_files(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    let listed = list(&visitor, "/payments/provider-files", &part).await?;
    let content = List {
        files: listed.rows,
        next: listed.next,
        form: Fields::fresh(),
        refusal: None,
    };
    page("Files of the provider", &visitor.me, &content)
}

async fn import(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    match send(&visitor, &form).await {
        Ok(id) => Ok(go_to(&format!("/treasury/provider-files/{id}"))),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            let listed = list(&visitor, "/payments/provider-files", &Part::default()).await?;
            let content = List {
                files: listed.rows,
                next: listed.next,
                form: Fields::fresh()
                    .with("name", form.text("name"))
                    .with("csv", form.text("csv")),
                refusal,
            };
            again("Files of the provider", &visitor.me, &content)
        }
    }
}

async fn send(visitor: &Visitor, form: &Fields) -> Result<Uuid, Error> {
    #[derive(Deserialize)]
    struct Imported {
        id: Uuid,
    }
    let body = json!({ "name": form.text("name"), "csv": form.text("csv") });
    let (path, key) = ("/payments/provider-files", form.text("key"));
    let imported: Imported = visitor
        .send(Method::POST, "payments", path, key, &body)
        .await?;
    Ok(imported.id)
}

#[derive(Debug, Deserialize)]
struct Difference {
    kind: String,
    attempt: String,
    payment_id: Option<Uuid>,
    booked: Cents,
    reported: Cents,
    currency: String,
}

impl Difference {
    fn kind(&self) -> &str {
        match &*self.kind {
            "not_booked" => "settled by the provider, not booked here",
            "amount" => "another amount or currency",
            "sent_back" => "another amount was sent back",
            "not_reported" => "booked here, in no file",
            other => other,
        }
    }
}

#[derive(Template)]
#[template(path = "treasury/provider_file.html")]
struct FilePage {
    file: ProviderFile,
    imported_by: String,
    differences: Vec<Difference>,
    next: Option<Part>,
}

async fn show_file(
    visitor: Visitor,
    Path(id): Path<Uuid>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let path = format!("/payments/provider-files/{id}");
    let file: ProviderFile = visitor.get("payments", &path).await?;
    let listed = list(&visitor, &format!("{path}/differences"), &part).await?;
    let content = FilePage {
        imported_by: name_of(&visitor, file.imported_by).await?,
        differences: listed.rows,
        next: listed.next,
        file,
    };
    page("File of the provider", &visitor.me, &content)
}
