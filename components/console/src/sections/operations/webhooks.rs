//! Webhooks: programs of the visitor that notify calls, and how the calls went.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use jiff::tz::TimeZone;
use kit::web::{Dialect, Path, Problem, Query, Routes};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{LIMIT, Part, ROWS, earlier};
use crate::page::{form_page, go_to, page};
use crate::visitor::Visitor;
use crate::words::{Moment, query};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/operations/webhooks", list_webhooks, |it| it)
        .post("/operations/webhooks", create, |it| it)
        .get("/operations/webhooks/{id}", show_webhook, |it| it)
        .post("/operations/webhooks/{id}/test", test, |it| it)
        .post("/operations/webhooks/{id}/enable", enable, |it| it)
        .post("/operations/webhooks/{id}/secret", rotate, |it| it)
        .post("/operations/webhooks/{id}/delete", delete, |it| it)
}

#[derive(Debug, Deserialize)]
struct Webhook {
    id: Uuid,
    url: String,
    templates: Option<Vec<String>>,
    failures: i64,
    created_at: Moment,
    disabled_at: Option<Moment>,
    disabled_because: Option<String>,
}

impl Webhook {
    fn templates(&self) -> String {
        match &self.templates {
            Some(templates) => templates.join(", "),
            None => "all notices".to_owned(),
        }
    }
}

#[derive(Template)]
#[template(path = "operations/webhooks.html")]
struct List {
    webhooks: Vec<Webhook>,
    form: Fields,
    refusal: Option<String>,
}

async fn list_webhooks(visitor: Visitor) -> Result<Response, Problem> {
    show_list(&visitor, Fields::default(), None).await
}

async fn show_list(
    visitor: &Visitor,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let content = List {
        webhooks: visitor.get("notify", "/notify/webhooks").await?,
        form,
        refusal,
    };
    let title = "Your webhooks";
    form_page(title, &visitor.me, &content, content.refusal.is_some())
}

/// The secret is shown on this page alone: notify tells it once.
#[derive(Template)]
#[template(path = "operations/secret.html")]
struct SecretPage {
    made: WithSecret,
}

#[derive(Deserialize)]
struct WithSecret {
    id: Uuid,
    url: String,
    secret: String,
}

async fn create(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let templates: Vec<_> = form
        .text("templates")
        .split([',', ' '])
        .filter(|it| !it.is_empty())
        .collect();
    let mut body = json!({ "url": form.text("url") });
    if !templates.is_empty() {
        body = json!({ "url": form.text("url"), "templates": templates });
    }
    let path = "/notify/webhooks";
    match visitor.send(Method::POST, "notify", path, "", &body).await {
        Ok(made) => page(
            "The secret of the webhook",
            &visitor.me,
            &SecretPage { made },
        ),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            show_list(&visitor, form, refusal).await
        }
    }
}

#[derive(Debug, Deserialize)]
struct Attempt {
    id: i64,
    template: String,
    status: Option<i64>,
    error: Option<String>,
    took_ms: i64,
    made_at: Moment,
}

#[derive(Template)]
#[template(path = "operations/webhook.html")]
struct WebhookPage {
    webhook: Webhook,
    attempts: Vec<Attempt>,
    next: Option<Part>,
    form: Fields,
    refusal: Option<String>,
}

async fn show_webhook(
    visitor: Visitor,
    Path(id): Path<Uuid>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    show(&visitor, id, &part, Fields::default(), None).await
}

async fn show(
    visitor: &Visitor,
    id: Uuid,
    part: &Part,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let path = format!("/notify/webhooks/{id}");
    let asked = format!("{path}/attempts?{}", part.query([LIMIT]));
    let attempts: Vec<Attempt> = visitor.get("notify", &asked).await?;
    let content = WebhookPage {
        webhook: visitor.get("notify", &path).await?,
        next: earlier(&attempts, ROWS, |it| it.id),
        attempts,
        form,
        refusal,
    };
    let title = "Webhook";
    form_page(title, &visitor.me, &content, content.refusal.is_some())
}

async fn test(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let path = format!("/notify/webhooks/{id}/test");
    let outcome = visitor.act(Method::POST, "notify", &path).await;
    done(&visitor, id, Fields::default(), outcome).await
}

async fn enable(visitor: Visitor, Path(id): Path<Uuid>, form: Fields) -> Result<Response, Problem> {
    let outcome = send_enable(&visitor, id, &form).await;
    done(&visitor, id, form, outcome).await
}

async fn send_enable(visitor: &Visitor, id: Uuid, form: &Fields) -> Result<(), Error> {
    let since = form.moment("since", &TimeZone::UTC)?;
    let since = since.map(|it| it.to_string()).unwrap_or_default();
    let since = query([("since", &*since)]);
    let path = format!("/notify/webhooks/{id}/enable?{since}");
    visitor.act(Method::POST, "notify", &path).await
}

async fn rotate(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let path = format!("/notify/webhooks/{id}/secret");
    match visitor
        .send(Method::POST, "notify", &path, "", &json!({}))
        .await
    {
        Ok(made) => page(
            "The new secret of the webhook",
            &visitor.me,
            &SecretPage { made },
        ),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            show(&visitor, id, &Part::default(), Fields::default(), refusal).await
        }
    }
}

async fn delete(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let path = format!("/notify/webhooks/{id}");
    match visitor.act(Method::DELETE, "notify", &path).await {
        Ok(()) => Ok(go_to("/operations/webhooks")),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            show(&visitor, id, &Part::default(), Fields::default(), refusal).await
        }
    }
}

async fn done(
    visitor: &Visitor,
    id: Uuid,
    form: Fields,
    outcome: Result<(), Error>,
) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(go_to(&format!("/operations/webhooks/{id}"))),
        Err(refusal) => {
            show(
                visitor,
                id,
                &Part::default(),
                form,
                Some(refusal.into_text()?),
            )
            .await
        }
    }
}
