//! What a person was told, and how they want to be told.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::web::{Dialect, Problem, Query, Routes};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{LIMIT, Part, ROWS, earlier};
use crate::page::{again, go_to, page};
use crate::visitor::Visitor;
use crate::words::Moment;

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/account/notices", list_notices, |it| it)
        .post("/account/notices/read", mark_read, |it| it)
        .get("/account/notices/preferences", show_preferences, |it| it)
        .post("/account/notices/preferences", change_preferences, |it| it)
}

#[derive(Debug, Deserialize)]
struct Notice {
    id: i64,
    subject: String,
    text: String,
    created_at: Moment,
    read_at: Option<Moment>,
}

#[derive(Template)]
#[template(path = "account/notices.html")]
struct List {
    notices: Vec<Notice>,
    next: Option<Part>,
}

impl List {
    /// The newest notice, when one is unread.
    fn up_to(&self) -> Option<i64> {
        let is_unread = self.notices.iter().any(|it| it.read_at.is_none());
        let newest = self.notices.first().filter(|_| is_unread)?;
        Some(newest.id)
    }
}

async fn list_notices(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    let path = format!("/notify/inbox?{}", part.query([LIMIT]));
    let notices: Vec<Notice> = visitor.get("notify", &path).await?;
    let content = List {
        next: earlier(&notices, ROWS, |it| it.id),
        notices,
    };
    page("Your notices", &visitor.me, &content)
}

async fn mark_read(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let body = json!({ "up_to": form.number("up_to")? });
    visitor
        .change(Method::POST, "notify", "/notify/inbox/read", &body)
        .await?;
    Ok(go_to("/account/notices"))
}

#[derive(Debug, Deserialize)]
struct Preferences {
    language: String,
    telegram: bool,
    email: bool,
    webhook: bool,
    time_zone: String,
    quiet_hours: Option<QuietHours>,
    digest_at: Option<String>,
    /// Why the bot sends nothing to the person's chat.
    telegram_silent_because: Option<String>,
}

#[derive(Debug, Deserialize)]
struct QuietHours {
    from: String,
    until: String,
}

#[derive(Template)]
#[template(path = "account/preferences.html")]
struct PreferencesPage {
    form: Fields,
    silent_because: Option<String>,
    refusal: Option<String>,
}

const TITLE: &str = "How you are told";

async fn show_preferences(visitor: Visitor) -> Result<Response, Problem> {
    let chosen = find_preferences(&visitor).await?;
    let hours = chosen.quiet_hours.as_ref();
    let form = Fields::default()
        .with("language", chosen.language)
        .with("telegram", word(chosen.telegram))
        .with("email", word(chosen.email))
        .with("webhook", word(chosen.webhook))
        .with("time_zone", chosen.time_zone)
        .with_some("quiet_from", hours.map(|it| &it.from))
        .with_some("quiet_until", hours.map(|it| &it.until))
        .with_some("digest_at", chosen.digest_at);
    let content = PreferencesPage {
        form,
        silent_because: chosen.telegram_silent_because,
        refusal: None,
    };
    page(TITLE, &visitor.me, &content)
}

async fn find_preferences(visitor: &Visitor) -> Result<Preferences, Error> {
    visitor.get("notify", "/notify/preferences").await
}

/// What a checked box sends.
const CHECKED: &str = "on";

fn word(is_checked: bool) -> &'static str {
    if is_checked { CHECKED } else { "" }
}

async fn change_preferences(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let quiet = (form.text("quiet_from"), form.text("quiet_until"));
    let quiet = match quiet {
        ("", "") => Value::Null,
        (from, until) => json!({ "from": from, "until": until }),
    };
    let body = json!({
        "language": form.text("language"),
        "telegram": form.has("telegram", CHECKED),
        "email": form.has("email", CHECKED),
        "webhook": form.has("webhook", CHECKED),
        "time_zone": form.text("time_zone"),
        "quiet_hours": quiet,
        "digest_at": form.optional("digest_at"),
    });
    let changed = visitor
        .change(Method::PUT, "notify", "/notify/preferences", &body)
        .await;
    match changed {
        Ok(()) => Ok(go_to("/account/notices/preferences")),
        Err(refusal) => {
            let content = PreferencesPage {
                form,
                silent_because: find_preferences(&visitor).await?.telegram_silent_because,
                refusal: Some(refusal.into_text()?),
            };
            again(TITLE, &visitor.me, &content)
        }
    }
}
