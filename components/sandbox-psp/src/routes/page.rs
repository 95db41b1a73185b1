//! The page on which a person approves or declines.

use axum::Router;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use kit::{Form, Path, Problem, now, setting};
use serde::Deserialize;

use crate::bill::{Bill, Kind, Status};
use crate::error::Error;
use crate::{notice, store};

pub fn router() -> Router {
    Router::new().route("/pay/{id}", get(show_bill).post(decide))
}

async fn show_bill(Path(id): Path<String>) -> Result<Response, Problem> {
    let db = store::open().await?;
    let bill = store::bill(&db, &id).await?;
    let payments = store::payments(&db, &bill.id).await?;
    let is_paid = payments.iter().any(|it| it.status != Status::Rejected);
    let state = if is_paid {
        "<p class=\"done\">Paid.</p>"
    } else if bill.is_over(now()) {
        "<p class=\"done\">The time to pay is over.</p>"
    } else {
        "<form method=\"post\">
           <button name=\"decision\" value=\"approve\" class=\"yes\">Approve</button>
           <button name=\"decision\" value=\"decline\">Decline</button>
         </form>"
    };
    Ok(page(StatusCode::OK, &bill, state))
}

#[derive(Deserialize)]
struct Decided {
    decision: Decision,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Decision {
    Approve,
    Decline,
}

async fn decide(Path(id): Path<String>, Form(decided): Form<Decided>) -> Result<Response, Problem> {
    let status = match decided.decision {
        Decision::Approve => Status::Approved,
        Decision::Decline => Status::Rejected,
    };
    let db = store::open().await?;
    let bill = store::bill(&db, &id).await?;
    let payment = store::decide(&db, &bill.id, status)
        .await?
        .ok_or(Error::Closed)?;
    let is_heard = notice::send(&bill, &payment, setting("psp_webhook_secret").await?, now()).await;
    match (bill.kind, status, &bill.back_url) {
        (Kind::Preference, Status::Approved, Some(back)) => Ok(Redirect::to(back).into_response()),
        _ => {
            let done = match (status, is_heard) {
                (Status::Approved, true) => "<p class=\"done\">Approved.</p>",
                (Status::Approved, false) => {
                    "<p class=\"done\">Approved; the shop will hear of it later.</p>"
                }
                _ => "<p class=\"done\">Declined. <a href=\"\">Try again</a></p>",
            };
            Ok(page(StatusCode::OK, &bill, done))
        }
    }
}

fn page(status: StatusCode, bill: &Bill, state: &str) -> Response {
    let headers: [(HeaderName, &str); 2] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let html = format!(
        "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>Sandbox payment</title>
<style>
  body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 24rem; margin: 15vh auto; padding: 0 1rem; color: #1b1f24 }}
  .amount {{ font-size: 2.2rem; font-weight: 600; margin: 0 }}
  .note {{ color: #59636e; font-size: .9rem }}
  button {{ font: inherit; padding: .6rem 1.4rem; border: 1px solid #59636e; border-radius: .5rem; background: none; cursor: pointer }}
  .yes {{ background: #1a7f37; border-color: #1a7f37; color: #fff }}
</style>
<p>{title}</p>
<p class=\"amount\">{amount} {currency}</p>
{state}
<p class=\"note\">This is a sandbox: no money moves.</p>
</html>",
        title = escaped(&bill.title),
        amount = format_args!("{}.{:02}", bill.amount / 100, bill.amount % 100),
        currency = escaped(&bill.currency),
    );
    (status, headers, Html(html)).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_become_markup() {
        assert_eq!(escaped("<b a=\"1\">&"), "&lt;b a=&quot;1&quot;&gt;&amp;");
    }
}
